//! What the table says about each day as a whole: how often it was counted into, and its archive.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use report::{Day, Range, Tally};

use crate::counting::outcome::Outcome;
use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::Answer;

/// How often the day was counted into.
const REVISION: &str = "r";
/// The manifest of the day's archive, as its writer wrote it.
const ARCHIVE: &str = "m";
/// That the day was rebuilt from its archive: `done`, or the name of what is being counted again.
const REBUILT: &str = "b";
/// It was.
const DONE: &str = "done";

/// A day as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayState {
    /// Raised by every batch that counted something into this day, after all of it was written. As long
    /// as it stays the same, no batch was finished.
    pub revision: u64,
    /// The manifest of the day's archive, if it has one.
    pub archive: Option<String>,
    /// Whether what it holds comes from its archive, because a store was lost.
    pub rebuilt: Option<Rebuilt>,
}

/// How far a day is rebuilt from its archive. From the beginning on, nothing else is counted into it: what lines
/// are in the archive is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rebuilt {
    /// What is named like this is being counted.
    Begun(String),
    /// All of it is.
    Done,
}

impl Rebuilt {
    fn of(text: &str) -> Self {
        if text == DONE { Self::Done } else { Self::Begun(text.to_owned()) }
    }
}

/// Those of some days that were rebuilt, or are being.
pub(crate) async fn rebuilt(
    table: &Table,
    days: impl Iterator<Item = Day>,
) -> Result<BTreeSet<Day>, StoreError> {
    let mut rebuilt = BTreeSet::new();
    for day in days {
        if table.get(keys::day(day)).await?.is_some_and(|state| state.contains_key(REBUILT)) {
            rebuilt.insert(day);
        }
    }
    Ok(rebuilt)
}

/// Raises the revision of every day that a tally touches. Called after everything else of the tally
/// was written; calling it again for the same records raises it once more, which is harmless.
pub(crate) async fn raise_revisions(table: &Table, tally: &Tally) -> Result<Outcome, StoreError> {
    let changes = tally.days().map(|day| {
        let change = Change::of(keys::day(day)).add(REVISION, items::of_number(1));
        change.expires(items::expiry(day))
    });
    let changes: Vec<_> = changes.collect();
    let items = changes.len() as u64;
    let write_units = table.update_all(changes).await?;
    Ok(Outcome { items, write_units, ..Outcome::default() })
}

/// The days as wholes: whether something was counted into them, and their archives. Touches nothing else.
#[derive(Clone, Debug)]
pub struct Days(Table);

impl Days {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &[keys::DAYS];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// The state of every day of a range that has one, as of all writes so far.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn states(&self, range: Range) -> Result<BTreeMap<Day, DayState>, StoreError> {
        let mut days = BTreeMap::new();
        let mut pages = self.0.pages_between(keys::DAYS, range);
        while let Some(page) = pages.next().await {
            for item in page? {
                let day = items::day(&item).ok_or_else(|| StoreError::Item {
                    key: keys::DAYS.to_owned(),
                    expected: "a day's state",
                })?;
                let revision = items::number(&item, REVISION).unwrap_or(0);
                let archive = items::text(&item, ARCHIVE).map(str::to_owned);
                let rebuilt = items::text(&item, REBUILT).map(Rebuilt::of);
                days.insert(day, DayState { revision, archive, rebuilt });
            }
        }
        Ok(days)
    }

    /// Puts the manifest of a day's archive in the place of `before`; false if that is not, or no
    /// longer, the one that stands there.
    ///
    /// Condition **not replaced** closes the race of two archivers: the one that read the older state
    /// must begin again.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put_archive(
        &self,
        day: Day,
        before: Option<&str>,
        manifest: String,
    ) -> Result<bool, StoreError> {
        let not_replaced = match before {
            Some(before) => Condition::new(format!("{ARCHIVE} = :before"))
                .value(":before", items::of_text(before)),
            None => Condition::new(format!("attribute_not_exists({ARCHIVE})")),
        };
        let change = Change::of(keys::day(day))
            .set(ARCHIVE, items::of_text(manifest))
            .expires(items::expiry(day))
            .only_if(not_replaced);
        Ok(matches!(self.0.update(change).await?, Answer::Done(_)))
    }

    /// Begins to rebuild a day from what is named so, or goes on; false if the day has counts of its own, or was
    /// begun from something else, or is done.
    ///
    /// Condition **nothing but this** closes the race with whoever counts into the day, or rebuilds it.
    ///
    /// # Errors
    /// A request failed.
    pub async fn begin_rebuilding(&self, day: Day, name: &str) -> Result<bool, StoreError> {
        let nothing_but_this = Condition::new(format!(
            "(attribute_not_exists({REVISION}) AND attribute_not_exists({REBUILT})) OR {REBUILT} = :name"
        ));
        self.rebuilding(day, name, nothing_but_this.value(":name", items::of_text(name))).await
    }

    /// Notes that all of a day that was [begun](Self::begin_rebuilding) under this name is counted.
    ///
    /// Condition **begun** closes the race of two who rebuild.
    ///
    /// # Errors
    /// A request failed.
    pub async fn end_rebuilding(&self, day: Day, name: &str) -> Result<bool, StoreError> {
        let begun = Condition::new(format!("{REBUILT} = :name"));
        self.rebuilding(day, DONE, begun.value(":name", items::of_text(name))).await
    }

    async fn rebuilding(
        &self,
        day: Day,
        to: &str,
        condition: Condition,
    ) -> Result<bool, StoreError> {
        let change = Change::of(keys::day(day))
            .set(REBUILT, items::of_text(to))
            .expires(items::expiry(day))
            .only_if(condition);
        Ok(matches!(self.0.update(change).await?, Answer::Done(_)))
    }
}
