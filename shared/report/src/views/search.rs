//! What a text finds: senders, accounts and client addresses.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::group::{Group, RowName};
use super::labels::Noted;
use super::row::Row;
use super::sort::Sort;
use super::table::{Place, Table};
use crate::counting::origin::Origin;
use crate::notes::Note;

/// A sender, an account or a client that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundName {
    /// Who.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Its messages in all days that are kept.
    pub messages: u64,
    /// The first of these days on which it sent.
    pub first: NaiveDate,
    /// The last of them.
    pub last: NaiveDate,
}

/// Those of one group that were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundNames {
    /// Most messages first.
    pub rows: Vec<FoundName>,
    /// How many more were found.
    pub more: u64,
}

/// What a text finds in all days that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// What was searched for, in lower case.
    pub search: String,
    /// Envelope senders.
    pub senders: FoundNames,
    /// Users or service accounts.
    pub accounts: FoundNames,
    /// Client addresses.
    pub clients: FoundNames,
    /// Accounts, clients and networks whose notes have it, at most as many as of the others.
    pub noted: Vec<FoundNote>,
}

/// A note that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundNote {
    /// `account` or `client`.
    pub kind: String,
    /// The account, the client's address, or a network.
    pub subject: String,
    /// What is noted.
    #[serde(flatten)]
    pub noted: Noted,
}

impl From<&Note> for FoundNote {
    fn from(note: &Note) -> Self {
        let (kind, subject) = (note.subject.kind().to_owned(), note.subject.to_string());
        Self { kind, subject, noted: note.into() }
    }
}

impl FoundNames {
    /// At most `limit` rows of a table with this in their names, or in this network.
    #[must_use]
    pub fn of(table: &Table, search: &str, limit: usize) -> Self {
        let page = table.page(Sort::MOST_MESSAGES, search, Place::First, limit);
        let rows = page.rows.iter().map(|row| found(table.group(), row)).collect();
        Self { rows, more: page.after as u64 }
    }

    /// How many were found.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.rows.len() as u64 + self.more
    }
}

fn found(group: Group, row: &Row<'_>) -> FoundName {
    FoundName {
        name: RowName::of(group, row.name),
        origin: group.origin(row.name),
        messages: row.counts.total(),
        first: row.past.first,
        last: row.past.last,
    }
}
