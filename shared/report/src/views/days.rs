//! Messages by day.

use std::collections::BTreeMap;

use crate::counting::day::{Day, Range};
use crate::counting::tls::TlsCounts;
use crate::counting::usage::UsageKey;

/// All messages of a range.
pub(super) fn total(days: &BTreeMap<Day, TlsCounts>, range: Range) -> TlsCounts {
    let mut sum = TlsCounts::default();
    for (_, counts) in days.iter().filter(|(day, _)| range.contains(**day)) {
        sum.merge(counts);
    }
    sum
}

/// Messages by day: what a chart shows of what passes a filter.
#[derive(Debug, Default)]
pub struct DayCounts(pub BTreeMap<Day, TlsCounts>);

impl DayCounts {
    /// Adds messages of a day.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        self.0.entry(day).or_default().add(key.tls, messages);
    }

    /// Adds what another one has added up.
    pub fn merge(&mut self, other: Self) {
        for (day, counts) in other.0 {
            self.0.entry(day).or_default().merge(&counts);
        }
    }
}
