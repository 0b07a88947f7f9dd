//! A row of a table.

use super::change::change;
use crate::counting::day::Day;
use crate::counting::tls::TlsCounts;

/// The messages of one of a table's [`Group`](crate::Group).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'t> {
    /// Whose: unique within the table.
    pub name: &'t str,
    /// How many per TLS version.
    pub counts: TlsCounts,
    /// What else is known of its days.
    pub past: Past,
}

/// What is known of a row beside its messages in the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Past {
    /// Messages in as many days before the range; none if not all of them are kept.
    pub before: Option<u64>,
    /// The first of the days that are kept on which it sent.
    pub first: Day,
    /// The last of them.
    pub last: Day,
}

impl Row<'_> {
    /// Its messages against those of as many days before, in percent; none if there were none, or nobody knows.
    #[must_use]
    pub fn change(&self) -> Option<f64> {
        change(self.past.before?, self.counts.total())
    }
}
