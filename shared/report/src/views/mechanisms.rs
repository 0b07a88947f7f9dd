//! Mechanisms: the share of each kind, per day.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::Known;
use crate::counting::day::{Day, Range};
use crate::counting::kind::{Kind, Kinds};
use crate::counting::tls::percent;
use crate::counting::usage::UsageKey;

/// The name of the chart in paths.
pub const NAME: &str = "mechanisms";
/// What people call it.
pub const TITLE: &str = "Mechanisms";

/// Messages of each kind, in the order of [`Kind::ALL`].
type Counts = [u64; Kind::ALL.len()];

/// Messages by day and kind of mechanism: what the chart shows of what passes a filter.
#[derive(Debug, Default)]
pub struct KindCounts {
    kinds: Kinds,
    days: BTreeMap<Day, Counts>,
}

impl KindCounts {
    /// Nothing, yet, of mechanisms of which this is known.
    #[must_use]
    pub fn new(known: &Known) -> Self {
        Self { kinds: known.kinds.clone(), days: BTreeMap::new() }
    }

    /// Adds messages of a day.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        let kind = self.kinds.of(key.mechanism) as usize;
        let count = &mut self.days.entry(day).or_default()[kind];
        *count = count.saturating_add(messages);
    }

    /// Adds what another one has added up.
    pub fn merge(&mut self, other: Self) {
        for (day, counts) in other.days {
            add(self.days.entry(day).or_default(), &counts);
        }
    }
}

fn add(to: &mut Counts, counts: &Counts) {
    for (sum, count) in to.iter_mut().zip(counts) {
        *sum = sum.saturating_add(*count);
    }
}

fn total(counts: &Counts) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// One kind's part of a total.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KindShare {
    /// The kind.
    pub kind: Kind,
    /// Messages of those who logged in with such a mechanism.
    pub messages: u64,
    /// `messages` in percent of the total, rounded half up to two decimals; 0 of nothing is 0.
    #[schema(minimum = 0.0, maximum = 100.0)]
    pub percent: f64,
}

fn shares(counts: &Counts) -> Vec<KindShare> {
    let total = total(counts);
    let shares = Kind::ALL.into_iter().zip(counts).map(|(kind, messages)| KindShare {
        kind,
        messages: *messages,
        percent: percent(*messages, total),
    });
    shares.collect()
}

/// Messages of one day, by kind of mechanism.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DayKinds {
    /// The day.
    pub date: NaiveDate,
    /// Messages accepted on it.
    pub messages: u64,
    /// All six kinds, always in the same order.
    pub kinds: Vec<KindShare>,
}

/// The mechanisms of a range, by kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MechanismUsage {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// The sender domain, if exactly one was asked for.
    pub domain: Option<String>,
    /// Messages in the range.
    pub total: u64,
    /// Messages per kind over the range.
    pub kinds: Vec<KindShare>,
    /// The same per day: every day of the range.
    pub days: Vec<DayKinds>,
}

/// The mechanisms of a range.
#[must_use]
pub fn mechanism_usage(
    range: Range,
    domain: Option<String>,
    counts: &KindCounts,
) -> MechanismUsage {
    let mut sum = Counts::default();
    let days = range.days().map(|date| {
        let counts = counts.days.get(&date).copied().unwrap_or_default();
        add(&mut sum, &counts);
        DayKinds { date, messages: total(&counts), kinds: shares(&counts) }
    });
    let days = days.collect();
    let (start, end) = (range.start, range.end);
    MechanismUsage { start, end, domain, total: total(&sum), kinds: shares(&sum), days }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    #[test]
    fn kinds_and_days_add_up_to_the_total() {
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let known = Known { kinds: Kinds::read("CORP=oauth").expect("kinds"), places: None };
        let key = |mechanism| UsageKey {
            domain: "x.test",
            sender: "ann@x.test",
            username: "ann",
            mechanism,
            tls: TlsVersion::Tls13,
            client: "192.0.2.1",
        };
        let (mut one, mut other) = (KindCounts::new(&known), KindCounts::new(&known));
        one.add(day("2026-11-20"), &key("PLAIN"), 9);
        one.add(day("2026-11-21"), &key("PLAIN"), 1);
        one.add(day("2026-11-21"), &key("CORP"), 2);
        other.add(day("2026-11-21"), &key("LOGIN"), 3);
        other.add(day("2026-11-23"), &key(""), 4);
        one.merge(other);
        let range = Range { start: day("2026-11-21"), end: day("2026-11-23") };
        let view = mechanism_usage(range, None, &one);
        let counts = |kinds: &[KindShare]| -> Vec<u64> {
            kinds.iter().map(|share| share.messages).collect()
        };
        assert_eq!((view.total, counts(&view.kinds)), (10, vec![4, 0, 2, 0, 0, 4]));
        assert!((view.kinds[0].percent - 40.0).abs() < f64::EPSILON);
        let days: Vec<_> = view.days.iter().map(|day| (day.messages, counts(&day.kinds))).collect();
        let none = vec![0; 6];
        assert_eq!(days, [(6, vec![4, 0, 2, 0, 0, 0]), (0, none), (4, vec![0, 0, 0, 0, 0, 4])]);
    }
}
