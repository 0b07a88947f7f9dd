//! What is where, for whom, and under which headers.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use report::notes::sheet::SHEET;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use crate::api::problem::Problem;
use crate::api::{
    alerts, body, channels, charts, details, export, failures, habit, insight, mutes, note_sheets,
    notes, openapi, plan, report_requests, schedules, search, sources, tables,
};
use crate::dashboard::problem_page;
use crate::dashboard::routes as dashboard;
use crate::service::{Query, Service};
#[cfg(feature = "sign-in")]
use crate::sign_in::{guard, visitors::SignIn};
use crate::visitor::{Role, Visitor};

/// What browsers may do with a page: nothing from elsewhere, and no code or style but the two files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer of fewer bytes is one packet anyway, and is not compressed.
const SMALL: u16 = 1_400;

/// The whole HTTP interface, and the dashboard, for everybody who can reach it.
pub fn router(query: Query) -> Router {
    finished(routes(Service::for_everybody(query)))
}

/// The same for those who sign in, and may.
#[cfg(feature = "sign-in")]
pub fn router_behind(sign_in: SignIn, query: Query) -> Router {
    finished(guard::guarded(sign_in, routes(Service::for_visitors(query))))
}

fn routes(service: Service) -> Router {
    let managed = Router::new()
        .route("/v1/report-requests", get(report_requests::list).post(report_requests::create))
        .route("/v1/report-requests/{id}", get(report_requests::one))
        .route("/v1/schedules", get(schedules::list).post(schedules::create))
        .route(
            "/v1/schedules/{id}",
            get(schedules::one).put(schedules::replace).delete(schedules::delete),
        )
        .route("/v1/alerts/{id}/status", post(alerts::decide))
        .route("/v1/channels/{name}/test", post(channels::test))
        .route("/v1/mutes", post(mutes::create))
        .route("/v1/mutes/{id}", delete(mutes::delete))
        .route("/v1/notes", put(notes::replace).delete(notes::delete))
        .route("/v1/notes/import", post(note_sheets::import).layer(DefaultBodyLimit::max(SHEET)))
        .merge(dashboard::managed())
        .route_layer(middleware::from_fn(managers_only));
    Router::new()
        .route("/healthz", get(insight::health))
        .route("/openapi.json", get(openapi::serve))
        .route("/v1/insight", get(insight::insight))
        .route("/v1/insight/details", get(insight::details))
        .route("/v1/domains", get(insight::domains))
        .route("/v1/sources", get(sources::list))
        .route("/v1/reports/detailed", get(export::csv))
        .route("/v1/reports/sending-volume", get(charts::sending_volume))
        .route("/v1/reports/tls-usage", get(charts::tls_usage))
        .route("/v1/reports/mechanisms", get(charts::mechanisms))
        .route("/v1/reports/sending-volume/details", get(tables::sending_volume))
        .route("/v1/reports/tls-usage/details", get(tables::tls_usage))
        // What strangers are called never stands in a path: gateways decode those, and lose what was meant.
        .route("/v1/senders", get(details::sender))
        .route("/v1/accounts", get(details::account))
        .route("/v1/accounts/habit", get(habit::habit))
        .route("/v1/clients", get(details::client))
        .route("/v1/failed-logins", get(failures::list))
        .route("/v1/plan", get(plan::plan))
        .route("/v1/search", get(search::search))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/alerts/{id}", get(alerts::one))
        .route("/v1/channels", get(channels::list))
        .route("/v1/mutes", get(mutes::list))
        .route("/v1/notes", get(notes::list))
        .merge(managed)
        .merge(dashboard::open())
        .fallback(problem_page::not_found)
        .method_not_allowed_fallback(problem_page::method_not_allowed)
        .layer(DefaultBodyLimit::max(body::MOST))
        .with_state(service)
}

/// Lets nobody on who signed in and may not do this.
async fn managers_only(request: Request, next: Next) -> Response {
    match request.extensions().get::<Visitor>() {
        Some(visitor) if visitor.role < Role::Manager => {
            let problem = Problem::Forbidden { needed: Role::Manager };
            problem_page::shown(problem, request.uri(), request.headers())
        }
        _ => next.run(request).await,
    }
}

fn finished(router: Router) -> Router {
    let predicate = SizeAbove::new(SMALL).and(NotForContentType::IMAGES);
    let compression = CompressionLayer::new().compress_when(predicate);
    router.layer(compression).layer(middleware::map_response(with_headers))
}

/// A response with the headers that all have.
pub(crate) async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
