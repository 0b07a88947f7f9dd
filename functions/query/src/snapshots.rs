//! Tables that were computed for a first page, kept for the pages that follow.
//!
//! Later pages come from the same computation: quick, and consistent while counts go on growing. If it
//! is gone, the table is computed again, and the page begins behind the last row that was shown.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use report::views::SenderRow;

/// Tables kept.
const TABLES: usize = 8;
/// Rows kept in all tables together: about 50 MB.
const ROWS: usize = 500_000;

type Table = Arc<Vec<SenderRow>>;

/// The last few tables.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<(u64, VecDeque<(u64, Table)>)>);

impl Snapshots {
    pub(crate) fn get(&self, id: u64) -> Option<Table> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().find(|(known, _)| *known == id).map(|(_, table)| Arc::clone(table))
    }

    pub(crate) fn put(&self, table: Table) -> (u64, Table) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == 0 {
            // Another process must not take this one's numbers for its own.
            kept.0 = u64::from(std::process::id()) << 32 | u64::from(start_of_process());
        }
        kept.0 += 1;
        let id = kept.0;
        kept.1.push_back((id, Arc::clone(&table)));
        let rows = |tables: &VecDeque<(u64, Table)>| -> usize {
            tables.iter().map(|(_, t)| t.len()).sum()
        };
        while kept.1.len() > TABLES || (kept.1.len() > 1 && rows(&kept.1) > ROWS) {
            kept.1.pop_front();
        }
        (id, table)
    }
}

/// A number that differs between processes.
fn start_of_process() -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    let number = RandomState::new().hash_one(0);
    u32::try_from(number >> 33).unwrap_or(0)
}
