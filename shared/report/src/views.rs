//! The views: what people and scripts see, made from what the store holds.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::tls::percent;
use crate::{Day, Range, SenderRow, TlsCounts, TlsShare, TlsVersion, UsageKey};

/// Messages of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayVolume {
    /// The day.
    pub date: NaiveDate,
    /// Messages accepted on it.
    pub messages: u64,
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

/// The widget: how many sent through SMTP AUTH, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Insight {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// Distinct users or service accounts; a submission without a known account counts its sender.
    pub accounts: u64,
    /// Distinct sender addresses.
    pub senders: u64,
    /// Messages.
    pub messages: u64,
}

/// The widget's flyout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InsightDetails {
    /// The widget's own figures.
    #[serde(flatten)]
    pub insight: Insight,
    /// Messages per TLS version.
    pub tls: Vec<TlsShare>,
    /// Messages per day: every day of the range.
    pub volume: Vec<DayVolume>,
    /// Authentications that failed in the range.
    pub auth_failures: u64,
}

/// The sending volume report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SendingVolume {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender domain; null is all of them.
    pub domain: Option<String>,
    /// Messages in the range.
    pub total: u64,
    /// Messages per day: every day of the range.
    pub volume: Vec<DayVolume>,
}

/// The TLS usage report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsUsage {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender domain; null is all of them.
    pub domain: Option<String>,
    /// Messages in the range.
    pub total: u64,
    /// Messages per TLS version over the range.
    pub tls: Vec<TlsShare>,
    /// The same per day: every day of the range.
    pub days: Vec<DayTls>,
}

fn total(days: &BTreeMap<Day, TlsCounts>, range: Range) -> TlsCounts {
    let mut sum = TlsCounts::default();
    for (_, counts) in days.iter().filter(|(day, _)| range.contains(**day)) {
        sum.merge(counts);
    }
    sum
}

fn volume(days: &BTreeMap<Day, TlsCounts>, range: Range) -> Vec<DayVolume> {
    range
        .days()
        .map(|date| DayVolume { date, messages: days.get(&date).map_or(0, TlsCounts::total) })
        .collect()
}

fn tls_days(days: &BTreeMap<Day, TlsCounts>, range: Range) -> Vec<DayTls> {
    range
        .days()
        .map(|date| {
            let counts = days.get(&date).copied().unwrap_or_default();
            DayTls { date, messages: counts.total(), tls: counts.shares() }
        })
        .collect()
}

/// The widget, from the distinct names seen in the range and its rollup.
#[must_use]
pub fn insight(
    range: Range,
    accounts: u64,
    senders: u64,
    days: &BTreeMap<Day, TlsCounts>,
) -> Insight {
    let messages = total(days, range).total();
    Insight { start: range.start, end: range.end, accounts, senders, messages }
}

/// The flyout, from the widget, the same rollup, and the failed authentications of the range.
#[must_use]
pub fn insight_details(
    insight: Insight,
    days: &BTreeMap<Day, TlsCounts>,
    auth_failures: u64,
) -> InsightDetails {
    let range = Range { start: insight.start, end: insight.end };
    let (tls, volume) = (total(days, range).shares(), volume(days, range));
    InsightDetails { insight, tls, volume, auth_failures }
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

/// From `before` to `now` in percent with two decimals, rounded half away from 0; none if there was nothing
/// before.
#[must_use]
pub fn change(before: u64, now: u64) -> Option<f64> {
    if before == 0 {
        return None;
    }
    let size = percent(now.abs_diff(before), before);
    Some(if now < before { -size } else { size })
}

/// A row of the sending volume table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VolumeRow {
    /// The sender.
    pub sender: String,
    /// Its messages.
    pub messages: u64,
}

/// A row of the TLS usage table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsRow {
    /// The sender.
    pub sender: String,
    /// Its messages per TLS version.
    pub tls: Vec<TlsShare>,
    /// Its messages.
    pub messages: u64,
}

impl From<&SenderRow<'_>> for VolumeRow {
    fn from(row: &SenderRow<'_>) -> Self {
        Self { sender: row.sender.to_owned(), messages: row.counts.total() }
    }
}

impl From<&SenderRow<'_>> for TlsRow {
    fn from(row: &SenderRow<'_>) -> Self {
        let (tls, messages) = (row.counts.shares(), row.counts.total());
        Self { sender: row.sender.to_owned(), tls, messages }
    }
}

/// Messages of one account, mechanism or client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Named {
    /// Its name; empty where the log does not tell.
    pub name: String,
    /// Messages sent with it.
    pub messages: u64,
}

/// Messages that one account sent with one mechanism over one TLS version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Use {
    /// The account; empty where the log does not tell.
    pub account: String,
    /// The mechanism; empty where the log does not tell.
    pub mechanism: String,
    /// The TLS version.
    pub version: TlsVersion,
    /// Messages.
    pub messages: u64,
}

/// Everything about one sender in a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SenderDetails {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender.
    pub sender: String,
    /// Its messages.
    pub messages: u64,
    /// The same per TLS version.
    pub tls: Vec<TlsShare>,
    /// The same per day: every day of the range.
    pub days: Vec<DayTls>,
    /// The accounts that sent them, most messages first.
    pub accounts: Vec<Named>,
    /// The mechanisms used, most messages first.
    pub mechanisms: Vec<Named>,
    /// The client addresses they came from, most messages first.
    pub clients: Vec<Named>,
    /// Which account sent with which mechanism over which TLS version, most messages first.
    pub uses: Vec<Use>,
}

/// Adds usage of one sender up.
#[derive(Debug, Default)]
pub struct SenderFigures {
    days: BTreeMap<Day, TlsCounts>,
    accounts: BTreeMap<String, u64>,
    mechanisms: BTreeMap<String, u64>,
    clients: BTreeMap<String, u64>,
    uses: BTreeMap<(String, String, TlsVersion), u64>,
}

impl SenderFigures {
    /// Adds messages of one of its usage keys.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        self.days.entry(day).or_default().add(key.tls, messages);
        for (names, name) in [
            (&mut self.accounts, key.account),
            (&mut self.mechanisms, key.mechanism),
            (&mut self.clients, key.client),
        ] {
            *names.entry(name.to_owned()).or_default() += messages;
        }
        let used = (key.account.to_owned(), key.mechanism.to_owned(), key.tls);
        *self.uses.entry(used).or_default() += messages;
    }

    /// Adds what another one has added up.
    pub fn merge(&mut self, other: Self) {
        for (day, counts) in other.days {
            self.days.entry(day).or_default().merge(&counts);
        }
        for (names, others) in [
            (&mut self.accounts, other.accounts),
            (&mut self.mechanisms, other.mechanisms),
            (&mut self.clients, other.clients),
        ] {
            for (name, messages) in others {
                *names.entry(name).or_default() += messages;
            }
        }
        for (used, messages) in other.uses {
            *self.uses.entry(used).or_default() += messages;
        }
    }

    /// The view.
    #[must_use]
    pub fn details(self, sender: String, range: Range) -> SenderDetails {
        let sum = total(&self.days, range);
        let mut uses: Vec<_> = self
            .uses
            .into_iter()
            .map(|((account, mechanism, version), messages)| Use {
                account,
                mechanism,
                version,
                messages,
            })
            .collect();
        uses.sort_by_key(|used| std::cmp::Reverse(used.messages));
        SenderDetails {
            start: range.start,
            end: range.end,
            sender,
            messages: sum.total(),
            tls: sum.shares(),
            days: tls_days(&self.days, range),
            accounts: most_first(self.accounts),
            mechanisms: most_first(self.mechanisms),
            clients: most_first(self.clients),
            uses,
        }
    }
}

fn most_first(names: BTreeMap<String, u64>) -> Vec<Named> {
    let mut names: Vec<_> =
        names.into_iter().map(|(name, messages)| Named { name, messages }).collect();
    names.sort_by_key(|named| std::cmp::Reverse(named.messages));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a date")
    }

    fn counts(tls10: u64, tls13: u64) -> TlsCounts {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls10, tls10);
        counts.add(TlsVersion::Tls13, tls13);
        counts
    }

    #[test]
    fn changes_are_signed_percentages() {
        assert_eq!(change(100, 150), Some(50.0));
        assert_eq!(change(300, 100), Some(-66.67));
        assert_eq!(change(1, 1), Some(0.0));
        assert_eq!((change(0, 5), change(5, 0)), (None, Some(-100.0)));
    }

    #[test]
    fn every_day_of_a_range_is_shown_and_no_other() {
        let range = Range { start: day("2026-11-21"), end: day("2026-11-23") };
        let days = BTreeMap::from([
            (day("2026-11-20"), counts(9, 9)),
            (day("2026-11-21"), counts(1, 2)),
            (day("2026-11-23"), counts(0, 4)),
        ]);
        let view = sending_volume(range, None, &days);
        let volume: Vec<_> = view.volume.iter().map(|day| day.messages).collect();
        assert_eq!((view.total, volume), (7, vec![3, 0, 4]));
        let view = tls_usage(range, None, &days);
        assert_eq!(view.tls.iter().map(|share| share.messages).sum::<u64>(), view.total);
        assert_eq!(view.days.iter().map(|day| day.messages).sum::<u64>(), view.total);
    }
}
