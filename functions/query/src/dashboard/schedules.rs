//! Schedules: the list, the form, and pausing and deleting.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono_tz::{TZ_VARIANTS, Tz};
use report::views::filter_text::in_words;
use report::{Contents, displayed};

use super::address::{self, At};
use super::form::{About, Form, choice};
use super::frame::{Choice, Frame, Part, html};
use super::mistake::can_be_mended;
use super::problem_page::Failed;
use super::report_requests::{Told, few, of_what, told};
use super::wording::{self, SHOWN};
use crate::api::body::Fields;
use crate::api::params::{self, Given};
use crate::api::problem::Problem;
use crate::api::schedule_bodies::{
    self, DayOfMonth, ScheduleAnswer, ScheduleFrequency, ScheduleRun, ScheduleState,
};
use crate::api::schedules;
use crate::api::timetable::WEEKDAYS;
use crate::service::Query;

/// A schedule in the list.
struct Line {
    id: String,
    name: String,
    view: &'static str,
    of_what: String,
    recipients: String,
    when: String,
    /// In words if there is none.
    next: String,
    last: Option<Last>,
    paused: bool,
    state: Option<&'static str>,
}

/// A last run.
struct Last {
    due: String,
    /// Where its request is, as long as that is kept.
    href: Option<String>,
    status: Option<Told>,
    reason: String,
}

fn zone_of(schedule: &ScheduleAnswer) -> Tz {
    schedule.zone.parse().unwrap_or(Tz::UTC)
}

/// When a schedule is due next (seconds since 1970), on its own wall clock.
pub(super) fn next_run(due: i64, zone: Tz) -> String {
    format!("{} {zone}", wording::instant(due, zone))
}

fn when(schedule: &ScheduleAnswer) -> String {
    let time = &schedule.time;
    match &schedule.frequency {
        ScheduleFrequency::Daily => format!("Every day at {time}"),
        ScheduleFrequency::Weekly => {
            let weekday = schedule.weekday.as_deref().unwrap_or_default();
            format!("Every {} at {time}", wording::capital(weekday))
        }
        ScheduleFrequency::Monthly => match &schedule.day {
            Some(DayOfMonth::Number(day)) => format!("Day {day} of every month at {time}"),
            _ => format!("Last day of every month at {time}"),
        },
    }
}

fn line(schedule: &ScheduleAnswer) -> Line {
    let zone = zone_of(schedule);
    let last =
        schedule.last_run.as_ref().map(|ScheduleRun { due, request, status, reason }| Last {
            due: wording::instant(due.timestamp(), zone),
            href: status.map(|_| format!("/report-requests/{request}")),
            status: status.map(|status| told(status, u32::from(reason.is_some()))),
            reason: reason.as_deref().map(|reason| displayed(reason, 200)).unwrap_or_default(),
        });
    let (next, state) = match schedule.state {
        ScheduleState::Active => {
            let next = schedule.next_run.map(|due| next_run(due.timestamp(), zone));
            (next.unwrap_or_default(), None)
        }
        ScheduleState::Paused => ("None while it is paused".to_owned(), Some("Paused")),
        ScheduleState::Expired => ("None: its last day is over".to_owned(), Some("Expired")),
    };
    Line {
        id: schedule.id.clone(),
        name: displayed(&schedule.name, SHOWN),
        view: schedule.view.title(),
        of_what: of_what(
            schedule.group,
            schedule.domain.as_deref(),
            in_words(&schedule.filter.0, SHOWN),
        ),
        recipients: few(&schedule.recipients),
        when: format!("{}, {zone}", when(schedule)),
        next,
        last,
        paused: schedule.paused,
        state,
    }
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    /// What was just done.
    done: Option<&'static str>,
}

/// All schedules.
pub(super) async fn list(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let done = match given.get("done") {
        Some("created") => Some("The schedule was created."),
        Some("saved") => Some("The schedule was saved."),
        Some("paused") => Some("The schedule is paused."),
        Some("resumed") => Some("The schedule goes on."),
        Some("deleted") => Some("The schedule was deleted."),
        _ => None,
    };
    let rows = schedules::all(&query).await?.iter().map(line).collect();
    Ok(html(&ListPage { frame: frame(&query, "Schedules"), rows, done })?)
}

fn frame(query: &Query, title: impl Into<String>) -> Frame {
    Frame::new(query, Part::Schedules, title)
}

fn done(what: &str) -> Response {
    Redirect::to(&format!("/schedules?done={what}")).into_response()
}

/// The form that makes or edits a schedule.
#[derive(Template)]
#[template(path = "schedule_form.html")]
struct FormPage {
    frame: Frame,
    /// The schedule that is edited; none makes one.
    id: Option<String>,
    /// The same for every time that this form is sent.
    token: String,
    about: About,
    often: Vec<Choice>,
    weekdays: Vec<Choice>,
    days: Vec<Choice>,
    time: String,
    zones: Vec<Choice>,
    first_date: String,
    expires: String,
}

/// When a report is due, as the form's fields tell it.
struct When<'w> {
    frequency: &'w str,
    weekday: &'w str,
    day: &'w str,
    time: &'w str,
    zone: &'w str,
    first_date: &'w str,
    expires: &'w str,
    token: String,
}

impl FormPage {
    fn new(query: &Query, id: Option<String>, about: About, when: &When<'_>) -> Self {
        let title = if id.is_some() { "Edit schedule" } else { "New schedule" };
        let often = [("daily", "Every day"), ("weekly", "Every week"), ("monthly", "Every month")];
        let weekdays = WEEKDAYS.map(|(name, _)| choice(name, wording::capital(name), when.weekday));
        let numbers = (1..=31).map(|day| choice(&day.to_string(), day.to_string(), when.day));
        let last = choice("last", "last".to_owned(), when.day);
        Self {
            frame: frame(query, title),
            id,
            token: when.token.clone(),
            about,
            often: often.map(|(name, label)| choice(name, label.to_owned(), when.frequency)).into(),
            weekdays: weekdays.into(),
            days: numbers.chain([last]).collect(),
            time: when.time.to_owned(),
            zones: zones(when.zone),
            first_date: when.first_date.to_owned(),
            expires: when.expires.to_owned(),
        }
    }
}

/// The zones of places, and those in use here.
fn zones(chosen: &str) -> Vec<Choice> {
    const OTHER_NAMES: [&str; 6] = ["Brazil/", "Canada/", "Chile/", "Etc/", "Mexico/", "US/"];
    let place = |name: &str| name.contains('/') && !OTHER_NAMES.iter().any(|n| name.starts_with(n));
    let names = TZ_VARIANTS.iter().map(|zone| zone.name());
    let names = names.filter(|name| *name == "UTC" || *name == chosen || place(name));
    names.map(|name| choice(name, name.to_owned(), chosen)).collect()
}

/// An empty form, filled in with the filters of the page that it was opened from.
pub(super) async fn blank(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let (view, group, asked) = address::prefilled(&given, &query)?;
    let about = About::of(&query, view, group, &asked.filter).await?;
    let when = When {
        frequency: "weekly",
        weekday: "monday",
        day: "1",
        time: "08:00",
        zone: query.zone.name(),
        first_date: "",
        expires: "",
        token: query.next_id(),
    };
    Ok(html(&FormPage::new(&query, None, about, &when))?)
}

/// The form with a schedule in it.
pub(super) async fn one(query: Query, At(id): At) -> Result<Html<String>, Failed> {
    let found = schedules::find(&query, &id).await?;
    let Contents { view, group, only, .. } = &found.contents;
    let about = About::of(&query, *view, *group, only).await?;
    let schedule = schedule_bodies::answer(&query, found).await?;
    let about =
        About { name: schedule.name.clone(), recipients: schedule.recipients.join("\n"), ..about };
    let day = match &schedule.day {
        Some(DayOfMonth::Number(day)) => day.to_string(),
        Some(DayOfMonth::Text(text)) => text.clone(),
        None => "1".to_owned(),
    };
    let when = When {
        frequency: match schedule.frequency {
            ScheduleFrequency::Daily => "daily",
            ScheduleFrequency::Weekly => "weekly",
            ScheduleFrequency::Monthly => "monthly",
        },
        weekday: schedule.weekday.as_deref().unwrap_or("monday"),
        day: &day,
        time: &schedule.time,
        zone: &schedule.zone,
        first_date: &schedule.first_date.to_string(),
        expires: &schedule.expires.to_string(),
        token: String::new(),
    };
    Ok(html(&FormPage::new(&query, Some(schedule.id.clone()), about, &when))?)
}

/// The fields that go with the frequency; a form sends all of them.
fn fields(form: &Form) -> Fields {
    let frequency = form.get("frequency");
    let used = |name: &&&str| match **name {
        "weekday" => frequency == "weekly",
        "day" => frequency == "monthly",
        _ => true,
    };
    let names: Vec<_> = schedules::FIELDS.iter().filter(used).copied().collect();
    form.fields(&names)
}

/// Shows the form again, with what is wrong with it.
async fn again(
    query: &Query,
    id: Option<&str>,
    form: &Form,
    problem: Problem,
) -> Result<Response, Failed> {
    if !can_be_mended(&problem) {
        return Err(problem.into());
    }
    let about = About::again(query, form, &problem).await?;
    let when = When {
        frequency: form.get("frequency"),
        weekday: form.get("weekday"),
        day: form.get("day"),
        time: form.get("time"),
        zone: form.get("zone"),
        first_date: form.get("first_date"),
        expires: form.get("expires"),
        token: form.get("token").to_owned(),
    };
    let page = FormPage::new(query, id.map(str::to_owned), about, &when);
    Ok((problem.status(), html(&page)?).into_response())
}

/// Makes a schedule.
pub(super) async fn create(query: Query, form: Form) -> Result<Response, Failed> {
    // Sent twice it is one schedule.
    let id = params::id(form.get("token"));
    match schedules::make(&query, &fields(&form), id).await {
        Ok(_) => Ok(done("created")),
        Err(problem) => again(&query, None, &form, problem).await,
    }
}

/// Edits a schedule.
pub(super) async fn save(query: Query, At(id): At, form: Form) -> Result<Response, Failed> {
    match schedules::redefine(&query, &id, &fields(&form)).await {
        Ok(_) => Ok(done("saved")),
        Err(problem) => again(&query, Some(&id), &form, problem).await,
    }
}

/// Switches a schedule off for now.
pub(super) async fn pause(query: Query, At(id): At, _: Form) -> Result<Response, Failed> {
    schedules::pause(&query, &id, true).await?;
    Ok(done("paused"))
}

/// Switches it on again.
pub(super) async fn resume(query: Query, At(id): At, _: Form) -> Result<Response, Failed> {
    schedules::pause(&query, &id, false).await?;
    Ok(done("resumed"))
}

#[derive(Template)]
#[template(path = "schedule_delete.html")]
struct DeletePage {
    frame: Frame,
    line: Line,
}

/// Asks whether a schedule is really to be deleted.
pub(super) async fn confirm(query: Query, At(id): At) -> Result<Html<String>, Failed> {
    let schedule = schedule_bodies::answer(&query, schedules::find(&query, &id).await?).await?;
    Ok(html(&DeletePage { frame: frame(&query, "Delete schedule"), line: line(&schedule) })?)
}

/// Deletes a schedule.
pub(super) async fn delete(query: Query, At(id): At, _: Form) -> Result<Response, Failed> {
    schedules::remove(&query, &id).await?;
    Ok(done("deleted"))
}
