//! The sources: which logs are read, and how much of each is understood.

use axum::Json;
use report::views::{self, SourceRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::params::Given;
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters};
use crate::service::Query;

/// The logs that are read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Sources {
    /// What needs a look first, then by their names. Those of which nothing was read for 92 days are left out.
    pub(crate) sources: Vec<SourceRow>,
    /// Whether there may be others: a month tells 500 logs apart.
    pub(crate) more: bool,
}

/// Which logs are read: the last line of each, how many lines, what share was not understood, and why.
///
/// Nobody sees them who is bound to some sender domains.
#[utoipa::path(get, path = "/v1/sources", operation_id = "sources", responses(
    (status = 200, description = "The sources", body = Sources),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<Sources>, Problem> {
    given.refuse()?;
    let found = read(&query).await?;
    Ok(Json(found.ok_or(Problem::Bound)?))
}

/// The sources as they stand; none for those who are bound to some sender domains.
pub(crate) async fn read(query: &Query) -> Result<Option<Sources>, Problem> {
    let now = query.moment();
    let listed = query.data.sources(now).await?;
    Ok(listed
        .map(|listed| Sources { sources: views::sources(listed.logs, now), more: listed.is_full }))
}
