//! A row of a table.

use crate::counting::tls::TlsCounts;

/// The messages of one of a table's [`Group`](crate::Group).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'t> {
    /// Whose: unique within the table.
    pub name: &'t str,
    /// How many per TLS version.
    pub counts: TlsCounts,
}
