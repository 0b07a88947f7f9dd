//! Following logs only while the clock is believed.
//!
//! By a clock that is far off, lines are of days that are no longer kept, or have not come, and count nowhere; what was read
//! is not read again. So nothing is read until it is right.

use std::time::Duration;

use crate::clock::Now;
use crate::standing::Watch;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Follows logs, as `follow` does, whenever the clock is believed.
///
/// When it is not any more, following ends as if the process had: what is not stored yet is read again.
pub async fn patiently<F: Future<Output = ()>>(now: Now, watch: Watch, follow: impl Fn() -> F) {
    // The user says what time it is.
    if now.is_fixed() {
        return follow().await;
    }
    let mut waited = false;
    loop {
        if watch.believes(now.unix()) {
            if waited {
                tracing::warn!("the clock is believed: logs are read");
            }
            tokio::select! {
                () = follow() => {}
                () = doubted(&watch, now) => {}
            }
        }
        tell();
        waited = true;
        believed(&watch, now).await;
    }
}

async fn doubted(watch: &Watch, now: Now) {
    while watch.believes(now.unix()) {
        tokio::time::sleep(EVERY).await;
    }
}

async fn believed(watch: &Watch, now: Now) {
    while !watch.believes(now.unix()) {
        tokio::time::sleep(EVERY).await;
    }
}

fn tell() {
    tracing::warn!(
        "the machine's clock is doubted, and logs are not read until it is right, or was so for three days; if it is right: \
         smtp-auth-report ingest FILE"
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono_tz::Tz;
    use ingest::{Ingest, Settings};
    use report::{Days, LongNames, Range};

    use super::*;
    use crate::files::{Heard, Logs};
    use crate::home::Home;

    const DAY: i64 = 86_400;

    /// What was counted so far.
    async fn counted(home: &Home) -> u64 {
        let today = Days::new(Tz::UTC).day_of(Now::Machine.unix());
        let rollup = home.store.summaries().rollup(report::ALL_DOMAINS, Range::kept(today)).await;
        rollup.expect("a rollup").values().map(report::TlsCounts::total).sum()
    }

    #[tokio::test]
    async fn nothing_is_read_while_the_clock_is_doubted_and_then_all_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::own(folder.path(), Tz::UTC).await.expect("a home");
        let now = Now::Machine.unix();
        let time = report::Days::new(Tz::UTC).day_of(now);
        let log = folder.path().join("log");
        let line = format!("{{\"time\":\"{time}T00:00:00Z\",\"sender\":\"a@example.test\"}}\n");
        fs::write(&log, line).expect("written");
        // The program ran last when it was far later: so the clock was wrong then, or is now.
        let clock = folder.path().join("clock");
        fs::write(&clock, format!("1 {}\n", now + 40 * DAY)).expect("written");
        let watch = Watch::over(Some(folder.path()), None);
        assert!(!watch.believes(now));
        let logs = logs::Options { format: logs::Format::Auto, zone: Tz::UTC };
        let (default_domain, long_names) = ("(none)".into(), LongNames::default());
        let settings = Settings { logs, zone: Tz::UTC, default_domain, long_names };
        let ingest = Ingest::new(&home.store, settings);
        let follow = |watch: &Watch| {
            let (ingest, files) = (ingest.clone(), home.store.files());
            let logs = Logs::new(vec![log.clone()]);
            let follow = move || {
                logs.clone().follow(ingest.clone(), files.clone(), Heard::default(), Now::Machine)
            };
            tokio::spawn(patiently(Now::Machine, watch.clone(), follow))
        };
        let waiting = follow(&watch);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(counted(&home).await, 0, "it waits");
        // It is the same as when the clock is set: what is thought of it changes.
        fs::write(&clock, format!("1 {now}\n")).expect("written");
        watch.read_again(folder.path());
        for _ in 0..100 {
            if counted(&home).await == 1 {
                waiting.abort();
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it goes on by itself");
    }
}
