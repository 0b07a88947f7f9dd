//! HTTP queries for each view.
//!
//! [`router`] gives the whole interface; `main` puts it behind AWS Lambda, the one-machine program
//! behind a socket. One module per kind of view; [`api`] answers scripts, [`dashboard`] shows the same as pages.

mod api;
mod dashboard;
#[cfg(feature = "sign-in")]
pub mod sign_in;
mod tables;
mod visitor;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use chrono_tz::Tz;
use history::History;
use report::{Day, RecipientDomains, day_in, local_to_unix};
use store::Store;
use tokio::sync::Semaphore;
use uuid::{ContextV7, Timestamp, Uuid};

pub use api::openapi::document as openapi_document;
pub use api::problem::Problem;
pub use visitor::{Role, Visitor};

use api::{
    body, charts, export, insight, openapi, report_requests, schedules, sender, tables as table,
};
use tables::Snapshots;

/// Tells the present time, in seconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What reports by mail are held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailing {
    /// Where they may go.
    pub recipients: RecipientDomains,
    /// How many may be asked for each day; at least one.
    pub requests_per_day: u32,
}

/// What every query needs.
#[derive(Clone)]
pub struct Query {
    store: Arc<Store>,
    history: History,
    clock: Clock,
    as_of: Option<Day>,
    zone: Tz,
    mailing: Mailing,
    /// Ids that this process makes in one moment are in order.
    ids: Arc<Mutex<ContextV7>>,
    snapshots: Arc<Snapshots>,
    /// Turns at computing tables.
    tables: Arc<Semaphore>,
    /// Turns at writing detailed reports.
    detailed: Arc<Semaphore>,
    /// Who asks; none where nobody has to sign in.
    visitor: Option<Visitor>,
}

impl Query {
    /// Queries of a history whose days are counted in `zone`.
    #[must_use]
    pub fn new(history: History, zone: Tz, mailing: Mailing, clock: Clock) -> Self {
        let (store, snapshots) = (Arc::clone(history.store()), Arc::default());
        let [tables, detailed] =
            [table::AT_ONCE, export::AT_ONCE].map(|turns| Arc::new(Semaphore::new(turns)));
        let ids = Arc::new(Mutex::new(ContextV7::new()));
        Self {
            store,
            history,
            clock,
            as_of: None,
            zone,
            mailing,
            ids,
            snapshots,
            tables,
            detailed,
            visitor: None,
        }
    }

    /// Takes this day for the present one, whatever the clock says: the views' ranges count from it.
    #[must_use]
    pub fn as_of(self, day: Option<Day>) -> Self {
        Self { as_of: day, ..self }
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }

    fn today(&self) -> Day {
        self.as_of.unwrap_or_else(|| self.clocks_day())
    }

    fn clocks_day(&self) -> Day {
        day_in(self.zone, self.now())
    }

    /// A new id: ids are in the order of time.
    fn next_id(&self) -> String {
        let seconds = u64::try_from(self.now()).unwrap_or(0);
        let context = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, 0)).to_string()
    }

    fn no_more_today(&self) -> Problem {
        let now = self.now();
        let tomorrow = self.clocks_day().succ_opt().unwrap_or(Day::MAX);
        let begins = local_to_unix(self.zone, tomorrow.and_time(chrono::NaiveTime::MIN));
        let retry_after = u64::try_from(begins - now).unwrap_or(1).max(1);
        Problem::NoMoreToday { limit: self.mailing.requests_per_day, retry_after }
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("zone", &self.zone).finish_non_exhaustive()
    }
}

/// The whole HTTP interface, and the dashboard, for everybody who can reach it.
pub fn router(query: Query) -> Router {
    finished(routes(query))
}

/// The same for those who sign in, and may.
#[cfg(feature = "sign-in")]
pub fn router_behind(sign_in: sign_in::SignIn, query: Query) -> Router {
    finished(sign_in.guard(routes(query)))
}

fn routes(query: Query) -> Router {
    let managed = Router::new()
        .route("/v1/report-requests", get(report_requests::list).post(report_requests::create))
        .route("/v1/report-requests/{id}", get(report_requests::one))
        .route("/v1/schedules", get(schedules::list).post(schedules::create))
        .route(
            "/v1/schedules/{id}",
            get(schedules::one).put(schedules::replace).delete(schedules::delete),
        )
        .merge(dashboard::managed())
        .route_layer(middleware::from_fn(visitor::managers_only));
    Router::new()
        .route("/healthz", get(insight::healthz))
        .route("/openapi.json", get(openapi::serve))
        .route("/v1/insight", get(insight::insight))
        .route("/v1/insight/details", get(insight::details))
        .route("/v1/domains", get(insight::domains))
        .route("/v1/reports/detailed", get(export::csv))
        .route("/v1/reports/sending-volume", get(charts::sending_volume))
        .route("/v1/reports/tls-usage", get(charts::tls_usage))
        .route("/v1/reports/sending-volume/details", get(table::sending_volume))
        .route("/v1/reports/tls-usage/details", get(table::tls_usage))
        .route("/v1/reports/{view}/details/{*sender}", get(sender::sender))
        .merge(managed)
        .merge(dashboard::routes())
        .fallback(dashboard::not_found)
        .method_not_allowed_fallback(dashboard::method_not_allowed)
        .layer(DefaultBodyLimit::max(body::MOST))
        .with_state(query)
}

fn finished(router: Router) -> Router {
    router.layer(middleware::map_response(with_headers))
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(dashboard::POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
