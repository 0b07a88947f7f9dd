//! How many names are told apart that a stranger can vary at will.
//!
//! Whoever has taken over an account chooses the sender of each message, and can have any number of IPv6 addresses;
//! whoever guesses passwords chooses the user names. So of each [`Owner`] and day, only so many of these
//! **claims** are admitted. What is beyond is counted under one name for all others: the number of messages, their
//! TLS versions and mechanisms, and the sums of the account stay exact.
//!
//! Which claims are admitted is for the store to decide, once and for ever: see [`Tally::cap`](crate::Tally::cap).

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};

use siphasher::sip::SipHasher13;

use super::day::Day;
use super::submission::{NULL_SENDER, OTHER_SENDERS, UNKNOWN_SENDER, domain_of, own_domain};
use super::usage::UsageKey;

/// What stands for the clients of a sender that are not told apart.
pub const OTHER_CLIENTS: &str = "(other clients)";
/// What stands for the user names of failed logins that are not told apart.
pub const OTHER_NAMES: &str = "(other names)";

/// Whose claims are numbered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// An account, for its senders and their clients.
    Account(Box<str>),
    /// A client's network ([`network`]), for the user names that were tried from there.
    Network(Box<str>),
}

/// What is claimed on a day, by owner: 64 bits a claim, in the order of [`Tally::claims`](crate::Tally::claims).
pub type Claims = HashMap<(Day, Owner), Vec<u64>>;

/// What of it is denied.
pub type Denied = HashMap<(Day, Owner), HashSet<u64>>;

/// The claims that usage makes: none of these if its sender and its client cannot be varied at will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UsageClaims {
    pub(super) sender: Option<u64>,
    /// The sender from this client.
    pub(super) pair: Option<u64>,
}

/// What usage claims of its account.
///
/// An account's own address is free, and so are IPv4 addresses, of which nobody has very many: ordinary
/// submissions need no decision. Where the log names no account, whoever feeds it chooses what it says.
pub(super) fn usage_claims(key: &UsageKey<'_>, default_domain: &str) -> UsageClaims {
    let UsageKey { sender, username, client, .. } = *key;
    if username.is_empty() {
        return UsageClaims::default();
    }
    let completed = || {
        let name = sender.strip_suffix(default_domain).and_then(|name| name.strip_suffix('@'));
        own_domain(username).is_none() && name == Some(username)
    };
    let free = sender == username
        || matches!(sender, NULL_SENDER | UNKNOWN_SENDER | OTHER_SENDERS)
        || completed();
    UsageClaims {
        sender: (!free).then(|| claim(&[sender])),
        pair: (!free || client.contains(':')).then(|| claim(&[sender, client])),
    }
}

/// The key that usage is counted under, if one of its claims was denied.
pub(super) fn capped<'k>(
    key: &UsageKey<'k>,
    default_domain: &'k str,
    denied: impl Fn(u64) -> bool,
) -> Option<UsageKey<'k>> {
    let UsageClaims { sender, pair } = usage_claims(key, default_domain);
    if !pair.is_some_and(&denied) {
        return None;
    }
    Some(match sender.is_some_and(denied) {
        false => UsageKey { client: OTHER_CLIENTS, ..*key },
        true => UsageKey {
            domain: domain_of(OTHER_SENDERS, key.username, default_domain),
            sender: OTHER_SENDERS,
            client: OTHER_CLIENTS,
            ..*key
        },
    })
}

/// What a failed login with this user name claims of its client's network.
pub(super) fn failure_claim(account: &str, client: &str) -> u64 {
    claim(&[account, client])
}

/// A client's network: all that one customer of a provider has at the least. IPv4 addresses stand for themselves.
#[must_use]
pub fn network(client: &str) -> Box<str> {
    match client.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)).into()
        }
        Ok(IpAddr::V4(address)) => address.to_string().into(),
        Err(_) => client.into(),
    }
}

/// SipHash-1-3 without a key, over the texts with a tab between: it is stored, so it may never change.
fn claim(texts: &[&str]) -> u64 {
    SipHasher13::new().hash(texts.join("\t").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    fn key<'a>(sender: &'a str, username: &'a str, client: &'a str) -> UsageKey<'a> {
        let (domain, mechanism, tls) = ("example.test", "PLAIN", TlsVersion::Tls13);
        UsageKey { domain, sender, username, mechanism, tls, client }
    }

    #[test]
    fn ordinary_submissions_claim_nothing() {
        for (sender, username) in [
            ("ann@example.test", "ann@example.test"),
            ("ann@example.test", "ann"),
            (NULL_SENDER, "ann"),
            ("anything@example.test", ""),
        ] {
            let claims = usage_claims(&key(sender, username, "192.0.2.1"), "example.test");
            assert_eq!(claims, UsageClaims::default(), "{sender} {username}");
        }
        let from = |client| usage_claims(&key("ann", "ann", client), "(none)").pair.is_some();
        assert!(from("2001:db8::1") && !from("192.0.2.1") && !from(""));
        let claims = usage_claims(&key("x@example.test", "ann", ""), "(none)");
        assert!(claims.sender.is_some() && claims.pair.is_some());
    }

    #[test]
    fn what_is_denied_keeps_its_account() {
        let one = key("x@corp.test", "ann@example.test", "192.0.2.1");
        let UsageClaims { sender, pair } = usage_claims(&one, "(none)");
        assert_eq!(capped(&one, "(none)", |_| false), None);
        let client = capped(&one, "(none)", |claim| Some(claim) == pair).expect("capped");
        assert_eq!((client.sender, client.client), ("x@corp.test", OTHER_CLIENTS));
        let both = |claim| Some(claim) == pair || Some(claim) == sender;
        let other = capped(&one, "(none)", both).expect("capped");
        assert_eq!((other.domain, other.sender), ("example.test", OTHER_SENDERS));
        assert_eq!((other.username, other.mechanism, other.tls), (one.username, "PLAIN", one.tls));
    }

    #[test]
    fn networks_and_claims_are_the_same_for_ever() {
        assert_eq!(&*network("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
        assert_eq!(&*network("192.0.2.1"), "192.0.2.1");
        assert_eq!(&*network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(&*network(""), "");
        assert_eq!(claim(&["a@example.test", "192.0.2.1"]), CLAIM);
    }

    const CLAIM: u64 = 9_802_011_335_171_174_132;
}
