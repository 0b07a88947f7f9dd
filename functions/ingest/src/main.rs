//! The `ingest` function on AWS Lambda: a Kinesis event in, counts in DynamoDB.

use std::time::Duration;

use bootstrap::{Days, Function, Logs};
use ingest::kinesis::KinesisEvent;
use ingest::{Ingest, Settings, Summary};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// How long AWS is waited for, with all attempts at a request: less than the 5 minutes that the function has.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = &Function::start("ingest", PATIENCE)?;
    let (Days { zone, .. }, logs) = (function.read()?, function.read::<Logs>()?);
    let store = function.store()?;
    let long_names = store.ingestion().claim_zone(zone.name()).await?;
    let default_domain = logs.default_domain.as_str().into();
    let settings = Settings { logs: logs.options(), zone, default_domain, long_names };
    let ingest = &Ingest::new(&store, settings);
    lambda_runtime::run(service_fn(|event: LambdaEvent<KinesisEvent>| async move {
        let now = bootstrap::now();
        let mut summary = Summary::default();
        let done = ingest.event_into(&event.payload, now, &mut summary).await;
        // Whatever went wrong: an alarm looks at the quarantine.
        function.tell(&summary, now);
        Ok::<_, Error>(done?)
    }))
    .await
}
