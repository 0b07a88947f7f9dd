//! The report function on one machine: woken by new requests in the engine, and by the clock.

use std::time::Duration;

use reporting::Reporter;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

/// The longest time between two ticks: so late a new schedule is seen.
const TICK: Duration = Duration::from_secs(10);

/// Hands stream records and ticks to the report function, until the process ends.
///
/// The first tick is at once: it finds what an earlier process has left. The others are when something is
/// known to be due.
pub async fn work(
    reporter: Reporter,
    mut new_requests: UnboundedReceiver<Value>,
    now: impl Fn() -> i64,
) {
    let mut next_tick = Instant::now();
    loop {
        let event = tokio::select! {
            Some(record) = new_requests.recv() => json!({"Records": [record]}),
            () = tokio::time::sleep_until(next_tick) => {
                next_tick = Instant::now() + TICK;
                json!({"source": "smtp-auth-report"})
            }
        };
        match reporter.handle(&event).await {
            Ok(summary) => {
                let due = summary.next.map(|next| u64::try_from(next - now()).unwrap_or(0));
                let due = due.map(|seconds| Instant::now() + Duration::from_secs(seconds.max(1)));
                next_tick = due.map_or(next_tick, |due| due.min(next_tick));
            }
            Err(error) => tracing::error!(%error, "cannot look after reports"),
        }
    }
}
