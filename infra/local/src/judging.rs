//! Judging accounts while the service runs.

use std::time::Duration;

use chrono_tz::Tz;
use detector::Detector;
use tokio::time::MissedTickBehavior;

use crate::clock::Now;
use crate::standing::Watch;

/// How often, at most.
const EVERY: Duration = Duration::from_secs(60);

/// Judges accounts whenever something was counted, once a minute at most; as long as the clock is believed: by a wrong one,
/// alerts would end.
pub(crate) async fn judge(mut detector: Detector, watch: Watch, now: Now, zone: Tz) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        judge_once(&mut detector, &watch, now, zone).await;
    }
}

async fn judge_once(detector: &mut Detector, watch: &Watch, now: Now, zone: Tz) {
    if !now.is_fixed() && !watch.believes(now.unix()) {
        return;
    }
    match detector.run(now.today(zone), now.unix()).await {
        Ok(summary) => tracing::debug!(?summary, "accounts are judged"),
        Err(error) => tracing::error!(%error, "cannot judge accounts"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use detector::Settings;

    use super::*;
    use crate::home::Home;

    /// Whether accounts are judged if the program ran last at a moment.
    async fn is_judged(last_ran: i64, now: Now) -> bool {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("clock"), format!("1 {last_ran}\n")).expect("written");
        let home = Home::own(folder.path(), Tz::UTC).await.expect("a home");
        let mut detector = Detector::new(&home.store, home.history.clone(), Settings::default());
        let watch = Watch::over(Some(folder.path()), None);
        judge_once(&mut detector, &watch, now, Tz::UTC).await;
        home.store.alerts().all().await.expect("alerts").watched.is_some()
    }

    #[tokio::test]
    async fn nobody_is_judged_by_a_clock_that_is_doubted() {
        let now = Now::Machine.unix();
        assert!(is_judged(now - 3600, Now::Machine).await);
        assert!(!is_judged(now - 400 * 86_400, Now::Machine).await, "the clock is far ahead");
        assert!(is_judged(now - 400 * 86_400, Now::Fixed(now)).await, "the user says so");
    }
}
