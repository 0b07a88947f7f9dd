//! The `query` function on AWS Lambda, behind an HTTP API.

use std::sync::Arc;
use std::time::Duration;

use bootstrap::{Config, ConfigError};
use history::{History, Unusable};
use lambda_http::Error;
use query::sign_in::SignIn;
use query::{Mailing, Query};
use report::Day;
use serde::Serialize;

/// How long the object store and the provider are waited for: somebody is waiting.
const WAIT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    bootstrap::log_for_machines();
    let config = Config::from_env()?;
    let store = Arc::new(bootstrap::store(&config)?);
    let http = bootstrap::http(WAIT)?;
    // Nobody comes in without a provider that tells who it is.
    let missing = |name, expected| ConfigError::Missing { name, expected };
    let provider = "the issuer of an OpenID Connect provider, as in https://id.example.org";
    let oidc = config.oidc.clone().ok_or(missing("OIDC_ISSUER", provider))?;
    let base = config.dashboard.as_deref();
    let base = base.ok_or(missing("DASHBOARD_URL", "where browsers find this function"))?;
    let sign_in = SignIn::new(oidc, base, http.clone(), Arc::new(bootstrap::now));
    // Opens connections while the function starts, not while somebody waits.
    let (healthy, prepared) = tokio::join!(store.healthy(), sign_in.prepare());
    if let Err(error) = healthy {
        tracing::warn!(%error, "the store does not answer yet");
    }
    if let Err(error) = prepared {
        tracing::warn!(error, "the OpenID Connect provider does not answer yet");
    }
    let history =
        History::new(store, bootstrap::objects(&config, http, WAIT)?).watched_by(Arc::new(watch));
    let mailing =
        Mailing { recipients: config.recipients, requests_per_day: config.requests_per_day };
    let query = Query::new(history, config.zone, mailing, Arc::new(bootstrap::now));
    lambda_http::run(query::router_behind(sign_in, query)).await
}

metrics::figures! {
    /// A closed day that had to be read from items.
    #[derive(Serialize)]
    struct ReadFromItems {
        /// Archives that were there and could not be used.
        archives_unusable: u64 => Counter, Count;
        /// The day.
        day: Day;
        /// Why.
        reason: String;
    }
}

/// Logs, and counts as a metric, that a day had to be read from items.
fn watch(day: Day, error: &Unusable) {
    let figures = ReadFromItems { archives_unusable: 1, day, reason: error.to_string() };
    bootstrap::tell("query", &figures, bootstrap::now());
}
