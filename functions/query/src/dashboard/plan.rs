//! The page of the plan: who would be refused if something were turned off.

use std::collections::BTreeMap;
use std::iter;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{Affected, Plan, PlanClient, PlanRow};
use report::{
    Column, Group, Kind, Off, Place, Range, Sort, Table, TlsVersion, View, date, grouped, period,
};

use super::about;
use super::address::{ROWS, Shown, address, of_filter, of_table, usable};
use super::columns::Chart;
use super::domains;
use super::filters;
use super::frame::{Choice, Frame, Part, html};
use super::problem_page::Failed;
use super::story::Story;
use super::wording;
use crate::api::params::{GROUPS, Given, PlanParams};
use crate::api::plan::{self, Found};
use crate::service::Query;

/// TLS versions to choose from: what may be given up, and what is not known.
const VERSIONS: [TlsVersion; 4] =
    [TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::None, TlsVersion::Unknown];
/// Mechanisms to choose from.
const MECHANISMS: usize = 12;

/// A client that would be refused.
struct Device {
    name: String,
    href: Option<String>,
    known: Vec<String>,
}

/// Somebody who would be refused.
struct Row {
    name: String,
    remark: Option<&'static str>,
    href: Option<String>,
    messages: String,
    percent: String,
    story: Story,
    clients: Vec<Device>,
    more_clients: Option<String>,
}

/// The head of a column that can be sorted by.
struct Head {
    label: &'static str,
    href: String,
    sorted: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    frame: Frame,
    period: String,
    ranges: Vec<Choice>,
    groups: Vec<Choice>,
    /// What is turned off, as in `TLS1.0, TLS1.1 and No TLS`.
    off: String,
    versions: Vec<Choice>,
    kinds: Vec<Choice>,
    mechanisms: Vec<Choice>,
    domains: Option<Vec<Choice>>,
    domain: String,
    hidden: Vec<(&'static str, String)>,
    plan: Plan,
    refused: String,
    all: String,
    percent: String,
    affected: [(&'static str, String); 3],
    change: Option<String>,
    /// What nobody can tell: messages, and their share.
    unknown: Option<(String, String)>,
    of_tls: bool,
    last: Option<String>,
    accounts: Chart,
    messages: Chart,
    head: &'static str,
    heads: Vec<Head>,
    rows: Vec<Row>,
    letters: Vec<Letter>,
    place: String,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    csv: String,
    detailed: String,
    /// The table that can be had by mail: of the same messages, and by the same group.
    mailed: Shown,
}

/// Who would be refused.
pub(super) async fn page(query: Query, given: Given) -> Result<Response, Failed> {
    let asked: PlanParams = usable(&given, &query)?;
    let Found { plan, page, mechanisms } = plan::of(&query, &asked, ROWS).await?;
    let (range, table) = (asked.days.range(), &asked.rows.table);
    let off = &asked.off.filter.off;
    let shown = Shown::chart(View::TlsUsage, range).as_table();
    let mut mailed = shown.grouped_by(table.group);
    mailed.params.filter = asked.off.filter.clone();
    let href = |asked: &PlanParams| address("/plan", &pairs(asked, false));
    let with = |change: &dyn Fn(&mut PlanParams)| {
        let mut other = asked.clone();
        other.page.cursor = None;
        change(&mut other);
        href(&other)
    };
    let of_day = |day| with(&|asked| asked.days = Range { start: day, end: day }.into());
    let sort_by = |label, column, descending| {
        let now = table.sort;
        let is_this = now.column == column;
        let descending = if is_this { !now.descending } else { descending };
        Head {
            label,
            href: with(&|asked| asked.rows.table.sort = Sort { column, descending }),
            sorted: is_this.then_some(if now.descending { "descending" } else { "ascending" }),
        }
    };
    let domain = asked.off.filter.domain();
    let filters = ["off", "domain"];
    let kept = pairs(&asked, true).into_iter().filter(|(name, _)| !filters.contains(name));
    let accounts: Vec<_> = plan.days.iter().map(|day| (day.date, day.accounts)).collect();
    let messages: Vec<_> = plan.days.iter().map(|day| (day.date, day.messages)).collect();
    let at = |cursor: String| with(&|asked| asked.page.cursor = Some(cursor.clone()));
    let written = PlanPage {
        frame: Frame::new(&query, Part::Plan, "Plan"),
        period: period(range),
        ranges: filters::quick(range, query.today(), |range| {
            with(&|asked| asked.days = range.into())
        }),
        groups: GROUPS
            .map(|one| Choice {
                label: wording::capital(one.noun()),
                value: with(&|asked| asked.rows.table.group = one),
                chosen: one == table.group,
            })
            .into(),
        off: wording::listed(&off.iter().map(Off::label).collect::<Vec<_>>()),
        versions: VERSIONS.map(|one| choice(Off::Tls(one), off)).into(),
        kinds: Kind::ALL
            .into_iter()
            .filter(|kind| *kind != Kind::Unknown)
            .map(|kind| choice(Off::Kind(kind), off))
            .collect(),
        mechanisms: of_mechanisms(&mechanisms, off),
        domains: domains::choices(&query, domain).await?,
        domain: domain.unwrap_or_default().to_owned(),
        hidden: kept.collect(),
        refused: grouped(plan.refused),
        all: grouped(plan.messages),
        percent: wording::percent(plan.percent),
        affected: [
            ("Accounts", share(plan.accounts)),
            ("Sender addresses", share(plan.senders)),
            ("Client addresses", share(plan.clients)),
        ],
        change: plan.before.map(|before| wording::changed(before, plan.refused)),
        unknown: (plan.unknown > 0).then(|| {
            let messages = wording::counted(plan.unknown, "message", "messages");
            (messages, wording::percent(plan.unknown_percent))
        }),
        of_tls: off.iter().any(|off| matches!(off, Off::Tls(_))),
        last: plan.last.map(date),
        accounts: Chart::counts(&accounts, ("account", "accounts"), query.today(), of_day),
        messages: Chart::counts(&messages, ("message", "messages"), query.today(), of_day),
        head: table.group.label(),
        heads: vec![
            sort_by("Refused", Column::Messages, true),
            sort_by("Change", Column::Change, true),
            sort_by("Last day", Column::Last, true),
        ],
        rows: page.rows.iter().map(|row| of_row(row, table.group, &shown)).collect(),
        letters: letters(&page.rows, off, range),
        place: wording::of_rows(page.before, page.rows.len(), page.after, table.group),
        first: (page.before > 0).then(|| with(&|_| {})),
        previous: page.previous.map(at),
        next: page.next.map(at),
        csv: csv(&asked),
        detailed: address("/v1/reports/detailed", &filter_pairs(&asked)),
        mailed,
        plan,
    };
    Ok(html(&written)?.into_response())
}

/// What to write to whoever owns accounts or clients that would be refused.
struct Letter {
    owner: String,
    text: String,
}

/// A letter to each owner of these rows.
fn letters(rows: &[PlanRow], off: &[Off], range: Range) -> Vec<Letter> {
    let mut owned: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in rows {
        let of_clients = row.clients.iter().map(|one| (one.of.name.as_str(), &one.labels));
        let all = iter::once((row.name.text(), &row.more.labels)).chain(of_clients);
        for (name, labels) in all {
            let Some(noted) = labels.noted.as_ref().filter(|noted| !noted.owner.is_empty()) else {
                continue;
            };
            let called =
                if noted.name.is_empty() { String::new() } else { format!(" ({})", noted.name) };
            let messages = wording::counted(row.messages, "message", "messages");
            let line = format!("- {name}{called}: {messages}, the last on {}", date(row.more.last));
            owned.entry(&noted.owner).or_default().push(line);
        }
    }
    let off = wording::listed(&off.iter().map(Off::label).collect::<Vec<_>>());
    let letter = |(owner, lines): (&str, Vec<String>)| Letter {
        owner: owner.to_owned(),
        text: format!(
            "The mail server will stop to accept {off}. These accounts and devices of yours have sent mail that way \
             ({}), and will be refused then:\n\n{}\n\nPlease change their settings, or tell us who can.",
            period(range),
            lines.join("\n")
        ),
    };
    owned.into_iter().map(letter).collect()
}

fn choice(one: Off, off: &[Off]) -> Choice {
    Choice { label: one.label().to_owned(), value: one.to_string(), chosen: off.contains(&one) }
}

/// The mechanisms that are used most, and those that are chosen.
fn of_mechanisms(table: &Table, off: &[Off]) -> Vec<Choice> {
    let most = table.page(Sort::MOST_MESSAGES, "", Place::First, MECHANISMS).rows;
    let used = most.iter().filter_map(|row| Off::read(row.name));
    let mut all: Vec<_> = used.filter(|one| matches!(one, Off::Mechanism(_))).collect();
    for one in off.iter().filter(|one| matches!(one, Off::Mechanism(_))) {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
    all.into_iter().map(|one| choice(one, off)).collect()
}

fn share(Affected { refused, all }: Affected) -> String {
    format!("{} of {}", grouped(refused), grouped(all))
}

fn of_row(row: &PlanRow, group: Group, shown: &Shown) -> Row {
    let name = row.name.text();
    let clients = if group == Group::Client { &[][..] } else { &row.clients };
    let client = |one: &PlanClient| Device {
        name: about::named(&one.of.name),
        href: about::href(Group::Client, &one.of.name, shown),
        known: wording::labels(&one.labels),
    };
    Row {
        name: about::named(name),
        remark: row.origin.map(about::remark),
        href: about::href(group, name, shown),
        messages: grouped(row.messages),
        percent: wording::percent(row.percent),
        story: Story::new(&row.more),
        more_clients: Some(row.more_clients)
            .filter(|more| *more > 0 && group != Group::Client)
            .map(grouped),
        clients: clients.iter().map(client).collect(),
    }
}

fn filter_pairs(asked: &PlanParams) -> Vec<(&'static str, String)> {
    of_filter(asked.days.range(), &asked.off.filter)
}

/// Everything that the page's address tells.
fn pairs(asked: &PlanParams, is_first: bool) -> Vec<(&'static str, String)> {
    let mut pairs = filter_pairs(asked);
    pairs.extend(of_table(&asked.rows.table, Group::Account));
    let cursor = asked.page.cursor.clone().filter(|_| !is_first);
    pairs.extend(cursor.map(|cursor| ("cursor", cursor)));
    pairs
}

fn csv(asked: &PlanParams) -> String {
    let mut pairs = pairs(asked, true);
    pairs.push(("format", "csv".to_owned()));
    address("/v1/plan", &pairs)
}
