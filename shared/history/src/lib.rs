//! A range's usage: from archives for closed days, from items for open ones.
//!
//! Charts read rollups and never come here. Tables, details and CSV do: [`History::gather`] adds up the
//! usage of a range, [`History::walk`] hands it out in order. Both read a day from its archive where that
//! is current, and from the table's usage items where it is not.
//!
//! # The archive
//!
//! Two Parquet files a day, in an object store (S3, or a folder), under Hive's layout:
//!
//! | object | columns | sorted by |
//! | --- | --- | --- |
//! | `usage/dt=2026-11-20/usage.parquet` | `sender`, `domain`, `account`, `mechanism`, `tls`, `client`: text; `messages`: 64-bit integer | all columns, in this order |
//! | `senders/dt=2026-11-20/senders.parquet` | `sender`, `domain`, `tls`: text; `messages`: 64-bit integer | the same |
//!
//! Text is as in [`report::UsageKey`]; no column has nulls. The second file is the first one, summed by
//! sender and TLS version (and domain, which the null sender can have several of): tables read only it,
//! and of it only the columns that they need. Files are compressed with Zstandard and carry statistics.
//! The same items always give the same bytes.
//!
//! # When an archive may be used
//!
//! An archive is a cache: usage items stay in the table for the whole retention, so it can always be made
//! again, and any doubt about it is settled by reading the items.
//!
//! - **Ingestion** raises the day's *revision* after it has written everything of a batch, whichever day
//!   that is ([`store::DayState`]). No clock decides what is late: a line that comes while the archive is
//!   written is treated as one that comes weeks afterwards. A batch that is delivered again raises it
//!   again, which costs a new archive and nothing else.
//! - **The archiver** ([`History::archive`]) reads the day's state, then its items (strongly consistent),
//!   then the state once more; it writes the two objects over the old ones, and then, under the condition
//!   that nobody else replaced it, the *manifest* into the day's state: the revision it read **first**, and
//!   each object's size and SHA-256.
//! - **A reader** reads the states of all days of its range in one strongly consistent query. It uses an
//!   archive only if the manifest has the day's own revision, and the object has the manifest's size and
//!   checksum. Otherwise it reads the items, and says so ([`Watch`]).
//!
//! The races, one by one:
//!
//! - *A batch is finished before the archiver reads the revision*: its items were written before, so the
//!   archiver sees all of them.
//! - *A batch is finished after that*: the revision is higher than the manifest's. The archive is stale from
//!   the moment the batch is finished, and what the archiver saw of the batch's items does not matter.
//! - *A batch is under way, or its writer died and the records will come again*: whether its messages are
//!   counted already is open, in an archive as in the items, until it is finished.
//! - *The archiver dies after it wrote an object*: the object has another checksum than the old manifest
//!   says, or the same if nothing had changed. In the first case readers take the items.
//! - *Two archivers*: the first to put its manifest wins; the other is refused, and begins again. If an
//!   object of the other's stands beside the manifest meanwhile, it has the same bytes or another checksum.
//! - *An object is replaced while a reader fetches it*: the store replaces whole objects, and the checksum
//!   is of the one that the manifest names.
//! - *An object is lost or damaged*: readers take the items; the job makes it again.
//!
//! So whatever a query returns, it counts every message of every batch that was finished before the query
//! began, none of a batch that had not begun when it ended, and no message twice.

mod archiving;
mod gather;
mod manifest;
mod read;
mod rows;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use object_store::ObjectStore;
use report::{Day, Range};
use store::{DayState, Store, StoreError};
use thiserror::Error;

pub use archiving::{Archived, Standing};
pub use gather::{Gather, Merge};
pub use rows::DayRows;

use manifest::Manifest;

/// Told whenever an archive that should be usable is not: the day, and why.
pub type Watch = Arc<dyn Fn(Day, &Unusable) + Send + Sync>;

/// Why an archive cannot be used, in words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unusable(String);

impl Unusable {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Why the history of a range cannot be told, or not be archived.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The table did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An archive cannot be written or removed.
    #[error("cannot archive: {0}")]
    Archive(String),
    /// An archive broke off after a part of it was handed out.
    #[error("the archive of {0} broke off: ask again")]
    BrokeOff(Day),
}

impl HistoryError {
    fn archive(error: impl fmt::Display) -> Self {
        Self::Archive(error.to_string())
    }
}

/// What of the usage is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Only this domain's.
    pub domain: Option<String>,
    /// Only this sender's.
    pub sender: Option<String>,
    /// How fine.
    pub grain: Grain,
}

/// How finely usage is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grain {
    /// By sender and TLS version; the other fields of [`report::UsageKey`] may be empty.
    Senders,
    /// By everything.
    Usage,
}

/// The table and its archives.
#[derive(Clone)]
pub struct History {
    store: Arc<Store>,
    objects: Arc<dyn ObjectStore>,
    watch: Watch,
}

/// The states of the days of a range at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeState {
    range: Range,
    days: BTreeMap<Day, DayState>,
}

impl RangeState {
    /// A checksum of the range's revisions: while it stays the same, no batch was finished, and what was
    /// gathered from the range is still right.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.range.hash(&mut hasher);
        for (day, state) in &self.days {
            (day, state.revision).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The manifest of a day's archive, if there is one of the day's own revision.
    fn manifest(&self, day: Day) -> Option<Result<Manifest, Unusable>> {
        let state = self.days.get(&day)?;
        let manifest = Manifest::read(state.archive.as_deref()?);
        match manifest {
            Ok(manifest) if manifest.revision != state.revision => None,
            manifest => Some(manifest),
        }
    }
}

impl History {
    /// The history in `store`, with its closed days in `objects`.
    #[must_use]
    pub fn new(store: Arc<Store>, objects: Arc<dyn ObjectStore>) -> Self {
        let watch: Watch = Arc::new(|day, error| {
            tracing::warn!(%day, %error, "archive cannot be used: its day is read from items");
        });
        Self { store, objects, watch }
    }

    /// Tells `watch` of archives that cannot be used, and not the log.
    #[must_use]
    pub fn watched_by(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// The table.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The present state of a range's days.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn state(&self, range: Range) -> Result<RangeState, HistoryError> {
        Ok(RangeState { range, days: self.store.days(range).await? })
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("objects", &self.objects).finish_non_exhaustive()
    }
}
