//! Everything about one sender.

use axum::Json;
use axum::extract::Path;
use report::views::{SenderDetails, SenderFigures};
use report::{Range, SENDER_LIMIT, View};
use serde::Deserialize;
use utoipa::IntoParams;

use super::params::{ChartParams, FilterParams, Given};
use super::problem::Problem;
use super::responses::{AsksStore, Finds, ReadsParameters};
use crate::service::Query;

/// The sender that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SenderPath {
    /// sending-volume or tls-usage: the answer is the same
    #[param(value_type = View)]
    view: String,
    /// The sender address; <> for the null sender
    #[param(min_length = 1)]
    sender: String,
}

/// One sender: its figures, days, accounts, mechanisms and client addresses.
#[utoipa::path(get, path = "/v1/reports/{view}/details/{sender}", operation_id = "sender_details",
    params(SenderPath, ChartParams), responses(
    (status = 200, description = "Everything about the sender", body = SenderDetails),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn details(
    query: Query,
    Path(SenderPath { view, sender }): Path<SenderPath>,
    given: Given,
) -> Result<Json<SenderDetails>, Problem> {
    if View::from_name(&view).is_none() {
        return Err(Problem::NotFound { path: format!("/v1/reports/{view}/details") });
    }
    let ChartParams { days, filter } = given.read(query.today())?;
    Ok(Json(of(&query, &sender, days.range(), &filter).await?))
}

/// Everything about a sender in a range.
pub(crate) async fn of(
    query: &Query,
    sender: &str,
    range: Range,
    filter: &FilterParams,
) -> Result<SenderDetails, Problem> {
    let sender = sender.to_lowercase();
    let mut figures = SenderFigures::default();
    // What is longer than any sender that is stored would be longer than a key can be.
    if sender.len() <= SENDER_LIMIT {
        let state = query.history.state(range).await?;
        let filter = filter.of(Some(&sender));
        figures = query.history.gather(&state, &filter, SenderFigures::default).await?;
    }
    Ok(figures.details(sender, range))
}
