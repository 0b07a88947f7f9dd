//! The page of failed logins.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{FailedLogins, FailedRow};
use report::{Group, Range, View, grouped, period};

use super::about;
use super::address::{Shown, address, of_days, usable};
use super::columns::Chart;
use super::filters;
use super::frame::{Choice, Frame, Part, html};
use super::problem_page::Failed;
use super::wording;
use crate::api::failures;
use crate::api::params::{FailuresParams, Given};
use crate::service::Query;

/// Rows that the page has.
const ROWS: usize = 100;

struct Row {
    name: String,
    remark: Option<&'static str>,
    href: Option<String>,
    failures: String,
    others: String,
    first: String,
    last: String,
    /// From how many it was let in afterwards.
    succeeded: Option<String>,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct FailuresPage {
    frame: Frame,
    period: String,
    ranges: Vec<Choice>,
    groups: Vec<Choice>,
    failures: String,
    /// How many rows tell of a login that worked afterwards.
    succeeded: u64,
    nouns: &'static str,
    nothing: bool,
    chart: Chart,
    head: &'static str,
    others: &'static str,
    rows: Vec<Row>,
    more: Option<String>,
    first: Option<String>,
    next: Option<String>,
    csv: String,
}

/// Failed logins, by account or client.
pub(super) async fn page(query: Query, given: Given) -> Result<Response, Failed> {
    let asked: FailuresParams = usable(&given, &query)?;
    let most = asked.page.limit.unwrap_or(ROWS).min(ROWS);
    let found = failures::of(&query, &asked, most).await?;
    let (range, group) = (asked.days.range(), asked.rows.group);
    let shown = Shown::chart(View::TlsUsage, range).as_table();
    let groups = [Group::Account, Group::Client].map(|one| Choice {
        label: wording::capital(one.noun()),
        value: href(&asked, range, one),
        chosen: one == group,
    });
    let FailedLogins { failures, days, rows, more, next, .. } = &found;
    let others = if group == Group::Client { Group::Account } else { Group::Client };
    let per_day: Vec<_> = days.iter().map(|day| (day.date, day.failures)).collect();
    let page = FailuresPage {
        frame: Frame::new(&query, Part::FailedLogins, "Failed logins"),
        period: period(range),
        ranges: filters::quick(range, query.today(), |range| href(&asked, range, group)),
        groups: groups.into(),
        failures: grouped(*failures),
        succeeded: rows.iter().filter(|row| row.succeeded > 0).count() as u64,
        nouns: group.nouns(),
        nothing: *failures == 0,
        chart: Chart::counts(&per_day, ("failed login", "failed logins"), query.today(), |day| {
            href(&asked, Range { start: day, end: day }, group)
        }),
        head: group.label(),
        others: if group == Group::Client { "Accounts" } else { "Clients" },
        rows: rows.iter().map(|row| of_row(row, group, others, &shown)).collect(),
        more: (*more > 0).then(|| grouped(*more)),
        first: asked.page.cursor.as_ref().map(|_| href(&asked, range, group)),
        next: next.as_ref().map(|cursor| {
            let mut pairs = pairs(&asked, range, group);
            pairs.push(("cursor", cursor.clone()));
            address("/failed-logins", &pairs)
        }),
        csv: csv(&asked),
    };
    Ok(html(&page)?.into_response())
}

fn of_row(row: &FailedRow, group: Group, others: Group, shown: &Shown) -> Row {
    let name = row.name.text();
    Row {
        name: about::named(name),
        remark: row.origin.map(about::remark),
        href: about::href(group, name, shown),
        failures: grouped(row.failures),
        others: grouped(row.others),
        first: wording::hour(row.first, row.first_hour),
        last: wording::hour(row.last, row.last_hour),
        succeeded: (row.succeeded > 0)
            .then(|| wording::counted(row.succeeded, others.noun(), others.nouns())),
    }
}

fn pairs(asked: &FailuresParams, range: Range, group: Group) -> Vec<(&'static str, String)> {
    let mut pairs = of_days(range).to_vec();
    pairs.extend(Some(group).filter(|g| *g == Group::Client).map(|g| ("group", g.name().into())));
    pairs.extend(asked.rows.filter.given());
    pairs
}

fn href(asked: &FailuresParams, range: Range, group: Group) -> String {
    address("/failed-logins", &pairs(asked, range, group))
}

fn csv(asked: &FailuresParams) -> String {
    let mut pairs = pairs(asked, asked.days.range(), asked.rows.group);
    pairs.push(("format", "csv".to_owned()));
    address("/v1/failed-logins", &pairs)
}
