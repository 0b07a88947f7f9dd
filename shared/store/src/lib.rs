//! The DynamoDB table: keys, items, exactly-once writes, reads.
//!
//! This is the only crate that names the DynamoDB SDK. One implementation serves AWS and the engine
//! that is embedded on one machine; only the client's endpoint differs.
//!
//! A [`Store`] is the connection. What may be done over it are handles, each for some partitions: whoever holds
//! [`Usage`] cannot count. A test holds the handles of a function against the role that it has on AWS.
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
//! - What CloudWatch Logs sends once more comes as another record: the state knows its events by their ids. Of those that it
//!   has no room for, items beside it know, into which nothing goes that was not in a state that was written.
//! - The first state of a file is written before anything of it is counted: from then on no other log hands over to it what
//!   it left open, which would be settled at places that are counted already.
//! - What is told of a log (its lines, and what share was not understood) is a part of its carry-over, so it holds each line
//!   once. The list of logs has copies, for those who may not read states.
//!
//! Usage counters are packed into pages; the module `counting::counter_pages` tells how they stay exact when a page
//! is full and others take over.
//!
//! No transaction is needed for this. [`Writing::Transactions`] only packs many such writes into one
//! request, for an engine that is faster that way.
//!
//! # Engines
//!
//! On one machine `dynoxide` answers, which is young; `infra/local/src/engine.rs` and `watchers.rs` beside it alone name it.
//! Whatever takes its place needs `GetItem`, `Query` with pages, `PutItem`, `UpdateItem` and `DeleteItem` under conditions,
//! strongly consistent reads, the item that has refused a write (`ReturnValuesOnConditionCheckFailure`; or else it is read
//! afterwards, as the tests do for dynalite), `TransactWriteItems` for two states at once, `Scan` for `verify`, and an expiry of
//! items; and that what it has answered is on the disk. The archives hold all counts of closed days, and `rebuild` fills an empty store from them: that is the
//! way from one engine to another. The functions are tested over moto and dynalite, too.

mod alerts;
mod counting;
mod dynamo;
mod health;
mod ingestion;
mod mailing;
mod mutes;
mod notes;
mod store;
mod whole;
mod work;

pub use alerts::{Alerts, ChannelState, KnownAlerts, Watched};
pub use counting::admission::Limits;
pub use counting::client_names::NamesOfClients;
pub use counting::count::Counting;
pub use counting::days::{DayState, Days, Rebuilt};
pub use counting::failures::Failures;
pub use counting::finer::FinerCounters;
pub use counting::outcome::Outcome;
pub use counting::position::{Positions, Source};
pub use counting::rollups::Rollup;
pub use counting::seen::Seen;
pub use counting::summaries::{FailureRow, Summaries};
pub use counting::usage::{Usage, UsageFilter};
pub use dynamo::error::{StoreError, why_failed};
pub use dynamo::keys::REPORT_REQUESTS;
pub use dynamo::table::Writing;
pub use health::Health;
pub use ingestion::carry_over::{CarryOver, Written};
pub use ingestion::files::{Candidate, FINGERPRINT, Files, KnownFile};
pub use ingestion::listed::{SourceList, Sources};
pub use ingestion::memory::Ingestion;
pub use ingestion::quarantine::{LeftOut, Quarantine, Quarantined, Rejected};
pub use ingestion::samples::{Sample, Samples};
pub use mailing::report_requests::{Ended, ReportRequests};
pub use mailing::schedules::Schedules;
pub use notes::{HalfWritten, Notes};
pub use store::Store;
pub use whole::Whole;
pub use work::claims::Claim;
pub use work::items::WorkItems;
pub use work::kind::Work;
pub use work::placing::{Guard, IdempotencyKey, Limit, Placed};
