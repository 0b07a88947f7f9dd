//! Report requests: the list, the form, and how far one is.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use chrono_tz::Tz;
use report::views::filter_text::in_words;
use report::{Group, Range, ReportRequest, Status, displayed, grouped, period};

use super::address::{self, At, Shown};
use super::form::{About, Form};
use super::frame::{Frame, Part, html};
use super::mistake::can_be_mended;
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::params::{ChartParams, Given, PageParams};
use crate::api::problem::Problem;
use crate::api::{report_requests, schedules};
use crate::service::Query;

/// Requests on a page of the list.
const ROWS: usize = 25;

/// A request in a list.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) name: String,
    pub(super) view: &'static str,
    pub(super) period: String,
    pub(super) of_what: String,
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
                wording::counted(others.len() as u64, "other", "others")
            )
        }
    }
}

/// A sender domain for people.
fn domain(domain: Option<&str>) -> String {
    domain.map_or_else(|| "All sender domains".to_owned(), |domain| displayed(domain, SHOWN))
}

/// What a report is of beside its days, for people.
pub(super) fn of_what(group: Group, of: Option<&str>, filters: String) -> String {
    let by = (group != Group::Sender).then(|| format!("by {}", group.noun()));
    let filters = Some(filters).filter(|filters| !filters.is_empty());
    let parts = [Some(domain(of)), by, filters].into_iter().flatten();
    parts.collect::<Vec<_>>().join("; ")
}

/// A request as a line.
pub(super) fn line(request: &ReportRequest, zone: Tz) -> Line {
    let contents = &request.contents;
    Line {
        href: format!("/report-requests/{}", request.id),
        name: contents.name.as_deref().map(|name| displayed(name, SHOWN)).unwrap_or_default(),
        view: contents.view.title(),
        period: period(request.range),
        of_what: of_what(contents.group, contents.domain(), in_words(&contents.filters(), SHOWN)),
        recipients: few(&contents.recipients),
        created: wording::instant(request.created, zone),
        status: told(request.status, request.attempts),
    }
}

#[derive(Template)]
#[template(path = "report_requests.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    newest: Option<&'static str>,
    older: Option<String>,
}

/// All requests, the newest first.
pub(super) async fn list(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let asked: PageParams = given.of_page::<PageParams>().read(query.today())?;
    let (found, next) = report_requests::page(&query, &asked, ROWS).await?;
    let older = next.map(|cursor| {
        let limit = asked.limit.map(|limit| ("limit", limit.to_string()));
        let pairs: Vec<_> = [("cursor", cursor)].into_iter().chain(limit).collect();
        address::address("/report-requests", &pairs)
    });
    Ok(html(&ListPage {
        frame: Frame::new(&query, Part::ReportRequests, "Report requests"),
        rows: found.iter().map(|request| line(request, query.zone)).collect(),
        newest: asked.cursor.is_some().then_some("/report-requests"),
        older,
    })?)
}

/// The form that asks for a report.
#[derive(Template)]
#[template(path = "report_request_form.html")]
struct FormPage {
    frame: Frame,
    about: About,
    start: String,
    end: String,
    kept: Range,
    /// The same for every time that this form is sent.
    token: String,
}

impl FormPage {
    fn new(query: &Query, about: About, [start, end, token]: [String; 3]) -> Self {
        let frame = Frame::new(query, Part::ReportRequests, "Request a report");
        Self { frame, about, start, end, kept: Range::kept(query.today()), token }
    }
}

/// The form, filled in with the filters of the page that it was opened from.
pub(super) async fn blank(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let (view, group, ChartParams { days, filter }) = address::prefilled(&given, &query)?;
    let about = About::of(&query, view, group, &filter).await?;
    let Range { start, end } = days.range();
    let fields = [start.to_string(), end.to_string(), query.next_id()];
    Ok(html(&FormPage::new(&query, about, fields))?)
}

/// Asks for the report, and leads to where it can be watched.
pub(super) async fn create(query: Query, form: Form) -> Result<Response, Failed> {
    let fields = form.fields(report_requests::FIELDS);
    // Sent twice it is one request; changed and sent again it is another.
    let key = match form.get("token") {
        "" => None,
        token => Some(format!("form {token} {}", fields.canonical())),
    };
    match report_requests::place(&query, &fields, key.as_deref()).await {
        Ok(request) => {
            Ok(Redirect::to(&format!("/report-requests/{}", request.id)).into_response())
        }
        Err(problem) if can_be_mended(&problem) => {
            let about = About::again(&query, &form, &problem).await?;
            let fields = ["start", "end", "token"].map(|name| form.get(name).to_owned());
            let page = html(&FormPage::new(&query, about, fields))?;
            Ok((problem.status(), page).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

#[derive(Template)]
#[template(path = "report_request.html")]
struct OnePage {
    frame: Frame,
    title: String,
    /// Whether it can still change.
    open: bool,
    status: Told,
    explained: String,
    rows: Vec<(&'static str, String)>,
    /// Where it can be looked at, as long as its days are kept.
    report: Option<String>,
    again: String,
    /// The schedule that asked for it: where it is, if it is still there.
    schedule: Option<Option<String>>,
}

/// How far a request is.
pub(super) async fn one(query: Query, At(id): At) -> Result<Html<String>, Failed> {
    let request = report_requests::find(&query, &id).await?;
    let contents = &request.contents;
    // Of its days, those that can still be shown.
    let (kept, Range { start, end }) = (Range::kept(query.today()), request.range);
    let range = Range { start: start.max(kept.start), end: end.min(kept.end) };
    let shown = range.start <= range.end;
    let mut view =
        Shown::chart(contents.view, if shown { range } else { Range::last(kept.end, 7) });
    view.params.filter.0 = contents.only.clone();
    view.params.table.group = contents.group;
    view.table = contents.group != Group::Sender;
    let title = contents.name.as_deref().map_or_else(
        || format!("{}, {}", contents.view.title(), period(request.range)),
        |name| displayed(name, SHOWN),
    );
    let schedule = match request.schedule.as_deref() {
        None => None,
        Some(id) => match schedules::find(&query, id).await {
            Ok(schedule) => Some(Some(format!("/schedules/{}", schedule.id))),
            Err(Problem::NotFound { .. }) => Some(None),
            Err(other) => return Err(other.into()),
        },
    };
    Ok(html(&OnePage {
        frame: Frame::new(&query, Part::ReportRequests, title.clone()),
        title,
        open: !request.status.is_final(),
        status: told(request.status, request.attempts),
        explained: explained(&request),
        rows: rows(&request, query.zone),
        report: shown.then(|| view.href()),
        again: view.request(),
        schedule,
    })?)
}

fn explained(request: &ReportRequest) -> String {
    let reason = request.reason.as_deref().map(|reason| displayed(reason, 500));
    let reason = reason.map(|reason| wording::sentence(&reason)).unwrap_or_default();
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
        ("Table by", contents.group.label().to_owned()),
        ("Sender domains", domain(contents.domain())),
        ("Recipients", contents.recipients.join(", ")),
        ("Requested", wording::instant(request.created, zone)),
    ];
    let narrowed = in_words(&contents.filters(), SHOWN);
    rows.extend((!narrowed.is_empty()).then_some(("Only", narrowed)));
    let ended = match request.status {
        Status::Failed => "Given up",
        _ => "Sent",
    };
    rows.extend(request.ended.map(|at| (ended, wording::instant(at, zone))));
    rows.extend((request.attempts > 1).then(|| ("Attempts", grouped(request.attempts.into()))));
    rows.extend(request.messages.map(|messages| ("Messages in it", grouped(messages))));
    rows.extend(request.message_id.as_deref().map(|id| ("Accepted as", displayed(id, 300))));
    rows
}
