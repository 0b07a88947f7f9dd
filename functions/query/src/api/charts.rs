//! The two reports as charts: messages per day, and TLS versions.

use axum::Json;
use report::views::{self, SendingVolume, TlsUsage};
use report::{ALL_DOMAINS, Range};
use store::Rollup;

use crate::Query;
use crate::api::params::{self, Given, Params};
use crate::api::problem::{Body, Problem};

async fn read(query: &Query, given: &Given) -> Result<(Params, Rollup), Problem> {
    let params = given.read(params::REPORT, query)?;
    let days = rollup(query, params.domain.as_deref(), params.range).await?;
    Ok((params, days))
}

/// Messages per day and TLS version, of one sender domain or of all.
pub(crate) async fn rollup(
    query: &Query,
    domain: Option<&str>,
    range: Range,
) -> Result<Rollup, Problem> {
    Ok(query.store.rollup(domain.unwrap_or(ALL_DOMAINS), range).await?)
}

/// Messages per day.
#[utoipa::path(get, path = "/v1/reports/sending-volume", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
), responses(
    (status = 200, body = SendingVolume),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn sending_volume(
    query: Query,
    given: Given,
) -> Result<Json<SendingVolume>, Problem> {
    let (params, days) = read(&query, &given).await?;
    Ok(Json(views::sending_volume(params.range, params.domain, &days)))
}

/// The share of each TLS version, over the range and per day.
#[utoipa::path(get, path = "/v1/reports/tls-usage", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
), responses(
    (status = 200, body = TlsUsage),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn tls_usage(query: Query, given: Given) -> Result<Json<TlsUsage>, Problem> {
    let (params, days) = read(&query, &given).await?;
    Ok(Json(views::tls_usage(params.range, params.domain, &days)))
}
