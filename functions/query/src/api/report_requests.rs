//! Reports by mail: asked for, listed, looked at.

use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use report::{Contents, ReportRequest, Status, View};
use serde::{Deserialize, Serialize};
use store::{Guard, IdempotencyKey, Placed};
use utoipa::ToSchema;

use crate::Query;
use crate::api::body::{Fields, wrong};
use crate::api::params::{self, Given, Params};
use crate::api::problem::{Body, Problem};

/// The longest name of a report, in characters.
const NAME: usize = 100;
/// The longest idempotency key, in bytes.
const KEY: usize = 255;
const KEY_HEADER: &str = "idempotency-key";
/// The fields of a request.
pub(crate) const FIELDS: &[&str] = &["view", "start", "end", "domain", "recipients", "name"];

/// A report to be mailed once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NewRequest {
    view: View,
    /// First day. Without it the range is that of the views.
    start: Option<NaiveDate>,
    /// Last day, included; by default today.
    end: Option<NaiveDate>,
    /// One sender domain; by default all.
    domain: Option<String>,
    /// 1 to 50 mail addresses in allowed domains. All see each other.
    recipients: Vec<String>,
    /// Stands in the mail; at most 100 characters.
    name: Option<String>,
}

/// A report that was asked for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Request {
    id: String,
    status: Status,
    /// Why it failed, or is tried again later.
    reason: Option<String>,
    view: View,
    /// First day.
    start: NaiveDate,
    /// Last day, included.
    end: NaiveDate,
    /// The sender domain; null is all of them.
    domain: Option<String>,
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

/// A page of report requests.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Requests {
    /// The newest first.
    requests: Vec<Request>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// An instant for answers.
pub(crate) fn instant(unix: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(unix, 0).unwrap_or_default()
}

impl From<ReportRequest> for Request {
    fn from(request: ReportRequest) -> Self {
        let ReportRequest { contents, range, .. } = request;
        Self {
            id: request.id,
            status: request.status,
            reason: request.reason,
            view: contents.view,
            start: range.start,
            end: range.end,
            domain: contents.domain,
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

/// Reads what a report by mail is to hold, of a request or a schedule.
pub(crate) fn contents(fields: &Fields, query: &Query) -> Result<Contents, Problem> {
    const VIEWS: &str = "it must be sending-volume or tls-usage";
    let view = fields.needed("view", VIEWS)?;
    let view = View::from_name(view).ok_or_else(|| Problem::parameter("view", view, VIEWS))?;
    let name = fields.text("name")?;
    if let Some(name) = name
        && (name.chars().count() > NAME || name.contains(char::is_control))
    {
        let allowed = format!("it must be one line of at most {NAME} characters");
        return Err(Problem::parameter("name", name, allowed));
    }
    let recipients = fields.texts("recipients")?;
    let recipients = query.mailing.recipients.check(&recipients).map_err(|error| {
        let value = fields.get("recipients").cloned().unwrap_or_default();
        wrong("recipients", &value, error.to_string())
    })?;
    let domain = fields.text("domain")?.map(params::domain).transpose()?;
    Ok(Contents { view, domain, name: name.map(str::to_owned), recipients })
}

/// Asks for a report by mail.
///
/// The same `Idempotency-Key` with the same body gives the same request, for a day; the answer is the request
/// as it stands.
#[utoipa::path(post, path = "/v1/report-requests", request_body = NewRequest, params(
    ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters"),
), responses(
    (status = 202, body = Request, headers(("Location" = String, description = "Where it can be looked at"))),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 413, body = Body, content_type = "application/problem+json"),
    (status = 415, body = Body, content_type = "application/problem+json"),
    (status = 422, body = Body, content_type = "application/problem+json"),
    (status = 429, body = Body, content_type = "application/problem+json",
        headers(("Retry-After" = u64, description = "Seconds until more can be asked for"))),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    query: Query,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let key = key(&headers)?.map(|key| IdempotencyKey::new(key, &fields.canonical()));
    let request = place(&query, &fields, key).await?;
    let location = format!("/v1/report-requests/{}", request.id);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(Request::from(request)))
        .into_response())
}

/// Places the request that the fields describe, once for each key.
pub(crate) async fn place(
    query: &Query,
    fields: &Fields,
    key: Option<IdempotencyKey>,
) -> Result<ReportRequest, Problem> {
    fields.only(FIELDS)?;
    let (now, today) = (query.now(), query.today());
    let contents = contents(fields, query)?;
    let day = |name| fields.text(name)?.map(|text| params::day(name, text)).transpose();
    let range = params::range(day("start")?, day("end")?, today)?;
    let request = ReportRequest::new(query.next_id(), contents, range, now);
    let guard = Guard { key, limit: Some((query.clocks_day(), query.mailing.requests_per_day)) };
    let request = match query.store.place_request(&request, &guard, now).await? {
        Placed::New => request,
        Placed::Known(known) => *known,
        Placed::KeyReused => return Err(Problem::KeyReused),
        Placed::LimitReached => return Err(query.no_more_today()),
    };
    query.audit("report requested", &request.id);
    Ok(request)
}

fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(given) = headers.get(KEY_HEADER) else { return Ok(None) };
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let key = given.to_str().ok().filter(|key| (1..=KEY).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let allowed = format!("it must be 1 to {KEY} printable ASCII characters");
        Problem::parameter("Idempotency-Key", &shown(given), allowed)
    })
}

/// Report requests, the newest first.
#[utoipa::path(get, path = "/v1/report-requests", params(
    ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "Requests on the page; by default 100"),
    ("cursor" = Option<String>, Query, description = "next of the page before"),
), responses(
    (status = 200, body = Requests),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Json<Requests>, Problem> {
    let params = given.read(params::PAGE, &query)?;
    let (found, next) = page(&query, &params, params::LIMIT).await?;
    Ok(Json(Requests { requests: found.into_iter().map(Request::from).collect(), next }))
}

/// The page that is asked for, with `limit` requests at most if nothing else is asked, and the cursor of the
/// next.
pub(crate) async fn page(
    query: &Query,
    params: &Params,
    limit: usize,
) -> Result<(Vec<ReportRequest>, Option<String>), Problem> {
    let limit = params.limit.unwrap_or(limit);
    let before = params.cursor.as_deref();
    if let Some(cursor) = before
        && params::id(cursor).is_none()
    {
        return Err(Problem::parameter("cursor", cursor, "it must be next of an earlier page"));
    }
    let (found, more) = query.store.requests(before, limit, query.now()).await?;
    let next = found.last().filter(|_| more).map(|request| request.id.clone());
    Ok((found, next))
}

/// One report request, as it stands.
#[utoipa::path(get, path = "/v1/report-requests/{id}", params(
    ("id" = String, Path, description = "The request's id"),
), responses(
    (status = 200, body = Request),
    (status = 404, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn one(
    query: Query,
    Path(id): Path<String>,
    given: Given,
) -> Result<Json<Request>, Problem> {
    given.read(&[], &query)?;
    Ok(Json(find(&query, &id).await?.into()))
}

/// The request at a path.
pub(crate) async fn find(query: &Query, id: &str) -> Result<ReportRequest, Problem> {
    let found = match params::id(id) {
        Some(id) => query.store.request(&id, query.now()).await?,
        None => None,
    };
    found.ok_or_else(|| Problem::not_found("/v1/report-requests", id))
}
