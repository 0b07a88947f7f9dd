//! How the days of a range stand at one moment.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use report::{Day, Range};
use store::DayState;

use crate::error::Unusable;
use crate::manifest::Manifest;
use crate::wanted::Wanted;

/// The states of the days of a range at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeState {
    pub(crate) range: Range,
    pub(crate) days: BTreeMap<Day, DayState>,
    pub(crate) away: Away,
}

/// Whether somebody waited in vain for an archive of one of the days: nobody waits for another one then. Those who share a
/// state share what they found, and are equal whatever that is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Away(Arc<AtomicBool>);

impl Away {
    pub(crate) fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn found(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl PartialEq for Away {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Away {}

impl RangeState {
    /// What a table of the range is kept under while its process runs: a checksum of all that decides what is in
    /// it, which is the question and the days' revisions. While these stay the same, no batch was finished, and
    /// the table is still right.
    #[must_use]
    pub fn table_id(&self, wanted: &Wanted) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.range, wanted).hash(&mut hasher);
        for (day, state) in &self.days {
            (day, state.revision).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// The same of one of its days alone.
    #[must_use]
    pub fn of_day(&self, day: Day) -> Self {
        let days = self.days.get(&day).map(|state| (day, state.clone()));
        let (range, days) = (Range { start: day, end: day }, days.into_iter().collect());
        Self { range, days, away: self.away.clone() }
    }

    /// Whether days were counted into neither between this moment and another.
    #[must_use]
    pub fn has_same(&self, other: &Self, days: Range) -> bool {
        let revision = |of: &Self, day| of.days.get(&day).map_or(0, |state| state.revision);
        days.days().all(|day| revision(self, day) == revision(other, day))
    }

    /// The manifest of a day's archive, if there is one of the day's own revision.
    pub(crate) fn manifest(&self, day: Day) -> Option<Result<Manifest, Unusable>> {
        let state = self.days.get(&day)?;
        let manifest = Manifest::read(state.archive.as_deref()?);
        match manifest {
            Ok(manifest) if manifest.revision != state.revision => None,
            manifest => Some(manifest),
        }
    }
}
