//! What is ingested into, and how.

use std::sync::Arc;

use chrono_tz::Tz;
use report::{Days, Range, Tally, Window};
use store::{Store, StoreError};
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
}

impl Settings {
    /// An empty tally for what can be stored at `now` (seconds since 1970): the days that are kept,
    /// and one more, because clocks differ.
    #[must_use]
    pub fn tally(&self, now: i64) -> Tally {
        let mut clock = Days::new(self.zone);
        let start = Range::kept(clock.day_of(now)).start;
        let days = Range { start, end: clock.day_of(now.saturating_add(86_400)) };
        Tally::new(clock, Window { days, default_domain: self.default_domain.clone() })
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
    pub(crate) store: Arc<Store>,
    pub(crate) settings: Settings,
}

impl Ingest {
    /// Ingestion into `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, settings: Settings) -> Self {
        Self { store, settings }
    }

    /// The store that is written to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How logs are read and days counted.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
