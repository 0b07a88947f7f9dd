//! Everything about one sender, account or client.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::days::total;
use super::failures::{FailedHere, Failures, Successes};
use super::group::{Group, RowName};
use super::labels::Labels;
use super::tls::{DayTls, tls_days};
use crate::counting::day::{Day, Range};
use crate::counting::origin::Origin;
use crate::counting::tls::{TlsCounts, TlsShare, TlsVersion};
use crate::counting::usage::UsageKey;

/// The most names that failed logins are told by.
const FAILED: usize = 1000;

/// Messages of one sender, account, mechanism or client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedMessages {
    /// Its name; empty where the log does not tell.
    pub name: String,
    /// Messages sent with it.
    pub messages: u64,
}

/// Messages that one account sent with one mechanism over one TLS version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Used {
    /// The account.
    pub account: String,
    /// The mechanism; empty where the log does not tell.
    pub mechanism: String,
    /// The TLS version.
    pub version: TlsVersion,
    /// Messages.
    pub messages: u64,
}

/// Everything about one sender, account or client in a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Details {
    /// First day.
    pub start: NaiveDate,
    /// Last day, included.
    pub end: NaiveDate,
    /// Whose.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What is known of it.
    #[serde(flatten)]
    pub labels: Labels,
    /// Its messages.
    pub messages: u64,
    /// The same per TLS version.
    pub tls: Vec<TlsShare>,
    /// The same per day: every day of the range.
    pub days: Vec<DayTls>,
    /// The envelope senders of them, most messages first.
    pub senders: Vec<NamedMessages>,
    /// The accounts that sent them, most messages first.
    pub accounts: Vec<NamedMessages>,
    /// The mechanisms used, most messages first.
    pub mechanisms: Vec<NamedMessages>,
    /// The client addresses they came from, most messages first.
    pub clients: Vec<NamedMessages>,
    /// Which account sent with which mechanism over which TLS version, most messages first.
    pub uses: Vec<Used>,
    /// Logins that failed, at the account or from the client; a sender has none.
    pub failed_logins: FailedHere,
}

/// Adds up what belongs to one sender, account or client.
#[derive(Debug)]
pub struct Figures {
    range: Range,
    days: BTreeMap<Day, TlsCounts>,
    /// Senders, accounts, mechanisms, clients.
    names: [BTreeMap<String, u64>; 4],
    uses: BTreeMap<(String, String, TlsVersion), u64>,
    then: Successes,
}

impl Figures {
    /// Nothing, yet, of whose logins failed so. What lies outside of the range counts only as success after that.
    #[must_use]
    pub fn new(range: Range, failures: &Arc<Failures>) -> Self {
        let (days, names, uses) = (BTreeMap::new(), Default::default(), BTreeMap::new());
        Self { range, days, names, uses, then: Successes::of(failures) }
    }

    /// Adds messages of one usage key.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        let account = key.account().name();
        self.then.add(day, key, messages);
        if !self.range.contains(day) {
            return;
        }
        self.days.entry(day).or_default().add(key.tls, messages);
        let told = [key.sender, account, key.mechanism, key.client];
        for (names, name) in self.names.iter_mut().zip(told) {
            count(names, name, messages);
        }
        let used = (account.to_owned(), key.mechanism.to_owned(), key.tls);
        *self.uses.entry(used).or_default() += messages;
    }

    /// Adds what another one has added up.
    pub fn merge(&mut self, other: Self) {
        for (day, counts) in other.days {
            self.days.entry(day).or_default().merge(&counts);
        }
        for (names, others) in self.names.iter_mut().zip(other.names) {
            add_names(names, others);
        }
        for (used, messages) in other.uses {
            *self.uses.entry(used).or_default() += messages;
        }
        self.then.merge(other.then);
    }

    /// The view.
    #[must_use]
    pub fn details(self, group: Group, name: &str, labels: Labels) -> Details {
        let range = self.range;
        let sum = total(&self.days, range);
        let failed_logins = self.then.names(group, FAILED);
        let used = |((account, mechanism, version), messages)| Used {
            account,
            mechanism,
            version,
            messages,
        };
        let mut uses: Vec<_> = self.uses.into_iter().map(used).collect();
        uses.sort_by_key(|used| Reverse(used.messages));
        let [senders, accounts, mechanisms, clients] = self.names.map(most_first);
        Details {
            start: range.start,
            end: range.end,
            name: RowName::of(group, name),
            origin: group.origin(name),
            labels,
            messages: sum.total(),
            tls: sum.shares(),
            days: tls_days(&self.days, range),
            senders,
            accounts,
            mechanisms,
            clients,
            uses,
            failed_logins,
        }
    }
}

/// Adds messages of a name.
pub(super) fn count(names: &mut BTreeMap<String, u64>, name: &str, messages: u64) {
    match names.get_mut(name) {
        Some(sum) => *sum += messages,
        None => _ = names.insert(name.to_owned(), messages),
    }
}

/// Adds messages of names.
pub(super) fn add_names(names: &mut BTreeMap<String, u64>, others: BTreeMap<String, u64>) {
    for (name, messages) in others {
        *names.entry(name).or_default() += messages;
    }
}

pub(super) fn most_first(names: BTreeMap<String, u64>) -> Vec<NamedMessages> {
    let mut names: Vec<_> =
        names.into_iter().map(|(name, messages)| NamedMessages { name, messages }).collect();
    names.sort_by_key(|named| Reverse(named.messages));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a date")
    }

    fn key<'k>(sender: &'k str, username: &'k str, client: &'k str) -> UsageKey<'k> {
        let (domain, mechanism, tls) = ("example.test", "LOGIN", TlsVersion::None);
        UsageKey { domain, sender, username, mechanism, tls, client }
    }

    fn failed(all: &[(&str, &str, &str, u64)]) -> Arc<Failures> {
        let mut failures = Failures::default();
        for (date, account, client, n) in all {
            failures.add(day(date), ((*account).to_owned(), (*client).to_owned()), *n, None);
        }
        Arc::new(failures)
    }

    #[test]
    fn an_account_has_its_senders_and_clients_and_who_failed_before_it_was_in() {
        let range = Range { start: day("2026-11-20"), end: day("2026-11-21") };
        let failures = failed(&[
            ("2026-11-20", "ann", "203.0.113.9", 30),
            ("2026-11-21", "ann", "198.51.100.7", 4),
            ("2026-11-20", "ann", "198.51.100.8", 400),
            ("2026-11-21", "ann", "", 1),
        ]);
        let mut figures = Figures::new(range, &failures);
        figures.add(day("2026-11-20"), &key("a@example.test", "ann", "192.0.2.1"), 2);
        let mut second = Figures::new(range, &failures);
        second.add(day("2026-11-21"), &key("b@example.test", "ann", "203.0.113.9"), 5);
        // The day behind the range tells only that somebody was in.
        second.add(day("2026-11-22"), &key("c@example.test", "ann", "198.51.100.7"), 9);
        figures.merge(second);
        let details = figures.details(Group::Account, "ann", Labels::default());
        assert_eq!(details.name, RowName::Account("ann".to_owned()));
        assert_eq!((details.messages, details.days.len(), details.senders.len()), (7, 2, 2));
        assert_eq!(details.clients[0].name, "203.0.113.9");
        assert_eq!(details.failed_logins.failures, 435);
        let told = details.failed_logins.names.iter();
        let told: Vec<_> = told.map(|one| (&*one.name, one.failures, one.succeeded)).collect();
        let (then, next) = (Some(day("2026-11-21")), Some(day("2026-11-22")));
        let expected = [
            ("203.0.113.9", 30, then),
            ("198.51.100.7", 4, next),
            ("198.51.100.8", 400, None),
            ("", 1, None),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn of_a_client_the_accounts_are_told_that_it_tried() {
        let range = Range { start: day("2026-11-20"), end: day("2026-11-20") };
        let failures =
            failed(&[("2026-11-20", "ann", "192.0.2.1", 1), ("2026-11-20", "bob", "192.0.2.1", 3)]);
        let mut figures = Figures::new(range, &failures);
        figures.add(day("2026-11-20"), &key("a@example.test", "ann", "192.0.2.1"), 2);
        let FailedHere { names, more, .. } =
            figures.details(Group::Client, "192.0.2.1", Labels::default()).failed_logins;
        let told: Vec<_> = names.iter().map(|one| (&*one.name, one.succeeded.is_some())).collect();
        assert_eq!((told, more), (vec![("ann", true), ("bob", false)], 0));
    }
}
