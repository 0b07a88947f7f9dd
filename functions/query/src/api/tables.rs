//! The views as tables: sorted, searched, paged, or whole as CSV.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use history::{Wanted, blocking};
use report::csv;
use report::views::cursor::Cursor;
use report::views::{RowMechanisms, RowOf, TlsRow, VolumeRow};
use report::{Place, Range, Row, Sort, Table, TablePage, View};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::labels::Labelled;
use super::params::{
    FilterParams, Format, Given, LIMIT, PageParams, RangeParams, TablePageParams, TableParams,
};
use super::problem::Problem;
use super::responses::{AsksStoreInTurns, ReadsParameters};
use crate::service::Query;
use crate::spool::{SpoolReader, SpoolWriter};
use crate::tables::Telling;

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
    /// None is the plan.
    view: Option<View>,
    pub(crate) wanted: Wanted,
    pub(crate) sort: Sort,
    pub(crate) search: String,
}

impl TableQuestion {
    pub(crate) fn new(
        view: Option<View>,
        days: RangeParams,
        filter: &FilterParams,
        table: &TableParams,
    ) -> Self {
        Self {
            view,
            wanted: Wanted { range: days.range(), filter: filter.filter(), group: table.group },
            sort: table.sort,
            search: table.search.clone(),
        }
    }
}

/// Messages by sender, account, client address, mechanism, TLS version or domain.
#[utoipa::path(get, path = "/v1/reports/sending-volume/details", operation_id = "sending_volume_table",
    params(TablePageParams), responses(
    (status = 200, description = "A page of the table, or the whole of it as CSV",
        content((SendingVolumePage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStoreInTurns,
))]
pub(crate) async fn sending_volume(query: Query, given: Given) -> Result<Response, Problem> {
    answer(View::SendingVolume, &query, &given).await
}

/// TLS versions by sender, account, client address, mechanism, TLS version or domain.
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
    let question = TableQuestion::new(Some(view), days, &filter, &table);
    if format.format == Format::Csv {
        let (_, whole_table) = query.data.table(query.kept(), &question.wanted).await?;
        let turn = query.turn_at_writing().await.ok_or(Problem::Busy)?;
        let mechanisms = query.data.mechanisms(&question.wanted).await?;
        let (writer, reader) = query.spools.begin();
        return blocking(move || {
            let _turn = turn;
            whole(view, (&whole_table, &mechanisms), &question, (writer, reader))
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
pub(crate) async fn page<R: for<'r> From<RowOf<'r>>>(
    query: &Query,
    question: &TableQuestion,
    asked: &PageParams,
    limit: usize,
) -> Result<Page<R>, Problem> {
    page_of(query, question, asked, limit, Telling::Usual, |row| R::from(row)).await
}

/// The same of rows that `make` makes.
pub(crate) async fn page_of<R>(
    query: &Query,
    question: &TableQuestion,
    asked: &PageParams,
    limit: usize,
    telling: Telling,
    make: impl Fn(RowOf<'_>) -> R,
) -> Result<Page<R>, Problem> {
    let fits = query.data.checksum(question);
    let cursor = asked.held(|text| Cursor::read(text, fits))?;
    let wanted = &question.wanted;
    let kept = |cursor: &Cursor| query.data.kept(cursor.table, query.kept(), wanted);
    let (id, table) = match cursor.as_ref().and_then(kept) {
        Some(known) => known,
        None => query.data.table(query.kept(), wanted).await?,
    };
    let place = cursor.as_ref().map_or(Place::First, Cursor::place);
    let limit = asked.limit.unwrap_or(limit);
    let TablePage { rows, before, after } =
        table.page(question.sort, &question.search, place, limit);
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let stories = match names.is_empty() {
        true => Arc::default(),
        false => query.data.stories(wanted, &names, telling).await?,
    };
    let at = |row: &Row<'_>, before| Cursor::at(row, before, fits, id).write();
    let group = table.group();
    let labelled = Labelled::of(query, group, names.into_iter()).await?;
    Ok(Page {
        previous: rows.first().filter(|_| before > 0).map(|row| at(row, true)),
        next: rows.last().filter(|_| after > 0).map(|row| at(row, false)),
        rows: rows
            .into_iter()
            .zip(stories.iter().cloned())
            .map(|(row, story)| {
                let place = story.place(group, row.name, query.known());
                let labels = labelled.labels(row.name, place);
                make(RowOf { group, row, story, labels })
            })
            .collect(),
        before,
        after,
    })
}

fn whole(
    view: View,
    (table, mechanisms): (&Table, &RowMechanisms),
    question: &TableQuestion,
    spool: (SpoolWriter, SpoolReader),
) -> Result<Response, Problem> {
    let rows = table.rows(question.sort, &question.search);
    spooled(spool, view.name(), question.wanted.range, |to| {
        csv::write(to, view, table.group(), rows, mechanisms)
    })
}

/// A CSV file, written whole before it is read.
pub(crate) fn spooled(
    (mut writer, reader): (SpoolWriter, SpoolReader),
    what: &str,
    range: Range,
    write: impl FnOnce(&mut SpoolWriter) -> io::Result<()>,
) -> Result<Response, Problem> {
    let written = write(&mut writer);
    written.and_then(|()| writer.finish()).map_err(unwritten)?;
    Ok((csv_headers(&csv::file_name(what, range)), reader.into_body()).into_response())
}

/// What is told of a CSV file that cannot be written.
pub(crate) fn unwritten(error: io::Error) -> Problem {
    tracing::error!(%error, "cannot write CSV");
    Problem::Unavailable
}

/// The headers of a CSV file that is called so.
pub(crate) fn csv_headers(name: &str) -> [(HeaderName, String); 2] {
    [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ]
}
