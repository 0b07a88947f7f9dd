//! What is usual for an account, for whoever judges what is not.

use std::collections::BTreeSet;

use report::views::Details;
use report::{TlsVersion, displayed, grouped};

use crate::network::Place;

/// Characters of a name in a sentence.
const NAME: usize = 80;

/// What an account did on the days on which it sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usual {
    /// Days on which it sent.
    pub days: u64,
    /// Messages of a usual one of these: as many have fewer as have more.
    pub messages: u64,
    /// Messages of the largest.
    pub most_messages: u64,
    /// Sites that it sent from: a /24 each, or a /48 of IPv6.
    pub networks: u64,
    /// The mechanism of most of its messages; empty where the log does not tell.
    pub mechanism: String,
    /// The TLS version of these.
    pub tls: TlsVersion,
    /// How many senders it was.
    pub senders: u64,
    /// Whether most of its mail was from its own name.
    pub is_itself: bool,
}

impl Usual {
    /// What everything about an account in a range tells; none if it sent nothing.
    #[must_use]
    pub fn of(account: &str, found: &Details) -> Option<Self> {
        let mut days: Vec<u64> = found.days.iter().map(|day| day.messages).collect();
        days.retain(|messages| *messages > 0);
        days.sort_unstable();
        let most_messages = *days.last()?;
        let sites = found.clients.iter().filter_map(|client| Some(Place::of(&client.name)?.site));
        let most = found.uses.first();
        let own = |sender: &str| sender.eq_ignore_ascii_case(account);
        Some(Self {
            days: days.len() as u64,
            messages: days[(days.len() - 1) / 2],
            most_messages,
            networks: sites.collect::<BTreeSet<_>>().len() as u64,
            mechanism: most.map(|used| used.mechanism.clone()).unwrap_or_default(),
            tls: most.map_or(TlsVersion::Unknown, |used| used.version),
            senders: found.senders.len() as u64,
            is_itself: found.senders.first().is_some_and(|sender| own(&sender.name)),
        })
    }

    /// The same in words, as in `4 messages a day, from 3 networks, by PLAIN over TLS1.3, as itself`.
    #[must_use]
    pub fn told(&self) -> String {
        let several = |number: u64, one: &str| match number {
            1 => format!("1 {one}"),
            more => format!("{} {one}s", grouped(more)),
        };
        let mut told = format!("{} a day", several(self.messages, "message"));
        if self.networks > 0 {
            told += &format!(", from {}", several(self.networks, "network"));
        }
        match (self.mechanism.as_str(), self.tls) {
            ("", TlsVersion::Unknown) => {}
            ("", tls) => told += &format!(", over {}", tls.name()),
            (mechanism, TlsVersion::Unknown) => {
                told += &format!(", by {}", displayed(mechanism, NAME));
            }
            (mechanism, tls) => {
                told += &format!(", by {} over {}", displayed(mechanism, NAME), tls.name());
            }
        }
        match (self.senders, self.is_itself) {
            (0, _) => {}
            (1, true) => told += ", as itself",
            (1, false) => told += ", as somebody else",
            (more, true) => {
                told += &format!(", as itself and {} more", several(more - 1, "sender"))
            }
            (more, false) => told += &format!(", as {}", several(more, "sender")),
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual() -> Usual {
        Usual {
            days: 3,
            messages: 4,
            most_messages: 9,
            networks: 3,
            mechanism: "PLAIN".to_owned(),
            tls: TlsVersion::Tls13,
            senders: 1,
            is_itself: true,
        }
    }

    #[test]
    fn what_is_usual_is_told_in_a_line() {
        assert_eq!(
            usual().told(),
            "4 messages a day, from 3 networks, by PLAIN over TLS1.3, as itself"
        );
        let unknown = Usual {
            messages: 1,
            networks: 0,
            mechanism: String::new(),
            tls: TlsVersion::Unknown,
            senders: 2,
            ..usual()
        };
        assert_eq!(unknown.told(), "1 message a day, as itself and 1 sender more");
        let other = Usual { senders: 1, is_itself: false, ..unknown };
        assert_eq!(other.told(), "1 message a day, as somebody else");
    }
}
