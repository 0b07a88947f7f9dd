//! What is usual for an account: an alert can only be judged beside it.

use axum::Json;
use chrono::NaiveDate;
use detect::Usual;
use report::{Day, Filter, Group, Range};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::details;
use super::params::{Given, OneAccount};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters};
use crate::service::Query;

/// What is usual for an account, of the days that are kept, until yesterday.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Habit {
    /// Whose.
    account: String,
    /// First day.
    start: NaiveDate,
    /// Last day, included.
    end: NaiveDate,
    /// Days on which it sent.
    active_days: u64,
    /// Messages of a usual one of these: as many have fewer as have more.
    usual_messages: u64,
    /// Messages of the largest.
    most_messages: u64,
    /// Networks that it sent from: a /24 each, or a /48 of IPv6.
    networks: u64,
    /// The mechanism of most of its messages; empty where the log does not tell.
    mechanism: String,
    /// The TLS version of these.
    tls: String,
    /// How many senders it was.
    senders: u64,
    /// All of it in words; empty if it sent nothing.
    told: String,
}

/// What is usual for an account, as far as its days tell that are kept.
#[utoipa::path(get, path = "/v1/accounts/habit", operation_id = "habit", params(OneAccount), responses(
    (status = 200, description = "What is usual", body = Habit),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn habit(query: Query, given: Given) -> Result<Json<Habit>, Problem> {
    let OneAccount { account } = given.read(query.today())?;
    let found = before(&query, &account, query.today()).await?;
    let Range { start, end } = until(&query, query.today());
    let told = found.as_ref().map(Usual::told).unwrap_or_default();
    let usual = found.as_ref();
    let number = |of: fn(&Usual) -> u64| usual.map_or(0, of);
    Ok(Json(Habit {
        start,
        end,
        active_days: number(|usual| usual.days),
        usual_messages: number(|usual| usual.messages),
        most_messages: number(|usual| usual.most_messages),
        networks: number(|usual| usual.networks),
        senders: number(|usual| usual.senders),
        mechanism: usual.map(|usual| usual.mechanism.clone()).unwrap_or_default(),
        tls: usual.map(|usual| usual.tls.name().to_owned()).unwrap_or_default(),
        told,
        account,
    }))
}

/// What was usual for an account before a day; none if it had sent nothing.
pub(crate) async fn before(
    query: &Query,
    account: &str,
    day: Day,
) -> Result<Option<Usual>, Problem> {
    let range = until(query, day);
    if range.start > range.end {
        return Ok(None);
    }
    let filter = Filter { accounts: vec![account.to_owned()], ..Filter::default() };
    let found = details::of(query, Group::Account, account, filter, range).await?;
    Ok(Usual::of(account, &found))
}

/// The days that are kept, before this one.
fn until(query: &Query, day: Day) -> Range {
    let kept = query.kept();
    Range { end: day.pred_opt().unwrap_or(day).min(kept.end), ..kept }
}
