//! One search for senders, accounts and client addresses.

use axum::Json;
use history::Wanted;
use report::views::{Found, FoundNames};
use report::{Filter, Group};

use super::params::{Given, SearchParams};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters};
use crate::service::Query;

/// Senders, accounts and client addresses with a text in their names, of all days that are kept.
#[utoipa::path(get, path = "/v1/search", operation_id = "search", params(SearchParams), responses(
    (status = 200, description = "What was found, most messages first", body = Found),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn search(query: Query, given: Given) -> Result<Json<Found>, Problem> {
    let SearchParams { search, limit } = given.read(query.today())?;
    Ok(Json(of(&query, &search, limit.unwrap_or(LIMIT)).await?))
}

/// Names of each group that are told, if nothing else is asked.
pub(crate) const LIMIT: usize = 20;

/// What a text in lower case finds.
pub(crate) async fn of(query: &Query, search: &str, limit: usize) -> Result<Found, Problem> {
    let range = query.kept();
    let names = async |group| {
        let wanted = Wanted { range, filter: Filter::default(), group };
        let (_, table) = query.data.table(range, &wanted).await?;
        Ok::<_, Problem>(FoundNames::of(&table, search, limit))
    };
    let (senders, accounts, clients) =
        tokio::try_join!(names(Group::Sender), names(Group::Account), names(Group::Client))?;
    let notes = query.data.notes().await?;
    let noted = notes.with(search).take(limit).map(Into::into).collect();
    Ok(Found { search: search.to_owned(), senders, accounts, clients, noted })
}
