//! The `ingest` function on AWS Lambda: a Kinesis event in, counts in DynamoDB.

use std::sync::Arc;

use bootstrap::Config;
use ingest::kinesis::KinesisEvent;
use ingest::{Ingest, Settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let store = bootstrap::store(&config)?;
    store.claim_zone(config.zone.name()).await?;
    let (logs, zone) = (config.logs(), config.zone);
    let settings = Settings { logs, zone, default_domain: config.default_domain.into() };
    let ingest = &Ingest::new(Arc::new(store), settings);
    lambda_runtime::run(service_fn(|event: LambdaEvent<KinesisEvent>| async move {
        let now = bootstrap::now();
        let summary = ingest.event(&event.payload, now).await?;
        bootstrap::tell("ingest", &summary, now);
        Ok::<_, Error>(())
    }))
    .await
}
