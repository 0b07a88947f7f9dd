//! The `detect` function on AWS Lambda: invoked by a schedule, or by hand, with any event. `{"test": true}` tells each
//! channel of alerts a test instead.

use std::time::Duration;

use bootstrap::{Days, Detection, Function, Mechanisms};
use detector::{Detector, Settings, Summary};
use history::History;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::sync::Mutex;

/// How long the object store is waited for: nobody else waits here.
const WAIT: Duration = Duration::from_secs(60);
/// How long AWS is waited for, with all attempts at a request: less than the 15 minutes that the function has.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = &Function::start("detect", PATIENCE)?;
    let zone = function.read::<Days>()?.zone;
    let Detection { sensitivity } = function.read()?;
    let Mechanisms { kinds } = function.read()?;
    let settings = Settings { zone, sensitivity, kinds, channels: Some(function.channels()?) };
    let (store, archives) = (function.store()?, function.archives(bootstrap::http(WAIT)?, WAIT)?);
    let history = History::new(&store, archives);
    // Lives as long as the environment: the next hour goes on from the days that were read.
    let detector = &Mutex::new(Detector::new(&store, history, settings));
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let now = bootstrap::now();
        let today = report::day_in(zone, now);
        let mut detector = detector.lock().await;
        let mut summary = Summary::default();
        let done = if event.payload["test"] == true {
            detector.test(today, now, &mut summary).await
        } else {
            detector.run_into(today, now, &mut summary).await
        };
        // Whatever went wrong: alarms look at what was raised, and at channels.
        function.tell(&summary, now);
        done?;
        Ok::<_, Error>(serde_json::to_value(summary)?)
    }))
    .await
}
