//! Who still sends over legacy versions: TLS 1.0, TLS 1.1, or none at all ([`TlsVersion::is_legacy`]).

use super::group::Group;
use super::row::Row;
use super::sort::Sort;
use super::table::{Place, Table};
use crate::counting::origin::Origin;
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

/// At most `limit` rows with most messages over legacy versions: none without any, and none that is not a client's
/// ([`Group::origin`](super::Group::origin)).
#[must_use]
pub fn most(table: &Table, limit: usize) -> Vec<Row<'_>> {
    let is_clients = |row: &Row<'_>| is_to_give_up(table.group(), row);
    let mut rows = table.page(Sort::MOST_LEGACY, "", Place::First, limit).rows;
    if rows.iter().any(|row| row.counts.legacy() > 0 && !is_clients(row)) {
        rows = table.rows(Sort::MOST_LEGACY, "").filter(is_clients).take(limit).collect();
    }
    rows.retain(is_clients);
    rows
}

/// Whether a row has messages of a client's over legacy versions.
fn is_to_give_up(group: Group, row: &Row<'_>) -> bool {
    row.counts.legacy() > 0 && !group.origin(row.name).is_some_and(Origin::is_own)
}
