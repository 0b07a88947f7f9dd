//! The insight: widget, flyout, domains to choose from, and whether the service is ready.

use axum::Json;
use report::views::{self, Insight, InsightDetails};
use report::{Filter, Range};
use serde::{Deserialize, Serialize};
use store::Rollup;
use utoipa::ToSchema;

use super::params::{Given, RangeParams};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters, TellsMuch};
use crate::scoped::Distinct;
use crate::service::Query;

/// That the service is ready.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `degraded` if people are not told of alerts by a channel.
    status: String,
    /// The names of the channels of alerts that take nothing; left out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failing_channels: Vec<String>,
}

/// Sender domains.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Domains {
    /// In alphabetical order; `(none)` stands for senders without a domain.
    domains: Vec<String>,
}

/// Whether the service is ready and its store answers.
#[utoipa::path(get, path = "/healthz", operation_id = "health", responses(
    (status = 200, description = "It is ready", body = Health),
    AsksStore,
))]
pub(crate) async fn health(query: Query) -> Result<Json<Health>, Problem> {
    query.health.check().await?;
    let failing_channels = query.data.failing_channels().await?;
    let status = if failing_channels.is_empty() { "ok" } else { "degraded" };
    Ok(Json(Health { status: status.to_owned(), failing_channels }))
}

/// How many users or service accounts sent through SMTP AUTH, and how many messages.
#[utoipa::path(get, path = "/v1/insight", operation_id = "insight", params(RangeParams), responses(
    (status = 200, description = "The insight", body = Insight),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn insight(query: Query, given: Given) -> Result<Json<Insight>, Problem> {
    let range = given.read::<RangeParams>(query.today())?.range();
    Ok(Json(read(&query, range).await?.0))
}

/// TLS usage and volume behind the insight.
#[utoipa::path(get, path = "/v1/insight/details", operation_id = "insight_details", params(RangeParams), responses(
    (status = 200, description = "The insight, and what is behind it", body = InsightDetails),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn details(query: Query, given: Given) -> Result<Json<InsightDetails>, Problem> {
    let range = given.read::<RangeParams>(query.today())?.range();
    Ok(Json(behind(&query, range).await?))
}

/// The insight of a range with what is behind it.
pub(crate) async fn behind(query: &Query, range: Range) -> Result<InsightDetails, Problem> {
    let failures = async { Ok(query.data.failures(range, |_, _| true).await?) };
    let ((insight, days), failures) = tokio::try_join!(read(query, range), failures)?;
    let auth_failures = failures.iter().map(|row| row.failures).sum();
    Ok(views::insight_details(insight, &days, auth_failures))
}

async fn read(query: &Query, range: Range) -> Result<(Insight, Rollup), Problem> {
    let all = Filter::default();
    let (distinct, days) =
        tokio::try_join!(query.data.distinct(range), query.data.days(&all, range))?;
    let Distinct { accounts, senders, more_senders } = distinct;
    Ok((views::insight(range, accounts, senders, more_senders, &days), days))
}

/// Sender domains seen in the days that are kept.
#[utoipa::path(get, path = "/v1/domains", operation_id = "domains", responses(
    (status = 200, description = "The domains", body = Domains),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn domains(query: Query, given: Given) -> Result<Json<Domains>, Problem> {
    given.refuse()?;
    let kept = Range::kept(query.today());
    let domains = query.data.domains(kept).await?;
    Ok(Json(Domains { domains: domains.into_iter().collect() }))
}
