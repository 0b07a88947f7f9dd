//! Filters as addresses, bodies and stored items have them: names with values.

use std::collections::BTreeMap;

use super::filter::{Clients, Filter};
use super::group::Group;
use super::known::OWN_NETWORKS;
use super::off::Off;
use crate::counting::kind::Kind;
use crate::counting::tls::TlsVersion;
use crate::wording::displayed;

/// How what the log does not tell is written: it is stored as nothing.
const UNTOLD: &str = "(none)";
/// The longest sender domain, in characters.
pub const DOMAIN_LIMIT: usize = 255;

/// A name as filters have it: `(none)` is what the log does not tell.
#[must_use]
pub fn written(value: &str) -> &str {
    if value.is_empty() { UNTOLD } else { value }
}

/// What people call a filter.
#[must_use]
pub fn label(name: &str) -> &str {
    match name {
        "off" => "Refused without",
        _ => Group::from_name(name).map_or(name, |group| group.label()),
    }
}

/// Values under the names that they were given under.
pub fn by_name<'f>(
    given: impl IntoIterator<Item = (&'f str, String)>,
) -> BTreeMap<String, Vec<String>> {
    let mut filters = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in given {
        filters.entry(name.to_owned()).or_default().push(value);
    }
    filters
}

/// Filters in words, `shown` characters of each one's values at most: `Account ann@example.org; TLS version TLS1.0, none`.
#[must_use]
pub fn in_words(filters: &BTreeMap<String, Vec<String>>, shown: usize) -> String {
    let one = |(name, values): (&String, &Vec<String>)| {
        format!("{} {}", label(name), displayed(&values.join(", "), shown))
    };
    filters.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn told(text: &str) -> &str {
    if text == UNTOLD { "" } else { text }
}

/// Reads a sender domain; none if it can be none.
#[must_use]
pub fn sender_domain(given: &str) -> Option<String> {
    let fits = |c: char| !c.is_control() && !c.is_whitespace() && !"@/\\<>\"'".contains(c);
    let is_domain = given.chars().count() <= DOMAIN_LIMIT && given.chars().all(fits);
    is_domain.then(|| given.to_lowercase())
}

impl Filter {
    /// The names that values are given under.
    pub const NAMES: [&str; 10] = [
        "domain",
        "sender",
        "account",
        "client",
        "mechanism",
        "kind",
        "tls",
        "off",
        "country",
        "network",
    ];

    /// Adds a value that was given under one of the [`NAMES`](Self::NAMES), in any case.
    ///
    /// # Errors
    /// What it must be.
    pub fn give(&mut self, name: &str, value: &str) -> Result<(), String> {
        let lowered = value.to_lowercase();
        let one_of = |names: &[&str]| format!("it must be one of {}", names.join(", "));
        match name {
            "domain" => self.domains.push(sender_domain(value).ok_or(A_DOMAIN)?),
            "sender" => self.senders.push(lowered),
            "account" => self.accounts.push(lowered),
            "client" => self.clients.push(clients(&lowered).ok_or(A_CLIENT)?),
            "mechanism" => self.mechanisms.push(told(&lowered).to_uppercase()),
            "kind" => {
                let kind = Kind::from_name(value);
                self.kinds.push(kind.ok_or_else(|| one_of(&Kind::ALL.map(Kind::name)))?);
            }
            "tls" => {
                let version = TlsVersion::from_name(value);
                let wrong = || one_of(&TlsVersion::ALL.map(TlsVersion::name));
                self.tls.push(version.ok_or_else(wrong)?);
            }
            "country" => self.countries.push(country(value).ok_or(A_COUNTRY)?),
            "network" => self.networks.push(network(value).ok_or(A_NETWORK)?),
            "off" => self.off.push(Off::read(value).ok_or(AN_OFF)?),
            _ => return Err(one_of(&Self::NAMES)),
        }
        Ok(())
    }

    /// Everything that was given, as [`give`](Self::give) takes it.
    #[must_use]
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let Self { domains, senders, accounts, clients, mechanisms, kinds, tls, off, .. } = self;
        let mut all = Vec::new();
        let mut add = |name: &'static str, values: &mut dyn Iterator<Item = &str>| {
            all.extend(values.map(|value| (name, written(value).to_owned())));
        };
        add("domain", &mut domains.iter().map(String::as_str));
        add("sender", &mut senders.iter().map(String::as_str));
        add("account", &mut accounts.iter().map(String::as_str));
        let clients: Vec<_> = clients.iter().map(Clients::to_string).collect();
        add("client", &mut clients.iter().map(String::as_str));
        add("mechanism", &mut mechanisms.iter().map(String::as_str));
        add("kind", &mut kinds.iter().map(|kind| kind.name()));
        add("tls", &mut tls.iter().map(|version| version.name()));
        add("off", &mut off.iter().map(Off::name));
        add("country", &mut self.countries.iter().map(String::as_str));
        add("network", &mut self.networks.iter().map(String::as_str));
        all
    }

    /// The same without one value.
    #[must_use]
    pub fn without(&self, name: &str, value: &str) -> Self {
        let mut other = Self { known: self.known.clone(), ..Self::default() };
        for (given, text) in self.given() {
            if (given, text.as_str()) != (name, value) {
                // What was given can be given again.
                let _ = other.give(given, &text);
            }
        }
        other
    }

    /// The sender domain, if exactly one is asked for.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match self.domains.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }
}

/// What a domain must be.
pub const A_DOMAIN: &str = "it must be a domain as in example.org, or (none)";
/// What clients must be.
pub const A_CLIENT: &str =
    "it must be an address, or a network as in 203.0.113.0/24 or 2001:db8::/32";
/// What can be turned off.
const AN_OFF: &str = "it must be TLS versions (TLS1.0, TLS1.1, TLS1.2, TLS1.3, none, unknown), kinds of mechanisms (basic, \
                      challenge, oauth, certificate, kerberos) or mechanisms, with commas between";

/// What a country must be.
const A_COUNTRY: &str =
    "it must be a country in two letters as in DE, (private), or (none) where nobody knows";
/// What a network must be.
const A_NETWORK: &str =
    "it must be the number of a network as in AS64500, (private), or (none) where nobody knows";

fn country(text: &str) -> Option<String> {
    let is_code = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
    if is_code { Some(text.to_uppercase()) } else { special(text) }
}

fn network(text: &str) -> Option<String> {
    let upper = text.to_uppercase();
    let number = upper.strip_prefix("AS").unwrap_or(&upper);
    // One way to write a number is enough.
    let is_number = number.bytes().all(|digit| digit.is_ascii_digit()) && !number.starts_with('0');
    match number.parse::<u32>() {
        Ok(number) if is_number => Some(format!("AS{number}")),
        _ => special(text),
    }
}

/// Own networks, or that nobody knows.
fn special(text: &str) -> Option<String> {
    let name = told(text);
    (name.is_empty() && !text.is_empty() || name == OWN_NETWORKS).then(|| name.to_owned())
}

/// Reads a client's address or a network; `(none)` is where the log does not tell.
#[must_use]
pub fn clients(text: &str) -> Option<Clients> {
    Clients::read(told(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_can_be_given_again() {
        let mut filter = Filter::default();
        for (name, value) in [
            ("domain", "Example.test"),
            ("sender", "<>"),
            ("account", "Ann"),
            ("client", "203.0.113.9/24"),
            ("client", "(none)"),
            ("mechanism", "plain"),
            ("mechanism", "(none)"),
            ("kind", "basic"),
            ("tls", "TLS1.0"),
            ("off", "none"),
            ("country", "de"),
            ("country", "(none)"),
            ("network", "64500"),
            ("network", "(private)"),
            ("off", "Login"),
        ] {
            assert_eq!(filter.give(name, value), Ok(()), "{name} {value}");
        }
        let given = filter.given();
        let mut again = Filter::default();
        given.iter().for_each(|(name, value)| again.give(name, value).expect("given before"));
        assert_eq!(again, filter);
        assert!(given.contains(&("client", "203.0.113.0/24".to_owned())));
        assert!(given.contains(&("mechanism", "(none)".to_owned())));
        assert_eq!(filter.domain(), Some("example.test"));
        let without = filter.without("client", "(none)");
        assert_eq!((without.clients.len(), without.mechanisms.len()), (1, 2));
        for (name, wrong) in [
            ("domain", "a b"),
            ("client", "1.2.3.0/33"),
            ("kind", "none"),
            ("tls", "tls1.0"),
            ("off", ""),
            ("country", "DEU"),
            ("country", ""),
            ("network", "AS0"),
            ("network", "+5"),
            ("network", "AS007"),
            ("network", "4294967296"),
            ("colour", "red"),
        ] {
            assert!(filter.give(name, wrong).is_err(), "{name} {wrong}");
        }
    }
}
