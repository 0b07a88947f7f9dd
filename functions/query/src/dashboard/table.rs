//! The table of a view: a row for each sender, and a flyout for the one that is chosen.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::TlsRow;
use report::{Column, Filter, Group, Kind, Origin, Sort, TlsVersion, View, displayed, grouped};

use super::about::{self, About};
use super::address::{self, At, ROWS, Shown};
use super::empty::Nothing;
use super::filters::{self, Bar};
use super::frame::{Choice, Frame, Part, html};
use super::problem_page::Failed;
use super::story::Story;
use super::wording::{self, SHOWN};
use crate::api::details;
use crate::api::params::{Given, ViewParams};
use crate::api::problem::Problem;
use crate::api::tables::{self, TableQuestion};
use crate::service::Query;

/// Numbers of rows to choose from.
const LIMITS: [usize; 3] = [ROWS, 50, 100];

/// The head of a column.
struct Head {
    label: &'static str,
    /// How to sort by it.
    href: String,
    /// How the table is sorted by it: `ascending` or `descending`.
    sorted: Option<&'static str>,
    /// What else the column shows, how to sort by that, and that in words.
    second: Option<(&'static str, String, &'static str)>,
    /// Whether it is this that the table is sorted by.
    by_second: bool,
    /// Whether it is a sender's name, not a figure.
    name: bool,
    /// Whether it is a percentage.
    percent: bool,
}

/// A row.
struct Row {
    name: String,
    note: Option<&'static str>,
    /// What the name leads to.
    href: Option<String>,
    /// Whether that opens without leaving the page.
    flyout: bool,
    /// Percentage and number; nothing where there are no messages.
    cells: Vec<Option<Cell>>,
    messages: String,
    story: Story,
}

/// What the rows are called.
struct Nouns {
    one: &'static str,
    many: &'static str,
    capital: String,
    /// What is searched.
    searched: String,
    part: &'static str,
}

impl Nouns {
    fn of(group: Group) -> Self {
        let (one, many) = (group.noun(), group.nouns());
        let (searched, part) = match group {
            Group::Sender => ("sender address".to_owned(), "address"),
            Group::Client => ("client address or network".to_owned(), "address"),
            _ => (one.to_owned(), "name"),
        };
        Self { one, many, capital: wording::capital(many), searched, part }
    }
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
    period: String,
    about: About,
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
    nouns: Nouns,
    /// What there can be a row for each of.
    groups: Vec<Choice>,
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
            let question = TableQuestion::new(Some(view), *days, filter, table);
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
    let group = shown.params.table.group;
    let (bar, flyout) = tokio::try_join!(Bar::new(&query, &shown), flyout(&query, &shown))?;
    let all = found.before + found.rows.len() + found.after;
    let nothing = match all == 0 && shown.params.table.search.is_empty() {
        true => Some(Nothing::new(&query, &shown).await?),
        false => None,
    };
    let place = wording::of_rows(found.before, found.rows.len(), found.after, group);
    let has_places = query.known().places.is_some();
    let is_told = |one: &Group| has_places || !matches!(one, Group::Country | Group::Network);
    let groups = Group::ALL.into_iter().filter(is_told).map(|one| Choice {
        label: wording::capital(one.noun()),
        value: shown.grouped_by(one).href(),
        chosen: one == group,
    });
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
        frame: Frame::new(&query, Part::Views, format!("{} by {}", view.title(), group.noun())),
        nothing,
        search: shown.params.table.search.clone(),
        hidden: kept.collect(),
        unsearched: shown.unsearched().href(),
        caption: format!("{} by {}, {}", view.title(), group.noun(), bar.told),
        nouns: Nouns::of(group),
        groups: groups.collect(),
        heads: heads(&shown),
        rows: found.rows.iter().map(|row| of_row(row, &shown)).collect(),
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
        second: None,
        by_second: false,
        name: column == Column::Name,
        percent: false,
    };
    let mut heads = vec![plain(shown.params.table.group.label(), Column::Name, false)];
    if shown.view == View::TlsUsage {
        heads.extend(TlsVersion::ALL.map(|version| {
            let (share, number) = (Column::Percent(version), Column::Tls(version));
            Head {
                label: version.label(),
                href: by(share, true),
                sorted: sorted(&[share, number]),
                second: Some(("number", by(number, true), "Sort by the number of messages")),
                by_second: shown.params.table.sort.column == number,
                name: false,
                percent: true,
            }
        }));
    }
    heads.push(plain("Message count", Column::Messages, true));
    heads.push(plain("Change", Column::Change, true));
    heads.push(Head {
        sorted: sorted(&[Column::Last, Column::First]),
        second: Some(("since", by(Column::First, true), "Sort by the first day")),
        by_second: shown.params.table.sort.column == Column::First,
        ..plain("Last day", Column::Last, true)
    });
    heads
}

fn of_row(row: &TlsRow, shown: &Shown) -> Row {
    let (group, name) = (shown.params.table.group, row.name.text());
    let own = row.origin.is_some_and(Origin::is_own);
    let cells = row.tls.iter().map(|share| {
        (share.messages > 0).then(|| Cell {
            percent: wording::percent(share.percent),
            messages: grouped(share.messages),
            legacy: share.version.is_legacy() && !own,
        })
    });
    let flyout = group == Group::Sender;
    Row {
        name: match (group, name) {
            (Group::Tls, name) => {
                let version = TlsVersion::from_name(name);
                version.map_or(name.to_owned(), |version| version.label().to_owned())
            }
            (Group::Kind, name) => {
                Kind::from_name(name).map_or(name.to_owned(), |kind| kind.label().to_owned())
            }
            (_, "") => "not in the log".to_owned(),
            (_, name) => wording::address(name),
        },
        note: wording::note(name).or_else(|| row.origin.map(about::remark)),
        href: match flyout {
            true => Some(shown.with_open(Some(name)).href()),
            false => about::href(group, name, shown),
        },
        flyout,
        cells: if shown.view == View::TlsUsage { cells.collect() } else { Vec::new() },
        messages: grouped(row.messages),
        story: Story::new(&row.more),
    }
}

async fn flyout(query: &Query, shown: &Shown) -> Result<Option<Flyout>, Problem> {
    let Some(sender) = shown.params.flyout.open.as_deref() else { return Ok(None) };
    let range = shown.params.days.range();
    let filter = Filter { senders: vec![sender.to_owned()], ..shown.params.filter.filter() };
    let found = details::of(query, Group::Sender, sender, filter, range).await?;
    Ok(Some(Flyout {
        title: displayed(sender, 4 * SHOWN),
        close: shown.with_open(None).href(),
        period: report::period(range),
        about: About::new(&found, Group::Sender, shown, query.today()),
    }))
}
