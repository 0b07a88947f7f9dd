//! Failed logins: per day, by account or client, and who was let in afterwards.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use report::csv::file_name;
use report::views::cursor::FailedCursor;
use report::views::{FailedLogins, Failures, Successes};
use report::{Field, Filter, Range};
use store::FailureRow;

use super::params::{FailuresParams, Format, Given, LIMIT};
use super::problem::Problem;
use super::responses::{AsksStore, ReadsParameters, TellsMuch};
use super::tables::{csv_headers, unwritten};
use crate::service::Query;

/// Failed logins per day, and by account or client: which of them sent afterwards, and which failed most.
#[utoipa::path(get, path = "/v1/failed-logins", operation_id = "failed_logins", params(FailuresParams), responses(
    (status = 200, description = "The failed logins",
        content((FailedLogins = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Response, Problem> {
    let asked: FailuresParams = given.read(query.today())?;
    if asked.format.format == Format::Json {
        return Ok(
            Json(of(&query, &asked, asked.page.limit.unwrap_or(LIMIT)).await?).into_response()
        );
    }
    let found = of(&query, &asked, usize::MAX).await?;
    let mut text = Vec::new();
    found.csv(asked.rows.group, &mut text).map_err(unwritten)?;
    let name = file_name("failed-logins", asked.days.range());
    Ok((csv_headers(&name), text).into_response())
}

/// The failed logins that are asked for, in at most so many rows.
pub(crate) async fn of(
    query: &Query,
    asked: &FailuresParams,
    most: usize,
) -> Result<FailedLogins, Problem> {
    let (range, filter) = (asked.days.range(), asked.rows.filter.filter());
    let fits = query.data.checksum(&(asked.rows.group, range, &filter));
    let place = asked.page.held(|text| FailedCursor::read(text, fits))?;
    let failures = read(query, &filter, range).await?;
    let state = query.data.state(until_settled(&failures, range, query)).await?;
    let then = query.data.gather(&state, &filter, || Successes::of(&failures)).await?;
    let mut found = failures.view(asked.rows.group, range, &then, (place.as_ref(), most));
    let last = found.rows.last().filter(|_| found.more > 0);
    found.next = last.map(|row| row.cursor(fits));
    Ok(found)
}

/// The failed logins of accounts and clients that pass.
pub(crate) async fn read(
    query: &Query,
    filter: &Filter,
    range: Range,
) -> Result<Arc<Failures>, Problem> {
    let wanted = |account: &str, client: &str| {
        filter.passes(|field| if field == Field::Client { client } else { account })
    };
    let mut failures = Failures::default();
    for FailureRow { day, account, client, failures: n, hours } in
        query.data.failures(range, wanted).await?
    {
        failures.add(day, (account, client), n, hours);
    }
    Ok(Arc::new(failures))
}

/// The days in which it shows what came of failed logins: whoever failed on the last one may have been in on the next.
pub(crate) fn until_settled(failures: &Failures, range: Range, query: &Query) -> Range {
    if failures.is_empty() { range } else { range.with_next(query.today()) }
}
