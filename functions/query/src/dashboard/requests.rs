//! Reports by mail: the list, the form, and how far one is.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use report::{Range, RecipientDomains, ReportRequest, Status, View, displayed, grouped, period};
use store::IdempotencyKey;

use super::failed::{self, Failed};
use super::form::{Form, Wrong, fault};
use super::shown::{self, Shown};
use super::view::choices;
use super::words::{self, SHOWN};
use super::{Choice, Frame, Part, html};
use crate::params::{self, Given};
use crate::problem::Problem;
use crate::{Query, requests};

/// Requests on a page of the list.
const ROWS: usize = 25;
/// The fields of the form that the interface takes.
const FIELDS: &[&str] = &["view", "start", "end", "domain", "recipients", "name"];

/// A request in a list.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) view: &'static str,
    pub(super) period: String,
    pub(super) domain: String,
    pub(super) recipients: String,
    pub(super) created: String,
    pub(super) status: Told,
}

/// A status in words.
pub(super) struct Told {
    /// The style.
    pub(super) class: &'static str,
    pub(super) label: &'static str,
}

pub(super) fn told(status: Status, attempts: u32) -> Told {
    let (class, label) = match status {
        Status::Pending if attempts > 0 => ("waits", "Tried again later"),
        Status::Pending => ("waits", "Waiting"),
        Status::Running => ("waits", "Being made"),
        Status::Sent => ("good", "Sent"),
        Status::SentEmpty => ("good", "Sent, without messages"),
        Status::Failed => ("bad", "Failed"),
    };
    Told { class, label }
}

/// Recipients for a line of a list.
pub(super) fn few(recipients: &[String]) -> String {
    match recipients {
        [] => String::new(),
        [one] => displayed(one, SHOWN),
        [one, others @ ..] => {
            format!(
                "{} and {}",
                displayed(one, SHOWN),
                words::counted(others.len() as u64, "other", "others")
            )
        }
    }
}

/// A sender domain for people.
pub(super) fn domain(domain: Option<&str>) -> String {
    domain.map_or_else(|| "All sender domains".to_owned(), |domain| displayed(domain, SHOWN))
}

/// A request as a line.
pub(super) fn line(request: &ReportRequest, zone: Tz) -> Line {
    let contents = &request.contents;
    Line {
        href: format!("/report-requests/{}", request.id),
        name: contents.name.as_deref().map(|name| displayed(name, SHOWN)).unwrap_or_default(),
        view: contents.view.title(),
        period: period(request.range),
        domain: domain(contents.domain.as_deref()),
        recipients: few(&contents.recipients),
        created: words::instant(request.created, zone),
        status: told(request.status, request.attempts),
    }
}

#[derive(Template)]
#[template(path = "requests.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    newest: Option<&'static str>,
    older: Option<String>,
}

/// All requests, the newest first.
pub(super) async fn list(State(query): State<Query>, given: Given) -> Result<Html<String>, Failed> {
    let params = given.filled().read(params::PAGE, &query)?;
    let (found, next) = requests::page(&query, &params, ROWS).await?;
    let older = next.map(|cursor| {
        let limit = params.limit.map(|limit| ("limit", limit.to_string()));
        let pairs: Vec<_> = [("cursor", cursor)].into_iter().chain(limit).collect();
        shown::address("/report-requests", &pairs)
    });
    Ok(html(&ListPage {
        frame: Frame::new(&query, Part::Requests, "Report requests"),
        rows: found.iter().map(|request| line(request, query.zone)).collect(),
        newest: params.cursor.is_some().then_some("/report-requests"),
        older,
    })?)
}

/// What the form holds that asks for a report.
#[derive(Template)]
#[template(path = "request_form.html")]
struct FormPage {
    frame: Frame,
    views: Vec<Choice>,
    start: String,
    end: String,
    kept: Range,
    domain: String,
    domains: Option<Vec<Choice>>,
    recipients: String,
    name: String,
    /// Where recipients may be.
    allowed: String,
    /// The same for every time that this form is sent.
    token: String,
    wrong: Option<Wrong>,
}

impl FormPage {
    async fn new(query: &Query, domain: Option<&str>) -> Result<Self, Problem> {
        let kept = Range::kept(query.today());
        Ok(Self {
            frame: Frame::new(query, Part::Requests, "Request a report"),
            views: Vec::new(),
            start: String::new(),
            end: String::new(),
            kept,
            domain: domain.unwrap_or_default().to_owned(),
            domains: choices(query.store.domains(kept).await?, domain),
            recipients: String::new(),
            name: String::new(),
            allowed: allowed(&query.mailing.recipients),
            token: String::new(),
            wrong: None,
        })
    }

    fn fault(&self, field: &str) -> Option<&str> {
        fault(&self.wrong, field)
    }
}

/// Where recipients may be, in words.
pub(super) fn allowed(domains: &RecipientDomains) -> String {
    match domains {
        RecipientDomains::Any => "Mails stay on this machine, in the outbox folder.".to_owned(),
        RecipientDomains::Listed(names) if names.is_empty() => {
            "No domain is configured that reports may go to: whoever runs the service can allow some."
                .to_owned()
        }
        listed @ RecipientDomains::Listed(_) => format!("Reports may go to: {}.", listed.describe()),
    }
}

/// The views to choose from.
pub(super) fn views(chosen: Option<View>) -> Vec<Choice> {
    let choice = |view: View| Choice {
        label: view.title().to_owned(),
        value: view.name().to_owned(),
        chosen: chosen == Some(view),
    };
    View::ALL.map(choice).into()
}

/// The form, filled in with the filters of the page that it was opened from.
pub(super) async fn blank(
    State(query): State<Query>,
    given: Given,
) -> Result<Html<String>, Failed> {
    let (view, params) = shown::prefilled(&given.filled(), &query)?;
    let page = FormPage {
        views: views(Some(view)),
        start: params.range.start.to_string(),
        end: params.range.end.to_string(),
        token: query.next_id(),
        ..FormPage::new(&query, params.domain.as_deref()).await?
    };
    Ok(html(&page)?)
}

/// Asks for the report, and leads to where it can be watched.
pub(super) async fn create(State(query): State<Query>, form: Form) -> Result<Response, Failed> {
    let fields = form.fields(FIELDS);
    let asked = fields.canonical();
    // Sent twice it is one request; changed and sent again it is another.
    let key = match form.get("token") {
        "" => None,
        token => Some(IdempotencyKey::new(&format!("form {token} {asked}"), &asked)),
    };
    match requests::place(&query, &fields, key).await {
        Ok(request) => {
            Ok(Redirect::to(&format!("/report-requests/{}", request.id)).into_response())
        }
        Err(problem) if failed::can_be_mended(&problem) => {
            let domain = Some(form.get("domain")).filter(|domain| !domain.is_empty());
            let page = FormPage {
                views: views(View::from_name(form.get("view"))),
                start: form.get("start").to_owned(),
                end: form.get("end").to_owned(),
                recipients: form.get("recipients").to_owned(),
                name: form.get("name").to_owned(),
                token: form.get("token").to_owned(),
                wrong: Some(Wrong::new(&problem)),
                ..FormPage::new(&query, domain).await?
            };
            Ok(failed::with(problem.status(), html(&page)?))
        }
        Err(problem) => Err(problem.into()),
    }
}

#[derive(Template)]
#[template(path = "request.html")]
struct OnePage {
    frame: Frame,
    title: String,
    /// Whether it can still change.
    open: bool,
    status: Told,
    explained: String,
    rows: Vec<(&'static str, String)>,
    report: String,
    again: String,
    schedule: Option<String>,
}

/// How far a request is.
pub(super) async fn one(
    State(query): State<Query>,
    Path(id): Path<String>,
    given: Given,
) -> Result<Html<String>, Failed> {
    given.read(&[], &query)?;
    let found = requests::find(&query, &id).await?;
    let request = found.ok_or_else(|| Problem::not_found("/report-requests", &id))?;
    let contents = &request.contents;
    let mut view = Shown::chart(contents.view, request.range);
    view.params.domain.clone_from(&contents.domain);
    let title = contents.name.as_deref().map_or_else(
        || format!("{}, {}", contents.view.title(), period(request.range)),
        |name| displayed(name, SHOWN),
    );
    let schedule = request.schedule.as_deref().map(|id| format!("/schedules/{id}"));
    Ok(html(&OnePage {
        frame: Frame::new(&query, Part::Requests, title.clone()),
        title,
        open: !request.status.is_final(),
        status: told(request.status, request.attempts),
        explained: explained(&request),
        rows: rows(&request, query.zone),
        report: view.href(),
        again: view.request(),
        schedule,
    })?)
}

fn explained(request: &ReportRequest) -> String {
    let reason = request.reason.as_deref().map(|reason| displayed(reason, 500));
    let reason = reason.map(|reason| words::sentence(&reason)).unwrap_or_default();
    match request.status {
        Status::Pending if request.attempts > 0 => {
            format!("The mail could not be sent yet and is tried again by itself. {reason}")
        }
        Status::Pending => "The report is about to be made.".to_owned(),
        Status::Running => "The report is being made and sent.".to_owned(),
        Status::Sent => "The mail was accepted for delivery.".to_owned(),
        Status::SentEmpty => {
            "The mail was accepted for delivery. It says that there were no messages in these days."
                .to_owned()
        }
        Status::Failed => format!("No mail will be sent. {reason}"),
    }
}

fn rows(request: &ReportRequest, zone: Tz) -> Vec<(&'static str, String)> {
    let contents = &request.contents;
    let mut rows = vec![
        ("Data", contents.view.title().to_owned()),
        ("Days", period(request.range)),
        ("Sender domains", domain(contents.domain.as_deref())),
        ("Recipients", words::listed(&contents.recipients)),
        ("Requested", words::instant(request.created, zone)),
    ];
    let ended = match request.status {
        Status::Failed => "Given up",
        _ => "Sent",
    };
    rows.extend(request.ended.map(|at| (ended, words::instant(at, zone))));
    rows.extend((request.attempts > 1).then(|| ("Attempts", grouped(request.attempts.into()))));
    rows.extend(request.messages.map(|messages| ("Messages in it", grouped(messages))));
    rows.extend(request.message_id.as_deref().map(|id| ("Accepted as", displayed(id, 300))));
    rows
}
