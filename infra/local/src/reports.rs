//! The report function on one machine: woken by new requests in the engine, and by the clock.

use std::time::Duration;

use reporter::Reporter;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;

/// The longest time between two ticks: so late a new schedule is seen.
const TICK: Duration = Duration::from_secs(10);

/// Hands stream records and ticks to the report function, until it is told to stop; what is being done then is
/// done to its end.
///
/// The first tick is at once: it finds what an earlier process has left. The others are when something is
/// known to be due.
pub async fn work(
    reporter: Reporter,
    mut new_requests: UnboundedReceiver<Value>,
    mut stop: watch::Receiver<bool>,
    now: impl Fn() -> i64,
) {
    let mut next_tick = Instant::now();
    loop {
        let event = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            Some(record) = new_requests.recv() => json!({"Records": [record]}),
            () = tokio::time::sleep_until(next_tick) => {
                next_tick = Instant::now() + TICK;
                json!({"source": "smtp-auth-report"})
            }
        };
        // A task of its own, so that a report that panics ends nothing but itself.
        let reporter = reporter.clone();
        match tokio::spawn(async move { reporter.handle(&event).await }).await {
            Ok(Ok(summary)) => {
                let due = summary.next.map(|next| u64::try_from(next - now()).unwrap_or(0));
                let due = due.map(|seconds| Instant::now() + Duration::from_secs(seconds.max(1)));
                next_tick = due.map_or(next_tick, |due| due.min(next_tick));
            }
            Ok(Err(error)) => tracing::error!(%error, "cannot look after reports"),
            Err(error) => tracing::error!(%error, "a report broke off"),
        }
    }
}
