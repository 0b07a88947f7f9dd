//! The `archive` function on AWS Lambda: invoked by a schedule, or by hand, with any event.

use std::sync::Arc;

use bootstrap::Config;
use history::History;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use report::Days;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let (store, objects) = (bootstrap::store(&config)?, bootstrap::objects(&config)?);
    let history = &History::new(Arc::new(store), objects);
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async move {
        let now = bootstrap::now();
        let today = Days::new(config.zone).day_of(now);
        let mut summary = archive::run(history, today, |day, standing| {
            tracing::info!(%day, ?standing, "day done");
        })
        .await?;
        summary.removed = archive::remove_expired(history, today).await?;
        println!("{}", bootstrap::metrics("archive", &summary, &archive::Summary::METRICS, now));
        Ok::<_, Error>(serde_json::to_value(summary)?)
    }))
    .await
}
