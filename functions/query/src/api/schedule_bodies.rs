//! Schedules as they are sent, and as they are answered.

use chrono::{DateTime, NaiveDate, Utc};
use report::{Frequency, Group, MonthDay, Schedule, Status, Timetable, View};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::contents::{Filters, instant, scope};
use super::problem::Problem;
use super::schemas;
use super::timetable::{TIME, WEEKDAYS};
use crate::service::Query;

/// How often a report is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ScheduleFrequency {
    /// Every day, about the day before.
    Daily,
    /// Every week, about the seven days before.
    Weekly,
    /// Every month, about the month before.
    Monthly,
}

/// What a schedule is defined by.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct Definition {
    #[schema(schema_with = schemas::name)]
    name: String,
    view: View,
    /// What the table has a row for each of; by default `sender`.
    group: Option<Group>,
    #[schema(schema_with = schemas::domain_or_null)]
    domain: Option<String>,
    /// Only messages that have one of the values of each; by default all.
    filter: Option<Filters>,
    #[schema(schema_with = schemas::recipients)]
    recipients: Vec<String>,
    frequency: ScheduleFrequency,
    /// Of a weekly one: `monday` to `sunday`.
    weekday: Option<String>,
    /// Of a monthly one: 1 to 31 (the last day of a shorter month), or `last`.
    day: Option<DayOfMonth>,
    #[schema(schema_with = schemas::time)]
    time: String,
    #[schema(schema_with = schemas::zone)]
    zone: Option<String>,
    /// The first day on which it can be due; by default today.
    first_date: Option<NaiveDate>,
    /// The last day on which it can be due; by default a year after `first_date`.
    expires: Option<NaiveDate>,
    /// Whether it is switched off for now.
    paused: Option<bool>,
}

/// A schedule as it is sent: what else it needs goes with its frequency.
pub(crate) enum NewSchedule {}

impl PartialSchema for NewSchedule {
    fn schema() -> RefOr<Schema> {
        let weekday = schemas::word(WEEKDAYS.map(|(name, _)| name));
        let daily = definition("daily", None);
        let weekly = definition("weekly", Some(("weekday", weekday.into())));
        let monthly = definition("monthly", Some(("day", schemas::day())));
        let one = OneOfBuilder::new().item(daily).item(weekly).item(monthly);
        let one = one.description(Some("A report to be mailed again and again."));
        Schema::from(one.build()).into()
    }
}

impl ToSchema for NewSchedule {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Definition::schemas(schemas);
    }
}

/// A definition of one frequency, with what only that has.
fn definition(frequency: &str, own: Option<(&str, RefOr<Schema>)>) -> RefOr<Schema> {
    let mut schema = Definition::schema();
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.title = Some(format!("{frequency} schedule"));
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        object.properties.insert("frequency".to_owned(), schemas::word([frequency]).into());
        for name in ["weekday", "day"] {
            object.properties.insert(name.to_owned(), schemas::null().into());
        }
        if let Some((name, schema)) = own {
            object.properties.insert(name.to_owned(), schema);
            object.required.push(name.to_owned());
        }
    }
    schema
}

/// A day of the month.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum DayOfMonth {
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
pub(crate) struct ScheduleRun {
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
#[schema(as = Schedule)]
pub(crate) struct ScheduleAnswer {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) view: View,
    /// What the table has a row for each of.
    pub(crate) group: Group,
    /// The sender domain; null is all of them.
    pub(crate) domain: Option<String>,
    /// Only messages that have one of the values of each.
    pub(crate) filter: Filters,
    /// The sender domains that it is bound to, as was who made it; null is none.
    pub(crate) scope: Option<Vec<String>>,
    pub(crate) recipients: Vec<String>,
    pub(crate) frequency: ScheduleFrequency,
    /// Of a weekly one.
    pub(crate) weekday: Option<String>,
    /// Of a monthly one.
    pub(crate) day: Option<DayOfMonth>,
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
    pub(crate) last_run: Option<ScheduleRun>,
    pub(crate) created: DateTime<Utc>,
}

/// A schedule with what became of its last run.
pub(crate) async fn answer(query: &Query, schedule: Schedule) -> Result<ScheduleAnswer, Problem> {
    let now = query.now();
    let next_run = schedule.next_run(now).map(instant);
    let state = match next_run {
        _ if schedule.paused => ScheduleState::Paused,
        Some(_) => ScheduleState::Active,
        None => ScheduleState::Expired,
    };
    let last_run = match schedule.last {
        None => None,
        Some(last) => {
            let request = query.data.request(&last.request, now).await?;
            let status = request.as_ref().map(|request| request.status);
            let reason = request.and_then(|request| request.reason);
            Some(ScheduleRun { due: instant(last.due), request: last.request, status, reason })
        }
    };
    let Timetable { frequency, time, zone, first, expires, .. } = schedule.timetable;
    let (frequency, weekday, day) = match frequency {
        Frequency::Daily => (ScheduleFrequency::Daily, None, None),
        Frequency::Weekly(weekday) => {
            let name = WEEKDAYS.into_iter().find(|(_, known)| *known == weekday);
            (ScheduleFrequency::Weekly, name.map(|(name, _)| name.to_owned()), None)
        }
        Frequency::Monthly(MonthDay::Day(day)) => {
            (ScheduleFrequency::Monthly, None, Some(DayOfMonth::Number(day)))
        }
        Frequency::Monthly(MonthDay::Last) => {
            (ScheduleFrequency::Monthly, None, Some(DayOfMonth::Text("last".to_owned())))
        }
    };
    let contents = schedule.contents;
    Ok(ScheduleAnswer {
        id: schedule.id,
        filter: Filters(contents.filters()),
        domain: contents.domain().map(str::to_owned),
        name: contents.name.unwrap_or_default(),
        view: contents.view,
        group: contents.group,
        scope: scope(&contents.scope),
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
