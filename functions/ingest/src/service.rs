//! What is ingested into, and how.

use chrono_tz::Tz;
use report::{Days, LongNames, Range, Tally, Window};
use store::{Counting, Ingestion, Samples, Store, StoreError};
use thiserror::Error;

/// Times that a batch is begun again because another reader of its log streams was faster.
pub(crate) const ATTEMPTS: usize = 20;

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
    pub(crate) counting: Counting,
    pub(crate) ingestion: Ingestion,
    pub(crate) samples: Samples,
    pub(crate) settings: Settings,
}

impl Ingest {
    /// Ingestion into `store`.
    #[must_use]
    pub fn new(store: &Store, settings: Settings) -> Self {
        let (counting, ingestion) = (store.counting(), store.ingestion());
        Self { counting, ingestion, samples: store.samples(), settings }
    }

    /// The logs from which something was counted that happened on the day of an instant, in seconds since 1970.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sources_on(&self, time: i64) -> Result<Vec<String>, IngestError> {
        let samples = self.samples.of(Days::new(Tz::UTC).day_of(time)).await?;
        Ok(samples.into_iter().map(|sample| sample.source).collect())
    }

    /// How logs are read and days counted.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
