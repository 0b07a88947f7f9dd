//! Tables: computed once, kept for other orders and later pages.
//!
//! A table is kept under a checksum of everything that it was computed from: what was wanted, and the revisions
//! of the range's days. As long as these are the same it is right, whatever order, search or page is asked for. A
//! page that follows another comes from the same table, so that rows neither repeat nor get lost while counts go
//! on growing; if the table is gone, a new one is computed and the page begins behind the last row that was shown.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use history::{History, HistoryError, Wanted};
use report::{Range, Table};
use tokio::sync::Semaphore;

/// Tables computed at once: each keeps all cores busy, and takes memory.
const AT_ONCE: usize = 2;
/// Tables kept.
const TABLES: usize = 8;
/// Rows kept in all tables together: about 100 MB, or three times that where all addresses are as long as
/// can be. A larger table is kept alone.
const ROWS: usize = 1_000_000;

/// A table, with the number under which it is kept.
pub(crate) type Kept = (u64, Arc<Table>);

/// Computes tables, and keeps the last few.
pub(crate) struct Tables {
    history: History,
    turns: Semaphore,
    kept: Mutex<Recent>,
}

/// The last few tables, the one used last at the end.
#[derive(Default)]
struct Recent(VecDeque<Kept>);

impl Tables {
    pub(crate) fn new(history: History) -> Self {
        Self { history, turns: Semaphore::new(AT_ONCE), kept: Mutex::default() }
    }

    /// A table that was computed before, if it is still kept.
    pub(crate) fn kept(&self, id: u64) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(id)
    }

    /// The table of what is wanted of a range, as it is now.
    ///
    /// # Errors
    /// The history cannot be told.
    pub(crate) async fn table(&self, range: Range, wanted: &Wanted) -> Result<Kept, HistoryError> {
        let state = self.history.state(range).await?;
        let id = state.table_id(wanted);
        if let Some(known) = self.kept(id) {
            return Ok(known);
        }
        // Nothing ever closes the turns.
        let _turn = self.turns.acquire().await.ok();
        // Whoever had the turn before may have computed it.
        if let Some(known) = self.kept(id) {
            return Ok(known);
        }
        let table = self.history.table(&state, wanted).await?;
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(id, table))
    }
}

impl Recent {
    fn get(&mut self, id: u64) -> Option<Kept> {
        let at = self.0.iter().position(|(known, _)| *known == id)?;
        let found = self.0.remove(at)?;
        self.0.push_back(found.clone());
        Some(found)
    }

    /// Keeps a table; gives the one to show, which is an earlier one if somebody else was faster.
    fn put(&mut self, id: u64, table: Table) -> Kept {
        if let Some(known) = self.get(id) {
            return known;
        }
        let kept = (id, Arc::new(table));
        self.0.push_back(kept.clone());
        while self.0.len() > TABLES || (self.0.len() > 1 && self.rows() > ROWS) {
            self.0.pop_front();
        }
        kept
    }

    fn rows(&self) -> usize {
        self.0.iter().map(|(_, table)| table.len()).sum()
    }
}
