//! The `query` function on AWS Lambda, behind an HTTP API.

use std::sync::Arc;
use std::time::Duration;

use bootstrap::Config;
use history::{History, Unusable};
use lambda_http::Error;
use query::{Mailing, Query};
use report::Day;
use serde_json::json;

/// How long the object store is waited for before a day is read from items: somebody is waiting.
const WAIT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let store = Arc::new(bootstrap::store(&config)?);
    // Opens the connection while the function starts, not while somebody waits.
    if let Err(error) = store.healthy().await {
        tracing::warn!(%error, "the store does not answer yet");
    }
    let history =
        History::new(store, bootstrap::objects(&config, WAIT)?).watched_by(Arc::new(watch));
    let mailing =
        Mailing { recipients: config.recipients, requests_per_day: config.requests_per_day };
    let query = Query::new(history, config.zone, mailing, Arc::new(bootstrap::now));
    lambda_http::run(query::router(query)).await
}

/// Logs, and counts as a metric, that a day had to be read from items.
fn watch(day: Day, error: &Unusable) {
    let figures = json!({"archives_unusable": 1, "day": day, "reason": error.to_string()});
    let units = [("archives_unusable", "Count")];
    println!("{}", bootstrap::metrics("query", &figures, &units, bootstrap::now()));
}
