//! What happened on one day.

use std::collections::BTreeMap;
use std::sync::Arc;

use report::{Kind, Kinds, NULL_SENDER, OTHER_SENDERS, TlsVersion, UNKNOWN_SENDER, UsageKey};

use crate::few::{Few, find};
use crate::mark::{Mark, mark};
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
    programs: Programs,
    domains: BTreeMap<Box<str>, Arc<Name>>,
    /// Those that sent, and those of which something else was counted.
    accounts: BTreeMap<Box<str>, AccountDay>,
    /// Failed logins by account, then by client.
    pub(crate) failures: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    /// Whether messages at night are counted, and recipients.
    pub(crate) has_nights: bool,
    pub(crate) has_recipients: bool,
}

/// How somebody logged in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Program {
    pub(crate) mechanism: Box<str>,
    pub(crate) kind: Kind,
    pub(crate) tls: TlsVersion,
    /// What stands for all of it.
    pub(crate) mark: Mark,
}

impl Program {
    fn new(mechanism: &str, kind: Kind, tls: TlsVersion) -> Self {
        Self { mechanism: mechanism.into(), kind, tls, mark: mark(&(mechanism, kind, tls)) }
    }

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

/// The programs of a day by mechanism: there are few, that everybody shares.
#[derive(Clone, Debug, Default)]
struct Programs(BTreeMap<Box<str>, Vec<Arc<Program>>>);

impl Programs {
    fn of(&mut self, mechanism: &str, tls: TlsVersion, kinds: &Kinds) -> Arc<Program> {
        let mut known = self.0.get(mechanism).into_iter().flatten();
        if let Some(known) = known.find(|program| program.tls == tls) {
            return Arc::clone(known);
        }
        let program = Arc::new(Program::new(mechanism, kinds.of(mechanism), tls));
        self.0.entry(mechanism.into()).or_default().push(Arc::clone(&program));
        program
    }
}

/// A name, and what stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: Box<str>,
    pub(crate) mark: Mark,
}

impl Name {
    fn of(text: &str) -> Self {
        Self { text: text.into(), mark: mark(text) }
    }
}

/// What one client did for an account.
#[derive(Clone, Debug)]
pub(crate) struct ClientDay {
    pub(crate) address: Box<str>,
    pub(crate) place: Option<Place>,
    pub(crate) messages: u64,
    /// How it logged in, and for how many messages.
    pub(crate) programs: Few<(Arc<Program>, u64)>,
}

/// What one account did. Of everything there are few.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountDay {
    pub(crate) messages: u64,
    /// In order.
    pub(crate) clients: Vec<ClientDay>,
    pub(crate) senders: Few<Name>,
    domains: Few<(Arc<Name>, u64)>,
    /// Messages at night, and recipients beyond the first of each message; as far as they are counted.
    pub(crate) night: u64,
    pub(crate) beyond: u64,
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
        let program = self.programs.of(key.mechanism, key.tls, &self.kinds);
        let domains = &mut self.domains;
        change(&mut self.accounts, account, |day| {
            day.messages = day.messages.saturating_add(messages);
            day.sent_for(key.domain, messages, || shared(domains, key.domain));
            if ![NULL_SENDER, OTHER_SENDERS, UNKNOWN_SENDER].contains(&key.sender) {
                day.sent_as(key.sender);
            }
            let client = day.client(key.client, || Place::of(key.client));
            client.add(&program, messages);
        });
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
        self.has_nights |= other.has_nights;
        self.has_recipients |= other.has_recipients;
    }

    /// Adds failed logins of an account from a client; of either, nothing is what the log does not tell.
    pub fn failed(&mut self, account: &str, client: &str, failures: u64) {
        let of = self.failures.entry(account.into()).or_default();
        match of.get_mut(client) {
            Some(sum) => *sum = sum.saturating_add(failures),
            None => drop(of.insert(client.into(), failures)),
        }
    }

    /// Adds messages of an account that were sent between 23:00 and 06:00. What is zero need not be told: from the first
    /// day with a call on, even of zero, nights are taken to be counted.
    pub fn night(&mut self, account: &str, messages: u64) {
        self.has_nights = true;
        change(&mut self.accounts, account, |day| day.night = day.night.saturating_add(messages));
    }

    /// Adds recipients of an account's messages, but for the first of each message. As with nights, they are taken to be
    /// counted from the first day with a call on; an installation whose logs do not tell them makes none.
    pub fn recipients(&mut self, account: &str, beyond_first: u64) {
        self.has_recipients = true;
        change(&mut self.accounts, account, |day| {
            day.beyond = day.beyond.saturating_add(beyond_first);
        });
    }

    /// The accounts that sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.accounts().map(|(name, _)| name)
    }

    /// What they did, in order of their names. Counters alone are nobody's day.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&str, &AccountDay)> {
        let accounts = self.accounts.iter().map(|(name, day)| (&**name, day));
        accounts.filter(|(_, day)| day.messages > 0)
    }
}

fn change(
    accounts: &mut BTreeMap<Box<str>, AccountDay>,
    account: &str,
    change: impl FnOnce(&mut AccountDay),
) {
    match accounts.get_mut(account) {
        Some(day) => change(day),
        None => change(accounts.entry(account.into()).or_default()),
    }
}

/// A name that many share.
fn shared(names: &mut BTreeMap<Box<str>, Arc<Name>>, text: &str) -> Arc<Name> {
    match names.get(text) {
        Some(name) => Arc::clone(name),
        None => Arc::clone(names.entry(text.into()).or_insert_with(|| Arc::new(Name::of(text)))),
    }
}

impl ClientDay {
    fn add(&mut self, program: &Arc<Program>, messages: u64) {
        self.messages = self.messages.saturating_add(messages);
        let new = || (Arc::clone(program), 0);
        let (_, sum) = self.programs.find(|(known, _)| known.cmp(program), new);
        *sum = sum.saturating_add(messages);
    }
}

impl AccountDay {
    fn merge(&mut self, other: Self) {
        self.messages = self.messages.saturating_add(other.messages);
        other.senders.iter().for_each(|sender| self.sent_as(&sender.text));
        for (domain, messages) in &other.domains {
            self.sent_for(&domain.text, *messages, || Arc::clone(domain));
        }
        for client in other.clients {
            let own = self.client(&client.address, || client.place);
            client.programs.iter().for_each(|(program, messages)| own.add(program, *messages));
        }
        self.night = self.night.saturating_add(other.night);
        self.beyond = self.beyond.saturating_add(other.beyond);
    }

    fn sent_for(&mut self, domain: &str, messages: u64, name: impl FnOnce() -> Arc<Name>) {
        let compare = |(known, _): &(Arc<Name>, u64)| (*known.text).cmp(domain);
        let (_, sum) = self.domains.find(compare, || (name(), 0));
        *sum = sum.saturating_add(messages);
    }

    fn sent_as(&mut self, sender: &str) {
        let new = || Name::of(sender);
        self.senders.find(|known| (*known.text).cmp(sender), new);
    }

    fn client(&mut self, address: &str, place: impl FnOnce() -> Option<Place>) -> &mut ClientDay {
        let new = || ClientDay {
            address: address.into(),
            place: place(),
            messages: 0,
            programs: Few::default(),
        };
        find(&mut self.clients, |known| (*known.address).cmp(address), new)
    }

    /// The domain that most of its messages belong to.
    pub(crate) fn domain(&self) -> Option<&Name> {
        self.domains.iter().max_by_key(|(_, messages)| *messages).map(|(domain, _)| &**domain)
    }

    /// Every way in which it logged in; some more than once.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Program> {
        self.clients.iter().flat_map(|client| &client.programs).map(|(program, _)| &**program)
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
            let mut programs = traffic.accounts["ann"].programs();
            assert!(programs.all(|program| program.is_token() == is_token));
        }
    }
}
