//! The sources: each log's last line, how much was read of it, and how much of that was not understood.

use askama::Template;
use axum::response::Html;
use chrono_tz::Tz;
use report::views::{DayLines, LineShares, SourceRow, SourceState};
use report::{date, displayed, grouped};

use super::frame::{Frame, Part, html};
use super::problem_page::Failed;
use super::report_requests::Told;
use super::wording;
use crate::api::params::Given;
use crate::api::problem::Problem;
use crate::api::sources;
use crate::service::Query;

/// The clocks of a log and of whoever reads it may differ by so many seconds without a word.
const APART: i64 = 3600;
/// Characters of what lines look like.
const NEAREST: usize = 200;

/// A source in a list.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) status: Told,
    pub(super) last: String,
    /// What time the log itself tells, if it is far from that.
    pub(super) log_time: Option<String>,
    /// Whose lines there are.
    pub(super) formats: String,
    /// The last day, and its lines.
    pub(super) day: String,
    pub(super) of_day: String,
    pub(super) lines: String,
    pub(super) messages: String,
    pub(super) not_understood: String,
    /// Whether that is worth a look.
    pub(super) is_much: bool,
    pub(super) why: Option<String>,
}

/// Sources as a table.
pub(super) struct Listed {
    pub(super) rows: Vec<Line>,
    /// Whether there are others.
    pub(super) more: bool,
}

impl Listed {
    /// The first of them, so many.
    pub(super) fn first(found: sources::Sources, most: usize, zone: Tz) -> Self {
        let more = found.more || found.sources.len() > most;
        let rows = found.sources.into_iter().take(most).map(|row| line(&row, zone)).collect();
        Self { rows, more }
    }
}

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    frame: Frame,
    listed: Listed,
}

/// All sources.
pub(super) async fn page(query: Query, given: Given) -> Result<Html<String>, Failed> {
    given.refuse()?;
    let found = sources::read(&query).await?.ok_or(Problem::Bound)?;
    let frame = Frame::new(&query, Part::Overview, "Sources");
    Ok(html(&SourcesPage { frame, listed: Listed::first(found, usize::MAX, query.zone) })?)
}

fn told(state: SourceState, followed: bool) -> Told {
    let (class, label) = match (state, followed) {
        (SourceState::NothingUnderstood, _) => ("bad", "Nothing understood"),
        (SourceState::NoMailServer, _) => ("bad", "No mail server"),
        (SourceState::Silent, _) => ("waits", "Silent"),
        (SourceState::PartlyUnderstood, _) => ("waits", "Partly understood"),
        (SourceState::Good, true) => ("good", "Followed"),
        (SourceState::Good, false) => ("off", "Read"),
    };
    Told { class, label }
}

fn line(row: &SourceRow, zone: Tz) -> Line {
    let SourceRow { state, last_line, log_time, total, last_day, .. } = row;
    let LineShares { counts, not_understood_percent } = *total;
    let DayLines { date: day, lines: of_day } = *last_day;
    let apart = log_time.filter(|time| (*last_line - *time).num_seconds().abs() > APART);
    let not_understood = match counts.not_understood {
        0 => "none".to_owned(),
        _ => wording::percent(not_understood_percent),
    };
    Line {
        name: wording::address(&row.name),
        status: told(*state, row.followed),
        last: wording::instant(last_line.timestamp(), zone),
        log_time: apart.map(|time| wording::instant(time.timestamp(), zone)),
        formats: displayed(&row.formats.join(", "), wording::SHOWN),
        day: wording::short_day(day),
        of_day: grouped(of_day.counts.lines),
        lines: grouped(counts.lines),
        messages: grouped(counts.messages),
        not_understood,
        is_much: matches!(state, SourceState::NothingUnderstood | SourceState::PartlyUnderstood),
        why: why(row),
    }
}

/// Why lines do not count, as far as it is worth a word.
fn why(row: &SourceRow) -> Option<String> {
    let looks = row.not_understood.as_ref().map(|told| {
        let nearest = match told.nearest.as_str() {
            "" => "of no known form",
            nearest => nearest,
        };
        format!("{}: {}", date(told.date), displayed(nearest, NEAREST))
    });
    let damaged = row.total.counts.quarantined;
    let damaged = (damaged > 0).then(|| {
        format!("{} in quarantine", wording::counted(damaged, "damaged line", "damaged lines"))
    });
    let others = (row.state == SourceState::NoMailServer)
        .then(|| "what is understood is of other programs".to_owned());
    let told: Vec<_> = [others, looks, damaged].into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}
