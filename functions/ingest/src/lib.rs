//! Log-stream records into daily aggregates.
//!
//! One batch goes through these steps:
//!
//! 1. [`record`]: each record's bytes become lines of a log stream ([`cloudwatch`] for CloudWatch
//!    Logs payloads). What cannot be decoded is rejected.
//! 2. `logs`: lines become submissions and failed authentications, from the log stream's state.
//! 3. `report`: these are added up by day.
//! 4. `store`: the sums are added to the table, rejects are quarantined, and last of all the log
//!    streams' states are written.
//!
//! [`Ingest::event`] does this for a Kinesis event; [`FileIngest`] for a file, in batches of its own
//! choice.

pub mod cloudwatch;
mod collect;
mod file;
pub mod kinesis;
mod lines;
pub mod record;
mod state;
mod summary;
mod text;

use chrono_tz::Tz;
use report::{Days, LongNames, Range, Tally, Window};
use store::{Counting, Ingestion, Store, StoreError};
use thiserror::Error;

pub use collect::Collected;
pub use file::{FileIngest, Found, IngestedLine};
pub use lines::{Line, Lines};
pub use summary::Summary;
pub use text::Text;

/// Times that a batch is begun again because another reader of its log streams was faster.
const ATTEMPTS: usize = 20;

/// How logs are read and days counted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The logs' format, and the zone of their timestamps that name none.
    pub logs: logs::Options,
    /// The zone whose calendar days are counted.
    pub zone: Tz,
    /// The domain of senders that have none.
    pub default_domain: Box<str>,
    /// How the table marks long names: see [`Ingestion::claim_zone`].
    pub long_names: LongNames,
}

impl Settings {
    /// An empty tally for what can be stored at `now` (seconds since 1970): the days that are kept,
    /// and one more, because clocks differ.
    #[must_use]
    pub fn tally(&self, now: i64) -> Tally {
        let mut clock = Days::new(self.zone);
        let start = Range::kept(clock.day_of(now)).start;
        let days = Range { start, end: clock.day_of(now.saturating_add(86_400)) };
        let window = Window { days, default_domain: self.default_domain.clone() };
        Tally::new(clock, window).with_long_names(self.long_names)
    }
}

/// Why a batch was not ingested. Everything can be tried again.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The table did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other readers of the same log stream kept being faster.
    #[error("log stream {0} is being read by another process")]
    Contended(String),
}

/// Ingestion into one store.
#[derive(Clone, Debug)]
pub struct Ingest {
    counting: Counting,
    ingestion: Ingestion,
    settings: Settings,
}

impl Ingest {
    /// Ingestion into `store`.
    #[must_use]
    pub fn new(store: &Store, settings: Settings) -> Self {
        Self { counting: store.counting(), ingestion: store.ingestion(), settings }
    }

    /// How logs are read and days counted.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
