//! Schedules of reports: made, listed, edited, paused, deleted.

use axum::Json;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use report::{Contents, Frequency, MonthDay, Schedule, Status, Timetable, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Query;
use crate::api::body::Fields;
use crate::api::params::{self, Given};
use crate::api::problem::{Body, Problem};
use crate::api::report_requests::{contents, instant};
use crate::api::timetable::{TIME, WEEKDAYS, timetable};

/// The most schedules.
pub(crate) const SCHEDULES: usize = 250;
/// How often an edit is made anew because the schedule ran meanwhile.
const EDITS: usize = 5;
/// Last runs looked up at once.
const LOOK_UPS: usize = 16;
/// The fields of a schedule.
pub(crate) const FIELDS: &[&str] = &[
    "name",
    "view",
    "domain",
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
/// How often a report is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Often {
    /// Every day, about the day before.
    Daily,
    /// Every week, about the seven days before.
    Weekly,
    /// Every month, about the month before.
    Monthly,
}

/// A report to be mailed again and again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewSchedule {
    /// Stands in the mail; at most 100 characters.
    name: String,
    view: View,
    /// One sender domain; by default all.
    domain: Option<String>,
    /// 1 to 50 mail addresses in allowed domains. All see each other.
    recipients: Vec<String>,
    frequency: Often,
    /// Of a weekly one: `monday` to `sunday`.
    weekday: Option<String>,
    /// Of a monthly one: 1 to 31 (the last day of a shorter month), or `last`.
    day: Option<MonthDayField>,
    /// As in `08:00`.
    time: String,
    /// The time zone of `time`, as in `Europe/Berlin`; by default that of the service.
    zone: Option<String>,
    /// The first day on which it can be due; by default today.
    first_date: Option<NaiveDate>,
    /// The last day on which it can be due; by default a year after `first_date`.
    expires: Option<NaiveDate>,
    /// Whether it is switched off for now.
    paused: Option<bool>,
}

/// A day of the month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum MonthDayField {
    /// 1 to 31.
    Number(u32),
    /// `last`.
    Text(String),
}

/// Whether a schedule goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScheduleState {
    /// It has a next run.
    Active,
    /// It is switched off for now.
    Paused,
    /// Its last day is over.
    Expired,
}

/// A time when a schedule was due.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Run {
    /// When.
    pub(crate) due: DateTime<Utc>,
    /// The report request that came of it.
    pub(crate) request: String,
    /// How far that is; null once it is not kept any more.
    pub(crate) status: Option<Status>,
    /// Why it failed, or is tried again later.
    pub(crate) reason: Option<String>,
}

/// A schedule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ScheduleView {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) view: View,
    /// The sender domain; null is all of them.
    pub(crate) domain: Option<String>,
    pub(crate) recipients: Vec<String>,
    pub(crate) frequency: Often,
    /// Of a weekly one.
    pub(crate) weekday: Option<String>,
    /// Of a monthly one.
    pub(crate) day: Option<MonthDayField>,
    pub(crate) time: String,
    pub(crate) zone: String,
    pub(crate) first_date: NaiveDate,
    /// The last day on which it can be due.
    pub(crate) expires: NaiveDate,
    pub(crate) paused: bool,
    pub(crate) state: ScheduleState,
    /// When it is due next; null if it is paused or has expired.
    pub(crate) next_run: Option<DateTime<Utc>>,
    /// When it was due last; null if it never was.
    pub(crate) last_run: Option<Run>,
    pub(crate) created: DateTime<Utc>,
}

/// All schedules.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedules {
    /// The oldest first; 250 at most.
    schedules: Vec<ScheduleView>,
}

impl Query {
    /// A schedule with what became of its last run.
    pub(crate) async fn shown(&self, schedule: Schedule) -> Result<ScheduleView, Problem> {
        let now = self.now();
        let next_run = schedule.next_run(now).map(instant);
        let state = match next_run {
            _ if schedule.paused => ScheduleState::Paused,
            Some(_) => ScheduleState::Active,
            None => ScheduleState::Expired,
        };
        let last_run = match schedule.last {
            None => None,
            Some(last) => {
                let request = self.store.request(&last.request, now).await?;
                let status = request.as_ref().map(|request| request.status);
                let reason = request.and_then(|request| request.reason);
                Some(Run { due: instant(last.due), request: last.request, status, reason })
            }
        };
        let Timetable { frequency, time, zone, first, expires, .. } = schedule.timetable;
        let (frequency, weekday, day) = match frequency {
            Frequency::Daily => (Often::Daily, None, None),
            Frequency::Weekly(weekday) => {
                let name = WEEKDAYS.into_iter().find(|(_, known)| *known == weekday);
                (Often::Weekly, name.map(|(name, _)| name.to_owned()), None)
            }
            Frequency::Monthly(MonthDay::Day(day)) => {
                (Often::Monthly, None, Some(MonthDayField::Number(day)))
            }
            Frequency::Monthly(MonthDay::Last) => {
                (Often::Monthly, None, Some(MonthDayField::Text("last".to_owned())))
            }
        };
        let contents = schedule.contents;
        Ok(ScheduleView {
            id: schedule.id,
            name: contents.name.unwrap_or_default(),
            view: contents.view,
            domain: contents.domain,
            recipients: contents.recipients,
            frequency,
            weekday,
            day,
            time: time.format(TIME).to_string(),
            zone: zone.name().to_owned(),
            first_date: first,
            expires,
            paused: schedule.paused,
            state,
            next_run,
            last_run,
            created: instant(schedule.created),
        })
    }

    /// The schedule at a path.
    pub(crate) async fn schedule(&self, id: &str) -> Result<Schedule, Problem> {
        let found = match params::id(id) {
            Some(id) => self.store.schedule(&id, self.now()).await?,
            None => None,
        };
        found.ok_or_else(|| no_schedule(id))
    }
}

fn no_schedule(id: &str) -> Problem {
    Problem::not_found("/v1/schedules", id)
}

fn checked(fields: &Fields) -> Result<(), Problem> {
    fields.only(FIELDS)?;
    fields.needed("name", "a schedule needs a name").map(|_| ())
}

/// Makes a schedule.
#[utoipa::path(post, path = "/v1/schedules", request_body = NewSchedule, responses(
    (status = 201, body = ScheduleView, headers(("Location" = String, description = "Where it can be looked at"))),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 409, body = Body, content_type = "application/problem+json"),
    (status = 413, body = Body, content_type = "application/problem+json"),
    (status = 415, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn create(query: Query, fields: Fields) -> Result<Response, Problem> {
    let schedule = make(&query, &fields, None).await?;
    let location = format!("/v1/schedules/{}", schedule.id);
    let shown = Json(query.shown(schedule).await?);
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
    let schedules = query.store.schedules(now).await?;
    if let Some(made) = schedules.iter().find(|made| id.as_ref() == Some(&made.id))
        && made.contents == contents
        && made.timetable == timetable
    {
        return Ok(made.clone());
    }
    if schedules.len() >= SCHEDULES {
        return Err(Problem::TooManySchedules);
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
    if !query.store.put_schedule(&schedule, false).await? {
        match query.store.schedule(&schedule.id, now).await? {
            // The same form arrived twice at one moment.
            Some(made) if made.contents == schedule.contents && made.timetable == timetable => {
                return Ok(made);
            }
            _ => schedule.id = query.next_id(),
        }
        query.store.put_schedule(&schedule, false).await?;
    }
    query.audit("schedule made", &schedule.id);
    Ok(schedule)
}

/// All schedules, each with its next and last run.
#[utoipa::path(get, path = "/v1/schedules", responses(
    (status = 200, body = Schedules),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<Schedules>, Problem> {
    given.read(&[], &query)?;
    Ok(Json(Schedules { schedules: all(&query).await? }))
}

/// All schedules, the oldest first.
pub(crate) async fn all(query: &Query) -> Result<Vec<ScheduleView>, Problem> {
    let schedules = query.store.schedules(query.now()).await?;
    let shown = schedules.into_iter().map(|schedule| query.shown(schedule));
    stream::iter(shown).buffered(LOOK_UPS).try_collect().await
}

/// One schedule.
#[utoipa::path(get, path = "/v1/schedules/{id}", params(
    ("id" = String, Path, description = "The schedule's id"),
), responses(
    (status = 200, body = ScheduleView),
    (status = 404, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn one(
    query: Query,
    Path(id): Path<String>,
    given: Given,
) -> Result<Json<ScheduleView>, Problem> {
    given.read(&[], &query)?;
    Ok(Json(query.shown(query.schedule(&id).await?).await?))
}

/// Replaces a schedule's definition. `zone`, `first_date`, `expires` and `paused` stay as they are if they are
/// not given.
///
/// With other times, or paused and resumed, only what is due from now on is sent. A report that is being made
/// at this moment still goes out as it was defined before.
#[utoipa::path(put, path = "/v1/schedules/{id}", request_body = NewSchedule, params(
    ("id" = String, Path, description = "The schedule's id"),
), responses(
    (status = 200, body = ScheduleView),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 404, body = Body, content_type = "application/problem+json"),
    (status = 413, body = Body, content_type = "application/problem+json"),
    (status = 415, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn replace(
    query: Query,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<ScheduleView>, Problem> {
    Ok(Json(query.shown(redefine(&query, &id, &fields).await?).await?))
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
        let before = query.schedule(id).await?;
        let (contents, timetable, paused) = edited(&before)?;
        let schedule = before.redefined(contents, timetable, paused, query.now());
        if query.store.put_schedule(&schedule, true).await? {
            query.audit("schedule edited", &schedule.id);
            return Ok(schedule);
        }
    }
    Err(Problem::Unavailable)
}

/// Deletes a schedule. Report requests that it made stay.
#[utoipa::path(delete, path = "/v1/schedules/{id}", params(
    ("id" = String, Path, description = "The schedule's id"),
), responses(
    (status = 204),
    (status = 404, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn delete(query: Query, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    remove(&query, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a schedule.
pub(crate) async fn remove(query: &Query, id: &str) -> Result<(), Problem> {
    let schedule = query.schedule(id).await?;
    if !query.store.delete_schedule(&schedule.id).await? {
        return Err(no_schedule(id));
    }
    query.audit("schedule deleted", &schedule.id);
    Ok(())
}
