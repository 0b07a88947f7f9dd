//! Everything about one sender.

use axum::Json;
use axum::extract::Path;
use report::views::{SenderDetails, SenderFigures};
use report::{Filter, SENDER_LIMIT, View};

use crate::Query;
use crate::params::{self, Given, Params};
use crate::problem::{Body, Problem};

/// One sender: its figures, days, accounts, mechanisms and client addresses.
#[utoipa::path(get, path = "/v1/reports/{view}/details/{sender}", params(
    ("view" = String, Path, description = "sending-volume or tls-usage: the answer is the same"),
    ("sender" = String, Path, description = "The sender address; <> for the null sender"),
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
), responses(
    (status = 200, body = SenderDetails),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 404, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn sender(
    query: Query,
    Path((view, sender)): Path<(String, String)>,
    given: Given,
) -> Result<Json<SenderDetails>, Problem> {
    if View::from_name(&view).is_none() {
        return Err(Problem::NotFound { path: format!("/v1/reports/{view}/details") });
    }
    let params = given.read(params::REPORT, &query)?;
    Ok(Json(of(&query, &sender, &params).await?))
}

/// Everything about a sender in a range.
pub(crate) async fn of(
    query: &Query,
    sender: &str,
    params: &Params,
) -> Result<SenderDetails, Problem> {
    let sender = sender.to_lowercase();
    let wanted = usage_of(Some(&sender), params);
    let mut figures = SenderFigures::default();
    // What is longer than any sender that is stored would be longer than a key can be.
    if sender.len() <= SENDER_LIMIT {
        let state = query.history.state(params.range).await?;
        figures = query.history.gather(&state, &wanted, SenderFigures::default).await?;
    }
    Ok(figures.details(sender, params.range))
}

/// Which usage is wanted: of all senders, or of one.
pub(crate) fn usage_of(sender: Option<&str>, params: &Params) -> Filter {
    let (domain, sender) = (params.domain.clone(), sender.map(str::to_owned));
    Filter { domain, sender, ..Filter::default() }
}
