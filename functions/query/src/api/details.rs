//! Everything about one sender, account or client.

use std::iter;
use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use report::views::{ClientPlace, Details, Figures, Labels};
use report::{Filter, Group, Range, SENDER_LIMIT, View};
use serde::Deserialize;
use utoipa::IntoParams;

use super::failures;
use super::labels::Labelled;
use super::params::{AccountParams, ChartParams, ClientParams, Given};
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
    (status = 200, description = "Everything about the sender", body = Details),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn sender(
    query: Query,
    Path(SenderPath { view, sender }): Path<SenderPath>,
    given: Given,
) -> Result<Json<Details>, Problem> {
    if View::from_name(&view).is_none() {
        return Err(Problem::NotFound { path: format!("/v1/reports/{view}/details") });
    }
    let ChartParams { days, filter } = given.read(query.today())?;
    let sender = sender.to_lowercase();
    let filter = of_sender(filter.filter(), &sender);
    Ok(Json(of(&query, Group::Sender, &sender, filter, days.range()).await?))
}

/// One account: its figures, days, senders, mechanisms, client addresses, and logins that failed at it.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "account_details", params(AccountParams), responses(
    (status = 200, description = "Everything about the account", body = Details),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn account(query: Query, given: Given) -> Result<Json<Details>, Problem> {
    let AccountParams { account, days } = given.read(query.today())?;
    let (filter, range) = (account.filter(), days.range());
    Ok(Json(of(&query, Group::Account, &account.account, filter, range).await?))
}

/// One client, or all of a network: its figures, days, senders, accounts, mechanisms, and logins of it that failed.
#[utoipa::path(get, path = "/v1/clients", operation_id = "client_details", params(ClientParams), responses(
    (status = 200, description = "Everything about the client", body = Details),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn client(query: Query, given: Given) -> Result<Json<Details>, Problem> {
    let ClientParams { client, days } = given.read(query.today())?;
    let (filter, range) = (client.filter(), days.range());
    Ok(Json(of(&query, Group::Client, &client.client.to_string(), filter, range).await?))
}

/// Of what passes, what a sender has.
pub(crate) fn of_sender(filter: Filter, sender: &str) -> Filter {
    Filter { senders: vec![sender.to_owned()], ..filter }
}

/// Everything in a range about a sender, an account or a client: about what passes, under this name. A sender has no
/// failed logins.
pub(crate) async fn of(
    query: &Query,
    group: Group,
    name: &str,
    filter: Filter,
    range: Range,
) -> Result<Details, Problem> {
    // What is longer than any name that is stored would be longer than a key can be.
    if name.len() > SENDER_LIMIT {
        return Ok(Figures::new(range, &Arc::default()).details(group, name, Labels::default()));
    }
    let place = Some(name).filter(|_| group == Group::Client);
    let place = place.and_then(|client| ClientPlace::of(query.known(), client));
    let labels = Labelled::of(query, group, iter::once(name)).await?.labels(name, place);
    let failures = match group {
        Group::Sender => Arc::default(),
        _ => failures::read(query, &filter, range).await?,
    };
    let state = query.data.state(failures::until_settled(&failures, range, query)).await?;
    let empty = || Figures::new(range, &failures);
    Ok(query.data.gather(&state, &filter, empty).await?.details(group, name, labels))
}
