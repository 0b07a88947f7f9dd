//! Tables that were computed, kept for other orders and later pages.
//!
//! A table is kept by what it was computed from: range, domain, and the revisions of the range's days. As
//! long as these are the same it is right, whatever order, search or page is asked for. A page that follows
//! another comes from the same table, so that rows neither repeat nor get lost while counts go on growing; if
//! the table is gone, a new one is computed and the page begins behind the last row that was shown.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use report::Table as Senders;

/// Tables kept.
const TABLES: usize = 8;
/// Rows kept in all tables together: about 100 MB, or three times that where all addresses are as long as
/// can be. A larger table is kept alone.
const ROWS: usize = 1_000_000;

/// The last few tables, the one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<VecDeque<(u64, Arc<Senders>)>>);

impl Snapshots {
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Senders>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(known, _)| *known == id)?;
        let found = kept.remove(at)?;
        let table = Arc::clone(&found.1);
        kept.push_back(found);
        Some(table)
    }

    /// Keeps a table; gives the one to show, which is an earlier one if somebody else was faster.
    pub(crate) fn put(&self, id: u64, table: Senders) -> Arc<Senders> {
        if let Some(known) = self.get(id) {
            return known;
        }
        let table = Arc::new(table);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id, Arc::clone(&table)));
        let rows = |tables: &VecDeque<(u64, Arc<Senders>)>| -> usize {
            tables.iter().map(|(_, table)| table.len()).sum()
        };
        while kept.len() > TABLES || (kept.len() > 1 && rows(&kept) > ROWS) {
            kept.pop_front();
        }
        table
    }
}
