//! Tables: computed once, kept for other orders and later pages.
//!
//! A table is kept under a checksum of everything that it was computed from: what was wanted, and the revisions
//! of the range's days. As long as these are the same it is right, whatever order, search or page is asked for. A
//! page that follows another comes from the same table, so that rows neither repeat nor get lost while counts go
//! on growing; if the table is gone, a new one is computed and the page begins behind the last row that was shown.
//!
//! Pages name their table by a checksum of what is in it: it tells nobody more than its rows do, as would one of
//! revisions, which grow with everybody's mail. And whoever names a table must have asked for that one: it may be
//! another's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use history::{History, HistoryError, Wanted, blocking};
use report::views::cursor::checksum;
use report::views::{Stories, Story};
use report::{Range, Table};
use tokio::sync::Semaphore;

/// Tables computed at once: each keeps all cores busy, and takes memory.
const AT_ONCE: usize = 2;
/// Tables kept.
const TABLES: usize = 8;
/// Rows kept in all tables together: about 100 MB, or three times that where all addresses are as long as
/// can be. A larger table is kept alone.
const ROWS: usize = 1_000_000;

/// Stories kept in all pages together: a few kilobytes each.
const STORIES: usize = 5_000;

/// A table, with the number that pages name it by.
pub(crate) type Kept = (u64, Arc<Table>);

/// Computes tables, and keeps the last few.
pub(crate) struct Tables {
    history: History,
    turns: Semaphore,
    kept: Mutex<Recent>,
    stories: Mutex<RecentStories>,
}

/// What is wanted of the stories of a table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Telling {
    /// Days and mechanisms.
    Usual,
    /// With the client addresses.
    Clients,
    /// Without days: for many rows.
    ClientsOnly,
}

impl Telling {
    fn of(self, stories: Stories) -> Stories {
        match self {
            Self::Usual => stories,
            Self::Clients => stories.with_clients(),
            Self::ClientsOnly => stories.with_clients().without_days(),
        }
    }
}

/// Stories of the rows of a page, in their order.
type PageStories = Arc<Vec<Story>>;

/// The stories of the last few pages, under checksums of all that they were computed from; the one used last at the end.
#[derive(Default)]
struct RecentStories(VecDeque<(u64, PageStories)>);

/// A table, and what it is an answer to.
struct Entry {
    range: Range,
    wanted: Wanted,
    /// A checksum of what it was computed from.
    from: u64,
    kept: Kept,
}

impl Entry {
    fn answers(&self, range: Range, wanted: &Wanted) -> bool {
        self.range == range && self.wanted == *wanted
    }
}

/// The last few tables, the one used last at the end.
#[derive(Default)]
struct Recent(VecDeque<Entry>);

impl Tables {
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            turns: Semaphore::new(AT_ONCE),
            kept: Mutex::default(),
            stories: Mutex::default(),
        }
    }

    /// The table of what is wanted of a range that pages name so, if it is still kept.
    pub(crate) fn kept(&self, id: u64, range: Range, wanted: &Wanted) -> Option<Kept> {
        self.get(|entry| entry.kept.0 == id && entry.answers(range, wanted))
    }

    fn get(&self, is_meant: impl Fn(&Entry) -> bool) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(is_meant)
    }

    /// The table that is wanted, as it is now, with what these days tell of its rows.
    ///
    /// # Errors
    /// The history cannot be told.
    pub(crate) async fn table(&self, range: Range, wanted: &Wanted) -> Result<Kept, HistoryError> {
        let state = self.history.state(range).await?;
        let from = state.table_id(wanted);
        let is_it = |entry: &Entry| entry.from == from && entry.answers(range, wanted);
        if let Some(known) = self.get(is_it) {
            return Ok(known);
        }
        // Nothing ever closes the turns.
        let _turn = self.turns.acquire().await.ok();
        // Whoever had the turn before may have computed it.
        if let Some(known) = self.get(is_it) {
            return Ok(known);
        }
        let table = self.history.table(&state, wanted).await?;
        let kept = blocking(move || (checksum(&table), Arc::new(table))).await;
        let entry = Entry { range, wanted: wanted.clone(), from, kept };
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(entry))
    }
}

impl Tables {
    /// The stories of some rows of a table, in the order of these names, as they are now.
    ///
    /// # Errors
    /// The history cannot be told.
    pub(crate) async fn stories(
        &self,
        wanted: &Wanted,
        names: &[&str],
        telling: Telling,
    ) -> Result<PageStories, HistoryError> {
        let state = self.history.state(wanted.range).await?;
        let id = checksum(&(state.table_id(wanted), names, telling));
        let known = || self.stories.lock().unwrap_or_else(PoisonError::into_inner).get(id);
        if let Some(known) = known() {
            return Ok(known);
        }
        let _turn = self.turns.acquire().await.ok();
        if let Some(known) = known() {
            return Ok(known);
        }
        let (names, tell) = (names.iter().copied(), |stories| telling.of(stories));
        let stories = Arc::new(self.history.stories(&state, wanted, names, tell).await?);
        let mut recent = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        recent.put(id, Arc::clone(&stories));
        Ok(stories)
    }
}

impl RecentStories {
    fn get(&mut self, id: u64) -> Option<PageStories> {
        let at = self.0.iter().position(|(known, _)| *known == id)?;
        let found = self.0.remove(at)?;
        self.0.push_back(found.clone());
        Some(found.1)
    }

    fn put(&mut self, id: u64, stories: PageStories) {
        // Those of a whole file are for one answer.
        if stories.len() <= STORIES {
            self.0.push_back((id, stories));
        }
        while self.0.iter().map(|(_, stories)| stories.len()).sum::<usize>() > STORIES {
            self.0.pop_front();
        }
    }
}

impl Recent {
    fn get(&mut self, is_meant: impl Fn(&Entry) -> bool) -> Option<Kept> {
        let at = self.0.iter().position(is_meant)?;
        let found = self.0.remove(at)?;
        let kept = found.kept.clone();
        self.0.push_back(found);
        Some(kept)
    }

    /// Keeps a table; gives the one to show, which is an earlier one if somebody else was faster.
    fn put(&mut self, entry: Entry) -> Kept {
        let Entry { range, ref wanted, from, .. } = entry;
        if let Some(known) = self.get(|one| one.from == from && one.answers(range, wanted)) {
            return known;
        }
        let kept = entry.kept.clone();
        self.0.push_back(entry);
        while self.0.len() > TABLES || (self.0.len() > 1 && self.rows() > ROWS) {
            self.0.pop_front();
        }
        kept
    }

    fn rows(&self) -> usize {
        self.0.iter().map(|entry| entry.kept.1.len()).sum()
    }
}
