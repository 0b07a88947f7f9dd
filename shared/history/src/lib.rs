//! A range's usage: from archives for closed days, from items for open ones.
//!
//! Charts read rollups and never come here. Tables, details and CSV do: [`History::table`] adds the usage of
//! a range up by a group, [`History::gather`] in any way, [`History::walk`] hands it out in order. All read a
//! day from its archive where that is current, and from the table's usage items where it is not.
//!
//! # The archive
//!
//! Four Parquet files a day, in an object store (S3, or a folder), under Hive's layout:
//!
//! | object | columns | sorted by |
//! | --- | --- | --- |
//! | `usage/dt=2026-11-20/usage.parquet` | `sender`, `domain`, `account`, `mechanism`, `tls`, `client`: text; `messages`: 64-bit integer | all columns, in this order |
//! | `senders/dt=2026-11-20/senders.parquet` | `sender`, `domain`, `tls`: text; `messages`: 64-bit integer | the same |
//! | `failures/dt=2026-11-20/failures.parquet` | `account`, `client`, `hour`: text; `failures`: 64-bit integer | the same |
//! | `finer/dt=2026-11-20/finer.parquet` | `account`, `what`: text; `count`: 64-bit integer | the same |
//!
//! Text is as in [`report::UsageKey`] (`account` is its username); no column has nulls. The second file is the
//! first one, summed by sender and TLS version (and domain, which the null sender can have several of): tables
//! that need nothing else read only it, and of either file only the columns that they need. Files are
//! compressed with Zstandard and carry statistics. The same items always give the same bytes. The third file, of failed
//! logins, and the fourth, of finer counters (`what` is as in [`report::Finer`]), are there for a store that is lost, and so
//! is `usage/dt=2026-11-20/_manifest.json`, a copy of the manifest. Archives of before may lack either.
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
//!   then the state once more; it writes the objects over the old ones, and then, under the condition
//!   that nobody else replaced it, the *manifest* into the day's state: the revision it read **first**, and
//!   each object's size and SHA-256. It also has the version of the files' form: an archive of another version
//!   is unusable to readers, and the archiver makes it again.
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
//! - *The object store does not answer*: whoever reads a range waits for one of its days (one a core, if they are read at
//!   once), says so, and takes the items of all others.
//!
//! # When the table is lost
//!
//! [`Rebuilding`] counts the archives into an empty table, each row once, as any other source of records: it can be killed
//! anywhere, and goes on. From the moment on that a day is begun, nothing else is counted into it
//! ([`store::Rebuilt`]): which lines are in its archive, nobody knows any more. An archive that has more messages than the
//! table, which does not know it, is never written over: somebody may go on counting before he finds out.
//!
//! So whatever a query returns, it counts every message of every batch that was finished before the query
//! began, none of a batch that had not begun when it ended, and no message twice.

mod agreement;
mod archiving;
mod besides;
mod blocking;
mod error;
mod gather;
mod grain;
mod history;
mod manifest;
mod read;
mod rebuilding;
mod rows;
mod state;
mod wanted;
mod write;

pub use agreement::Agreement;
pub use archiving::{Archived, Standing};
pub use blocking::blocking;
pub use error::{HistoryError, Unusable};
pub use gather::{Gather, Merge};
pub use history::{History, Watch};
pub use rebuilding::{Became, Rebuilding};
pub use rows::DayRows;
pub use state::RangeState;
pub use wanted::Wanted;
