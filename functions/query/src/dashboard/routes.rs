//! The dashboard's paths.

use axum::Router;
use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::{get, post};

use super::address::At;
use super::problem_page::Failed;
use super::{assets, charts, overview, report_requests, schedules, sources, table};
use crate::api::problem::Problem;
use crate::service::Query;

/// The paths for everybody.
pub(crate) fn open() -> Router<Query> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/insight", get(overview::with_flyout))
        .route("/reports/{view}", get(charts::page))
        .route("/reports/{view}/details", get(table::page))
        .route("/sources", get(sources::page))
        .route("/assets/{name}", get(asset))
}

/// The paths that only managers may go to.
pub(crate) fn managed() -> Router<Query> {
    Router::new()
        .route("/report-requests", get(report_requests::list).post(report_requests::create))
        .route("/report-requests/new", get(report_requests::blank))
        .route("/report-requests/{id}", get(report_requests::one))
        .route("/schedules", get(schedules::list).post(schedules::create))
        .route("/schedules/new", get(schedules::blank))
        .route("/schedules/{id}", get(schedules::one).post(schedules::save))
        .route("/schedules/{id}/pause", post(schedules::pause))
        .route("/schedules/{id}/resume", post(schedules::resume))
        .route("/schedules/{id}/delete", get(schedules::confirm).post(schedules::delete))
}

/// A file that goes with the pages.
async fn asset(At(name): At, RawQuery(asked): RawQuery) -> Result<Response, Failed> {
    let file = assets::file(&name, asked.as_deref());
    Ok(file.ok_or_else(|| Problem::not_found("/assets", &name))?)
}
