//! Orders of a table.

use std::cmp::Ordering;

use super::group::Group;
use super::row::Row;
use crate::counting::tls::{TlsCounts, TlsVersion};

/// A column to sort by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// The rows' names.
    Name,
    /// The message count.
    Messages,
    /// Messages over TLS 1.0, TLS 1.1 and without TLS, together.
    Legacy,
    /// Messages of one TLS version.
    Tls(TlsVersion),
    /// Their percentage of the row's messages.
    Percent(TlsVersion),
}

impl Column {
    /// The order of two rows' counts; equal for [`Column::Name`].
    pub(super) fn compare(self, one: &TlsCounts, other: &TlsCounts) -> Ordering {
        match self {
            Self::Name => Ordering::Equal,
            Self::Messages => one.total().cmp(&other.total()),
            Self::Legacy => one.legacy().cmp(&other.legacy()),
            Self::Tls(version) => one.get(version).cmp(&other.get(version)),
            Self::Percent(version) => {
                // Fractions are compared crosswise: exact, where rounded percentages are not.
                let part = |counts: &TlsCounts| u128::from(counts.get(version));
                let whole = |counts: &TlsCounts| u128::from(counts.total().max(1));
                (part(one) * whole(other)).cmp(&(part(other) * whole(one)))
            }
        }
    }
}

/// A column and a direction. Rows that are equal in it stand in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column.
    pub column: Column,
    /// Largest first.
    pub descending: bool,
}

impl Sort {
    /// Most messages first.
    pub const MOST_MESSAGES: Self = Self { column: Column::Messages, descending: true };

    /// Most messages over legacy TLS versions, or without TLS, first.
    pub const MOST_LEGACY: Self = Self { column: Column::Legacy, descending: true };

    /// Every order of a group's table.
    pub fn all() -> impl Iterator<Item = Self> {
        let versions =
            TlsVersion::ALL.map(|version| [Column::Tls(version), Column::Percent(version)]);
        let columns = [Column::Name, Column::Messages, Column::Legacy].into_iter();
        let columns = columns.chain(versions.into_iter().flatten());
        columns.flat_map(|column| [false, true].map(|descending| Self { column, descending }))
    }

    /// Reads an order of a group's table: the group's own name, `messages`, `legacy`, `TLS1.0` or
    /// `TLS1.0.percent` (any version), with `-` before it for descending; none if it is no such text.
    #[must_use]
    pub fn read(group: Group, text: &str) -> Option<Self> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let column = match name {
            name if name == group.name() => Column::Name,
            "messages" => Column::Messages,
            "legacy" => Column::Legacy,
            _ => match name.strip_suffix(".percent") {
                Some(version) => Column::Percent(TlsVersion::from_name(version)?),
                None => Column::Tls(TlsVersion::from_name(name)?),
            },
        };
        Some(Self { column, descending })
    }

    /// The text that [`Self::read`] reads.
    #[must_use]
    pub fn written(self, group: Group) -> String {
        let minus = if self.descending { "-" } else { "" };
        let (name, percent) = match self.column {
            Column::Name => (group.name(), ""),
            Column::Messages => ("messages", ""),
            Column::Legacy => ("legacy", ""),
            Column::Tls(version) => (version.name(), ""),
            Column::Percent(version) => (version.name(), ".percent"),
        };
        format!("{minus}{name}{percent}")
    }

    /// The order of two rows.
    #[must_use]
    pub fn compare(self, one: &Row<'_>, other: &Row<'_>) -> Ordering {
        let by_name = || one.name.cmp(other.name);
        match self.column {
            Column::Name => self.directed(by_name()),
            column => self.directed(column.compare(&one.counts, &other.counts)).then_with(by_name),
        }
    }

    pub(super) fn directed(self, ordering: Ordering) -> Ordering {
        if self.descending { ordering.reverse() } else { ordering }
    }
}
