//! Log-stream records into daily aggregates.
//!
//! One batch goes through these steps:
//!
//! 1. [`unpack::record`]: each record's bytes become lines of a log stream ([`unpack::cloudwatch`] for CloudWatch
//!    Logs payloads). What cannot be decoded is rejected, and events that were read before are left out. So much is
//!    read at once that memory stays bounded; all that follows is done for each such part.
//! 2. `logs`: lines become submissions and failed authentications, from the log stream's state.
//! 3. `report`: these are added up by day.
//! 4. `store`: the sums are added to the table, rejects are quarantined, and last of all the log
//!    streams' states are written.
//!
//! [`Ingest::event`] does this for a Kinesis event; [`FileIngest`] for a file, in batches of its own
//! choice.

mod batch;
mod collect;
mod file;
pub mod kinesis;
mod landmarks;
mod repeats;
mod sampled;
mod service;
mod state;
mod summary;
mod window;

pub use collect::Collected;
pub use file::{FileIngest, Found, IngestedLine};
pub use landmarks::{Landmarks, Rests};
pub use sampled::Shared;
pub use service::{Ingest, IngestError, Settings};
pub use summary::Summary;
