//! The insight: widget, flyout, domains to choose from, and whether the service is ready.

use axum::Json;
use report::views::{self, Insight, InsightDetails};
use report::{ALL_DOMAINS, Range};
use serde::{Deserialize, Serialize};
use store::Rollup;
use utoipa::ToSchema;

use crate::Query;
use crate::api::params::{self, Given};
use crate::api::problem::{Body, Problem};

/// That the service is ready.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    status: String,
}

/// Sender domains.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Domains {
    /// In alphabetical order; `(none)` stands for senders without a domain.
    domains: Vec<String>,
}

/// Whether the service is ready and its store answers.
#[utoipa::path(get, path = "/healthz", responses(
    (status = 200, body = Health),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn healthz(query: Query) -> Result<Json<Health>, Problem> {
    query.store.healthy().await?;
    Ok(Json(Health { status: "ok".to_owned() }))
}

/// How many users or service accounts sent through SMTP AUTH, and how many messages.
#[utoipa::path(get, path = "/v1/insight", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
), responses(
    (status = 200, body = Insight),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn insight(query: Query, given: Given) -> Result<Json<Insight>, Problem> {
    let range = given.read(params::RANGE, &query)?.range;
    Ok(Json(read(&query, range).await?.0))
}

/// TLS usage and volume behind the insight.
#[utoipa::path(get, path = "/v1/insight/details", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
), responses(
    (status = 200, body = InsightDetails),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn details(query: Query, given: Given) -> Result<Json<InsightDetails>, Problem> {
    let range = given.read(params::RANGE, &query)?.range;
    Ok(Json(behind(&query, range).await?))
}

/// The insight of a range with what is behind it.
pub(crate) async fn behind(query: &Query, range: Range) -> Result<InsightDetails, Problem> {
    let failures = async { Ok(query.store.failures(range).await?) };
    let ((insight, days), failures) = tokio::try_join!(read(query, range), failures)?;
    let auth_failures = failures.iter().map(|row| row.failures).sum();
    Ok(views::insight_details(insight, &days, auth_failures))
}

async fn read(query: &Query, range: Range) -> Result<(Insight, Rollup), Problem> {
    let store = &query.store;
    let (seen, days) = tokio::try_join!(store.seen(range), store.rollup(ALL_DOMAINS, range))?;
    let (accounts, senders) = (seen.accounts.len() as u64, seen.senders.len() as u64);
    Ok((views::insight(range, accounts, senders, &days), days))
}

/// Sender domains seen in the days that are kept.
#[utoipa::path(get, path = "/v1/domains", responses(
    (status = 200, body = Domains),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn domains(query: Query, given: Given) -> Result<Json<Domains>, Problem> {
    given.read(&[], &query)?;
    let kept = Range::kept(query.today());
    let domains = query.store.domains(kept).await?;
    Ok(Json(Domains { domains: domains.into_iter().collect() }))
}
