//! The table and its archives, as one thing to ask.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::ObjectStore;
use report::{Day, Range};
use store::{Days, Failures, FinerCounters, Store, Usage};
use tokio::time::Instant;

use crate::error::{HistoryError, Unusable};
use crate::grain::Grain;
use crate::manifest::Manifest;
use crate::state::{Away, RangeState};

/// An object store that lets somebody wait for so long and then gives nothing does not work: it would for every day.
const IN_VAIN: Duration = Duration::from_secs(1);

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
        let days = self.days.states(range).await?;
        Ok(RangeState { range, days, away: Away::default() })
    }

    /// Fetches a file of a day's archive. None if the object store let somebody wait in vain for another day of the state: that
    /// is told once.
    pub(crate) async fn fetch(
        &self,
        state: &RangeState,
        day: Day,
        manifest: &Manifest,
        grain: Grain,
    ) -> Option<Result<Bytes, Unusable>> {
        if state.away.is_known() {
            return None;
        }
        let began = Instant::now();
        let found = match manifest.get(&*self.objects, day, grain).await {
            Ok(found) => found,
            Err(error) if began.elapsed() < IN_VAIN => return Some(Err(error)),
            Err(error) => {
                state.away.found();
                return Some(Err(Unusable(format!(
                    "{error}; the archives of other days are not waited for"
                ))));
            }
        };
        Some(manifest.check(found, day, grain).await)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").field("objects", &self.objects).finish_non_exhaustive()
    }
}
