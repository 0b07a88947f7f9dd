//! What the rows of a table are.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::Known;
use crate::counting::account::Account;
use crate::counting::field::Field;
#[cfg(doc)]
use crate::counting::kind::Kind;
use crate::counting::origin::Origin;
use crate::counting::usage::UsageKey;

/// What a table has a row for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Envelope senders.
    Sender,
    /// Users or service accounts ([`Account`]).
    Account,
    /// Client addresses; what has none in the log has the empty name.
    Client,
    /// Mechanisms; what has none in the log has the empty name.
    Mechanism,
    /// Kinds of mechanisms ([`Kind`]).
    Kind,
    /// TLS versions.
    Tls,
    /// Sender domains.
    Domain,
    /// Countries of client addresses, in two letters ([`Known`]).
    Country,
    /// Networks of client addresses: autonomous systems ([`Known`]).
    Network,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 9] = [
        Self::Sender,
        Self::Account,
        Self::Client,
        Self::Mechanism,
        Self::Kind,
        Self::Tls,
        Self::Domain,
        Self::Country,
        Self::Network,
    ];

    /// The name in parameters, and of the column with the rows' names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Account => "account",
            Self::Client => "client",
            Self::Mechanism => "mechanism",
            Self::Kind => "kind",
            Self::Tls => "tls",
            Self::Domain => "domain",
            Self::Country => "country",
            Self::Network => "network",
        }
    }

    /// The group with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// What people call it: the head of the column with the rows' names.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sender => "Sender address",
            Self::Account => "Account",
            Self::Client => "Client address",
            Self::Mechanism => "Mechanism",
            Self::Kind => "Kind of mechanism",
            Self::Tls => "TLS version",
            Self::Domain => "Sender domain",
            Self::Country => "Country",
            Self::Network => "Network",
        }
    }

    /// One of its rows, in a sentence.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Account => "account",
            Self::Client => "client address",
            Self::Mechanism => "mechanism",
            Self::Kind => "kind of mechanism",
            Self::Tls => "TLS version",
            Self::Domain => "sender domain",
            Self::Country => "country",
            Self::Network => "network",
        }
    }

    /// Several of its rows, in a sentence.
    #[must_use]
    pub const fn nouns(self) -> &'static str {
        match self {
            Self::Sender => "senders",
            Self::Account => "accounts",
            Self::Client => "client addresses",
            Self::Mechanism => "mechanisms",
            Self::Kind => "kinds of mechanisms",
            Self::Tls => "TLS versions",
            Self::Domain => "sender domains",
            Self::Country => "countries",
            Self::Network => "networks",
        }
    }

    /// What a row's name tells of where it belongs.
    #[must_use]
    pub fn origin(self, name: &str) -> Option<Origin> {
        match self {
            Self::Sender | Self::Account => Origin::of_account(name),
            Self::Client => Origin::of_client(name),
            _ => None,
        }
    }

    /// What has to be known of usage to find its row.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Sender => &[Field::Sender],
            Self::Account => Account::FIELDS,
            Self::Client | Self::Country | Self::Network => &[Field::Client],
            Self::Mechanism | Self::Kind => &[Field::Mechanism],
            Self::Tls => &[Field::Tls],
            Self::Domain => &[Field::Domain],
        }
    }

    /// The name that usage is added up under. What it means, as the kind of a mechanism, is looked up when everything is
    /// added up: [`TableBuilder::told_apart_by`](crate::TableBuilder::told_apart_by).
    #[must_use]
    pub const fn of<'k>(self, key: &UsageKey<'k>) -> &'k str {
        match self {
            Self::Sender => key.sender,
            Self::Account => key.account().name(),
            Self::Client | Self::Country | Self::Network => key.client,
            Self::Mechanism | Self::Kind => key.mechanism,
            Self::Tls => key.tls.name(),
            Self::Domain => key.domain,
        }
    }
}

impl Group {
    /// The row that messages with a name, as [`of`](Self::of) tells it, are in.
    #[must_use]
    pub fn meant_by<'n>(self, name: &'n str, known: &'n Known) -> Cow<'n, str> {
        match self {
            Self::Kind => known.kinds.of(name).name().into(),
            Self::Country => known.country(name),
            Self::Network => known.network(name),
            _ => name.into(),
        }
    }

    /// Whether its rows are named by what the names in logs mean.
    #[must_use]
    pub const fn is_of_meaning(self) -> bool {
        matches!(self, Self::Kind | Self::Country | Self::Network)
    }
}

/// Whose messages a row holds: one field, called after the table's group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowName {
    /// The envelope sender.
    Sender(String),
    /// The user or service account: the authenticated user, or the sender where the log names none.
    Account(String),
    /// The client address; empty where the log does not tell.
    Client(String),
    /// The mechanism; empty where the log does not tell.
    Mechanism(String),
    /// The kind of mechanism.
    Kind(String),
    /// The TLS version. Not called `tls`: that is what messages are told apart by in every row.
    Version(String),
    /// The sender domain.
    Domain(String),
    /// The country of the client addresses, in two letters; empty where nobody knows.
    Country(String),
    /// The network of the client addresses, as in `AS64500`; empty where nobody knows.
    Network(String),
}

impl RowName {
    /// The name of a row in a group's table.
    #[must_use]
    pub fn of(group: Group, name: &str) -> Self {
        let name = name.to_owned();
        match group {
            Group::Sender => Self::Sender(name),
            Group::Account => Self::Account(name),
            Group::Client => Self::Client(name),
            Group::Mechanism => Self::Mechanism(name),
            Group::Kind => Self::Kind(name),
            Group::Tls => Self::Version(name),
            Group::Domain => Self::Domain(name),
            Group::Country => Self::Country(name),
            Group::Network => Self::Network(name),
        }
    }

    /// The name alone.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Sender(name)
            | Self::Account(name)
            | Self::Client(name)
            | Self::Mechanism(name)
            | Self::Kind(name)
            | Self::Version(name)
            | Self::Domain(name)
            | Self::Country(name)
            | Self::Network(name) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for group in Group::ALL {
            assert_eq!(Group::from_name(group.name()), Some(group));
        }
        assert_eq!(Group::from_name("sender "), None);
    }
}
