//! The interface's own description, generated from the code.

use axum::Json;
use utoipa::OpenApi;

use crate::{detailed, details, insight, reports, requests, schedules, table};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "smtp-auth-report",
        description = "Who sends mail through authenticated SMTP (SMTP AUTH), and over which TLS version.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        insight::healthz,
        insight::insight,
        insight::details,
        insight::domains,
        reports::sending_volume,
        reports::tls_usage,
        table::sending_volume,
        table::tls_usage,
        details::sender,
        detailed::csv,
        requests::create,
        requests::list,
        requests::one,
        schedules::create,
        schedules::list,
        schedules::one,
        schedules::replace,
        schedules::delete,
    )
)]
struct Document;

/// The OpenAPI 3.1 document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
