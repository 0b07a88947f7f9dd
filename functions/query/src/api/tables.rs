//! The views as tables: sorted, searched, paged, or whole as CSV.

use axum::Json;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use history::{Wanted, blocking};
use report::csv;
use report::views::cursor::{Cursor, checksum};
use report::views::{TlsRow, VolumeRow};
use report::{Group, Place, Range, Row, Sort, Table, TablePage, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::params::{
    FilterParams, Format, Given, LIMIT, PageParams, RangeParams, TablePageParams, TableParams,
};
use super::problem::Problem;
use super::responses::{AsksStoreInTurns, ReadsParameters};
use crate::service::Query;
use crate::spool::{SpoolReader, SpoolWriter};

/// A page of the sending volume table.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SendingVolumePage {
    /// The rows.
    rows: Vec<VolumeRow>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// A page of the TLS usage table.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TlsUsagePage {
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

/// Everything that decides which rows a table has and in which order: all that is asked but the page. A cursor
/// fits one of these only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TableQuestion {
    view: View,
    range: Range,
    wanted: Wanted,
    sort: Sort,
    search: String,
}

impl TableQuestion {
    pub(crate) fn new(
        view: View,
        days: RangeParams,
        filter: &FilterParams,
        table: &TableParams,
    ) -> Self {
        Self {
            view,
            range: days.range(),
            wanted: Wanted { filter: filter.of(None), group: table.group },
            sort: table.sort,
            search: table.search.clone(),
        }
    }
}

/// Messages by sender.
#[utoipa::path(get, path = "/v1/reports/sending-volume/details", operation_id = "sending_volume_table",
    params(TablePageParams), responses(
    (status = 200, description = "A page of the table, or the whole of it as CSV",
        content((SendingVolumePage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn sending_volume(query: Query, given: Given) -> Result<Response, Problem> {
    answer(View::SendingVolume, &query, &given).await
}

/// TLS versions by sender.
#[utoipa::path(get, path = "/v1/reports/tls-usage/details", operation_id = "tls_usage_table",
    params(TablePageParams), responses(
    (status = 200, description = "A page of the table, or the whole of it as CSV",
        content((TlsUsagePage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn tls_usage(query: Query, given: Given) -> Result<Response, Problem> {
    answer(View::TlsUsage, &query, &given).await
}

/// The table of a view, as it is asked for.
async fn answer(view: View, query: &Query, given: &Given) -> Result<Response, Problem> {
    let TablePageParams { days, filter, table, page: asked, format } = given.read(query.today())?;
    let question = TableQuestion::new(view, days, &filter, &table);
    if format.format == Format::Csv {
        let (_, whole_table) = query.tables.table(question.range, &question.wanted).await?;
        let turn = query.turn_at_writing().await.ok_or(Problem::Busy)?;
        let (writer, reader) = query.spools.begin();
        return blocking(move || {
            let _turn = turn;
            whole(&whole_table, &question, writer, reader)
        })
        .await;
    }
    Ok(match view {
        View::SendingVolume => {
            let Page { rows, next, .. } = page(query, &question, &asked, LIMIT).await?;
            Json(SendingVolumePage { rows, next }).into_response()
        }
        View::TlsUsage => {
            let Page { rows, next, .. } = page(query, &question, &asked, LIMIT).await?;
            Json(TlsUsagePage { rows, next }).into_response()
        }
    })
}

/// The page that is asked for, with `limit` rows at most if nothing else is asked.
pub(crate) async fn page<R: for<'r> From<(Group, &'r Row<'r>)>>(
    query: &Query,
    question: &TableQuestion,
    asked: &PageParams,
    limit: usize,
) -> Result<Page<R>, Problem> {
    let fits = checksum(question);
    let cursor = asked.held(|text| Cursor::read(text, fits))?;
    let (id, table) = match cursor.as_ref().and_then(|cursor| query.tables.kept(cursor.table)) {
        Some(known) => known,
        None => query.tables.table(question.range, &question.wanted).await?,
    };
    let place = cursor.as_ref().map_or(Place::First, Cursor::place);
    let limit = asked.limit.unwrap_or(limit);
    let TablePage { rows, before, after } =
        table.page(question.sort, &question.search, place, limit);
    let at = |row: &Row<'_>, before| Cursor::at(row, before, fits, id).write();
    Ok(Page {
        previous: rows.first().filter(|_| before > 0).map(|row| at(row, true)),
        next: rows.last().filter(|_| after > 0).map(|row| at(row, false)),
        rows: rows.iter().map(|row| R::from((table.group(), row))).collect(),
        before,
        after,
    })
}

fn whole(
    table: &Table,
    question: &TableQuestion,
    mut writer: SpoolWriter,
    reader: SpoolReader,
) -> Result<Response, Problem> {
    let rows = table.rows(question.sort, &question.search);
    let written = csv::write(&mut writer, question.view, table.group(), rows);
    written.and_then(|()| writer.finish()).map_err(|error| {
        tracing::error!(%error, "cannot write CSV");
        Problem::Unavailable
    })?;
    let headers = csv_headers(question.view.name(), question.range);
    Ok((headers, reader.into_body()).into_response())
}

/// The headers of a CSV file.
pub(crate) fn csv_headers(what: &str, range: Range) -> [(HeaderName, String); 2] {
    let name = csv::file_name(what, range);
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ]
}
