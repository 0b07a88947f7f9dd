//! Orders of a table.

use std::cmp::Ordering;

use super::group::Group;
use super::row::{Past, Row};
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
    /// The message count against that of as many days before: what sent nothing then has grown most.
    Change,
    /// The first day on which it sent.
    First,
    /// The last day on which it sent.
    Last,
}

impl Column {
    /// The order of two rows by their figures; equal for [`Column::Name`].
    pub(super) fn compare(self, one: &Row<'_>, other: &Row<'_>) -> Ordering {
        let (past, other_past) = (one.past, other.past);
        let (one, other) = (&one.counts, &other.counts);
        match self {
            Self::Name => Ordering::Equal,
            Self::First => past.first.cmp(&other_past.first),
            Self::Last => past.last.cmp(&other_past.last),
            Self::Change => {
                let before = |past: Past| u128::from(past.before.unwrap_or(0));
                let now = |counts: &TlsCounts| u128::from(counts.total());
                (now(one) * before(other_past)).cmp(&(now(other) * before(past)))
            }
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

    /// Every order.
    pub fn all() -> impl Iterator<Item = Self> {
        let versions =
            TlsVersion::ALL.map(|version| [Column::Tls(version), Column::Percent(version)]);
        let columns = [
            Column::Name,
            Column::Messages,
            Column::Legacy,
            Column::Change,
            Column::First,
            Column::Last,
        ];
        let columns = columns.into_iter();
        let columns = columns.chain(versions.into_iter().flatten());
        columns.flat_map(|column| [false, true].map(|descending| Self { column, descending }))
    }

    /// Every text that [`Self::read`] reads.
    pub fn texts() -> impl Iterator<Item = String> {
        let by_group = Group::ALL.into_iter().map(Group::name);
        let by_group = by_group.flat_map(|name| [name.to_owned(), format!("-{name}")]);
        Self::all().map(Self::written).chain(by_group)
    }

    /// Reads an order: `name` or what any group is called by, `messages`, `legacy`, `change`, `first`, `last`, `TLS1.0` or `TLS1.0.percent` (any
    /// version), with `-` before it for descending; none if it is no such text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (descending, name) = match text.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, text),
        };
        let column = match name {
            "name" => Column::Name,
            "messages" => Column::Messages,
            "legacy" => Column::Legacy,
            "change" => Column::Change,
            "first" => Column::First,
            "last" => Column::Last,
            name if Group::from_name(name).is_some() => Column::Name,
            _ => match name.strip_suffix(".percent") {
                Some(version) => Column::Percent(TlsVersion::from_name(version)?),
                None => Column::Tls(TlsVersion::from_name(name)?),
            },
        };
        Some(Self { column, descending })
    }

    /// The text that [`Self::read`] reads.
    #[must_use]
    pub fn written(self) -> String {
        let minus = if self.descending { "-" } else { "" };
        let (name, percent) = match self.column {
            Column::Name => ("name", ""),
            Column::Messages => ("messages", ""),
            Column::Legacy => ("legacy", ""),
            Column::Change => ("change", ""),
            Column::First => ("first", ""),
            Column::Last => ("last", ""),
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
            column => self.directed(column.compare(one, other)).then_with(by_name),
        }
    }

    pub(super) fn directed(self, ordering: Ordering) -> Ordering {
        if self.descending { ordering.reverse() } else { ordering }
    }
}
