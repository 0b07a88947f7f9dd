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
        if !now.is_fixed() && !watch.believes(now.unix()) {
            continue;
        }
        match detector.run(now.today(zone), now.unix()).await {
            Ok(summary) => tracing::debug!(?summary, "accounts are judged"),
            Err(error) => tracing::error!(%error, "cannot judge accounts"),
        }
    }
}
