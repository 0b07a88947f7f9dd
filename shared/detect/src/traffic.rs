//! What happened on one day.

use std::collections::{BTreeMap, BTreeSet};

use report::{Kind, Kinds, NULL_SENDER, OTHER_SENDERS, TlsVersion, UNKNOWN_SENDER, UsageKey};

use crate::network::Place;

#[expect(clippy::cast_precision_loss, reason = "counts of a day")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// What happened on one day: added up by account.
#[derive(Clone, Debug, Default)]
pub struct DayTraffic {
    /// Which mechanisms are of which kind.
    kinds: Kinds,
    pub(crate) accounts: BTreeMap<Box<str>, AccountDay>,
    /// Failed logins by account, then by client.
    pub(crate) failures: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    /// Messages at night by account.
    pub(crate) night: BTreeMap<Box<str>, u64>,
    /// Recipients beyond the first of each message by account.
    pub(crate) recipients: BTreeMap<Box<str>, u64>,
}

/// How somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Program {
    pub(crate) mechanism: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) tls: TlsVersion,
}

impl Program {
    pub(crate) fn is_token(&self) -> bool {
        self.kind == Kind::OAuth
    }

    pub(crate) fn is_password(&self) -> bool {
        matches!(self.kind, Kind::Basic | Kind::Challenge)
    }

    /// Whether all of it is known.
    pub(crate) fn is_known(&self) -> bool {
        !self.mechanism.is_empty() && self.tls != TlsVersion::Unknown
    }
}

/// What one client did for an account.
#[derive(Clone, Debug)]
pub(crate) struct ClientDay {
    pub(crate) place: Option<Place>,
    pub(crate) messages: u64,
    /// How it logged in, and for how many messages.
    pub(crate) programs: BTreeMap<Program, u64>,
}

/// What one account did.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountDay {
    pub(crate) messages: u64,
    pub(crate) clients: BTreeMap<Box<str>, ClientDay>,
    pub(crate) senders: BTreeMap<Box<str>, u64>,
    domains: BTreeMap<Box<str>, u64>,
}

impl DayTraffic {
    /// Nothing happened yet. The kinds tell passwords from tokens.
    #[must_use]
    pub fn new(kinds: &Kinds) -> Self {
        Self { kinds: kinds.clone(), ..Self::default() }
    }

    /// Adds messages.
    pub fn add(&mut self, key: &UsageKey<'_>, messages: u64) {
        let account = key.account().name();
        if account.is_empty() || messages == 0 {
            return;
        }
        if !self.accounts.contains_key(account) {
            self.accounts.insert(account.into(), AccountDay::default());
        }
        let Some(day) = self.accounts.get_mut(account) else { return };
        day.messages = day.messages.saturating_add(messages);
        count(&mut day.domains, key.domain, messages);
        if ![NULL_SENDER, OTHER_SENDERS, UNKNOWN_SENDER].contains(&key.sender) {
            count(&mut day.senders, key.sender, messages);
        }
        if !day.clients.contains_key(key.client) {
            day.clients.insert(key.client.into(), ClientDay::at(Place::of(key.client)));
        }
        let Some(client) = day.clients.get_mut(key.client) else { return };
        let kind = self.kinds.of(key.mechanism);
        client.add(Program { mechanism: key.mechanism.into(), kind, tls: key.tls }, messages);
    }

    /// Adds what happened besides.
    pub fn merge(&mut self, other: Self) {
        for (account, day) in other.accounts {
            self.accounts.entry(account).or_default().merge(day);
        }
        for (account, clients) in other.failures {
            for (client, failures) in clients {
                self.failed(&account, &client, failures);
            }
        }
        other.night.into_iter().for_each(|(account, messages)| self.night(&account, messages));
        for (account, beyond_first) in other.recipients {
            self.recipients(&account, beyond_first);
        }
    }

    /// Adds failed logins of an account from a client; of either, nothing is what the log does not tell.
    pub fn failed(&mut self, account: &str, client: &str, failures: u64) {
        let of = self.failures.entry(account.into()).or_default();
        count(of, client, failures);
    }

    /// Adds messages of an account that were sent between 23:00 and 06:00. What is zero need not be told: from the first
    /// day with a call on, even of zero, nights are taken to be counted.
    pub fn night(&mut self, account: &str, messages: u64) {
        count(&mut self.night, account, messages);
    }

    /// Adds recipients of an account's messages, but for the first of each message. As with nights, they are taken to be
    /// counted from the first day with a call on; an installation whose logs do not tell them makes none.
    pub fn recipients(&mut self, account: &str, beyond_first: u64) {
        count(&mut self.recipients, account, beyond_first);
    }

    /// The accounts that sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(|name| &**name)
    }
}

fn count(counts: &mut BTreeMap<Box<str>, u64>, name: &str, number: u64) {
    match counts.get_mut(name) {
        Some(sum) => *sum = sum.saturating_add(number),
        None => drop(counts.insert(name.into(), number)),
    }
}

impl ClientDay {
    fn at(place: Option<Place>) -> Self {
        Self { place, messages: 0, programs: BTreeMap::new() }
    }

    fn add(&mut self, program: Program, messages: u64) {
        self.messages = self.messages.saturating_add(messages);
        let sum = self.programs.entry(program).or_default();
        *sum = sum.saturating_add(messages);
    }
}

impl AccountDay {
    fn merge(&mut self, other: Self) {
        self.messages = self.messages.saturating_add(other.messages);
        for (sender, messages) in other.senders {
            count(&mut self.senders, &sender, messages);
        }
        for (domain, messages) in other.domains {
            count(&mut self.domains, &domain, messages);
        }
        for (address, client) in other.clients {
            let own = self.clients.entry(address).or_insert_with(|| ClientDay::at(client.place));
            client.programs.into_iter().for_each(|(program, messages)| own.add(program, messages));
        }
    }

    /// The domain that most of its messages belong to.
    pub(crate) fn domain(&self) -> &str {
        let most = self.domains.iter().max_by_key(|(_, messages)| **messages);
        most.map_or("", |(domain, _)| domain)
    }

    /// Every way in which it logged in.
    pub(crate) fn programs(&self) -> BTreeSet<&Program> {
        self.clients.values().flat_map(|client| client.programs.keys()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_tells_tokens_from_passwords() {
        let kinds = Kinds::read("corp=oauth").expect("kinds");
        for (kinds, is_token) in [(kinds, true), (Kinds::default(), false)] {
            let mut traffic = DayTraffic::new(&kinds);
            let key = UsageKey {
                domain: "example.test",
                sender: "ann@example.test",
                username: "ann",
                mechanism: "CORP",
                tls: TlsVersion::Tls13,
                client: "192.0.2.1",
            };
            traffic.add(&key, 1);
            let programs = traffic.accounts["ann"].programs();
            assert!(programs.iter().all(|program| program.is_token() == is_token));
        }
    }
}
