//! The dashboard's paths.

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawQuery};
use axum::response::Response;
use axum::routing::{get, post};

use super::address::At;
use super::problem_page::Failed;
use super::{
    alert_list, alerts, assets, channels, charts, details, failures, mutes, note_imports, notes,
    overview, plan, report_requests, schedules, search, sources, table, upload,
};
use crate::api::problem::Problem;
use crate::service::Service;

/// The paths for everybody.
pub(crate) fn open() -> Router<Service> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/insight", get(overview::with_flyout))
        .route("/reports/mechanisms", get(charts::mechanisms))
        .route("/reports/{view}", get(charts::page))
        .route("/reports/{view}/details", get(table::page))
        .route("/accounts", get(details::account))
        .route("/clients", get(details::client))
        .route("/failed-logins", get(failures::page))
        .route("/plan", get(plan::page))
        .route("/search", get(search::page))
        .route("/alerts", get(alert_list::list))
        .route("/alerts/{id}", get(alerts::one))
        .route("/mutes", get(mutes::list))
        .route("/notes", get(notes::list))
        .route("/sources", get(sources::page))
        .route("/assets/{name}", get(asset))
}

/// The paths that only managers may go to.
pub(crate) fn managed() -> Router<Service> {
    Router::new()
        .route("/report-requests", get(report_requests::list).post(report_requests::create))
        .route("/report-requests/new", get(report_requests::blank))
        .route("/report-requests/{id}", get(report_requests::one))
        .route("/alerts/{id}/status", post(alerts::decide))
        .route("/channels/{name}/test", post(channels::test))
        .route("/alerts/{id}/mute", post(alerts::mute))
        .route("/mutes/{id}/end", post(mutes::end))
        .route("/notes/edit", get(notes::one).post(notes::save))
        .route("/notes/delete", get(notes::confirm).post(notes::delete))
        .route(
            "/notes/import",
            post(note_imports::import).layer(DefaultBodyLimit::max(upload::MOST)),
        )
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
