//! Following logs only while the clock is believed.
//!
//! By a clock that is far off, lines are of days that are no longer kept, or have not come, and count nowhere; what was read
//! is not read again. So nothing is read until it is right.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::Ingest;
use store::Files;

use crate::clock::Now;
use crate::files::follow::follow;
use crate::standing::Watch;

/// How often the clock is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Follows a file until the process ends, as [`follow`] does, whenever the clock is believed.
///
/// When it is not any more, following ends as if the process had: what is not stored yet is read again.
pub async fn follow_patiently(ingest: Ingest, files: Files, path: PathBuf, now: Now, watch: Watch) {
    // The user says what time it is.
    if now.is_fixed() {
        return follow(ingest, files, path, now).await;
    }
    let mut waited = false;
    loop {
        if watch.believes(now.unix()) {
            if waited {
                tracing::warn!(path = %path.display(), "the clock is believed: the log is read");
            }
            tokio::select! {
                () = follow(ingest.clone(), files.clone(), path.clone(), now) => {}
                () = doubted(&watch, now) => {}
            }
        }
        tell(&path);
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

fn tell(path: &Path) {
    let path = path.display();
    tracing::warn!(
        %path,
        "the machine's clock is doubted, and the log is not read until it is right, or was so for three days; if it is right: \
         smtp-auth-report ingest {path}"
    );
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chrono_tz::Tz;
    use ingest::Settings;
    use report::{Days, LongNames, Range};

    use super::*;
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
            tokio::spawn(follow_patiently(ingest, files, log.clone(), Now::Machine, watch.clone()))
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
