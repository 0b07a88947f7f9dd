//! The sources: which logs are read, how much of each is understood, and which need a look.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::counting::intake::{Intake, LineCounts};
use crate::counting::tls::percent;

/// A log is silent if no line came for so long, and for much longer than ever before; in any case after a day. In seconds.
const SILENCE: i64 = 3600;
const LONGER: i64 = 3;
const LONGEST: i64 = 86_400;
/// Lines from which on a day's tell more than all that came before.
const TELLING: u64 = 100;
/// How many lines of mail servers there must be for each that is not understood for these to be taken as noise.
const ENOUGH: u64 = 2;

/// How a source stands, what needs a look first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// No line of it is of any use, not even as another program's.
    NothingUnderstood,
    /// All that is understood of it is of other programs than mail servers.
    NoMailServer,
    /// It is read as it grows, and no line has come for unusually long.
    Silent,
    /// Many of its lines are not understood.
    PartlyUnderstood,
    /// Nothing is wrong with it.
    Good,
}

/// Lines of a source, and what share of them was not understood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineShares {
    /// Lines by what they were.
    #[serde(flatten)]
    pub counts: LineCounts,
    /// Lines of no known form, in percent of all.
    pub not_understood_percent: f64,
}

/// Lines of a source that were read on one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DayLines {
    /// The day on which the last line was read.
    pub date: NaiveDate,
    /// Its lines.
    #[serde(flatten)]
    pub lines: LineShares,
}

/// Lines that were not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotUnderstood {
    /// The last day with any.
    pub date: NaiveDate,
    /// What the first of that day looks like, or what is to be done about it; empty if it looks like nothing that is known.
    pub nearest: String,
}

/// A log: a file with what it was rotated into, a journal, a pipe, a log stream of CloudWatch Logs or a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceRow {
    /// What it is called.
    pub name: String,
    /// How it stands.
    pub state: SourceState,
    /// Whether it is read as it grows.
    pub followed: bool,
    /// Whose lines there are: names of formats, in alphabetical order.
    pub formats: Vec<String>,
    /// When its last line was read.
    pub last_line: DateTime<Utc>,
    /// The latest time that its last lines of mail servers tell; null if none did.
    pub log_time: Option<DateTime<Utc>>,
    /// All its lines since it was first read.
    pub total: LineShares,
    /// Those of the last day that had any.
    pub last_day: DayLines,
    /// Why lines were not understood; null if all were.
    pub not_understood: Option<NotUnderstood>,
}

impl From<LineCounts> for LineShares {
    fn from(counts: LineCounts) -> Self {
        let not_understood_percent = percent(counts.not_understood, counts.lines);
        Self { counts, not_understood_percent }
    }
}

impl SourceState {
    fn of(intake: &Intake, now: i64) -> Self {
        let is_telling = intake.of_day.lines >= TELLING;
        let lines = if is_telling { intake.of_day } else { intake.total };
        let enough = lines.not_understood.saturating_mul(ENOUGH);
        let patience = intake.longest.saturating_mul(LONGER).clamp(SILENCE, LONGEST);
        if lines.lines > 0 && lines.mail_servers + lines.other_programs == 0 {
            Self::NothingUnderstood
        } else if intake.is_followed && now.saturating_sub(intake.last) >= patience {
            Self::Silent
        } else if lines.mail_servers == 0 && lines.lines > 0 {
            Self::NoMailServer
        } else if lines.not_understood > 0 && lines.mail_servers < enough {
            Self::PartlyUnderstood
        } else {
            Self::Good
        }
    }
}

fn row(intake: Intake, now: i64) -> SourceRow {
    let state = SourceState::of(&intake, now);
    let Intake { name, is_followed, last, log_time, total, day, of_day, .. } = intake;
    let (formats, nearest) = (intake.formats, intake.nearest);
    let instant = |unix| DateTime::from_timestamp(unix, 0);
    SourceRow {
        name,
        state,
        followed: is_followed,
        formats: formats.into_iter().collect(),
        last_line: instant(last).unwrap_or_default(),
        log_time: log_time.and_then(instant),
        total: total.into(),
        last_day: DayLines { date: day, lines: of_day.into() },
        not_understood: nearest.map(|(date, nearest)| NotUnderstood { date, nearest }),
    }
}

/// The sources at `now`, in seconds since 1970: what needs a look first, then by their names. Logs of one name are one.
#[must_use]
pub fn sources(intakes: impl IntoIterator<Item = Intake>, now: i64) -> Vec<SourceRow> {
    let mut named: BTreeMap<String, Intake> = BTreeMap::new();
    for intake in intakes {
        match named.get_mut(&intake.name) {
            Some(known) => known.merge(intake),
            None => drop(named.insert(intake.name.clone(), intake)),
        }
    }
    let mut rows: Vec<_> = named.into_values().map(|intake| row(intake, now)).collect();
    rows.sort_by_key(|row| row.state);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::day::Day;
    use crate::counting::intake::BatchRead;

    const NOW: i64 = 1_795_521_600;

    /// Lines of mail servers, of other programs, in quarantine, and not understood.
    fn intake(name: &str, [mail_servers, other_programs, quarantined, not]: [u64; 4]) -> Intake {
        let mut counts = LineCounts { mail_servers, other_programs, ..LineCounts::default() };
        (counts.quarantined, counts.not_understood) = (quarantined, not);
        counts.lines = mail_servers + other_programs + quarantined + not;
        let mut intake = Intake::new(name, true);
        intake.add(&BatchRead { counts, ..BatchRead::default() }, NOW, Day::default());
        intake
    }

    #[test]
    fn what_needs_a_look_comes_first() {
        let mut silent = intake("a silent", [9, 0, 0, 0]);
        silent.last -= SILENCE;
        let mut read_once = intake("b read once", [9, 0, 0, 0]);
        (read_once.last, read_once.is_followed) = (NOW - 9 * LONGEST, false);
        let all = [
            read_once,
            intake("c good", [20, 7, 0, 10]),
            intake("d part", [19, 0, 0, 10]),
            silent,
            intake("e other", [0, 1, 0, 9]),
            intake("f nothing", [0, 0, 0, 1]),
            intake("g broken", [0, 0, 5, 0]),
        ];
        let rows = sources(all, NOW);
        let told: Vec<_> = rows.iter().map(|row| (&row.name[..1], row.state)).collect();
        let expected = [
            ("f", SourceState::NothingUnderstood),
            ("g", SourceState::NothingUnderstood),
            ("e", SourceState::NoMailServer),
            ("a", SourceState::Silent),
            ("d", SourceState::PartlyUnderstood),
            ("b", SourceState::Good),
            ("c", SourceState::Good),
        ];
        assert_eq!(told, expected);
        assert_eq!(rows[0].total.not_understood_percent.to_bits(), 100_f64.to_bits());
    }

    #[test]
    fn silence_is_longer_than_any_before_but_a_day_is_long_enough() {
        let state = |longest, silence| {
            let intake = Intake { longest, last: NOW - silence, ..intake("log", [9, 0, 0, 0]) };
            SourceState::of(&intake, NOW)
        };
        let (silent, good) = (SourceState::Silent, SourceState::Good);
        assert_eq!([state(5, SILENCE - 1), state(5, SILENCE)], [good, silent]);
        assert_eq!([state(3000, 8999), state(3000, 9000)], [good, silent]);
        assert_eq!([state(LONGEST, LONGEST - 1), state(LONGEST, LONGEST)], [good, silent]);
        // Its clock is ahead.
        assert_eq!(state(5, -SILENCE), good);
    }

    #[test]
    fn a_day_with_enough_lines_tells_alone() {
        let mut changed = intake("log", [5000, 0, 0, 0]);
        changed.of_day = intake("", [0, 0, 0, TELLING]).of_day;
        assert_eq!(SourceState::of(&changed, NOW), SourceState::NothingUnderstood);
        changed.of_day = intake("", [0, 0, 0, TELLING - 1]).of_day;
        assert_eq!(SourceState::of(&changed, NOW), SourceState::Good);
    }

    #[test]
    fn logs_of_one_name_are_one_row() {
        let rows = sources([intake("log", [9, 0, 0, 0]), intake("log", [1, 0, 0, 0])], NOW);
        assert_eq!(rows.iter().map(|row| row.total.counts.lines).collect::<Vec<_>>(), [10]);
    }
}
