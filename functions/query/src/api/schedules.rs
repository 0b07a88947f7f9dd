//! Schedules of reports: made, listed, edited, paused, deleted.

use axum::Json;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use report::{Contents, Schedule, Timetable};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Fields;
use super::contents::contents;
use super::params::{self, Given};
use super::problem::Problem;
use super::responses::{self, AsksStore, Finds, ReadsBody, ReadsParameters};
use super::schedule_bodies::{NewSchedule, ScheduleAnswer, answer};
use super::timetable::timetable;
use crate::service::Query;

/// The most schedules of a scope.
const SCHEDULES: usize = 250;
/// How often an edit is made anew because the schedule ran meanwhile.
const EDITS: usize = 5;
/// Last runs looked up at once.
const LOOK_UPS: usize = 16;
/// The fields of a schedule.
pub(crate) const FIELDS: &[&str] = &[
    "name",
    "view",
    "group",
    "domain",
    "filter",
    "recipients",
    "frequency",
    "weekday",
    "day",
    "time",
    "zone",
    "first_date",
    "expires",
    "paused",
];

/// All schedules.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedules {
    /// The oldest first; 250 at most of each scope.
    schedules: Vec<ScheduleAnswer>,
}

/// The schedule that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct SchedulePath {
    /// The schedule's id
    id: String,
}

/// The schedule at a path.
pub(crate) async fn find(query: &Query, id: &str) -> Result<Schedule, Problem> {
    let found = match params::id(id) {
        Some(id) => query.data.schedule(&id, query.now()).await?,
        None => None,
    };
    found.ok_or_else(|| no_schedule(id))
}

fn no_schedule(id: &str) -> Problem {
    Problem::not_found("/v1/schedules", id)
}

fn checked(fields: &Fields) -> Result<(), Problem> {
    fields.only(FIELDS)?;
    const NEEDED: &str = "a schedule needs a name";
    match fields.needed("name", NEEDED)? {
        name if name.trim().is_empty() => Err(Problem::parameter("name", name, NEEDED)),
        _ => Ok(()),
    }
}

/// Makes a schedule.
#[utoipa::path(post, path = "/v1/schedules", operation_id = "create_schedule", request_body = NewSchedule, responses(
    (status = 201, description = "The schedule", body = ScheduleAnswer,
        headers(("Location" = String, description = "Where it can be looked at"))),
    ReadsBody, responses::Schedules, AsksStore,
))]
pub(crate) async fn create(query: Query, fields: Fields) -> Result<Response, Problem> {
    let schedule = make(&query, &fields, None).await?;
    let location = format!("/v1/schedules/{}", schedule.id);
    let shown = Json(answer(&query, schedule).await?);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], shown).into_response())
}

/// Makes the schedule that the fields describe. With an id it is made once, as long as the fields are the same.
pub(crate) async fn make(
    query: &Query,
    fields: &Fields,
    id: Option<String>,
) -> Result<Schedule, Problem> {
    checked(fields)?;
    let (now, contents) = (query.now(), contents(fields, query)?);
    let timetable = timetable(fields, query, None)?;
    let paused = fields.flag("paused")?.unwrap_or(false);
    let schedules = query.data.schedules(now).await?;
    if let Some(made) = schedules.iter().find(|made| id.as_ref() == Some(&made.id))
        && made.contents == contents
        && made.timetable == timetable
    {
        return Ok(made.clone());
    }
    // Those of other scopes are others' business.
    let own = schedules.iter().filter(|made| made.contents.scope == contents.scope);
    if own.count() >= SCHEDULES {
        return Err(Problem::TooManySchedules { most: SCHEDULES });
    }
    let (created, since, last) = (now, now, None);
    let mut schedule = Schedule {
        id: id.unwrap_or_else(|| query.next_id()),
        contents,
        timetable,
        paused,
        created,
        since,
        last,
    };
    if !query.data.put_schedule(&schedule, false).await? {
        match query.data.schedule(&schedule.id, now).await? {
            // The same form arrived twice at one moment.
            Some(made) if made.contents == schedule.contents && made.timetable == timetable => {
                return Ok(made);
            }
            _ => schedule.id = query.next_id(),
        }
        query.data.put_schedule(&schedule, false).await?;
    }
    query.audit("schedule made", &schedule.id);
    Ok(schedule)
}

/// All schedules, each with its next and last run.
#[utoipa::path(get, path = "/v1/schedules", operation_id = "schedules", responses(
    (status = 200, description = "The schedules", body = Schedules),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<Schedules>, Problem> {
    given.refuse()?;
    Ok(Json(Schedules { schedules: all(&query).await? }))
}

/// All schedules, the oldest first.
pub(crate) async fn all(query: &Query) -> Result<Vec<ScheduleAnswer>, Problem> {
    let schedules = query.data.schedules(query.now()).await?;
    let shown = schedules.into_iter().map(|schedule| answer(query, schedule));
    stream::iter(shown).buffered(LOOK_UPS).try_collect().await
}

/// One schedule.
#[utoipa::path(get, path = "/v1/schedules/{id}", operation_id = "schedule", params(SchedulePath), responses(
    (status = 200, description = "The schedule", body = ScheduleAnswer),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn one(
    query: Query,
    Path(SchedulePath { id }): Path<SchedulePath>,
    given: Given,
) -> Result<Json<ScheduleAnswer>, Problem> {
    given.refuse()?;
    Ok(Json(answer(&query, find(&query, &id).await?).await?))
}

/// Replaces a schedule's definition. `zone`, `first_date`, `expires` and `paused` stay as they are if they are
/// not given.
///
/// With other times, or paused and resumed, only what is due from now on is sent. A report that is being made
/// at this moment still goes out as it was defined before.
#[utoipa::path(put, path = "/v1/schedules/{id}", operation_id = "replace_schedule",
    request_body = NewSchedule, params(SchedulePath), responses(
    (status = 200, description = "The schedule as it is now", body = ScheduleAnswer),
    ReadsBody, Finds, AsksStore,
))]
pub(crate) async fn replace(
    query: Query,
    Path(SchedulePath { id }): Path<SchedulePath>,
    fields: Fields,
) -> Result<Json<ScheduleAnswer>, Problem> {
    Ok(Json(answer(&query, redefine(&query, &id, &fields).await?).await?))
}

/// Gives a schedule the definition that the fields tell.
pub(crate) async fn redefine(
    query: &Query,
    id: &str,
    fields: &Fields,
) -> Result<Schedule, Problem> {
    edit(query, id, |before| {
        checked(fields)?;
        let contents = contents(fields, query)?;
        let paused = fields.flag("paused")?.unwrap_or(before.paused);
        Ok((contents, timetable(fields, query, Some(&before.timetable))?, paused))
    })
    .await
}

/// Switches a schedule off or on.
pub(crate) async fn pause(query: &Query, id: &str, paused: bool) -> Result<Schedule, Problem> {
    edit(query, id, |before| Ok((before.contents.clone(), before.timetable, paused))).await
}

/// Edits a schedule, anew from what it is by then if it ran meanwhile.
async fn edit(
    query: &Query,
    id: &str,
    edited: impl Fn(&Schedule) -> Result<(Contents, Timetable, bool), Problem>,
) -> Result<Schedule, Problem> {
    for _ in 0..EDITS {
        let before = find(query, id).await?;
        let (contents, timetable, paused) = edited(&before)?;
        let schedule = before.redefined(contents, timetable, paused, query.now());
        if query.data.put_schedule(&schedule, true).await? {
            query.audit("schedule edited", &schedule.id);
            return Ok(schedule);
        }
    }
    Err(Problem::Unavailable)
}

/// Deletes a schedule. Report requests that it made stay.
#[utoipa::path(delete, path = "/v1/schedules/{id}", operation_id = "delete_schedule", params(SchedulePath), responses(
    (status = 204, description = "It is gone"),
    Finds, AsksStore,
))]
pub(crate) async fn delete(
    query: Query,
    Path(SchedulePath { id }): Path<SchedulePath>,
) -> Result<StatusCode, Problem> {
    remove(&query, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a schedule.
pub(crate) async fn remove(query: &Query, id: &str) -> Result<(), Problem> {
    let schedule = find(query, id).await?;
    if !query.data.delete_schedule(&schedule.id, query.now()).await? {
        return Err(no_schedule(id));
    }
    query.audit("schedule deleted", &schedule.id);
    Ok(())
}
