//! Everything about one sender, account or client.

use std::iter;
use std::sync::Arc;

use axum::Json;
use report::views::{ClientPlace, Details, Figures, Labels};
use report::{Filter, Group, Range, SENDER_LIMIT};

use super::failures;
use super::labels::Labelled;
use super::params::{AccountParams, ClientParams, Given, SenderParams};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters, TellsMuch};
use crate::service::Query;

/// One sender: its figures, days, accounts, mechanisms and client addresses.
#[utoipa::path(get, path = "/v1/senders", operation_id = "sender_details", params(SenderParams), responses(
    (status = 200, description = "Everything about the sender", body = Details),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn sender(query: Query, given: Given) -> Result<Json<Details>, Problem> {
    let SenderParams { sender, days } = given.read(query.today())?;
    let (filter, range) = (sender.filter(), days.range());
    Ok(Json(of(&query, Group::Sender, &sender.sender, filter, range).await?))
}

/// One account: its figures, days, senders, mechanisms, client addresses, and logins that failed at it.
#[utoipa::path(get, path = "/v1/accounts", operation_id = "account_details", params(AccountParams), responses(
    (status = 200, description = "Everything about the account", body = Details),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn account(query: Query, given: Given) -> Result<Json<Details>, Problem> {
    let AccountParams { account, days } = given.read(query.today())?;
    let (filter, range) = (account.filter(), days.range());
    Ok(Json(of(&query, Group::Account, &account.account, filter, range).await?))
}

/// One client, or all of a network: its figures, days, senders, accounts, mechanisms, and logins of it that failed.
#[utoipa::path(get, path = "/v1/clients", operation_id = "client_details", params(ClientParams), responses(
    (status = 200, description = "Everything about the client", body = Details),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn client(query: Query, given: Given) -> Result<Json<Details>, Problem> {
    let ClientParams { client, days } = given.read(query.today())?;
    let (filter, range) = (client.filter(), days.range());
    Ok(Json(of(&query, Group::Client, &client.client.to_string(), filter, range).await?))
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
