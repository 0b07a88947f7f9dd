//! The table and its archives, as one thing to ask.

use std::fmt;
use std::sync::Arc;

use object_store::ObjectStore;
use report::{Day, Range};
use store::{Days, Failures, FinerCounters, Store, Usage};

use crate::error::{HistoryError, Unusable};
use crate::state::RangeState;

/// Told whenever an archive that should be usable is not: the day, and why.
pub type Watch = Arc<dyn Fn(Day, &Unusable) + Send + Sync>;

/// The table and its archives.
#[derive(Clone)]
pub struct History {
    pub(crate) usage: Usage,
    pub(crate) failures: Failures,
    pub(crate) finer: FinerCounters,
    pub(crate) days: Days,
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) watch: Watch,
}

impl History {
    /// The history in `store`, with its closed days in `objects`.
    #[must_use]
    pub fn new(store: &Store, objects: Arc<dyn ObjectStore>) -> Self {
        let watch: Watch = Arc::new(|day, error| {
            tracing::warn!(%day, %error, "archive cannot be used: its day is read from items");
        });
        let (usage, days) = (store.usage(), store.days());
        let (failures, finer) = (store.failures(), store.finer_counters());
        Self { usage, failures, finer, days, objects, watch }
    }

    /// Tells `watch` of archives that cannot be used, and not the log.
    #[must_use]
    pub fn watched_by(self, watch: Watch) -> Self {
        Self { watch, ..self }
    }

    /// The present state of a range's days.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn state(&self, range: Range) -> Result<RangeState, HistoryError> {
        Ok(RangeState { range, days: self.days.states(range).await? })
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("objects", &self.objects).finish_non_exhaustive()
    }
}
