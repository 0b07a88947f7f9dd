//! The DynamoDB table: keys, items, exactly-once writes, reads.
//!
//! This is the only crate that names the DynamoDB SDK. One implementation serves AWS and the engine
//! that is embedded on one machine; only the client's endpoint differs.
//!
//! # Exactly-once counting
//!
//! Log streams deliver at least once, and re-deliver cut into other batches. Every item with counters
//! therefore remembers, for each source that was counted into it, the **position** of the last record
//! counted, in an attribute named after the source. A write adds what came after that position:
//!
//! - It is conditional: the item must know no position of this source, or one before the first record
//!   of the write. So a part that was counted already is never counted again.
//! - When the condition fails, DynamoDB returns the item as it is. The writer works out what it holds
//!   beyond the position found there; nothing left means that all was counted before.
//! - When all counters of a batch are written, the revision of every day in it is raised
//!   ([`DayState::revision`]): whoever finds it unchanged knows that no batch was finished meanwhile.
//! - The reader's state of a log stream (its [`CarryOver`]) is written last, under the condition that
//!   nobody else wrote it since it was read. After a crash at any point, the next delivery starts from the old state, finds
//!   the same submissions again, and the items that have them refuse them.
//!
//! Usage counters are packed into pages; the crate's module `counter_pages` tells how they stay exact when a page
//! is full and others take over.
//!
//! No transaction is needed for this. [`Writing::Transactions`] only packs many such writes into one
//! request, for an engine that is faster that way.

mod counting;
mod dynamo;
mod ingestion;
mod mailing;

use std::collections::HashSet;
use std::sync::Mutex;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::DisplayErrorContext;
use thiserror::Error;

use counting::counter_pages::{self, Directory};

pub use counting::count::Outcome;
pub use counting::days::DayState;
pub use counting::position::{Positions, Source};
pub use counting::seen::Seen;
pub use counting::usage::{FailureRow, Rollup, UsageFilter};
pub use ingestion::carry_over::{CarryOver, Written};
pub use ingestion::files::{FINGERPRINT, KnownFile};
pub use ingestion::quarantine::{Quarantined, Rejected};
pub use mailing::report_requests::{Claim, Ended, Guard, IdempotencyKey, Placed, REPORT_REQUESTS};

/// How counters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// One request an item, this many at once: the cheapest on AWS.
    Single {
        /// Requests under way at once.
        concurrency: usize,
    },
    /// A hundred items a request: twice the write units on AWS, a tenth of the time on one machine.
    Transactions,
}

/// The table, and what this process knows about it.
#[derive(Debug)]
pub struct Store {
    client: Client,
    table: String,
    writing: Writing,
    /// Names already written as seen on a day: a write saved, never a wrong count.
    seen: Mutex<HashSet<u64>>,
    directory: Mutex<Directory>,
    /// Bytes that a page of counters may take.
    page: usize,
}

/// What can go wrong with the table.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A request failed, after the SDK's own retries.
    #[error("{operation} failed: {detail}")]
    Request {
        /// The operation, as AWS names it.
        operation: &'static str,
        /// The whole chain of causes.
        detail: String,
    },
    /// An item does not hold what this program writes.
    #[error("item {key} does not hold {expected}")]
    Item {
        /// Partition and sort key.
        key: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The table was filled with days of another zone.
    #[error(
        "the store counts days in zone {stored}, not {asked}: use zone {stored}, or another store"
    )]
    Zone {
        /// The zone of the days stored.
        stored: String,
        /// The zone configured.
        asked: String,
    },
}

impl StoreError {
    fn request<E: std::error::Error>(operation: &'static str, error: &E) -> Self {
        Self::Request { operation, detail: DisplayErrorContext(error).to_string() }
    }
}

impl Store {
    /// The table of this name, reached through `client`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, writing: Writing) -> Self {
        Self {
            client,
            table: table.into(),
            writing,
            seen: Mutex::default(),
            directory: Mutex::default(),
            page: counter_pages::PAGE,
        }
    }

    /// Lets pages of counters take so many bytes, and not one write unit's worth: small ones show sooner
    /// what becomes of full pages.
    #[must_use]
    pub fn with_pages_of(self, bytes: usize) -> Self {
        Self { page: bytes, ..self }
    }
}
