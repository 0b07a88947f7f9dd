//! How the days of a range stand at one moment.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

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
}

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
        Self { range: Range { start: day, end: day }, days: days.into_iter().collect() }
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
