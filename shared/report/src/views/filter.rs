//! Which usage a view is of.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use super::known::Known;
use super::off::Off;
use crate::counting::account::Account;
use crate::counting::field::Field;
use crate::counting::kind::Kind;
use crate::counting::tls::TlsVersion;

/// Only usage that has one of the values of each field; where none is given, any. The default passes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Sender domains.
    pub domains: Vec<String>,
    /// Envelope senders.
    pub senders: Vec<String>,
    /// Users or service accounts ([`Account`]).
    pub accounts: Vec<String>,
    /// Where clients are.
    pub clients: Vec<Clients>,
    /// Mechanisms; empty is what has none in the log.
    pub mechanisms: Vec<String>,
    /// Kinds of mechanisms.
    pub kinds: Vec<Kind>,
    /// TLS versions.
    pub tls: Vec<TlsVersion>,
    /// What is turned off: only what any of it refuses.
    pub off: Vec<Off>,
    /// Countries in two letters, [`OWN_NETWORKS`](super::OWN_NETWORKS), or nothing where nobody knows.
    pub countries: Vec<String>,
    /// Networks, as in `AS64500`; otherwise as countries.
    pub networks: Vec<String>,
    /// What is known of names beside the logs.
    pub known: Known,
}

/// One client, or those of a network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Clients {
    /// The one with this address; empty is what has none in the log.
    One(String),
    /// All with an address in it.
    Network(IpNet),
}

impl Clients {
    /// Reads an address, or a network as in `203.0.113.0/24` or `2001:db8::/32`; anything else without a slash is the name of one, too:
    /// `(other clients)`. None if what looks like a network is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Some((address, length)) = text.split_once('/') {
            let network: IpNet = text.parse().ok()?;
            // One way to write a network is enough.
            let is_usual = match network {
                IpNet::V4(_) => true,
                IpNet::V6(_) => {
                    address.ends_with("::") && !address.contains('.') && address.len() > 2
                }
            };
            let is_usual = is_usual && length == network.prefix_len().to_string();
            return is_usual.then(|| Self::Network(network.trunc()));
        }
        let address = text.parse::<IpAddr>().map(|address| address.to_string());
        Some(Self::One(address.unwrap_or_else(|_| text.to_owned())))
    }

    /// Whether a client is meant.
    #[must_use]
    pub fn has(&self, client: &str) -> bool {
        match self {
            Self::One(address) => address == client,
            Self::Network(network) => {
                client.parse::<IpAddr>().is_ok_and(|address| network.contains(&address))
            }
        }
    }
}

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(address) => f.write_str(address),
            Self::Network(IpNet::V4(network)) => network.fmt(f),
            // As it is read: usual short forms leave out the longest zeros, which need not be the last.
            Self::Network(IpNet::V6(network)) => {
                let groups = network.network().segments();
                let told = groups.iter().rposition(|group| *group != 0).map_or(1, |last| last + 1);
                for group in &groups[..told] {
                    write!(f, "{group:x}:")?;
                }
                write!(f, ":/{}", network.prefix_len())
            }
        }
    }
}

impl Filter {
    /// What one sender domain has, or all if none is given.
    #[must_use]
    pub fn of_domain(domain: Option<&str>) -> Self {
        Self { domains: domain.map(str::to_owned).into_iter().collect(), ..Self::default() }
    }

    /// Whether usage passes, of which `field` tells the parts: it is asked only for what has to be known.
    #[must_use]
    pub fn passes<'k>(&self, field: impl Fn(Field) -> &'k str) -> bool {
        let Self { domains, senders, accounts, clients, mechanisms, kinds, tls, off, .. } = self;
        let Self { countries, networks, known, .. } = self;
        let is = |wanted: &[String], of| wanted.is_empty() || wanted.iter().any(|w| w == field(of));
        // Each row of a day comes here: what tells most apart is looked at first.
        is(senders, Field::Sender)
            && is(domains, Field::Domain)
            && (clients.is_empty() || clients.iter().any(|one| one.has(field(Field::Client))))
            && is(mechanisms, Field::Mechanism)
            && (kinds.is_empty() || kinds.contains(&known.kinds.of(field(Field::Mechanism))))
            && (tls.is_empty() || tls.iter().any(|one| one.name() == field(Field::Tls)))
            && (off.is_empty()
                || off.iter().any(|one| one.refuses(field(one.field()), &known.kinds)))
            && (countries.is_empty() || {
                let country = known.country(field(Field::Client));
                countries.iter().any(|one| **one == *country)
            })
            && (networks.is_empty() || {
                let network = known.network(field(Field::Client));
                networks.iter().any(|one| **one == *network)
            })
            && (accounts.is_empty() || {
                let account = Account::of(field(Field::Username), field(Field::Sender)).name();
                accounts.iter().any(|one| one == account)
            })
    }

    /// Whether it passes everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.fields().next().is_none()
    }

    /// Whether nothing is asked but domains.
    #[must_use]
    pub fn is_of_domains(&self) -> bool {
        self.fields().all(|field| field == Field::Domain)
    }

    /// Whether it asks for nothing that has to be looked at, row by row, in a group of rows of which `may_hold` tells
    /// whether any can hold a value in a field.
    #[must_use]
    pub fn may_pass(&self, may_hold: impl Fn(Field, &str) -> bool) -> bool {
        let Self { domains, senders, accounts, clients, mechanisms, tls, off, .. } = self;
        let any = |wanted: &[String], of| {
            wanted.is_empty() || wanted.iter().any(|value| may_hold(of, value))
        };
        // A network is of addresses that do not stand together.
        let may_be = |clients: &Clients| match clients {
            Clients::One(address) => may_hold(Field::Client, address),
            Clients::Network(_) => true,
        };
        any(senders, Field::Sender)
            && any(domains, Field::Domain)
            && (clients.is_empty() || clients.iter().any(may_be))
            && any(mechanisms, Field::Mechanism)
            && (tls.is_empty() || tls.iter().any(|one| may_hold(Field::Tls, one.name())))
            && (off.is_empty()
                || off.iter().any(|one| match one {
                    Off::Kind(_) => true,
                    one => may_hold(one.field(), one.name()),
                }))
            && (accounts.is_empty()
                || accounts.iter().any(|account| {
                    // An account is a name in the log, or a sender where there is none.
                    may_hold(Field::Username, account)
                        || may_hold(Field::Username, "") && may_hold(Field::Sender, account)
                }))
    }

    /// What has to be known of usage to tell whether it passes.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let Self { domains, senders, accounts, clients, mechanisms, kinds, tls, off, .. } = self;
        let asked = [
            (senders.is_empty(), Field::Sender),
            (domains.is_empty(), Field::Domain),
            (
                clients.is_empty() && self.countries.is_empty() && self.networks.is_empty(),
                Field::Client,
            ),
            (mechanisms.is_empty() && kinds.is_empty(), Field::Mechanism),
            (tls.is_empty(), Field::Tls),
        ];
        let asked = asked.into_iter().filter(|(is_empty, _)| !is_empty).map(|(_, field)| field);
        let of_account = if accounts.is_empty() { &[][..] } else { Account::FIELDS };
        asked.chain(of_account.iter().copied()).chain(off.iter().map(Off::field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_one_or_those_of_a_network() {
        let has = |text: &str, client| Clients::read(text).expect("clients").has(client);
        assert!(has("203.0.113.9", "203.0.113.9"));
        assert!(!has("203.0.113.9", "203.0.113.90"));
        assert!(has("203.0.113.9/24", "203.0.113.77"));
        assert!(!has("203.0.113.0/24", "203.0.112.77"));
        assert!(!has("203.0.113.0/24", ""));
        assert!(has("2001:DB8::/32", "2001:db8:9::1"));
        assert!(has("2001:DB8:0::1", "2001:db8::1"), "in the form in which it is counted");
        assert!(has("(other clients)", "(other clients)"));
        for (text, written) in [
            ("203.0.113.9/24", "203.0.113.0/24"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("2001:0:0:0:5::/80", "2001:0:0:0:5::/80"),
            ("2001:db8:1:2:3:4:5::/112", "2001:db8:1:2:3:4:5::/112"),
            ("2001:db8:1:2:3:4:5::/113", "2001:db8:1:2:3:4:5::/113"),
            ("0::/0", "0::/0"),
        ] {
            let clients = Clients::read(text).expect("a network");
            assert_eq!(clients.to_string(), written);
            assert_eq!(Clients::read(&clients.to_string()), Some(clients), "it is read back");
        }
        for wrong in
            ["203.0.113.0/33", "x/y", "/", "203.0.113/24", "2001:db8::1/32", "192.0.2.0/024"]
        {
            assert_eq!(Clients::read(wrong), None, "{wrong}");
        }
    }
}
