//! HTTP queries for each view.
//!
//! [`router`] gives the whole interface; `main` puts it behind AWS Lambda, the one-machine program
//! behind a socket. One module per kind of view; [`params`] reads what was asked, [`problem`] says
//! what is wrong with it.

mod detailed;
mod details;
mod insight;
mod openapi;
mod params;
mod problem;
mod reports;
mod snapshots;
mod table;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use chrono_tz::Tz;
use history::History;
use report::{Day, Days};
use store::Store;
use tokio::sync::Semaphore;

pub use openapi::document as openapi_document;
pub use problem::Problem;

use snapshots::Snapshots;

/// Tells the present time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What every query needs.
#[derive(Clone)]
pub struct Query {
    store: Arc<Store>,
    history: History,
    clock: Clock,
    zone: Tz,
    snapshots: Arc<Snapshots>,
    /// Turns at computing tables.
    tables: Arc<Semaphore>,
    /// Turns at writing detailed reports.
    detailed: Arc<Semaphore>,
}

impl Query {
    /// Queries of a history whose days are counted in `zone`.
    #[must_use]
    pub fn new(history: History, zone: Tz, clock: Clock) -> Self {
        let (store, snapshots) = (Arc::clone(history.store()), Arc::default());
        let [tables, detailed] =
            [table::AT_ONCE, detailed::AT_ONCE].map(|turns| Arc::new(Semaphore::new(turns)));
        Self { store, history, clock, zone, snapshots, tables, detailed }
    }

    fn today(&self) -> Day {
        Days::new(self.zone).day_of((self.clock)())
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("zone", &self.zone).finish_non_exhaustive()
    }
}

/// The whole HTTP interface.
pub fn router(query: Query) -> Router {
    Router::new()
        .route("/healthz", get(insight::healthz))
        .route("/openapi.json", get(openapi::serve))
        .route("/v1/insight", get(insight::insight))
        .route("/v1/insight/details", get(insight::details))
        .route("/v1/domains", get(insight::domains))
        .route("/v1/reports/detailed", get(detailed::csv))
        .route("/v1/reports/sending-volume", get(reports::sending_volume))
        .route("/v1/reports/tls-usage", get(reports::tls_usage))
        .route("/v1/reports/sending-volume/details", get(table::sending_volume))
        .route("/v1/reports/tls-usage/details", get(table::tls_usage))
        .route("/v1/reports/{view}/details/{*sender}", get(details::sender))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::map_response(with_headers))
        .with_state(query)
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
