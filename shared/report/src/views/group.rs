//! What the rows of a table are.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::counting::account::Account;
use crate::counting::field::Field;
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
    /// TLS versions.
    Tls,
    /// Sender domains.
    Domain,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 6] =
        [Self::Sender, Self::Account, Self::Client, Self::Mechanism, Self::Tls, Self::Domain];

    /// The name in parameters, and of the column with the rows' names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Account => "account",
            Self::Client => "client",
            Self::Mechanism => "mechanism",
            Self::Tls => "tls",
            Self::Domain => "domain",
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
            Self::Tls => "TLS version",
            Self::Domain => "Sender domain",
        }
    }

    /// What has to be known of usage to find its row.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Sender => &[Field::Sender],
            Self::Account => Account::FIELDS,
            Self::Client => &[Field::Client],
            Self::Mechanism => &[Field::Mechanism],
            Self::Tls => &[Field::Tls],
            Self::Domain => &[Field::Domain],
        }
    }

    /// The name of the row that usage belongs to.
    #[must_use]
    pub const fn of<'k>(self, key: &UsageKey<'k>) -> &'k str {
        match self {
            Self::Sender => key.sender,
            Self::Account => key.account().name(),
            Self::Client => key.client,
            Self::Mechanism => key.mechanism,
            Self::Tls => key.tls.name(),
            Self::Domain => key.domain,
        }
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
    /// The TLS version. Not called `tls`: that is what messages are told apart by in every row.
    Version(String),
    /// The sender domain.
    Domain(String),
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
            Group::Tls => Self::Version(name),
            Group::Domain => Self::Domain(name),
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
            | Self::Version(name)
            | Self::Domain(name) => name,
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
