//! The `query` function on AWS Lambda, behind an HTTP API.

use std::sync::Arc;
use std::time::Duration;

use bootstrap::{Days, Function, People, Reports};
use history::{History, Unusable};
use lambda_http::{Error, LambdaEvent, lambda_runtime, service_fn};
use query::gateway;
use query::sign_in::SignIn;
use query::{Mailing, Query, ReadFromItems};

/// How long the object store and the provider are waited for: somebody is waiting.
const WAIT: Duration = Duration::from_secs(3);
/// How long AWS is waited for, with all attempts at a request: less than the 29 seconds that the function has.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start("query", PATIENCE)?;
    let (Days { zone, .. }, reports) = (function.read()?, function.read::<Reports>()?);
    // Nobody comes in without a provider that tells who it is.
    let People { oidc, dashboard } = function.read()?;
    let (store, http) = (function.store()?, bootstrap::http(WAIT)?);
    let sign_in = SignIn::new(oidc, &dashboard, http.clone(), Arc::new(bootstrap::now));
    // Opens connections while the function starts, not while somebody waits.
    let health = store.health();
    let (healthy, prepared) = tokio::join!(health.check(), sign_in.prepare());
    if let Err(error) = healthy {
        tracing::warn!(%error, "the store does not answer yet");
    }
    if let Err(error) = prepared {
        tracing::warn!(error, "the OpenID Connect provider does not answer yet");
    }
    let archives = function.archives(http, WAIT)?;
    let known = function.known(&*archives).await?;
    let watch = move |day, error: &Unusable| {
        let reason = error.to_string();
        function.tell(&ReadFromItems { archives_unusable: 1, day, reason }, bootstrap::now());
    };
    let history = History::new(&store, archives).watched_by(Arc::new(watch));
    let recipients = reports.listed_recipients();
    let mailing = Mailing { recipients, requests_per_day: reports.requests_per_day };
    let query = Query::new(&store, history, zone, mailing, Arc::new(bootstrap::now));
    let query = query.knowing(known);
    let router = &query::router_behind(sign_in, query);
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| async move {
        Ok::<_, Error>(gateway::answer(router, event.payload).await?)
    }))
    .await
}
