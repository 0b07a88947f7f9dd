//! TLS usage: the share of each TLS version, per day and by group.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::days::total;
use crate::counting::day::{Day, Range};
use crate::counting::tls::{TlsCounts, TlsShare, TlsVersion};

pub(super) const NAME: &str = "tls-usage";
pub(super) const TITLE: &str = "TLS usage";

/// Percentage and number of messages per TLS version.
pub(super) fn columns() -> Vec<String> {
    let labels = TlsVersion::ALL.map(TlsVersion::label);
    labels
        .into_iter()
        .flat_map(|label| [format!("{label} %"), format!("{label} messages")])
        .collect()
}

pub(super) fn cells(counts: &TlsCounts) -> Vec<String> {
    let shares = counts.shares().into_iter();
    shares.flat_map(|share| [format!("{:.2}", share.percent), share.messages.to_string()]).collect()
}

/// Messages of one day, by TLS version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DayTls {
    /// The day.
    pub date: NaiveDate,
    /// Messages accepted on it.
    pub messages: u64,
    /// All six versions, always in the same order.
    pub tls: Vec<TlsShare>,
}

/// The TLS usage report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsUsage {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender domain, if exactly one was asked for.
    pub domain: Option<String>,
    /// Messages in the range.
    pub total: u64,
    /// Messages per TLS version over the range.
    pub tls: Vec<TlsShare>,
    /// The same per day: every day of the range.
    pub days: Vec<DayTls>,
}

/// Messages per day and TLS version: every day of the range.
pub(super) fn tls_days(days: &BTreeMap<Day, TlsCounts>, range: Range) -> Vec<DayTls> {
    range
        .days()
        .map(|date| {
            let counts = days.get(&date).copied().unwrap_or_default();
            DayTls { date, messages: counts.total(), tls: counts.shares() }
        })
        .collect()
}

/// The TLS usage of a range, from its rollup.
#[must_use]
pub fn tls_usage(
    range: Range,
    domain: Option<String>,
    days: &BTreeMap<Day, TlsCounts>,
) -> TlsUsage {
    let sum = total(days, range);
    let (start, end) = (range.start, range.end);
    let (total, tls) = (sum.total(), sum.shares());
    TlsUsage { start, end, domain, total, tls, days: tls_days(days, range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_days_add_up_to_the_total() {
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let counts = |tls10, tls13| {
            let mut counts = TlsCounts::default();
            counts.add(TlsVersion::Tls10, tls10);
            counts.add(TlsVersion::Tls13, tls13);
            counts
        };
        let range = Range { start: day("2026-11-21"), end: day("2026-11-23") };
        let days = BTreeMap::from([
            (day("2026-11-20"), counts(9, 9)),
            (day("2026-11-21"), counts(1, 2)),
            (day("2026-11-23"), counts(0, 4)),
        ]);
        let view = tls_usage(range, None, &days);
        assert_eq!((view.total, view.days.len()), (7, 3));
        assert_eq!(view.tls.iter().map(|share| share.messages).sum::<u64>(), view.total);
        assert_eq!(view.days.iter().map(|day| day.messages).sum::<u64>(), view.total);
    }
}
