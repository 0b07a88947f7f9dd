//! Schedules of reports: made, listed, edited, paused, deleted.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use report::{Day, Frequency, MonthDay, Schedule, Status, Timetable, View, day_in};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Query;
use crate::body::{Fields, wrong};
use crate::params::{self, Given};
use crate::problem::{Body, Problem};
use crate::requests::{contents, instant};

/// The most schedules.
pub(crate) const SCHEDULES: usize = 250;
/// How often an edit is made anew because the schedule ran meanwhile.
const EDITS: usize = 5;
/// Last runs looked up at once.
const LOOK_UPS: usize = 16;
const FIELDS: &[&str] = &[
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
const TIME: &str = "%H:%M";
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// How often a report is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Often {
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
enum MonthDayField {
    /// 1 to 31.
    Number(u32),
    /// `last`.
    Text(String),
}

/// Whether a schedule goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ScheduleState {
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
    due: DateTime<Utc>,
    /// The report request that came of it.
    request: String,
    /// How far that is; null once it is not kept any more.
    status: Option<Status>,
    /// Why it failed, or is tried again later.
    reason: Option<String>,
}

/// A schedule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ScheduleView {
    id: String,
    name: String,
    view: View,
    /// The sender domain; null is all of them.
    domain: Option<String>,
    recipients: Vec<String>,
    frequency: Often,
    /// Of a weekly one.
    weekday: Option<String>,
    /// Of a monthly one.
    day: Option<MonthDayField>,
    time: String,
    zone: String,
    first_date: NaiveDate,
    /// The last day on which it can be due.
    expires: NaiveDate,
    paused: bool,
    state: ScheduleState,
    /// When it is due next; null if it is paused or has expired.
    next_run: Option<DateTime<Utc>>,
    /// When it was due last; null if it never was.
    last_run: Option<Run>,
    created: DateTime<Utc>,
}

/// All schedules.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedules {
    /// The oldest first; 250 at most.
    schedules: Vec<ScheduleView>,
}

/// Reads when a report is due; of a schedule that is being edited, what it was stands for fields that are not given.
fn timetable(
    fields: &Fields,
    query: &Query,
    before: Option<&Timetable>,
) -> Result<Timetable, Problem> {
    const TIMES: &str = "it must be a time of day as in 08:00";
    let time = fields.needed("time", TIMES)?;
    let read = NaiveTime::parse_from_str(time, TIME).ok();
    let read = read.filter(|read| read.format(TIME).to_string() == time);
    let time = read.ok_or_else(|| Problem::parameter("time", time, TIMES))?;
    let zone = match fields.text("zone")? {
        None => before.map_or(query.zone, |before| before.zone),
        Some(name) => name.parse::<Tz>().map_err(|_| {
            Problem::parameter("zone", name, "it must be an IANA time zone, as in Europe/Berlin")
        })?,
    };
    let day = |name| fields.text(name)?.map(|text| params::day(name, text)).transpose();
    let today = day_in(zone, query.now());
    let first = day("first_date")?.or(before.map(|before| before.first)).unwrap_or(today);
    let kept = before.filter(|before| before.first == first).map(|before| before.expires);
    let expires: Day = day("expires")?.or(kept).unwrap_or_else(|| Timetable::a_year_after(first));
    if expires < first || expires < today {
        let allowed = format!(
            "it is the last day on which the report can be sent: it must not lie before today ({today}) or \
             first_date ({first})"
        );
        return Err(Problem::parameter("expires", &expires.to_string(), allowed));
    }
    let (frequency, counted_in) = (frequency(fields)?, query.zone);
    let timetable = Timetable { frequency, time, zone, first, expires, counted_in };
    if timetable.next_after(query.now()).is_none() {
        let allowed = "the report would never be sent: it is not due any more up to that day";
        return Err(Problem::parameter("expires", &expires.to_string(), allowed));
    }
    Ok(timetable)
}

fn frequency(fields: &Fields) -> Result<Frequency, Problem> {
    const OFTEN: &str = "it must be daily, weekly or monthly";
    let (weekday, day) = (fields.text("weekday")?, fields.get("day"));
    let often = fields.needed("frequency", OFTEN)?;
    if let Some(weekday) = weekday.filter(|_| often != "weekly") {
        return Err(Problem::parameter("weekday", weekday, "only weekly reports have one"));
    }
    if let Some(day) = day.filter(|_| often != "monthly") {
        return Err(wrong("day", day, "only monthly reports have one"));
    }
    match often {
        "daily" => Ok(Frequency::Daily),
        "weekly" => {
            let name = weekday.unwrap_or_default();
            let found = WEEKDAYS.into_iter().find(|(known, _)| *known == name);
            let (_, weekday) = found.ok_or_else(|| {
                Problem::parameter("weekday", name, "weekly reports need monday to sunday")
            })?;
            Ok(Frequency::Weekly(weekday))
        }
        "monthly" => {
            let day = day.cloned().unwrap_or_default();
            let number = day.as_u64().filter(|day| (1..=31).contains(day));
            let number = number.and_then(|day| u32::try_from(day).ok());
            match number {
                Some(number) => Ok(Frequency::Monthly(MonthDay::Day(number))),
                None if day == "last" => Ok(Frequency::Monthly(MonthDay::Last)),
                None => Err(wrong("day", &day, "monthly reports need 1 to 31, or last")),
            }
        }
        other => Err(Problem::parameter("frequency", other, OFTEN)),
    }
}

impl Query {
    /// A schedule with what became of its last run.
    async fn shown(&self, schedule: Schedule) -> Result<ScheduleView, Problem> {
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
    async fn schedule(&self, id: &str) -> Result<Schedule, Problem> {
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
pub(crate) async fn create(
    State(query): State<Query>,
    fields: Fields,
) -> Result<Response, Problem> {
    checked(&fields)?;
    let (now, contents) = (query.now(), contents(&fields, &query)?);
    let timetable = timetable(&fields, &query, None)?;
    let paused = fields.flag("paused")?.unwrap_or(false);
    if query.store.schedules(now).await?.len() >= SCHEDULES {
        return Err(Problem::TooManySchedules);
    }
    let (id, last) = (query.next_id(), None);
    let schedule = Schedule { id, contents, timetable, paused, created: now, since: now, last };
    query.store.put_schedule(&schedule, false).await?;
    tracing::info!(schedule = schedule.id, "schedule made");
    let location = format!("/v1/schedules/{}", schedule.id);
    let shown = Json(query.shown(schedule).await?);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], shown).into_response())
}

/// All schedules, each with its next and last run.
#[utoipa::path(get, path = "/v1/schedules", responses(
    (status = 200, body = Schedules),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(query): State<Query>,
    given: Given,
) -> Result<Json<Schedules>, Problem> {
    given.read(&[], &query)?;
    let schedules = query.store.schedules(query.now()).await?;
    let shown = schedules.into_iter().map(|schedule| query.shown(schedule));
    let schedules = stream::iter(shown).buffered(LOOK_UPS).try_collect().await?;
    Ok(Json(Schedules { schedules }))
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
    State(query): State<Query>,
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
    State(query): State<Query>,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Json<ScheduleView>, Problem> {
    let mut before = query.schedule(&id).await?;
    checked(&fields)?;
    let contents = contents(&fields, &query)?;
    let paused = fields.flag("paused")?;
    for _ in 0..EDITS {
        let timetable = timetable(&fields, &query, Some(&before.timetable))?;
        let paused = paused.unwrap_or(before.paused);
        let schedule = before.redefined(contents.clone(), timetable, paused, query.now());
        if query.store.put_schedule(&schedule, true).await? {
            tracing::info!(schedule = schedule.id, "schedule edited");
            return Ok(Json(query.shown(schedule).await?));
        }
        // It ran, or was deleted, meanwhile.
        before = query.schedule(&id).await?;
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
pub(crate) async fn delete(
    State(query): State<Query>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let schedule = query.schedule(&id).await?;
    if !query.store.delete_schedule(&schedule.id).await? {
        return Err(no_schedule(&id));
    }
    tracing::info!(schedule = schedule.id, "schedule deleted");
    Ok(StatusCode::NO_CONTENT)
}
