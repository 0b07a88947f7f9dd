//! Messages by day.

use std::collections::BTreeMap;

use crate::counting::day::{Day, Range};
use crate::counting::tls::TlsCounts;

/// All messages of a range.
pub(super) fn total(days: &BTreeMap<Day, TlsCounts>, range: Range) -> TlsCounts {
    let mut sum = TlsCounts::default();
    for (_, counts) in days.iter().filter(|(day, _)| range.contains(**day)) {
        sum.merge(counts);
    }
    sum
}
