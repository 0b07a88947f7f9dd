//! Adding submissions up by day.
//!
//! A tally remembers, for each thing it counts, at which **mark** of its source every part was
//! counted. Marks grow along a source: a byte offset in a file, a record's number in a batch. A
//! writer that finds the first part of a tally stored already can then work out what is left.

use std::fmt::Write as _;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet, HashTable};

use super::clean::{ACCOUNT_LIMIT, LongNames, MECHANISM_LIMIT, SENDER_LIMIT};
use super::day::{Day, Days, Range};
use super::marks::Marks;
use super::submission::{AuthFailure, Submission, domain_of};
use super::tls::{TlsCounts, TlsVersion};
use super::usage::{Identity, IdentityKind, UsageKey};

/// The domain of the rollup over every domain; no sender has it.
pub const ALL_DOMAINS: &str = "";

/// What a tally accepts and how it groups.
#[derive(Clone, Debug)]
pub struct Window {
    /// Days that are counted; others only raise [`Counted::too_old`] or [`Counted::future`].
    pub days: Range,
    /// The domain of senders that have none.
    pub default_domain: Box<str>,
}

/// How many of each kind a tally was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Messages counted.
    pub messages: u64,
    /// Failed authentications counted.
    pub auth_failures: u64,
    /// Messages and failures not counted because their day is no longer kept.
    pub too_old: u64,
    /// Messages and failures not counted because their day has not come.
    pub future: u64,
}

/// A day's messages of one domain, or of all ([`ALL_DOMAINS`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollupEntry<'a> {
    /// The day.
    pub day: Day,
    /// The domain.
    pub domain: &'a str,
    /// Messages per TLS version.
    pub counts: TlsCounts,
    /// Mark of the first message in it.
    pub first: u64,
    /// Mark of the last message in it.
    pub last: u64,
}

#[derive(Debug)]
struct Usage {
    key: Box<str>,
    rollup: usize,
    tls: TlsVersion,
    marks: Marks,
}

#[derive(Debug)]
struct Rollup {
    domain: Box<str>,
    counts: TlsCounts,
    first: u64,
    last: u64,
}

impl Rollup {
    fn new(domain: &str) -> Self {
        Self { domain: domain.into(), counts: TlsCounts::default(), first: u64::MAX, last: 0 }
    }

    fn add(&mut self, mark: u64, tls: TlsVersion, messages: u64) {
        self.counts.add(tls, messages);
        self.first = self.first.min(mark);
        self.last = self.last.max(mark);
    }
}

/// Position of the rollup over all domains among a day's rollups.
const ALL: usize = 0;

#[derive(Debug)]
struct DayTally {
    day: Day,
    index: HashTable<usize>,
    usage: Vec<Usage>,
    rollups: Vec<Rollup>,
    domains: HashMap<Box<str>, usize, RandomState>,
    failures: HashMap<Box<str>, Marks, RandomState>,
}

/// Submissions and failed authentications of one source, added up by day.
#[derive(Debug)]
pub struct Tally {
    window: Window,
    long_names: LongNames,
    clock: Days,
    days: Vec<DayTally>,
    current: usize,
    hasher: RandomState,
    scratch: String,
    counted: Counted,
    items: usize,
    parts: usize,
}

impl Tally {
    /// An empty tally of days in the clock's zone.
    #[must_use]
    pub fn new(clock: Days, window: Window) -> Self {
        Self {
            window,
            long_names: LongNames::default(),
            clock,
            days: Vec::new(),
            current: 0,
            hasher: RandomState::default(),
            scratch: String::new(),
            counted: Counted::default(),
            items: 0,
            parts: 0,
        }
    }

    /// The same for a table that marks long names in this form.
    #[must_use]
    pub fn with_long_names(self, long_names: LongNames) -> Self {
        Self { long_names, ..self }
    }

    /// What was given so far.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.counted
    }

    /// A measure of the memory held: distinct things counted, and the parts of their counts.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.items, self.parts)
    }

    /// Counts a submission made at `mark`.
    pub fn submission(&mut self, mark: u64, submission: &Submission<'_>) {
        let Some(current) = self.enter(submission.time, submission.messages) else {
            return;
        };
        self.counted.messages = self.counted.messages.saturating_add(submission.messages);
        let default = &self.window.default_domain;
        let sender = self.long_names.stored(submission.sender, SENDER_LIMIT);
        let account = self.long_names.stored(submission.account, ACCOUNT_LIMIT);
        let mechanism = self.long_names.stored(submission.mechanism, MECHANISM_LIMIT);
        let key = UsageKey {
            domain: domain_of(&sender, &account, default),
            sender: &sender,
            username: &account,
            mechanism: &mechanism,
            tls: submission.tls,
            client: submission.client,
        };
        key.write(&mut self.scratch);
        let day = &mut self.days[current];
        let at = day.usage_at(&key, &self.scratch, &self.hasher, &mut self.items);
        let usage = &mut day.usage[at];
        usage.marks.add(mark, submission.messages);
        day.rollups[usage.rollup].add(mark, key.tls, submission.messages);
        day.rollups[ALL].add(mark, key.tls, submission.messages);
        self.parts += 1;
    }

    /// Counts a failed authentication seen at `mark`.
    pub fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        let Some(current) = self.enter(failure.time, 1) else {
            return;
        };
        self.counted.auth_failures += 1;
        self.scratch.clear();
        let account = self.long_names.stored(failure.account, ACCOUNT_LIMIT);
        let _ = write!(self.scratch, "{account}\t{}", failure.client);
        let failures = &mut self.days[current].failures;
        match failures.get_mut(self.scratch.as_str()) {
            Some(marks) => marks.add(mark, 1),
            None => {
                self.items += 1;
                let marks = failures.entry(self.scratch.as_str().into()).or_default();
                marks.add(mark, 1);
            }
        }
        self.parts += 1;
    }

    /// The place of an instant's day, or none if that day is not counted.
    fn enter(&mut self, time: i64, count: u64) -> Option<usize> {
        let day = self.clock.day_of(time);
        if let Some(current) = self.days.get(self.current)
            && current.day == day
        {
            return Some(self.current);
        }
        if day < self.window.days.start {
            self.counted.too_old = self.counted.too_old.saturating_add(count);
            return None;
        }
        if day > self.window.days.end {
            self.counted.future = self.counted.future.saturating_add(count);
            return None;
        }
        let place = self.days.iter().position(|known| known.day == day);
        self.current = place.unwrap_or_else(|| {
            self.days.push(DayTally::new(day));
            self.days.len() - 1
        });
        Some(self.current)
    }

    /// Every day with something counted in it.
    pub fn days(&self) -> impl Iterator<Item = Day> {
        self.days.iter().map(|day| day.day)
    }

    /// Every usage key with its day and counts.
    pub fn usage(&self) -> impl Iterator<Item = (Day, &str, &Marks)> {
        self.days
            .iter()
            .flat_map(|day| day.usage.iter().map(|usage| (day.day, &*usage.key, &usage.marks)))
    }

    /// Every rollup: one per day and domain, and one per day over all domains.
    pub fn rollups(&self) -> impl Iterator<Item = RollupEntry<'_>> {
        self.days.iter().flat_map(DayTally::rollups)
    }

    /// The part of a rollup that was counted at `mark` or later.
    #[must_use]
    pub fn rollup_since<'a>(&'a self, whole: &RollupEntry<'a>, mark: u64) -> RollupEntry<'a> {
        let mut part = Rollup::new(whole.domain);
        for day in self.days.iter().filter(|day| day.day == whole.day) {
            let of_domain = day.rollups.iter().position(|rollup| *rollup.domain == *whole.domain);
            for usage in &day.usage {
                if whole.domain == ALL_DOMAINS || of_domain == Some(usage.rollup) {
                    for (at, messages) in usage.marks.parts_since(mark) {
                        part.add(at, usage.tls, messages);
                    }
                }
            }
        }
        RollupEntry { counts: part.counts, first: part.first, last: part.last, ..*whole }
    }

    /// Every day's failed authentications, by `account TAB client`.
    pub fn failures(&self) -> impl Iterator<Item = (Day, &str, &Marks)> {
        self.days
            .iter()
            .flat_map(|day| day.failures.iter().map(|(key, marks)| (day.day, &**key, marks)))
    }

    /// Who was seen on which day: each account, sender and domain once a day.
    pub fn identities(&self) -> impl Iterator<Item = (Day, Identity<'_>)> {
        self.days.iter().flat_map(|day| {
            let seen = day.usage.iter().filter_map(|usage| UsageKey::read(&usage.key));
            let names = seen.flat_map(|key| {
                [
                    Identity { kind: IdentityKind::Account, name: key.account().name() },
                    Identity { kind: IdentityKind::Sender, name: key.sender },
                    Identity { kind: IdentityKind::Domain, name: key.domain },
                ]
            });
            // No item can have an empty name for its key.
            let names = names.filter(|identity| !identity.name.is_empty());
            let distinct: HashSet<Identity<'_>, RandomState> = names.collect();
            distinct.into_iter().map(|identity| (day.day, identity))
        })
    }
}

impl DayTally {
    fn new(day: Day) -> Self {
        Self {
            day,
            index: HashTable::new(),
            usage: Vec::new(),
            rollups: vec![Rollup::new(ALL_DOMAINS)],
            domains: HashMap::default(),
            failures: HashMap::default(),
        }
    }

    fn rollups(&self) -> impl Iterator<Item = RollupEntry<'_>> {
        self.rollups.iter().filter(|rollup| rollup.first != u64::MAX).map(|rollup| RollupEntry {
            day: self.day,
            domain: &rollup.domain,
            counts: rollup.counts,
            first: rollup.first,
            last: rollup.last,
        })
    }

    fn usage_at(
        &mut self,
        key: &UsageKey<'_>,
        text: &str,
        hasher: &RandomState,
        items: &mut usize,
    ) -> usize {
        let hash = hasher.hash_one(text);
        if let Some(at) = self.index.find(hash, |at| *self.usage[*at].key == *text) {
            return *at;
        }
        let rollup = self.rollup_at(key.domain);
        let at = self.usage.len();
        self.usage.push(Usage { key: text.into(), rollup, tls: key.tls, marks: Marks::default() });
        let usage = &self.usage;
        self.index.insert_unique(hash, at, |at| hasher.hash_one(&*usage[*at].key));
        *items += 1;
        at
    }

    fn rollup_at(&mut self, domain: &str) -> usize {
        if let Some(at) = self.domains.get(domain) {
            return *at;
        }
        let at = self.rollups.len();
        self.rollups.push(Rollup::new(domain));
        self.domains.insert(domain.into(), at);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally() -> Tally {
        let start = Day::from_ymd_opt(2026, 11, 1).expect("a date");
        let end = Day::from_ymd_opt(2026, 11, 30).expect("a date");
        let window = Window { days: Range { start, end }, default_domain: "(none)".into() };
        Tally::new(Days::new(chrono_tz::UTC), window)
    }

    const NOON: i64 = 1_795_435_200; // 2026-11-23T12:00Z

    fn sent<'a>(sender: &'a str, tls: TlsVersion) -> Submission<'a> {
        let account = "alice@example.test";
        Submission { time: NOON, sender, account, mechanism: "PLAIN", tls, client: "", messages: 1 }
    }

    #[test]
    fn what_is_left_after_a_mark_is_exact() {
        let mut tally = tally();
        for mark in 1..=10 {
            let tls = if mark % 2 == 0 { TlsVersion::Tls12 } else { TlsVersion::Tls13 };
            tally.submission(mark, &sent("alice@example.test", tls));
            tally.submission(mark, &sent("<>", tls));
        }
        let since: u64 = tally.usage().map(|(_, _, marks)| marks.since(8)).sum();
        assert_eq!(since, 6);
        let all = tally.rollups().find(|rollup| rollup.domain == ALL_DOMAINS).expect("a rollup");
        assert_eq!((all.counts.total(), all.first, all.last), (20, 1, 10));
        let rest = tally.rollup_since(&all, 8);
        assert_eq!((rest.counts.total(), rest.first, rest.last), (6, 8, 10));
        assert_eq!(rest.counts.get(TlsVersion::Tls12), 4);
    }

    #[test]
    fn days_outside_the_window_are_counted_apart() {
        let mut tally = tally();
        let mut submission = sent("a@example.test", TlsVersion::None);
        submission.time -= 40 * 86_400;
        tally.submission(1, &submission);
        submission.time += 60 * 86_400;
        tally.submission(2, &submission);
        let expected = Counted { too_old: 1, future: 1, ..Counted::default() };
        assert_eq!(tally.counted(), expected);
        assert_eq!(tally.usage().count(), 0);
    }

    #[test]
    fn everyone_is_seen_once_a_day() {
        let mut tally = tally();
        tally.submission(1, &sent("a@example.test", TlsVersion::Tls12));
        tally.submission(2, &sent("a@example.test", TlsVersion::Tls13));
        let mut seen: Vec<_> = tally.identities().map(|(_, who)| (who.kind, who.name)).collect();
        seen.sort_unstable();
        let expected = [
            (IdentityKind::Account, "alice@example.test"),
            (IdentityKind::Sender, "a@example.test"),
            (IdentityKind::Domain, "example.test"),
        ];
        assert_eq!(seen, expected);
    }
}
