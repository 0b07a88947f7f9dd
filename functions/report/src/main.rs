//! The `report` function on AWS Lambda: invoked by the table's stream and by a schedule.

use std::sync::Arc;
use std::time::Duration;

use bootstrap::Config;
use history::History;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use reporting::{Reporter, Settings};
use serde_json::Value;

/// How long the object store is waited for before a day is read from items: nobody else waits here.
const WAIT: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let store = Arc::new(bootstrap::store(&config)?);
    let history = History::new(store, bootstrap::objects(&config, bootstrap::http(WAIT)?, WAIT)?);
    let settings = Settings {
        zone: config.zone,
        recipients: config.recipients.clone(),
        dashboard: config.dashboard.clone(),
        as_of: None,
    };
    let mailer = bootstrap::mailer(&config)?;
    let reporter = &Reporter::new(history, mailer, settings, Arc::new(bootstrap::now));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let summary = reporter.handle(&event.payload).await?;
        bootstrap::tell("report", &summary, bootstrap::now());
        Ok::<_, Error>(serde_json::to_value(summary)?)
    }))
    .await
}
