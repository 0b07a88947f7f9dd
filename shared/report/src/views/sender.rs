//! Everything about one sender.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::days::total;
use super::tls::{DayTls, tls_days};
use crate::counting::day::{Day, Range};
use crate::counting::tls::{TlsCounts, TlsShare, TlsVersion};
use crate::counting::usage::UsageKey;

/// Messages of one account, mechanism or client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NamedMessages {
    /// Its name; empty where the log does not tell.
    pub name: String,
    /// Messages sent with it.
    pub messages: u64,
}

/// Messages that one account sent with one mechanism over one TLS version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SenderUse {
    /// The account.
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
    pub accounts: Vec<NamedMessages>,
    /// The mechanisms used, most messages first.
    pub mechanisms: Vec<NamedMessages>,
    /// The client addresses they came from, most messages first.
    pub clients: Vec<NamedMessages>,
    /// Which account sent with which mechanism over which TLS version, most messages first.
    pub uses: Vec<SenderUse>,
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
            (&mut self.accounts, key.account().name()),
            (&mut self.mechanisms, key.mechanism),
            (&mut self.clients, key.client),
        ] {
            *names.entry(name.to_owned()).or_default() += messages;
        }
        let used = (key.account().name().to_owned(), key.mechanism.to_owned(), key.tls);
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
            .map(|((account, mechanism, version), messages)| SenderUse {
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

fn most_first(names: BTreeMap<String, u64>) -> Vec<NamedMessages> {
    let mut names: Vec<_> =
        names.into_iter().map(|(name, messages)| NamedMessages { name, messages }).collect();
    names.sort_by_key(|named| std::cmp::Reverse(named.messages));
    names
}
