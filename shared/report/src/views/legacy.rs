//! Who still sends over legacy versions: TLS 1.0, TLS 1.1, or none at all ([`TlsVersion::is_legacy`]).

use super::row::Row;
use super::sort::Sort;
use super::table::{Place, Table};
use crate::counting::tls::{TlsCounts, TlsVersion, percent};

/// The legacy versions, in the order of [`TlsVersion::ALL`].
pub fn versions() -> impl Iterator<Item = TlsVersion> {
    TlsVersion::ALL.into_iter().filter(|version| version.is_legacy())
}

/// Messages over legacy versions in percent of all, as in [`percent`].
#[must_use]
pub fn share(counts: &TlsCounts) -> f64 {
    percent(counts.legacy(), counts.total())
}

/// At most `limit` rows with most messages over legacy versions, and none without any.
#[must_use]
pub fn most(table: &Table, limit: usize) -> Vec<Row<'_>> {
    let mut rows = table.page(Sort::MOST_LEGACY, "", Place::First, limit).rows;
    rows.retain(|row| row.counts.legacy() > 0);
    rows
}
