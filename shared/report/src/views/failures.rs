//! Failed logins: per day, and by account or client, with what came of them.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::csv::{safe, writer};
use super::cursor::FailedCursor;
use super::group::{Group, RowName};
use crate::counting::day::{Day, Range};
use crate::counting::failure_key::Hours;
use crate::counting::origin::Origin;
use crate::counting::usage::UsageKey;

/// Failed logins of a range, told apart by account, client and day.
#[derive(Debug, Default)]
pub struct Failures(BTreeMap<String, BTreeMap<String, OfDays>>);

/// Failed logins by day.
type OfDays = BTreeMap<Day, OfDay>;

/// Failed logins of a day, and from which hour to which, as far as hours were counted.
#[derive(Clone, Copy, Debug, Default)]
struct OfDay {
    failures: u64,
    hours: Option<Hours>,
}

impl Failures {
    /// Adds failed logins at an account from a client; of either, nothing is what the log does not tell.
    pub fn add(
        &mut self,
        day: Day,
        (account, client): (String, String),
        failures: u64,
        hours: Option<Hours>,
    ) {
        let days = self.0.entry(account).or_default().entry(client).or_default();
        let of_day = days.entry(day).or_default();
        of_day.failures += failures;
        of_day.hours = Hours::of_both(of_day.hours, hours);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn has(&self, account: &str, client: &str) -> bool {
        self.0.get(account).is_some_and(|clients| clients.contains_key(client))
    }

    fn each(&self) -> impl Iterator<Item = (&str, &str, &OfDays)> {
        self.0.iter().flat_map(|(account, clients)| {
            clients.iter().map(move |(client, days)| (account.as_str(), client.as_str(), days))
        })
    }

    /// Everything, by account ([`Group::Account`]) or by client: first those who sent after they had failed, then most
    /// failures. At most `most` rows, from a place in this order on.
    #[must_use]
    pub fn view(
        &self,
        group: Group,
        range: Range,
        then: &Successes,
        (place, most): (Option<&FailedCursor>, usize),
    ) -> FailedLogins {
        let mut days: BTreeMap<Day, u64> = range.days().map(|day| (day, 0)).collect();
        let mut rows: BTreeMap<&str, FailedRow> = BTreeMap::new();
        let mut sum = 0;
        for (account, client, failed) in self.each() {
            let name = if group == Group::Client { client } else { account };
            let row = rows.entry(name).or_insert_with(|| FailedRow::new(group, name, range));
            row.others += 1;
            row.succeeded += u64::from(then.after(account, client, failed).is_some());
            for (day, of_day) in failed {
                row.add(*day, of_day);
                *days.entry(*day).or_default() += of_day.failures;
                sum += of_day.failures;
            }
        }
        let mut rows: Vec<_> = rows.into_values().collect();
        // Their names are in order.
        rows.sort_by_key(|row| (row.succeeded == 0, Reverse(row.failures)));
        if let Some(FailedCursor { succeeded, failures, name, .. }) = place {
            let place = (!succeeded, Reverse(*failures), name.as_str());
            rows.retain(|row| (row.succeeded == 0, Reverse(row.failures), row.name.text()) > place);
        }
        let more = rows.len().saturating_sub(most) as u64;
        rows.truncate(most);
        let days = days.into_iter().map(|(date, failures)| DayFailures { date, failures });
        let (start, end) = (range.start, range.end);
        let next = None;
        FailedLogins { start, end, failures: sum, days: days.collect(), rows, more, next }
    }
}

/// Who sent, and when: of those whose logins had failed. Nobody's had, by default.
#[derive(Debug, Default)]
pub struct Successes {
    of: Arc<Failures>,
    days: BTreeSet<(Day, String, String)>,
}

impl Successes {
    /// Nobody, yet, of those who failed.
    #[must_use]
    pub fn of(failures: &Arc<Failures>) -> Self {
        Self { of: Arc::clone(failures), days: BTreeSet::new() }
    }

    /// Takes note of messages.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, _: u64) {
        let (account, client) = (key.account().name(), key.client);
        if self.of.has(account, client) {
            self.days.insert((day, account.to_owned(), client.to_owned()));
        }
    }

    /// Adds what another one took note of.
    pub fn merge(&mut self, other: Self) {
        self.days.extend(other.days);
    }

    /// Of one account's failed logins the clients, of one client's the accounts; at most `most` names.
    pub(super) fn names(&self, group: Group, most: usize) -> FailedHere {
        let mut names: BTreeMap<&str, FailedName> = BTreeMap::new();
        let mut sum = 0;
        for (account, client, failed) in self.of.each() {
            let name = if group == Group::Client { account } else { client };
            let failures = failed.values().map(|of_day| of_day.failures).sum::<u64>();
            let Some((last, of_last)) = failed.last_key_value() else { continue };
            let last = (*last, of_last.hours.map(|hours| hours.last));
            let new = || FailedName {
                name: name.to_owned(),
                failures: 0,
                last: last.0,
                last_hour: last.1,
                succeeded: None,
            };
            let one = names.entry(name).or_insert_with(new);
            one.failures += failures;
            (one.last, one.last_hour) = last.max((one.last, one.last_hour));
            let then = self.after(account, client, failed);
            one.succeeded = [one.succeeded, then].into_iter().flatten().min();
            sum += failures;
        }
        let mut names: Vec<_> = names.into_values().collect();
        names.sort_by_key(|one| (one.succeeded.is_none(), Reverse(one.failures)));
        let more = names.len().saturating_sub(most) as u64;
        names.truncate(most);
        FailedHere { failures: sum, names, more }
    }

    /// The first day on which an account sent from a client where it had failed the same day or the day before.
    fn after(&self, account: &str, client: &str, failed: &OfDays) -> Option<Day> {
        // Nobody is known by an empty name.
        if account.is_empty() || client.is_empty() {
            return None;
        }
        let days = failed.keys().flat_map(|day| [Some(*day), day.succ_opt()]).flatten();
        days.filter(|day| self.days.contains(&(*day, account.to_owned(), client.to_owned()))).min()
    }
}

/// Failed logins at one account from a client, or from one client at an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedName {
    /// The client, or the account; empty where the log does not tell.
    pub name: String,
    /// How often.
    pub failures: u64,
    /// The last day of them.
    pub last: NaiveDate,
    /// The hour of the last one, from 0 to 23, in the zone of the days; null if hours were not counted then.
    #[serde(default)]
    #[schema(maximum = 23)]
    pub last_hour: Option<u8>,
    /// The first day on which a message of that account came from that client, the day of a failure or the next; null if
    /// there is none.
    pub succeeded: Option<NaiveDate>,
}

/// Failed logins in the range, at an account or from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedHere {
    /// How many.
    pub failures: u64,
    /// Of an account the clients, of a client the accounts: those that succeeded first, then most failures; at most
    /// 1,000.
    pub names: Vec<FailedName>,
    /// How many more names there are.
    pub more: u64,
}

/// Failed logins of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayFailures {
    /// The day.
    pub date: NaiveDate,
    /// How many.
    pub failures: u64,
}

/// Failed logins at an account, or from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedRow {
    /// At which account, or from which client; empty where the log does not tell.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// How many.
    pub failures: u64,
    /// The first day of them in the range.
    pub first: NaiveDate,
    /// The hour of the first one, from 0 to 23, in the zone of the days; null if hours were not counted then.
    #[serde(default)]
    #[schema(maximum = 23)]
    pub first_hour: Option<u8>,
    /// The last day.
    pub last: NaiveDate,
    /// The hour of the last one.
    #[serde(default)]
    #[schema(maximum = 23)]
    pub last_hour: Option<u8>,
    /// From how many clients, or at how many accounts.
    pub others: u64,
    /// Of these, how many sent on the day of a failure or the next: the account from that client.
    pub succeeded: u64,
}

impl FailedRow {
    /// The text of the cursor of the page behind it, for a question.
    #[must_use]
    pub fn cursor(&self, question: u64) -> String {
        let (succeeded, name) = (self.succeeded > 0, self.name.text());
        FailedCursor::behind(succeeded, self.failures, name, question).write()
    }

    fn new(group: Group, name: &str, range: Range) -> Self {
        Self {
            name: RowName::of(group, name),
            origin: group.origin(name),
            failures: 0,
            first: range.end,
            first_hour: None,
            last: range.start,
            last_hour: None,
            others: 0,
            succeeded: 0,
        }
    }

    fn add(&mut self, day: Day, of_day: &OfDay) {
        self.failures += of_day.failures;
        let (first, last) =
            (of_day.hours.map(|hours| hours.first), of_day.hours.map(|hours| hours.last));
        match day.cmp(&self.first) {
            Ordering::Less => (self.first, self.first_hour) = (day, first),
            Ordering::Equal => {
                self.first_hour = [self.first_hour, first].into_iter().flatten().min()
            }
            Ordering::Greater => {}
        }
        match day.cmp(&self.last) {
            Ordering::Greater => (self.last, self.last_hour) = (day, last),
            Ordering::Equal => self.last_hour = self.last_hour.max(last),
            Ordering::Less => {}
        }
    }
}

/// Failed logins of a range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedLogins {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// How many.
    pub failures: u64,
    /// The same per day: every day of the range.
    pub days: Vec<DayFailures>,
    /// By account or by client: those that succeeded afterwards first, then most failures.
    pub rows: Vec<FailedRow>,
    /// How many rows follow these.
    pub more: u64,
    /// The cursor of the next page; null on the last.
    pub next: Option<String>,
}

impl FailedLogins {
    /// Writes the rows as CSV.
    ///
    /// # Errors
    /// Writing failed.
    pub fn csv(&self, group: Group, to: impl io::Write) -> io::Result<()> {
        let others = if group == Group::Client { "Accounts" } else { "Client addresses" };
        let mut writer = writer(to);
        writer.write_record([
            group.label(),
            "Failed logins",
            "First day",
            "Last day",
            others,
            "And then sent",
            "First hour",
            "Last hour",
        ])?;
        let hour = |hour: &Option<u8>| hour.map_or(String::new(), |hour| hour.to_string());
        for row in &self.rows {
            let FailedRow { name, failures, first, last, others, succeeded, .. } = row;
            writer.write_record([
                &*safe(name.text()),
                &failures.to_string(),
                &first.to_string(),
                &last.to_string(),
                &others.to_string(),
                &succeeded.to_string(),
                &hour(&row.first_hour),
                &hour(&row.last_hour),
            ])?;
        }
        writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    fn day(text: &str) -> Day {
        text.parse().expect("a date")
    }

    fn view(group: Group, most: usize) -> FailedLogins {
        let mut failures = Failures::default();
        let hours = |first, last| Some(Hours { first, last });
        for (date, account, client, n, hours) in [
            ("2026-11-20", "ann", "203.0.113.9", 30, hours(7, 9)),
            ("2026-11-21", "ann", "203.0.113.9", 10, hours(2, 3)),
            ("2026-11-20", "ann", "198.51.100.8", 400, hours(8, 23)),
            ("2026-11-21", "bob", "203.0.113.9", 2, hours(5, 5)),
            ("2026-11-21", "", "203.0.113.9", 1, None),
        ] {
            failures.add(day(date), (account.to_owned(), client.to_owned()), n, hours);
        }
        let failures = Arc::new(failures);
        let mut then = Successes::of(&failures);
        let mut other = Successes::of(&failures);
        for (date, username, client) in [
            ("2026-11-22", "ann", "203.0.113.9"),
            ("2026-11-19", "bob", "203.0.113.9"),
            ("2026-11-21", "carol", "203.0.113.9"),
        ] {
            let (domain, mechanism, tls) = ("example.test", "LOGIN", TlsVersion::None);
            let sender = "x@example.test";
            other.add(day(date), &UsageKey { domain, sender, username, mechanism, tls, client }, 1);
        }
        then.merge(other);
        let range = Range { start: day("2026-11-20"), end: day("2026-11-22") };
        failures.view(group, range, &then, (None, most))
    }

    #[test]
    fn whoever_was_let_in_after_failing_stands_first() {
        let accounts = view(Group::Account, 10);
        assert_eq!(accounts.failures, 443);
        assert_eq!(accounts.days.iter().map(|day| day.failures).collect::<Vec<_>>(), [430, 13, 0]);
        let told = |rows: &[FailedRow]| -> Vec<(String, u64, u64, u64)> {
            let row = |row: &FailedRow| {
                (row.name.text().to_owned(), row.failures, row.others, row.succeeded)
            };
            rows.iter().map(row).collect()
        };
        let expected = [("ann", 440, 2, 1), ("bob", 2, 1, 0), ("", 1, 1, 0)];
        let expected = expected.map(|(name, n, others, then)| (name.to_owned(), n, others, then));
        assert_eq!(told(&accounts.rows), expected);
        let hours: Vec<_> =
            accounts.rows.iter().map(|row| (row.first_hour, row.last_hour)).collect();
        assert_eq!(hours, [(Some(7), Some(3)), (Some(5), Some(5)), (None, None)]);
        let clients = view(Group::Client, 1);
        assert_eq!(told(&clients.rows), [("203.0.113.9".to_owned(), 43, 3, 1)]);
        assert_eq!(clients.more, 1);
        let mut csv = Vec::new();
        clients.csv(Group::Client, &mut csv).expect("memory takes everything");
        let csv = String::from_utf8(csv).expect("text");
        let expected = "Client address,Failed logins,First day,Last day,Accounts,And then sent,\
                        First hour,Last hour\r\n\
                        203.0.113.9,43,2026-11-20,2026-11-21,3,1,7,5\r\n";
        assert_eq!(csv, expected);
    }
}
