//! Which lines a log was counted from: samples, by which it is found that two logs hold the same lines.
//!
//! Syslog may write a line into several files. Of the lines that prove something, those with the lowest checksums are
//! kept, of each day: of two logs that hold the same lines, these are the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;

use report::{Day, Days};
use siphasher::sip::SipHasher13;
use store::{Sample, Samples, StoreError};

use crate::collect::Proved;

/// Lines that are kept of a day.
const KEPT: usize = 256;
/// The latest days that are held: lines of an earlier one are added to what is stored.
const HELD: usize = 3;
/// Seconds before and after the present within which days are counted, and some more.
const COUNTED: std::ops::RangeInclusive<i64> = -92 * 86_400..=2 * 86_400;

/// How much of a log was counted from others before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Lines that proved something.
    pub lines: u64,
    /// Of these, those that others held: an estimate, unless they are few.
    pub shared: u64,
    /// Lines that were looked for, one by one.
    pub checked: u64,
    /// The log that held most of them.
    pub with: Option<String>,
}

impl Shared {
    /// Whether all of the log was counted from others, but for what a rotation or the end of a copy may cut off.
    ///
    /// A log of which only a part was counted holds other lines besides, which are to be counted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.shared > 0
            && self.checked >= self.lines.min(8)
            && u128::from(self.shared) * 100 >= u128::from(self.lines) * 95
    }

    /// Whether so much of it was counted before that it is no chance.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.shared >= 8 && u128::from(self.shared) * 100 >= u128::from(self.lines) * 2
    }
}

/// The lines that a log was counted from, sampled.
#[derive(Debug)]
pub(crate) struct Sampled {
    samples: Samples,
    name: String,
    clock: Days,
    days: BTreeMap<Day, OfDay>,
}

#[derive(Debug)]
struct OfDay {
    below: u64,
    checksums: BTreeSet<u64>,
    /// Lines, those included that are not kept.
    lines: u64,
    is_changed: bool,
    /// What is stored is in it.
    is_whole: bool,
}

impl OfDay {
    fn new() -> Self {
        let checksums = BTreeSet::new();
        Self { below: u64::MAX, checksums, lines: 0, is_changed: false, is_whole: false }
    }

    fn add(&mut self, checksum: u64) {
        if checksum < self.below && self.checksums.insert(checksum) {
            self.is_changed = true;
            self.shrink();
        }
    }

    fn shrink(&mut self) {
        while self.checksums.len() > KEPT {
            self.below = self.checksums.pop_last().unwrap_or(self.below);
        }
    }

    fn join(&mut self, stored: &Sample) {
        self.below = self.below.min(stored.below);
        self.checksums.extend(&stored.checksums);
        let _ = self.checksums.split_off(&self.below);
        self.shrink();
        let is_same = self.below == stored.below && self.checksums.iter().eq(&stored.checksums);
        self.is_changed = !is_same;
    }
}

impl Sampled {
    pub(crate) fn new(samples: Samples, name: String) -> Self {
        let clock = Days::new(chrono_tz::UTC);
        Self { samples, name, clock, days: BTreeMap::new() }
    }

    /// Notes a line that proved something.
    pub(crate) fn note(&mut self, line: &[u8], proved: Proved, now: i64) {
        if !COUNTED.contains(&proved.time.saturating_sub(now)) {
            return;
        }
        let day = self.days.entry(self.clock.day_of(proved.time)).or_insert_with(OfDay::new);
        day.lines += 1;
        day.add(checksum(line, proved.by));
    }

    /// How much of what was noted is in the samples of other sources.
    pub(crate) async fn shared(&self, source: &str) -> Result<Shared, StoreError> {
        let mut all = Shared::default();
        let mut with: BTreeMap<String, u64> = BTreeMap::new();
        for (day, own) in &self.days {
            all.lines += own.lines;
            let mut others = self.samples.of(*day).await?;
            others.retain(|other| other.source != source);
            let Some(below) = others.iter().map(|other| other.below).min() else { continue };
            let (mut checked, mut found) = (0, 0);
            for checksum in own.checksums.range(..below.min(own.below)) {
                checked += 1;
                let holds = |other: &&Sample| other.checksums.binary_search(checksum).is_ok();
                if let Some(other) = others.iter().find(holds) {
                    found += 1;
                    *with.entry(other.name.clone()).or_default() += 1;
                }
            }
            all.checked += checked;
            all.shared += (own.lines * found).checked_div(checked).unwrap_or_default();
        }
        all.with = with.into_iter().max_by_key(|(_, lines)| *lines).map(|(name, _)| name);
        Ok(all)
    }

    /// Stores what was noted. The same again changes nothing.
    pub(crate) async fn store(&mut self, source: &str) -> Result<(), StoreError> {
        for (day, own) in self.days.iter_mut().filter(|(_, own)| own.is_changed) {
            if !own.is_whole {
                let stored = self.samples.of(*day).await?;
                stored.iter().filter(|one| one.source == source).for_each(|one| own.join(one));
                own.is_whole = true;
            }
            if std::mem::take(&mut own.is_changed) {
                let checksums = own.checksums.iter().copied().collect();
                let (source, name) = (source.to_owned(), self.name.clone());
                self.samples
                    .put(*day, &Sample { source, name, below: own.below, checksums })
                    .await?;
            }
        }
        while self.days.len() > HELD {
            self.days.pop_first();
        }
        Ok(())
    }
}

/// SipHash-1-3 without a key: it is stored, so it may never change.
fn checksum(line: &[u8], by: u64) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(line);
    hasher.write(&by.to_le_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: std::ops::Range<u32>) -> OfDay {
        let mut day = OfDay::new();
        lines.for_each(|line| day.add(checksum(&line.to_le_bytes(), 0)));
        day
    }

    #[test]
    fn two_halves_make_the_sample_of_the_whole() {
        let (whole, mut second) = (of(0..5000), of(2000..5000));
        let first = of(0..2500);
        let checksums = first.checksums.iter().copied().collect();
        let stored =
            Sample { source: String::new(), name: String::new(), below: first.below, checksums };
        second.join(&stored);
        assert_eq!((&second.checksums, second.below), (&whole.checksums, whole.below));
        assert!(second.is_changed && whole.checksums.len() == KEPT);
        // Once more: nothing is new.
        let mut again = of(0..100);
        again.join(&stored);
        assert!(!again.is_changed);
    }

    #[test]
    fn a_log_is_anothers_when_nearly_all_of_it_is() {
        let shared = |lines, shared, checked| Shared { lines, shared, checked, with: None };
        for all in [shared(1, 1, 1), shared(100, 95, 100), shared(1_000_000, 999_000, 256)] {
            assert!(all.is_all(), "{all:?}");
        }
        for part in [shared(0, 0, 0), shared(2, 1, 2), shared(100, 94, 100), shared(5000, 5000, 7)]
        {
            assert!(!part.is_all(), "{part:?}");
        }
        assert!(shared(100, 50, 100).is_part() && !shared(100, 1, 100).is_part());
    }
}
