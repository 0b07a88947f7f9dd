//! The `report` function on AWS Lambda: invoked by the table's stream and by a schedule.

use std::sync::Arc;
use std::time::Duration;

use bootstrap::{Days, Function, Reports};
use history::History;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use reporter::{Reporter, Settings, Summary};
use serde_json::Value;

/// How long the object store is waited for before a day is read from items: nobody else waits here.
const WAIT: Duration = Duration::from_secs(30);
/// How long AWS is waited for, with all attempts at a request: less than the 15 minutes that the function has.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = &Function::start("report", PATIENCE)?;
    let (Days { zone, .. }, reports) = (function.read()?, function.read::<Reports>()?);
    let archives = function.archives(bootstrap::http(WAIT)?, WAIT)?;
    let store = function.store()?;
    let known = function.known(&*archives).await?;
    let history = History::new(&store, archives);
    let recipients = reports.listed_recipients();
    let settings = Settings { zone, recipients, dashboard: reports.dashboard, as_of: None, known };
    let mailer = function.mailer()?;
    let reporter = &Reporter::new(&store, history, mailer, settings, Arc::new(bootstrap::now));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let mut summary = Summary::default();
        let done = reporter.handle_into(&event.payload, &mut summary).await;
        // Whatever else went wrong: an alarm looks at reports that failed.
        function.tell(&summary, bootstrap::now());
        done?;
        Ok::<_, Error>(serde_json::to_value(summary)?)
    }))
    .await
}
