//! Report requests, reports by mail: placed, listed, looked at.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use report::views::cursor;
use report::{Day, Group, ReportRequest, Status, View, local_to_unix};
use serde::{Deserialize, Serialize};
use store::Placed;
use utoipa::{IntoParams, ToSchema};

use super::body::Fields;
use super::contents::{Filters, contents, instant, scope};
use super::params::{self, Given, LIMIT, PageParams};
use super::problem::Problem;
use super::responses::{AsksStore, Finds, Places, ReadsBody, ReadsParameters};
use super::schemas::{self, KEY};
use crate::service::Query;

/// The fields of a request.
pub(crate) const FIELDS: &[&str] =
    &["view", "group", "start", "end", "domain", "filter", "recipients", "name"];

/// A report to be mailed once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReportRequest {
    view: View,
    /// What the table has a row for each of; by default `sender`.
    group: Option<Group>,
    /// First day. Without it the range is that of the views.
    start: Option<NaiveDate>,
    /// Last day, included; by default today.
    end: Option<NaiveDate>,
    #[schema(schema_with = schemas::domain_or_null)]
    domain: Option<String>,
    /// Only messages that have one of the values of each; by default all.
    filter: Option<Filters>,
    #[schema(schema_with = schemas::recipients)]
    recipients: Vec<String>,
    #[schema(schema_with = schemas::name_or_null)]
    name: Option<String>,
}

/// A report that was asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportRequest)]
pub(crate) struct RequestAnswer {
    id: String,
    status: Status,
    /// Why it failed, or is tried again later.
    reason: Option<String>,
    view: View,
    /// What the table has a row for each of.
    group: Group,
    /// First day.
    start: NaiveDate,
    /// Last day, included.
    end: NaiveDate,
    /// The sender domain; null is all of them.
    domain: Option<String>,
    /// Only messages that have one of the values of each.
    filter: Filters,
    /// The sender domains that it is bound to, as was who asked for it; null is none.
    scope: Option<Vec<String>>,
    name: Option<String>,
    recipients: Vec<String>,
    /// The schedule that asked for it; null is somebody.
    schedule: Option<String>,
    /// When it was asked for; of a schedule, when it was due.
    created: DateTime<Utc>,
    /// When it was sent, or failed.
    ended: Option<DateTime<Utc>>,
    /// How often it was begun.
    attempts: u32,
    /// SES's message id, the relay's reply, or the file in the outbox.
    message_id: Option<String>,
    /// Messages that the report tells about.
    messages: Option<u64>,
}

/// The key that a request is sent with.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
struct KeyHeader {
    /// 1 to 255 printable ASCII characters
    #[param(rename = "Idempotency-Key", schema_with = schemas::key)]
    key: Option<String>,
}

impl KeyHeader {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(given) = headers.get("idempotency-key") else { return Ok(Self { key: None }) };
        let printable = |key: &&str| key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let key = given.to_str().ok().filter(|key| (1..=KEY).contains(&key.len()));
        let key = key.filter(printable);
        let key = key.ok_or_else(|| {
            let shown = String::from_utf8_lossy(given.as_bytes());
            let allowed = format!("it must be 1 to {KEY} printable ASCII characters");
            Problem::parameter("Idempotency-Key", &shown, allowed)
        })?;
        Ok(Self { key: Some(key.to_owned()) })
    }
}

/// The report request that a path names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RequestPath {
    /// The request's id
    id: String,
}

/// A page of report requests.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReportRequestsPage {
    /// The newest first.
    requests: Vec<RequestAnswer>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

impl From<ReportRequest> for RequestAnswer {
    fn from(request: ReportRequest) -> Self {
        let ReportRequest { contents, range, .. } = request;
        Self {
            id: request.id,
            status: request.status,
            reason: request.reason,
            view: contents.view,
            group: contents.group,
            start: range.start,
            end: range.end,
            domain: contents.domain().map(str::to_owned),
            filter: Filters(contents.filters()),
            scope: scope(&contents.scope),
            name: contents.name,
            recipients: contents.recipients,
            schedule: request.schedule,
            created: instant(request.created),
            ended: request.ended.map(instant),
            attempts: request.attempts,
            message_id: request.message_id,
            messages: request.messages,
        }
    }
}

/// Asks for a report by mail.
///
/// The same `Idempotency-Key` with the same body gives the same request, for a day; the answer is the request
/// as it stands.
#[utoipa::path(post, path = "/v1/report-requests", operation_id = "place_report_request",
    request_body = NewReportRequest, params(KeyHeader), responses(
    (status = 202, description = "The request as it stands", body = RequestAnswer,
        headers(("Location" = String, description = "Where it can be looked at"))),
    ReadsBody, Places, AsksStore,
))]
pub(crate) async fn create(
    query: Query,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let key = KeyHeader::read(&headers)?.key;
    let request = place(&query, &fields, key.as_deref()).await?;
    let location = format!("/v1/report-requests/{}", request.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(RequestAnswer::from(request)))
        .into_response())
}

/// Places the request that the fields describe, once for each key.
pub(crate) async fn place(
    query: &Query,
    fields: &Fields,
    key: Option<&str>,
) -> Result<ReportRequest, Problem> {
    fields.only(FIELDS)?;
    let (now, today) = (query.now(), query.today());
    let contents = contents(fields, query)?;
    let day = |name| fields.text(name)?.map(|text| params::day(name, text)).transpose();
    let range = params::range(day("start")?, day("end")?, today)?;
    let request = ReportRequest::new(query.next_id(), contents, range, now);
    let asked = fields.canonical();
    let key = key.map(|key| (key, asked.as_str()));
    let limit = (query.clocks_day(), query.mailing.requests_per_day);
    let request = match query.data.place(&request, key, limit, now).await? {
        Placed::New => request,
        Placed::Known(known) => *known,
        Placed::KeyReused => return Err(Problem::KeyReused),
        Placed::LimitReached => return Err(no_more_today(query)),
    };
    query.audit("report requested", &request.id);
    Ok(request)
}

/// That the day has had all its requests, and when the next one begins.
fn no_more_today(query: &Query) -> Problem {
    let tomorrow = query.clocks_day().succ_opt().unwrap_or(Day::MAX);
    let begins = local_to_unix(query.zone, tomorrow.and_time(NaiveTime::MIN));
    let retry_after = u64::try_from(begins - query.now()).unwrap_or(1).max(1);
    Problem::NoMoreToday { limit: query.mailing.requests_per_day, retry_after }
}

/// Report requests, the newest first.
#[utoipa::path(get, path = "/v1/report-requests", operation_id = "report_requests",
    params(PageParams), responses(
    (status = 200, description = "A page of the requests", body = ReportRequestsPage),
    ReadsParameters, AsksStore,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<ReportRequestsPage>, Problem> {
    let asked: PageParams = given.read(query.today())?;
    let (found, next) = page(&query, &asked, LIMIT).await?;
    Ok(Json(ReportRequestsPage {
        requests: found.into_iter().map(RequestAnswer::from).collect(),
        next,
    }))
}

/// The page that is asked for, with `limit` requests at most if nothing else is asked, and the cursor of the
/// next.
pub(crate) async fn page(
    query: &Query,
    asked: &PageParams,
    limit: usize,
) -> Result<(Vec<ReportRequest>, Option<String>), Problem> {
    let limit = asked.limit.unwrap_or(limit);
    let before = asked.held(|text| cursor::held(text, params::id))?;
    let (found, more) = query.data.requests(before.as_deref(), limit, query.now()).await?;
    let next = found.last().filter(|_| more).map(|request| cursor::written(&request.id));
    Ok((found, next))
}

/// One report request, as it stands.
#[utoipa::path(get, path = "/v1/report-requests/{id}", operation_id = "report_request",
    params(RequestPath), responses(
    (status = 200, description = "The request as it stands", body = RequestAnswer),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn one(
    query: Query,
    Path(RequestPath { id }): Path<RequestPath>,
    given: Given,
) -> Result<Json<RequestAnswer>, Problem> {
    given.refuse()?;
    Ok(Json(find(&query, &id).await?.into()))
}

/// The request at a path.
pub(crate) async fn find(query: &Query, id: &str) -> Result<ReportRequest, Problem> {
    let found = match params::id(id) {
        Some(id) => query.data.request(&id, query.now()).await?,
        None => None,
    };
    found.ok_or_else(|| Problem::not_found("/v1/report-requests", id))
}
