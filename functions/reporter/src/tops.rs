//! The tables in a mail: the rows with most of something.

use report::views::filter_text::written;
use report::views::legacy;
use report::{Place, Row, Sort, Table, TlsVersion, displayed, grouped, percent};

/// Rows in each table.
const TOP: usize = 10;
/// Characters of a name that the tables show; the files have all of them.
const SHOWN: usize = 80;

/// A row.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) share: String,
    pub(crate) cells: Vec<String>,
}

/// A table of those with most of something.
pub(crate) struct Top {
    pub(crate) title: &'static str,
    pub(crate) heads: Vec<&'static str>,
    pub(crate) rows: Vec<Line>,
    /// What stands there if there are none.
    pub(crate) nobody: &'static str,
}

/// Those with most messages over legacy versions.
pub(crate) fn most_legacy(table: &Table) -> Top {
    let rows = legacy::most(table, TOP).into_iter().map(|row| {
        let share = legacy::share(&row.counts);
        let cells = legacy::versions().map(|version| grouped(row.counts.get(version)));
        line(&row, format!("{share:.2} % of its messages"), cells.collect())
    });
    Top {
        title: "Most messages over TLS 1.0, TLS 1.1 and without TLS",
        heads: legacy::versions().map(TlsVersion::label).collect(),
        rows: rows.collect(),
        nobody: "Nobody sent over these.",
    }
}

/// Those with most messages, and their share of all.
pub(crate) fn most_messages(table: &Table, total: u64) -> Top {
    let page = table.page(Sort::MOST_MESSAGES, "", Place::First, TOP);
    let rows = page.rows.iter().map(|row| {
        let messages = row.counts.total();
        let share = format!("{:.2} % of all", percent(messages, total));
        line(row, share, vec![grouped(messages)])
    });
    Top {
        title: "Most messages",
        heads: vec!["messages"],
        rows: rows.collect(),
        nobody: "Nobody sent anything.",
    }
}

fn line(row: &Row<'_>, share: String, cells: Vec<String>) -> Line {
    Line { name: displayed(written(row.name), SHOWN), share, cells }
}
