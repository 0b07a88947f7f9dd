//! Adding submissions up by day.
//!
//! A tally remembers, for each thing it counts, at which **mark** of its source every part was
//! counted. Marks grow along a source: a byte offset in a file, a record's number in a batch. A
//! writer that finds the first part of a tally stored already can then work out what is left.

use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use hashbrown::HashSet;

use super::cap::{self, Claims, Denied, Owner, UsageClaims, network};
use super::clean::{ACCOUNT_LIMIT, LongNames, MECHANISM_LIMIT, SENDER_LIMIT};
use super::day::{Day, Days, Range};
use super::day_tally::{ALL, ALL_DOMAINS, DayTally, Rollup, RollupEntry, add_to};
use super::failure_key::FailureKey;
use super::finer_key::{Finer, FinerKey, beyond_first, is_night};
use super::marks::Marks;
use super::submission::{AuthFailure, Submission, domain_of};
use super::told_names::{ClientName, ToldNames};
use super::usage::{Identity, IdentityKind, UsageKey};

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
    names: ToldNames,
    bytes: usize,
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
            names: ToldNames::default(),
            bytes: 0,
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

    /// The memory that it holds, in bytes: about.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
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
        let (day, text) = (&mut self.days[current], &self.scratch);
        day.add(mark, &key, text, submission.messages, &self.hasher, &mut self.bytes);
        let Submission { client, client_name, .. } = *submission;
        if !client_name.is_empty() && !client.is_empty() {
            self.names.tell(client, client_name, day.day, &mut self.bytes);
        }
        let night =
            if is_night(self.clock.hour_of(submission.time)) { submission.messages } else { 0 };
        let beyond_first = beyond_first(submission.recipients, submission.messages);
        for (of, count) in [(Finer::Night, night), (Finer::Recipients, beyond_first)] {
            if count > 0 && !account.is_empty() {
                self.add_finer(current, mark, &FinerKey { account: &account, of }, count);
            }
        }
    }

    /// Counts messages of a day at `mark`, under the names that they were counted under before: those of an archive.
    pub fn usage_again(&mut self, mark: u64, day: Day, key: &UsageKey<'_>, messages: u64) {
        let Some(current) = self.enter_day(day, messages) else { return };
        self.counted.messages = self.counted.messages.saturating_add(messages);
        key.write(&mut self.scratch);
        let (day, text) = (&mut self.days[current], &self.scratch);
        day.add(mark, key, text, messages, &self.hasher, &mut self.bytes);
    }

    /// Counts a failed authentication seen at `mark`.
    pub fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>) {
        let Some(current) = self.enter(failure.time, 1) else {
            return;
        };
        let account = self.long_names.stored(failure.account, ACCOUNT_LIMIT);
        let hour = Some(self.clock.hour_of(failure.time));
        let key = FailureKey { account: &account, client: failure.client, hour };
        self.add_failures(current, mark, &key, 1);
    }

    /// Counts failed authentications of a day at `mark`, under the names that they were counted under before: those of
    /// an archive.
    pub fn failures_again(&mut self, mark: u64, day: Day, key: &FailureKey<'_>, failures: u64) {
        let Some(current) = self.enter_day(day, failures) else { return };
        self.add_failures(current, mark, key, failures);
    }

    fn add_failures(&mut self, current: usize, mark: u64, key: &FailureKey<'_>, times: u64) {
        self.counted.auth_failures = self.counted.auth_failures.saturating_add(times);
        key.write(&mut self.scratch);
        let failures = &mut self.days[current].failures;
        add_to(failures, &self.scratch, mark, times, &mut self.bytes);
    }

    /// Counts at `mark` what else there is of an account's messages of a day, as an archive has it. The messages are counted
    /// with their usage, and not here.
    pub fn finer_again(&mut self, mark: u64, day: Day, key: &FinerKey<'_>, count: u64) {
        let Some(current) = self.enter_day(day, 0) else { return };
        self.add_finer(current, mark, key, count);
    }

    fn add_finer(&mut self, current: usize, mark: u64, key: &FinerKey<'_>, count: u64) {
        key.write(&mut self.scratch);
        let finer = &mut self.days[current].finer;
        add_to(finer, &self.scratch, mark, count, &mut self.bytes);
    }

    /// The place of an instant's day, or none if that day is not counted.
    fn enter(&mut self, time: i64, count: u64) -> Option<usize> {
        let day = self.clock.day_of(time);
        if let Some(current) = self.days.get(self.current)
            && current.day == day
        {
            return Some(self.current);
        }
        self.enter_day(day, count)
    }

    fn enter_day(&mut self, day: Day, count: u64) -> Option<usize> {
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

    /// What everything counted claims of its owner: of usage in the order in which it first came, of failures in any.
    #[must_use]
    pub fn claims(&self) -> Claims {
        let mut claims = Claims::new();
        for day in &self.days {
            for key in day.usage.iter().filter_map(|usage| UsageKey::read(&usage.key)) {
                let UsageClaims { sender, pair } =
                    cap::usage_claims(&key, &self.window.default_domain);
                if pair.is_some() {
                    let owner = (day.day, Owner::Account(key.username.into()));
                    claims.entry(owner).or_default().extend(sender.into_iter().chain(pair));
                }
            }
            for key in day.failures.keys().filter_map(|key| FailureKey::read(key)) {
                let owner = (day.day, Owner::Network(network(key.client)));
                claims.entry(owner).or_default().push(cap::failure_claim(key.account, key.client));
            }
        }
        claims
    }

    /// Counts what was denied under the names for all others.
    ///
    /// Whether a claim is denied must be the same whenever its record comes again: it is decided once, and
    /// the decision is stored before anything is counted by it.
    pub fn cap(&mut self, denied: &Denied) {
        for day in &mut self.days {
            day.cap(denied, &self.window.default_domain, &self.hasher);
        }
    }

    /// Every day with something counted in it.
    pub fn days(&self) -> impl Iterator<Item = Day> {
        self.days.iter().map(|day| day.day)
    }

    /// Those of its days that are over for so long that they may be archived: all but the window's last two.
    pub fn days_over(&self) -> impl Iterator<Item = Day> {
        let last = self.window.days.end.checked_sub_days(chrono::Days::new(2));
        self.days().filter(move |day| last.is_some_and(|last| *day <= last))
    }

    /// Forgets all of these days; gives how many messages and failed authentications that were.
    pub fn leave_out(&mut self, days: &BTreeSet<Day>) -> u64 {
        let (mut messages, mut failures) = (0_u64, 0_u64);
        for day in self.days.iter().filter(|day| days.contains(&day.day)) {
            messages = messages.saturating_add(day.rollups[ALL].counts.total());
            let of_day = day.failures.values().map(|marks| marks.since(0));
            failures = of_day.fold(failures, u64::saturating_add);
        }
        self.days.retain(|day| !days.contains(&day.day));
        self.counted.messages = self.counted.messages.saturating_sub(messages);
        self.counted.auth_failures = self.counted.auth_failures.saturating_sub(failures);
        messages.saturating_add(failures)
    }

    /// Every usage key with its day and counts.
    pub fn usage(&self) -> impl Iterator<Item = (Day, &str, &Marks)> {
        self.days
            .iter()
            .flat_map(|day| day.usage.iter().map(|usage| (day.day, &*usage.key, &usage.marks)))
    }

    /// The clients that are told apart, with what logs call them: in no order.
    pub fn client_names(&self) -> impl Iterator<Item = (&str, &ClientName)> {
        let keys = self.usage().filter_map(|(_, key, _)| UsageKey::read(key));
        let counted: HashSet<&str, RandomState> = keys.map(|key| key.client).collect();
        self.names.all().filter(move |(client, _)| counted.contains(client))
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

    /// Every day's failed authentications, by a [`FailureKey`] as it is written.
    pub fn failures(&self) -> impl Iterator<Item = (Day, &str, &Marks)> {
        self.days
            .iter()
            .flat_map(|day| day.failures.iter().map(|(key, marks)| (day.day, &**key, marks)))
    }

    /// What else is counted of every day's accounts, by a [`FinerKey`] as it is written.
    pub fn finer(&self) -> impl Iterator<Item = (Day, &str, &Marks)> {
        self.days
            .iter()
            .flat_map(|day| day.finer.iter().map(|(key, marks)| (day.day, &**key, marks)))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::counting::tls::TlsVersion;

    fn tally() -> Tally {
        let start = Day::from_ymd_opt(2026, 11, 1).expect("a date");
        let end = Day::from_ymd_opt(2026, 11, 30).expect("a date");
        let window = Window { days: Range { start, end }, default_domain: "(none)".into() };
        Tally::new(Days::new(chrono_tz::UTC), window)
    }

    const NOON: i64 = 1_795_435_200; // 2026-11-23T12:00Z

    fn sent<'a>(sender: &'a str, tls: TlsVersion) -> Submission<'a> {
        let account = "alice@example.test";
        let (mechanism, client, client_name) = ("PLAIN", "", "");
        let (messages, recipients) = (1, 0);
        Submission {
            time: NOON,
            sender,
            account,
            mechanism,
            tls,
            client,
            client_name,
            messages,
            recipients,
        }
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
    fn what_is_denied_is_counted_under_the_others_of_its_account() {
        let mut tally = tally();
        for (mark, sender) in ["a@x.test", "b@y.test", "a@x.test", "c@x.test"].iter().enumerate() {
            tally.submission(mark as u64 + 1, &sent(sender, TlsVersion::Tls12));
        }
        let client = "192.0.2.1";
        for (mark, account) in ["ann", "bob", "bob"].into_iter().enumerate() {
            let failure = AuthFailure { time: NOON, account, client };
            tally.auth_failure(mark as u64 + 5, &failure);
        }
        let mut claims = tally.claims();
        let day = tally.days().next().expect("a day");
        let senders = (day, Owner::Account("alice@example.test".into()));
        let names = (day, Owner::Network(client.into()));
        assert_eq!((claims[&senders].len(), claims[&names].len()), (6, 2));
        // Admitted: a@x.test with its client, and whichever name came first.
        let mut denied = Denied::new();
        for (owner, admitted) in [(senders, 2), (names, 1)] {
            let claims = claims.remove(&owner).unwrap_or_default();
            let (yes, rest) = claims.split_at(admitted);
            let no = rest.iter().copied().filter(|claim| !yes.contains(claim));
            denied.insert(owner, no.collect());
        }
        tally.cap(&denied);
        let usage: Vec<_> = tally.usage().map(|(_, key, marks)| (key, marks.since(0))).collect();
        assert_eq!(usage.len(), 2);
        assert_eq!(usage[0].1, 2);
        let other = UsageKey::read(usage[1].0).expect("a key");
        assert_eq!(
            (other.sender, other.domain, usage[1].1),
            ("(other senders)", "example.test", 2)
        );
        let all = tally.rollups().find(|rollup| rollup.domain == ALL_DOMAINS).expect("a rollup");
        assert_eq!((all.counts.total(), all.first, all.last), (4, 1, 4));
        let rest = tally.rollup_since(&all, 2);
        assert_eq!(rest.counts.total(), 3);
        assert_eq!(tally.failures().map(|(_, _, marks)| marks.since(0)).sum::<u64>(), 3);
        assert!(tally.failures().any(|(_, key, _)| key == "(other names)\t192.0.2.1\t12"));
    }

    #[test]
    fn what_was_counted_before_is_counted_again_under_the_same_names() {
        let (mut first, mut again) = (tally(), tally());
        let failure = AuthFailure { time: NOON, account: "ann", client: "192.0.2.1" };
        for mark in 1..=3 {
            first.submission(mark, &sent("<>", TlsVersion::Tls12));
            first.auth_failure(mark, &failure);
        }
        for (day, key, marks) in first.usage() {
            let key = UsageKey::read(key).expect("a key");
            again.usage_again(1, day, &key, marks.since(0));
        }
        for (day, key, marks) in first.failures() {
            let key = FailureKey::read(key).expect("a key");
            again.failures_again(2, day, &key, marks.since(0));
        }
        assert_eq!(first.counted(), again.counted());
        let usage = |tally: &Tally| {
            let rows = tally.usage().map(|(day, key, marks)| (day, key.to_owned(), marks.since(0)));
            rows.collect::<Vec<_>>()
        };
        assert_eq!(usage(&first), usage(&again));
        assert_eq!(first.rollups().count(), again.rollups().count());
        assert_eq!(again.failures().next().expect("one").1, "ann\t192.0.2.1\t12");
    }

    /// Counts that stand for themselves, by name.
    fn finer(tally: &Tally) -> BTreeMap<&str, u64> {
        tally.finer().map(|(_, key, marks)| (key, marks.since(0))).collect()
    }

    #[test]
    fn messages_of_the_night_are_those_from_eleven_to_six_by_the_zones_clock() {
        let start = Day::from_ymd_opt(2026, 11, 1).expect("a date");
        let end = Day::from_ymd_opt(2026, 11, 30).expect("a date");
        let window = Window { days: Range { start, end }, default_domain: "(none)".into() };
        let mut tally = Tally::new(Days::new(chrono_tz::Europe::Berlin), window);
        // Midnight in Berlin.
        let midnight = NOON + 11 * 3600;
        for (mark, (minute, messages)) in
            [(-61, 1), (-60, 10), (0, 100), (359, 1000), (360, 10_000)].into_iter().enumerate()
        {
            let time = midnight + minute * 60;
            let night = Submission { time, messages, ..sent("<>", TlsVersion::None) };
            tally.submission(mark as u64 + 1, &night);
        }
        let nights = tally.finer().map(|(day, key, marks)| (day.to_string(), key, marks.since(0)));
        let mut nights: Vec<_> = nights.collect();
        nights.sort_unstable();
        let key = "alice@example.test\tnight";
        let expected = [("2026-11-23", key, 10), ("2026-11-24", key, 1100)];
        assert_eq!(nights, expected.map(|(day, key, count)| (day.to_owned(), key, count)));
    }

    #[test]
    fn recipients_beyond_the_first_are_counted_of_accounts_that_are_named() {
        let mut tally = tally();
        let one = sent("<>", TlsVersion::None);
        for (mark, (messages, recipients)) in
            [(1, 0), (1, 1), (1, 4), (3, 5), (3, 2)].into_iter().enumerate()
        {
            tally.submission(mark as u64 + 1, &Submission { messages, recipients, ..one });
        }
        let nobodys = Submission { account: "", recipients: 9, time: NOON + 12 * 3600, ..one };
        tally.submission(6, &nobodys);
        assert_eq!(finer(&tally), BTreeMap::from([("alice@example.test\trecipients", 5)]));
        let (_, _, marks) = tally.finer().next().expect("one");
        assert_eq!((marks.since(4), marks.first(), marks.last()), (2, 3, 4));
    }

    #[test]
    fn finer_counters_stay_with_what_is_capped_and_go_with_their_day() {
        let mut tally = tally();
        for (mark, sender) in ["a@x.test", "b@y.test"].into_iter().enumerate() {
            let many = Submission { recipients: 3, ..sent(sender, TlsVersion::Tls12) };
            tally.submission(mark as u64 + 1, &many);
        }
        let day = tally.days().next().expect("a day");
        let owner = (day, Owner::Account("alice@example.test".into()));
        let claims = tally.claims().remove(&owner).expect("claims");
        let mut denied = Denied::new();
        denied.insert(owner, claims.into_iter().collect());
        tally.cap(&denied);
        assert!(tally.usage().all(|(_, key, _)| key.contains("(other senders)")));
        assert_eq!(finer(&tally), BTreeMap::from([("alice@example.test\trecipients", 4)]));
        let (counted, bytes) = (tally.counted(), tally.bytes());
        let key = FinerKey { account: "bob", of: Finer::Night };
        tally.finer_again(3, day, &key, 7);
        assert_eq!((tally.counted(), finer(&tally)["bob\tnight"]), (counted, 7));
        assert!(tally.bytes() > bytes);
        assert_eq!(tally.leave_out(&BTreeSet::from([day])), 2);
        assert_eq!(tally.finer().count(), 0);
    }

    #[test]
    fn days_that_are_left_out_leave_nothing() {
        let mut tally = tally();
        tally.submission(1, &sent("a@example.test", TlsVersion::Tls12));
        let yesterday = Submission { time: NOON - 86_400, ..sent("<>", TlsVersion::None) };
        tally.submission(2, &yesterday);
        let failure = AuthFailure { time: NOON, account: "ann", client: "" };
        tally.auth_failure(3, &failure);
        let day = tally.days().next().expect("a day");
        assert_eq!(tally.days_over().count(), 2);
        assert_eq!(tally.leave_out(&BTreeSet::from([day])), 2);
        assert_eq!((tally.counted().messages, tally.counted().auth_failures), (1, 0));
        assert_eq!(tally.days().collect::<Vec<_>>(), [day.pred_opt().expect("a day")]);
        tally.submission(4, &sent("a@example.test", TlsVersion::Tls12));
        assert_eq!(tally.usage().count(), 2);
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
