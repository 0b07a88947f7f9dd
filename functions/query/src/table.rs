//! The two tables by sender: sorted, searched, paged, or whole as CSV.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use history::Wanted;
use report::csv;
use report::views::{TlsRow, VolumeRow};
use report::{Filter, Group, Place, Range, Row, Table, TablePage, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Query;
use crate::params::{self, Given, Params};
use crate::problem::{Body, Problem};

/// Tables computed at once: each keeps all cores busy, and takes memory.
pub(crate) const AT_ONCE: usize = 2;

/// A page of the sending volume table.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct VolumePage {
    /// The rows.
    rows: Vec<VolumeRow>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A page of the TLS usage table.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TlsPage {
    /// The rows.
    rows: Vec<TlsRow>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A page of a table.
pub(crate) struct Page<R> {
    pub(crate) rows: Vec<R>,
    /// How many rows stand before these.
    pub(crate) before: usize,
    /// How many follow.
    pub(crate) after: usize,
    /// The cursor of the page before; none on the first.
    pub(crate) previous: Option<String>,
    /// The cursor of the next page; none on the last.
    pub(crate) next: Option<String>,
}

/// Where a page ended or began. Opaque to clients; nothing secret in it.
#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    /// Checksum of everything asked but cursor and limit: a cursor fits one question only.
    question: u64,
    /// Which computation of the table the first page showed.
    snapshot: u64,
    /// Whether the page lies before the row, not behind it.
    before: bool,
    /// The last row shown, or the first.
    name: String,
    counts: [u64; 6],
}

/// Messages by sender.
#[utoipa::path(get, path = "/v1/reports/sending-volume/details", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
    ("search" = Option<String>, Query, description = "Part of the sender"),
    ("sort" = Option<String>, Query, description = "sender, messages, legacy (TLS1.0, TLS1.1 and none together), TLS1.0, TLS1.0.percent, …; - before it for largest first; by default -messages"),
    ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "Rows on the page; by default 100"),
    ("cursor" = Option<String>, Query, description = "next of the page before"),
    ("format" = Option<String>, Query, description = "json, or csv for the whole table (as Accept: text/csv)"),
), responses(
    (status = 200, content((VolumePage = "application/json"), (String = "text/csv"))),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn sending_volume(query: Query, given: Given) -> Result<Response, Problem> {
    answer(&query, &given, View::SendingVolume, |Page { rows, next, .. }| {
        Json(VolumePage { rows, next }).into_response()
    })
    .await
}

/// TLS versions by sender.
#[utoipa::path(get, path = "/v1/reports/tls-usage/details", params(
    ("start" = Option<String>, Query, description = "First day, as in 2026-11-17"),
    ("end" = Option<String>, Query, description = "Last day, included; by default today"),
    ("domain" = Option<String>, Query, description = "One sender domain; by default all"),
    ("search" = Option<String>, Query, description = "Part of the sender"),
    ("sort" = Option<String>, Query, description = "sender, messages, legacy (TLS1.0, TLS1.1 and none together), TLS1.0, TLS1.0.percent, …; - before it for largest first; by default -messages"),
    ("limit" = Option<u16>, Query, minimum = 1, maximum = 1000, description = "Rows on the page; by default 100"),
    ("cursor" = Option<String>, Query, description = "next of the page before"),
    ("format" = Option<String>, Query, description = "json, or csv for the whole table (as Accept: text/csv)"),
), responses(
    (status = 200, content((TlsPage = "application/json"), (String = "text/csv"))),
    (status = 400, body = Body, content_type = "application/problem+json"),
    (status = 503, body = Body, content_type = "application/problem+json"),
))]
pub(crate) async fn tls_usage(query: Query, given: Given) -> Result<Response, Problem> {
    answer(&query, &given, View::TlsUsage, |Page { rows, next, .. }| {
        Json(TlsPage { rows, next }).into_response()
    })
    .await
}

async fn answer<R: for<'r> From<(Group, &'r Row<'r>)>>(
    query: &Query,
    given: &Given,
    view: View,
    show: impl FnOnce(Page<R>) -> Response,
) -> Result<Response, Problem> {
    let params = given.read(params::TABLE, query)?;
    if params.csv {
        let senders = senders(query, &params).await?.1;
        return blocking(move || whole(&senders, view, &params)).await?;
    }
    Ok(show(page(query, &params, view, params::LIMIT).await?))
}

/// The page that is asked for, with `limit` rows at most if nothing else is asked.
pub(crate) async fn page<R: for<'r> From<(Group, &'r Row<'r>)>>(
    query: &Query,
    params: &Params,
    view: View,
    limit: usize,
) -> Result<Page<R>, Problem> {
    let question = question(params, view);
    let cursor = params.cursor.as_deref().map(|text| Cursor::read(text, question)).transpose()?;
    let shown = cursor.as_ref().map(|cursor| cursor.snapshot);
    let (snapshot, senders) = match shown.and_then(|id| Some((id, query.snapshots.get(id)?))) {
        Some(known) => known,
        None => senders(query, params).await?,
    };
    let place = cursor.as_ref().map_or(Place::First, Cursor::place);
    let limit = params.limit.unwrap_or(limit);
    let TablePage { rows, before, after } = senders.page(params.sort, &params.search, place, limit);
    let at = |row: &Row<'_>, before| Cursor::at(row, before, question, snapshot).write();
    Ok(Page {
        previous: rows.first().filter(|_| before > 0).map(|row| at(row, true)),
        next: rows.last().filter(|_| after > 0).map(|row| at(row, false)),
        rows: rows.iter().map(|row| R::from((senders.group(), row))).collect(),
        before,
        after,
    })
}

/// The table of a range and domain, with the number under which it is kept.
pub(crate) async fn senders(query: &Query, params: &Params) -> Result<(u64, Arc<Table>), Problem> {
    let state = query.history.state(params.range).await?;
    let filter = Filter { domain: params.domain.clone(), ..Filter::default() };
    let wanted = Wanted { filter, group: Group::Sender };
    let id = state.table_id(&wanted);
    if let Some(known) = query.snapshots.get(id) {
        return Ok((id, known));
    }
    let _turn = query.tables.acquire().await.map_err(|_| Problem::Unavailable)?;
    // Whoever had the turn before may have computed it.
    if let Some(known) = query.snapshots.get(id) {
        return Ok((id, known));
    }
    let table = query.history.table(&state, &wanted).await?;
    Ok((id, query.snapshots.put(id, table)))
}

fn whole(senders: &Table, view: View, params: &Params) -> Result<Response, Problem> {
    let mut body = Vec::new();
    let rows = senders.rows(params.sort, &params.search);
    csv::write(&mut body, view, senders.group(), rows).map_err(|error| {
        tracing::error!(%error, "cannot write CSV");
        Problem::Unavailable
    })?;
    Ok((csv_headers(view.name(), params.range), body).into_response())
}

/// Does what takes long on a thread where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "query failed");
        Problem::Unavailable
    })
}

/// The headers of a CSV file.
pub(crate) fn csv_headers(what: &str, range: Range) -> [(HeaderName, String); 2] {
    let name = csv::file_name(what, range);
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ]
}

fn question(params: &Params, view: View) -> u64 {
    let mut hasher = DefaultHasher::new();
    (view, params.range, &params.domain, &params.search, params.sort).hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    fn at(row: &Row<'_>, before: bool, question: u64, snapshot: u64) -> Self {
        let name = row.name.to_owned();
        let counts = report::TlsVersion::ALL.map(|version| row.counts.get(version));
        Self { question, snapshot, before, name, counts }
    }

    fn place(&self) -> Place<'_> {
        let mut counts = report::TlsCounts::default();
        for (version, messages) in report::TlsVersion::ALL.into_iter().zip(self.counts) {
            counts.add(version, messages);
        }
        let row = Row { name: &self.name, counts };
        if self.before { Place::Before(row) } else { Place::After(row) }
    }

    fn write(&self) -> String {
        let bytes = postcard::to_allocvec(self).unwrap_or_default();
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }

    fn read(text: &str, question: u64) -> Result<Self, Problem> {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let error = |allowed| Problem::parameter("cursor", text, allowed);
        match cursor {
            None => Err(error("it must be next of an earlier page")),
            Some(cursor) if cursor.question != question => {
                Err(error("it belongs to a page with other parameters: begin without a cursor"))
            }
            Some(cursor) => Ok(cursor),
        }
    }
}
