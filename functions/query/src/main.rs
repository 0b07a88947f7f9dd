//! The `query` function on AWS Lambda, behind an HTTP API.

use std::sync::Arc;
use std::time::SystemTime;

use bootstrap::Config;
use lambda_http::Error;
use query::Query;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let store = Arc::new(bootstrap::store(&config)?);
    // Opens the connection while the function starts, not while somebody waits.
    if let Err(error) = store.healthy().await {
        tracing::warn!(%error, "the store does not answer yet");
    }
    let query = Query::new(store, config.zone, Arc::new(now));
    lambda_http::run(query::router(query)).await
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
