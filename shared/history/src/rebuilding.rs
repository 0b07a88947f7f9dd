//! A table that was lost, counted again from its archives.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _};
use report::{Day, Days as Zone, FailureKey, Filter, FinerKey, Range, Tally, TlsVersion, Window};
use store::{Counting, DayState, Days, Positions, Rebuilt, Source, Store};

use crate::besides::{Failed, FinerCounts};
use crate::blocking::blocking;
use crate::error::{HistoryError, Unusable};
use crate::grain::Grain;
use crate::manifest;
use crate::read;
use crate::rows::DayRows;
use crate::wanted::Reading;

/// Bytes of counts that are held before they are written.
const HELD: usize = 24 << 20;

/// What became of a day with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Became {
    /// All of its archive is counted.
    Rebuilt {
        /// Messages in it.
        messages: u64,
        /// Failed logins in it; none if it was made before archives had them.
        failures: Option<u64>,
    },
    /// That had been done before.
    Before,
    /// Its archive is damaged, and nothing of it is counted.
    Damaged(Unusable),
    /// It has counts of its own, or was begun from another archive: nothing more is counted into it.
    Taken,
}

/// A day's archive in memory.
struct Archive {
    rows: DayRows,
    /// By account and client.
    failures: Option<Failed>,
    /// Nothing if it was made before archives had them.
    finer: FinerCounts,
    /// What stands for these files.
    name: String,
}

/// Counts archives into an empty table. Memory: one day.
#[derive(Debug)]
pub struct Rebuilding {
    counting: Counting,
    days: Days,
    objects: Arc<dyn ObjectStore>,
    archived: BTreeSet<Day>,
}

impl Rebuilding {
    /// Finds the archives of the days that are kept on `today`, and looks whether the store is empty, or is being rebuilt
    /// already.
    ///
    /// # Errors
    /// There are no archives, the store has counts of its own, or one of both does not answer.
    pub async fn of(
        store: &Store,
        objects: Arc<dyn ObjectStore>,
        today: Day,
    ) -> Result<Self, HistoryError> {
        let kept = Range::kept(today);
        let mut archived = BTreeSet::new();
        for grain in Grain::ALL {
            let folder = object_store::path::Path::from(grain.name());
            let found: Vec<_> = objects
                .list(Some(&folder))
                .map_err(|error| HistoryError::Unreadable(error.to_string()))
                .try_collect()
                .await?;
            let days = found.iter().filter_map(|object| manifest::day_of(&object.location));
            archived.extend(days.filter(|day| kept.contains(*day)));
        }
        if archived.is_empty() {
            return Err(HistoryError::NoArchives);
        }
        let this = Self { counting: store.counting(), days: store.days(), objects, archived };
        let end = today.succ_opt().unwrap_or(today);
        let states = this.days.states(Range { start: kept.start, end }).await?;
        let is_begun = states.values().any(|state| state.rebuilt.is_some());
        let mut counted = states.iter().filter(|(_, state)| state.revision > 0);
        match counted.next() {
            Some((first, _)) if !is_begun => {
                Err(HistoryError::NotEmpty { first: *first, days: 1 + counted.count() })
            }
            _ => Ok(this),
        }
    }

    /// The days with archives.
    #[must_use]
    pub const fn days(&self) -> &BTreeSet<Day> {
        &self.archived
    }

    /// Counts a day's archive, if nothing else was counted into the day. May be called again after a failure: every row counts
    /// once.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn day(&self, day: Day) -> Result<Became, HistoryError> {
        let mut states = self.days.states(Range { start: day, end: day }).await?;
        let DayState { rebuilt, .. } = states.remove(&day).unwrap_or_default();
        if rebuilt == Some(Rebuilt::Done) {
            return Ok(Became::Before);
        }
        let archive = match self.archive(day).await {
            Ok(archive) => archive,
            Err(error) => return Ok(Became::Damaged(error)),
        };
        if !self.days.begin_rebuilding(day, &archive.name).await? {
            return Ok(Became::Taken);
        }
        let (messages, failures) = self.count(day, &archive).await?;
        let failures = archive.failures.is_some().then_some(failures);
        match self.days.end_rebuilding(day, &archive.name).await? {
            true => Ok(Became::Rebuilt { messages, failures }),
            // Somebody else was faster.
            false => Ok(Became::Before),
        }
    }

    /// Counts every row at a mark of its own, so that a part that was counted is known again.
    async fn count(&self, day: Day, archive: &Archive) -> Result<(u64, u64), HistoryError> {
        let source = Source::new(format!("archive {day} {}", archive.name));
        let days = Range { start: day, end: day };
        let empty = || {
            // Neither is asked for: each row has its day and its domain.
            let window = Window { days, default_domain: "".into() };
            Tally::new(Zone::new(chrono_tz::UTC), window)
        };
        let (mut tally, mut mark, mut sums) = (empty(), 0, (0_u64, 0_u64));
        let failures = archive.failures.iter().flatten();
        for (key, messages) in archive.rows.iter() {
            mark += 1;
            tally.usage_again(mark, day, &key, messages);
            sums.0 = sums.0.saturating_add(messages);
            if tally.bytes() >= HELD {
                let full = std::mem::replace(&mut tally, empty());
                self.counting.count_again(&full, &source, &Positions::Offsets).await?;
            }
        }
        for ((account, client, hour), failures) in failures {
            mark += 1;
            let key = FailureKey { account, client, hour: *hour };
            tally.failures_again(mark, day, &key, *failures);
            sums.1 = sums.1.saturating_add(*failures);
            if tally.bytes() >= HELD {
                let full = std::mem::replace(&mut tally, empty());
                self.counting.count_again(&full, &source, &Positions::Offsets).await?;
            }
        }
        for ((account, of), count) in &archive.finer {
            mark += 1;
            tally.finer_again(mark, day, &FinerKey { account, of: *of }, *count);
            if tally.bytes() >= HELD {
                let full = std::mem::replace(&mut tally, empty());
                self.counting.count_again(&full, &source, &Positions::Offsets).await?;
            }
        }
        self.counting.count_again(&tally, &source, &Positions::Offsets).await?;
        Ok(sums)
    }

    /// Reads a day's archive: only what is exactly what the archiver wrote, as its manifest tells. Without a manifest,
    /// usage and its sums by sender must agree.
    async fn archive(&self, day: Day) -> Result<Archive, Unusable> {
        let Some(manifest) = manifest::copy(&*self.objects, day).await? else {
            let [usage, senders] =
                [self.file(day, Grain::Usage).await?, self.file(day, Grain::Senders).await?];
            let name = manifest::checksum(&usage);
            let rows = blocking(move || DayRows::of(usage)).await?;
            return match sums(&rows) == read_sums(senders).await? {
                true => Ok(Archive { rows, failures: None, finer: FinerCounts::new(), name }),
                false => Err(Unusable(
                    "it has no manifest, and its files do not agree with each other".to_owned(),
                )),
            };
        };
        let usage = manifest.fetch(&*self.objects, day, Grain::Usage).await?;
        let mut name = manifest::checksum(&usage);
        let mut failures = None;
        if manifest.has_failures() {
            let file = manifest.fetch(&*self.objects, day, Grain::Failures).await?;
            name = manifest::checksum((name + &manifest::checksum(&file)).as_bytes());
            failures = Some(failed(file).await?);
        }
        let mut finer = FinerCounts::new();
        if manifest.has_finer() {
            let file = manifest.fetch(&*self.objects, day, Grain::Finer).await?;
            name = manifest::checksum((name + &manifest::checksum(&file)).as_bytes());
            finer = blocking(move || read::finer(file)).await?;
        }
        let rows = blocking(move || DayRows::of(usage)).await?;
        let messages = rows.iter().fold(0_u64, |sum, (_, messages)| sum.saturating_add(messages));
        if (rows.len() as u64, messages) != (manifest.rows, manifest.messages) {
            return Err(Unusable("it has other sums than its manifest says".to_owned()));
        }
        Ok(Archive { rows, failures, finer, name })
    }

    async fn file(&self, day: Day, grain: Grain) -> Result<Bytes, Unusable> {
        let found = self.objects.get(&manifest::path(day, grain)).await.map_err(Unusable::new)?;
        found.bytes().await.map_err(Unusable::new)
    }
}

async fn failed(file: Bytes) -> Result<Failed, Unusable> {
    blocking(move || read::failed(file)).await
}

/// Messages by sender, domain and TLS version.
type Sums = BTreeMap<(String, String, TlsVersion), u64>;

fn sums(rows: &DayRows) -> Sums {
    let mut sums = Sums::new();
    for (key, messages) in rows.iter() {
        *sums.entry((key.sender.to_owned(), key.domain.to_owned(), key.tls)).or_default() +=
            messages;
    }
    sums
}

async fn read_sums(file: Bytes) -> Result<Sums, Unusable> {
    blocking(move || {
        let mut sums = Sums::new();
        let grain = Grain::Senders;
        let reading = Reading { filter: Filter::default(), grain, fields: grain.fields().to_vec() };
        let read = read::rows(file, &reading, |key, messages| {
            *sums.entry((key.sender.to_owned(), key.domain.to_owned(), key.tls)).or_default() +=
                messages;
            ControlFlow::Continue(())
        });
        read.map(|()| sums)
    })
    .await
}
