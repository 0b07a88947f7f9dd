//! The `archive` function on AWS Lambda: invoked by a schedule, or by hand, with any event.

use std::time::Duration;

use bootstrap::{Days, Function};
use history::History;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// How long the object store is waited for: nobody else waits here.
const WAIT: Duration = Duration::from_secs(60);
/// How long AWS is waited for, with all attempts at a request: less than the 15 minutes that the function has.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = &Function::start("archive", PATIENCE)?;
    let zone = function.read::<Days>()?.zone;
    let archives = function.archives(bootstrap::http(WAIT)?, WAIT)?;
    let history = &History::new(&function.store()?, archives);
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async move {
        let now = bootstrap::now();
        let today = report::day_in(zone, now);
        let (mut summary, archived) = archive::run(history, today, |day, done| match done {
            Ok(standing) => tracing::debug!(%day, ?standing, "day done"),
            Err(error) => tracing::error!(%day, %error, "day failed"),
        })
        .await;
        let removed = archive::remove_expired(history, today).await;
        summary.removed = *removed.as_ref().unwrap_or(&0);
        function.tell(&summary, now);
        archived.and(removed)?;
        Ok::<_, Error>(serde_json::to_value(summary)?)
    }))
    .await
}
