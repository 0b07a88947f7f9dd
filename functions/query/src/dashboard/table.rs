//! The table of a view: a row for each sender, and a flyout for the one that is chosen.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{NamedMessages, SenderDetails, SenderUse, TlsRow};
use report::{Column, Sort, TlsVersion, View, displayed, grouped};

use super::address::{self, At, ROWS, Shown};
use super::columns::Chart;
use super::empty::Nothing;
use super::filters::{self, Bar};
use super::frame::{Choice, Frame, Part, html};
use super::problem_page::Failed;
use super::shares::Shares;
use super::wording::{self, SHOWN};
use crate::api::params::{Given, ViewParams};
use crate::api::problem::Problem;
use crate::api::sender;
use crate::api::tables::{self, TableQuestion};
use crate::service::Query;

/// Numbers of rows to choose from.
const LIMITS: [usize; 3] = [ROWS, 50, 100];
/// Accounts, mechanisms and clients that a flyout lists.
const LISTED: usize = 10;

/// The head of a column.
struct Head {
    label: &'static str,
    /// How to sort by it.
    href: String,
    /// How the table is sorted by it: `ascending` or `descending`.
    sorted: Option<&'static str>,
    /// How to sort by the number where the column shows a percentage too.
    number: Option<String>,
    /// Whether it is the number that the table is sorted by.
    by_number: bool,
    /// Whether it is a sender's name, not a figure.
    name: bool,
}

/// A sender.
struct Row {
    sender: String,
    note: Option<&'static str>,
    href: String,
    /// Percentage and number; nothing where there are no messages.
    cells: Vec<Option<Cell>>,
    messages: String,
}

struct Cell {
    percent: String,
    messages: String,
    legacy: bool,
}

/// What is known about one sender.
struct Flyout {
    title: String,
    /// The page without it.
    close: String,
    messages: String,
    period: String,
    nothing: bool,
    /// What the name means, if it is none.
    note: Option<&'static str>,
    shares: Shares,
    chart: Chart,
    lists: Vec<List>,
    uses: Vec<Vec<String>>,
    more_uses: Option<String>,
    detailed: String,
}

/// Names with their messages.
struct List {
    title: &'static str,
    rows: Vec<(String, String)>,
    more: Option<String>,
}

#[derive(Template)]
#[template(path = "table.html")]
struct TablePage {
    frame: Frame,
    bar: Bar,
    nothing: Option<Nothing>,
    /// What is searched for.
    search: String,
    /// What the search keeps as it is.
    hidden: Vec<(&'static str, String)>,
    unsearched: String,
    caption: String,
    heads: Vec<Head>,
    rows: Vec<Row>,
    /// As in `26 to 50 of 262 senders`.
    place: String,
    first: Option<String>,
    previous: Option<String>,
    next: Option<String>,
    limits: Vec<Choice>,
    /// How to see those with most messages over legacy versions, or without TLS, first.
    legacy: Option<Choice>,
    flyout: Option<Flyout>,
}

/// The table of a view.
pub(super) async fn page(query: Query, At(name): At, given: Given) -> Result<Response, Failed> {
    let view = address::view(&name)?;
    let (shown, problem) = Shown::read(view, true, &given, &query)?;
    let found = match problem {
        Some(problem) => Err(problem),
        None => {
            let ViewParams { days, filter, table, page, .. } = &shown.params;
            let question = TableQuestion::new(view, *days, filter, table);
            tables::page::<TlsRow>(&query, &question, page, ROWS).await
        }
    };
    let found = match found {
        // Whether a cursor fits is known only together with the table.
        Err(problem @ Problem::InvalidParameter { .. }) => {
            return filters::wrong(&query, &shown.first_page(), &given, &problem).await;
        }
        found => found?,
    };
    let (bar, flyout) = tokio::try_join!(Bar::new(&query, &shown), flyout(&query, &shown))?;
    let all = found.before + found.rows.len() + found.after;
    let nothing = match all == 0 && shown.params.table.search.is_empty() {
        true => Some(Nothing::new(&query, &shown).await?),
        false => None,
    };
    let place = match found.rows.len() {
        0 => String::new(),
        rows => format!(
            "{} to {} of {}",
            grouped(found.before as u64 + 1),
            grouped((found.before + rows) as u64),
            wording::counted(all as u64, "sender", "senders")
        ),
    };
    let limits = LIMITS.map(|limit| Choice {
        label: limit.to_string(),
        value: shown.with_rows(limit).href(),
        chosen: limit == shown.params.page.limit.unwrap_or(ROWS),
    });
    let kept = shown.first_page().pairs().into_iter().filter(|(name, _)| *name != "search");
    let legacy = (view == View::TlsUsage).then(|| Choice {
        label: "Most legacy first".to_owned(),
        value: shown.sorted(Sort::MOST_LEGACY).href(),
        chosen: shown.params.table.sort == Sort::MOST_LEGACY,
    });
    let page = TablePage {
        frame: Frame::new(&query, Part::Views, format!("{} by sender", view.title())),
        nothing,
        search: shown.params.table.search.clone(),
        hidden: kept.collect(),
        unsearched: shown.unsearched().href(),
        caption: format!("{} by sender, {}", view.title(), bar.told),
        heads: heads(&shown),
        rows: found.rows.iter().map(|row| of_sender(row, &shown)).collect(),
        place,
        first: (found.before > 0).then(|| shown.first_page().href()),
        previous: found.previous.map(|cursor| shown.at(cursor).href()),
        next: found.next.map(|cursor| shown.at(cursor).href()),
        limits: limits.into(),
        legacy,
        bar,
        flyout,
    };
    Ok(html(&page)?.into_response())
}

fn heads(shown: &Shown) -> Vec<Head> {
    let by = |column, descending| {
        let now = shown.params.table.sort;
        // A second time turns the order round.
        let descending = if now.column == column { !now.descending } else { descending };
        shown.sorted(Sort { column, descending }).href()
    };
    let sorted = |columns: &[Column]| {
        let now = shown.params.table.sort;
        columns.contains(&now.column).then_some(if now.descending {
            "descending"
        } else {
            "ascending"
        })
    };
    let plain = |label, column, descending| Head {
        label,
        href: by(column, descending),
        sorted: sorted(&[column]),
        number: None,
        by_number: false,
        name: column == Column::Name,
    };
    let mut heads = vec![plain(shown.params.table.group.label(), Column::Name, false)];
    if shown.view == View::TlsUsage {
        heads.extend(TlsVersion::ALL.map(|version| {
            let (share, number) = (Column::Percent(version), Column::Tls(version));
            Head {
                label: version.label(),
                href: by(share, true),
                sorted: sorted(&[share, number]),
                number: Some(by(number, true)),
                by_number: shown.params.table.sort.column == number,
                name: false,
            }
        }));
    }
    heads.push(plain("Message count", Column::Messages, true));
    heads
}

fn of_sender(row: &TlsRow, shown: &Shown) -> Row {
    let cells = row.tls.iter().map(|share| {
        (share.messages > 0).then(|| Cell {
            percent: wording::percent(share.percent),
            messages: grouped(share.messages),
            legacy: share.version.is_legacy(),
        })
    });
    Row {
        sender: wording::address(row.name.text()),
        note: wording::note(row.name.text()),
        href: shown.with_sender(Some(row.name.text())).href(),
        cells: if shown.view == View::TlsUsage { cells.collect() } else { Vec::new() },
        messages: grouped(row.messages),
    }
}

async fn flyout(query: &Query, shown: &Shown) -> Result<Option<Flyout>, Problem> {
    let Some(sender) = shown.params.sender.sender.as_deref() else { return Ok(None) };
    let ViewParams { days, filter, .. } = &shown.params;
    let found = sender::of(query, sender, days.range(), filter).await?;
    let lists = [
        ("Accounts", &found.accounts),
        ("Mechanisms", &found.mechanisms),
        ("Client addresses", &found.clients),
    ];
    let lists = lists.map(|(title, names)| list(title, names));
    let SenderDetails { start, end, messages, tls, days, uses, .. } = found;
    Ok(Some(Flyout {
        title: displayed(&found.sender, 4 * SHOWN),
        close: shown.with_sender(None).href(),
        messages: wording::counted(messages, "message", "messages"),
        period: report::period(report::Range { start, end }),
        nothing: messages == 0,
        note: wording::note(&found.sender),
        shares: Shares::new(&tls),
        chart: Chart::tls(&days, query.today(), |day| {
            shown.on(day).with_sender(Some(sender)).href()
        }),
        lists: lists.into(),
        uses: uses.iter().take(LISTED).map(of_use).collect(),
        more_uses: more(uses.len()),
        detailed: shown.detailed(Some(sender)),
    }))
}

fn named(name: &str) -> String {
    if name.is_empty() { "not in the log".to_owned() } else { wording::address(name) }
}

fn list(title: &'static str, names: &[NamedMessages]) -> List {
    let rows = names.iter().take(LISTED);
    let rows = rows.map(|row| (named(&row.name), grouped(row.messages)));
    List { title, rows: rows.collect(), more: more(names.len()) }
}

fn of_use(used: &SenderUse) -> Vec<String> {
    let version = used.version.label().to_owned();
    vec![named(&used.account), named(&used.mechanism), version, grouped(used.messages)]
}

/// How many are not listed, for people.
fn more(all: usize) -> Option<String> {
    let more = all.checked_sub(LISTED).filter(|more| *more > 0)?;
    Some(format!("{} more", grouped(more as u64)))
}
