//! Mutes of alerts: listed, made, ended.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use chrono::Days;
use detect::{Mute, Muted};
use report::{Day, Scope, displayed};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::{Fields, wrong};
use super::mute_bodies::{MuteAnswer, Mutes, NewMute, REASON};
use super::params::{self, Given};
use super::problem::Problem;
use super::responses::{self, AsksStore, Finds, ReadsBody, ReadsParameters};
use crate::service::Query;

/// The most mutes that hold at once.
const MUTES: usize = 200;
/// Characters of what somebody is called.
const CALLED: usize = 200;
/// The fields of a mute.
pub(crate) const FIELDS: &[&str] = &["account", "kind", "network", "sender", "until", "reason"];

/// The mute that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct MutePath {
    /// Its id
    #[param(min_length = 1)]
    id: String,
}

/// What is muted: alerts about it are none that need attention, and nobody is told of them.
#[utoipa::path(get, path = "/v1/mutes", operation_id = "mutes", responses(
    (status = 200, description = "The mutes that have not ended", body = Mutes),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<Mutes>, Problem> {
    given.refuse()?;
    Ok(Json(Mutes { mutes: all(&query).await?.into_iter().map(MuteAnswer::from).collect() }))
}

/// The mutes that have not ended, the newest first.
pub(crate) async fn all(query: &Query) -> Result<Vec<Mute>, Problem> {
    let (known, today) = (query.data.alerts().await?, query.today());
    Ok(known.mutes.iter().filter(|mute| mute.holds(today)).cloned().collect())
}

/// Mutes an account, a kind of alerts, a network or a sender; in the place of what was said of the same.
#[utoipa::path(post, path = "/v1/mutes", operation_id = "mute", request_body = NewMute, responses(
    (status = 201, description = "The mute", body = MuteAnswer),
    ReadsBody, responses::Mutes, AsksStore,
))]
pub(crate) async fn create(
    query: Query,
    given: Given,
    fields: Fields,
) -> Result<(StatusCode, Json<MuteAnswer>), Problem> {
    given.refuse()?;
    Ok((StatusCode::CREATED, Json(make(&query, &fields).await?.into())))
}

/// Mutes what the fields tell.
pub(crate) async fn make(query: &Query, fields: &Fields) -> Result<Mute, Problem> {
    fields.only(FIELDS)?;
    let today = query.today();
    let (what, until, reason) = (what(fields)?, until(fields, today)?, reason(fields)?);
    if *query.data.scope() != Scope::All {
        return Err(Problem::Bound);
    }
    let by = displayed(query.called(), CALLED);
    let mute = Mute { id: what.id(), what, until, reason, by, at: query.now() };
    if !query.data.mute(&mute, MUTES, today).await? {
        return Err(Problem::TooManyMutes { most: MUTES });
    }
    audit(query, "alerts muted", &mute.what);
    Ok(mute)
}

/// Logs what was done to the mute of something.
fn audit(query: &Query, action: &'static str, what: &Muted) {
    query.audit(action, &format!("{} {what}", what.field()));
}

fn what(fields: &Fields) -> Result<Muted, Problem> {
    const ONE: &str = "say what is to be muted: one of account, kind, network and sender";
    let given = Muted::FIELDS.into_iter().filter(|name| fields.get(name).is_some());
    let given: Vec<_> = given.collect();
    match given[..] {
        [] => Err(Problem::parameter(Muted::FIELDS[0], "", ONE)),
        [name] => {
            let text = fields.text(name)?.unwrap_or_default();
            Muted::read(name, text).map_err(|allowed| Problem::parameter(name, text, allowed))
        }
        [_, more, ..] => {
            let value = fields.get(more).cloned().unwrap_or_default();
            Err(wrong(more, &value, ONE))
        }
    }
}

fn until(fields: &Fields, today: Day) -> Result<Day, Problem> {
    let Some(text) = fields.text("until")? else { return Ok(today + Days::new(Mute::USUAL)) };
    let (until, last) = (params::day("until", text)?, last(today));
    if (today..=last).contains(&until) {
        return Ok(until);
    }
    let allowed = format!("it must be today or in the future, and {last} at the latest");
    Err(Problem::parameter("until", text, allowed))
}

/// The last day on which what is muted today may be.
pub(crate) fn last(today: Day) -> Day {
    today + Days::new(Mute::LONGEST)
}

fn reason(fields: &Fields) -> Result<String, Problem> {
    let allowed = || format!("say why, in one line of at most {REASON} characters");
    let text = fields.needed("reason", &allowed())?;
    let fits = text.chars().count() <= REASON && !text.contains(char::is_control);
    if !fits || text.trim().is_empty() {
        return Err(Problem::parameter("reason", text, allowed()));
    }
    Ok(text.trim().to_owned())
}

/// Ends a mute: what it silenced is back.
#[utoipa::path(delete, path = "/v1/mutes/{id}", operation_id = "unmute", params(MutePath), responses(
    (status = 204, description = "It is gone"),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn delete(
    query: Query,
    Path(MutePath { id }): Path<MutePath>,
    given: Given,
) -> Result<StatusCode, Problem> {
    given.refuse()?;
    end(&query, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a mute.
pub(crate) async fn end(query: &Query, id: &str) -> Result<(), Problem> {
    let ended = query.data.unmute(id, query.today()).await?;
    let ended = ended.ok_or_else(|| Problem::not_found("/v1/mutes", id))?;
    audit(query, "alerts unmuted", &ended.what);
    Ok(())
}
