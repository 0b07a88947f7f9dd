//! Alerts: listed, looked at, and decided about.

use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use detect::{Case, Decision, Resolution, Status};
use report::csv::{file_name, write_texts};
use report::views::cursor;
use report::{Day, displayed};
use serde::Deserialize;
use store::KnownAlerts;
use utoipa::IntoParams;

use super::alert_bodies::{AlertAnswer, AlertsPage, FIELDS, NOTE, NewStatus};
use super::body::{Fields, wrong};
use super::params::{AlertsParams, Format, Given, LIMIT};
use super::places;
use super::problem::Problem;
use super::responses::{AsksStore, Finds, ReadsBody, ReadsParameters, TellsMuch};
use super::tables::{csv_headers, unwritten};
use crate::service::Query;

/// The alert that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AlertPath {
    /// Its id
    #[param(min_length = 1)]
    id: String,
}

/// Accounts that seem to be in strange hands, the newest signs first.
#[utoipa::path(get, path = "/v1/alerts", operation_id = "alerts", params(AlertsParams), responses(
    (status = 200, description = "A page of the alerts, or all of them as CSV",
        content((AlertsPage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Response, Problem> {
    let asked: AlertsParams = given.read(query.today())?;
    let known = query.data.alerts().await?;
    let (range, today) = (asked.wanted.range, query.today());
    if asked.format.format == Format::Csv {
        let (found, _) = page(&known, &asked, usize::MAX, today)?;
        let mut text = Vec::new();
        let lines = found.iter().map(|case| line(case, known.is_muted(case, today)));
        write_texts(&mut text, HEAD, lines).map_err(unwritten)?;
        return Ok((csv_headers(&file_name("alerts", range)), text).into_response());
    }
    let (found, next) = page(&known, &asked, asked.page.limit.unwrap_or(LIMIT), today)?;
    let answer = |case: Case| {
        let muted = known.is_muted(&case, today);
        AlertAnswer::new(case, muted)
    };
    let alerts = found.into_iter().map(answer).collect();
    Ok(Json(AlertsPage { start: range.start, end: range.end, alerts, next }).into_response())
}

/// The alerts that are asked for on this day, `most` at most, and the cursor of those that follow.
pub(crate) fn page(
    known: &KnownAlerts,
    asked: &AlertsParams,
    most: usize,
    today: Day,
) -> Result<(Vec<Case>, Option<String>), Problem> {
    let after = asked.page.held(|text| cursor::held(text, places::read))?;
    let passes = |case: &&Case| asked.wanted.passes(case, known.is_muted(case, today));
    let mut found: Vec<_> =
        known.cases.iter().filter(passes).map(|case| (place(case), case)).collect();
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    let follows = |(place, _): &(String, &Case)| after.as_ref().is_none_or(|after| place > after);
    let mut found = found.into_iter().filter(follows);
    let rows: Vec<_> = found.by_ref().take(most).collect();
    let last = rows.last().filter(|_| found.next().is_some());
    let next = last.map(|(place, _)| cursor::written(&places::held(place)));
    Ok((rows.into_iter().map(|(_, case)| case.clone()).collect(), next))
}

/// Where an alert stands among others: the newest signs first, of a day the surest first.
fn place(case: &Case) -> String {
    let alert = &case.alert;
    let (day, severity) = (alert.last_day, alert.severity);
    // Newer days and surer ones come first, and are the smaller texts.
    let days = (report::Day::MAX - day).num_days();
    let sure = detect::Severity::ALL.iter().rev().position(|one| *one == severity).unwrap_or(0);
    format!("{days:012} {sure} {}", alert.id)
}

const HEAD: [&str; 18] = [
    "Account",
    "Kind",
    "Severity",
    "Status",
    "Resolution",
    "First day",
    "Last day",
    "Reason",
    "Messages",
    "Usual messages",
    "Client addresses",
    "Senders",
    "Failed logins",
    "Night messages",
    "Recipients",
    "Decided by",
    "Note",
    "Muted",
];

fn line(case: &Case, muted: bool) -> [String; 18] {
    let Case { alert, status, resolution, decision, .. } = case;
    let evidence = &alert.evidence;
    let decision = decision.as_ref();
    [
        alert.account.clone(),
        alert.kind.name().to_owned(),
        alert.severity.name().to_owned(),
        status.name().to_owned(),
        resolution.map_or("", Resolution::name).to_owned(),
        alert.day.to_string(),
        alert.last_day.to_string(),
        alert.reason.clone(),
        evidence.messages.to_string(),
        evidence.usual_messages.to_string(),
        evidence.clients.join(" "),
        evidence.senders.join(" "),
        evidence.failures.to_string(),
        evidence.night_messages.to_string(),
        evidence.recipients.to_string(),
        decision.map(|decision| decision.by.clone()).unwrap_or_default(),
        decision.map(|decision| decision.note.clone()).unwrap_or_default(),
        if muted { "yes" } else { "no" }.to_owned(),
    ]
}

/// One alert.
#[utoipa::path(get, path = "/v1/alerts/{id}", operation_id = "alert", params(AlertPath), responses(
    (status = 200, description = "The alert", body = AlertAnswer),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn one(
    query: Query,
    Path(AlertPath { id }): Path<AlertPath>,
    given: Given,
) -> Result<Json<AlertAnswer>, Problem> {
    given.refuse()?;
    let (known, case) = find(&query, &id).await?;
    let muted = known.is_muted(&case, query.today());
    Ok(Json(AlertAnswer::new(case, muted)))
}

/// The alert with an id, and what there is beside it.
pub(crate) async fn find(query: &Query, id: &str) -> Result<(KnownAlerts, Case), Problem> {
    let known = query.data.alerts().await?;
    let found = known.cases.iter().find(|case| case.alert.id == id).cloned();
    let found = found.ok_or_else(|| Problem::not_found("/v1/alerts", id))?;
    Ok((known, found))
}

/// Decides about an alert: that somebody looks into it, what it was, or that it is open again.
#[utoipa::path(post, path = "/v1/alerts/{id}/status", operation_id = "decide_alert",
    request_body = NewStatus, params(AlertPath), responses(
    (status = 200, description = "The alert as it is now", body = AlertAnswer),
    ReadsBody, Finds, AsksStore,
))]
pub(crate) async fn decide(
    query: Query,
    Path(AlertPath { id }): Path<AlertPath>,
    given: Given,
    fields: Fields,
) -> Result<Json<AlertAnswer>, Problem> {
    given.refuse()?;
    fields.only(FIELDS)?;
    let status = fields.needed("status", "it must be open, acknowledged or resolved")?;
    let (resolution, note) = (fields.text("resolution")?, fields.text("note")?);
    let decided = set(&query, &id, (status, resolution), note.unwrap_or_default()).await?;
    let muted = query.data.alerts().await?.is_muted(&decided, query.today());
    Ok(Json(AlertAnswer::new(decided, muted)))
}

/// Gives an alert a status, with what it was if it is resolved.
pub(crate) async fn set(
    query: &Query,
    id: &str,
    (status, resolution): (&str, Option<&str>),
    note: &str,
) -> Result<Case, Problem> {
    let is_free = |one: &&Status| **one != Status::Historic;
    let found = Status::ALL.iter().filter(is_free).find(|one| one.name() == status).copied();
    let status = found.ok_or_else(|| {
        Problem::parameter("status", status, "it must be open, acknowledged or resolved")
    })?;
    let known = resolution.map(|text| {
        let found = Resolution::ALL.into_iter().find(|one| one.name() == text);
        let told = "it must be real, expected or unclear";
        found.ok_or_else(|| Problem::parameter("resolution", text, told))
    });
    let resolution = match (status, known.transpose()?) {
        (Status::Resolved, None) => {
            let told = "say what it was: real, expected or unclear";
            return Err(Problem::parameter("resolution", "", told));
        }
        (Status::Resolved, resolution) => resolution,
        (_, None) => None,
        (_, Some(resolution)) => {
            let told = "only what is resolved has one";
            return Err(Problem::parameter("resolution", resolution.name(), told));
        }
    };
    if note.chars().count() > NOTE || note.contains(char::is_control) {
        let told = format!("it must be one line of at most {NOTE} characters");
        return Err(wrong("note", &note.into(), told));
    }
    let decision = Decision {
        at: query.now(),
        day: query.today(),
        by: displayed(query.called(), NOTE),
        note: note.trim().to_owned(),
    };
    let decided = query.data.decide(id, status, resolution, &decision).await?;
    let decided = decided.ok_or_else(|| Problem::not_found("/v1/alerts", id))?;
    let action = match (status, resolution) {
        (Status::Acknowledged, _) => "alert acknowledged",
        (_, Some(Resolution::Real)) => "alert resolved as real",
        (_, Some(Resolution::Expected)) => "alert resolved as expected",
        (_, Some(Resolution::Unclear)) => "alert resolved as unclear",
        _ => "alert opened again",
    };
    query.audit(action, id);
    Ok(decided)
}
