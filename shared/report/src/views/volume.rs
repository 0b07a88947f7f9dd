//! Sending volume: messages per day, and by group.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::days::total;
use crate::counting::day::{Day, Range};
use crate::counting::tls::TlsCounts;

pub(super) const NAME: &str = "sending-volume";
pub(super) const TITLE: &str = "Sending volume";

/// Its table has no columns beside the name and the message count.
pub(super) fn columns() -> Vec<String> {
    Vec::new()
}

pub(super) fn cells(_: &TlsCounts) -> Vec<String> {
    Vec::new()
}

/// Messages of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayVolume {
    /// The day.
    pub date: NaiveDate,
    /// Messages accepted on it.
    pub messages: u64,
}

/// The sending volume report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SendingVolume {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender domain, if exactly one was asked for.
    pub domain: Option<String>,
    /// Messages in the range.
    pub total: u64,
    /// Messages per day: every day of the range.
    pub volume: Vec<DayVolume>,
}

/// Messages per day: every day of the range.
pub(super) fn volume(days: &BTreeMap<Day, TlsCounts>, range: Range) -> Vec<DayVolume> {
    range
        .days()
        .map(|date| DayVolume { date, messages: days.get(&date).map_or(0, TlsCounts::total) })
        .collect()
}

/// The sending volume of a range, from its rollup.
#[must_use]
pub fn sending_volume(
    range: Range,
    domain: Option<String>,
    days: &BTreeMap<Day, TlsCounts>,
) -> SendingVolume {
    let total = total(days, range).total();
    let volume = volume(days, range);
    SendingVolume { start: range.start, end: range.end, domain, total, volume }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    #[test]
    fn every_day_of_a_range_is_shown_and_no_other() {
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let counts = |messages| {
            let mut counts = TlsCounts::default();
            counts.add(TlsVersion::Tls13, messages);
            counts
        };
        let range = Range { start: day("2026-11-21"), end: day("2026-11-23") };
        let days = BTreeMap::from([
            (day("2026-11-20"), counts(18)),
            (day("2026-11-21"), counts(3)),
            (day("2026-11-23"), counts(4)),
        ]);
        let view = sending_volume(range, None, &days);
        let volume: Vec<_> = view.volume.iter().map(|day| day.messages).collect();
        assert_eq!((view.total, volume), (7, vec![3, 0, 4]));
    }
}
