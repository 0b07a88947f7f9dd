//! Reading a range: all days at once and added up, or one after the other and in order.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::future::{join_all, try_join};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use report::views::{
    DayCounts, Figures, KindCounts, Refused, RowMechanisms, Stories, Story, Successes,
};
use report::{Day, Filter, Group, Table, TableBuilder, UsageKey};

use crate::blocking::blocking;
use crate::error::{HistoryError, Unusable};
use crate::history::History;
use crate::manifest::Manifest;
use crate::rows::DayRows;
use crate::state::RangeState;
use crate::wanted::{Reading, Wanted};
use crate::{read, wanted};

/// Days read from items at once.
const DAYS: usize = 8;

/// Takes rows of usage.
pub trait Gather: Send + 'static {
    /// Takes one row. It may block where [`History::walk`] hands it out, and say that it wants no more.
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()>;
}

/// Something that was gathered in parts.
pub trait Merge: Gather {
    /// Adds what another one took.
    fn merge(&mut self, other: Self);
}

/// What adds rows up, whatever their order, and can be put together.
macro_rules! add_up {
    ($($what:ty,)+) => {$(
        impl Gather for $what {
            fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
                self.add(day, key, messages);
                ControlFlow::Continue(())
            }
        }

        impl Merge for $what {
            fn merge(&mut self, other: Self) {
                Self::merge(self, other);
            }
        }
    )+};
}

add_up! { DayCounts, Figures, KindCounts, Refused, RowMechanisms, Stories, Successes, TableBuilder, }

/// How a gathering ended early.
enum Stopped {
    Failed(HistoryError),
    /// An archive broke off when a part of its rows was taken already.
    Spoiled(Day),
}

impl From<HistoryError> for Stopped {
    fn from(error: HistoryError) -> Self {
        Self::Failed(error)
    }
}

/// Archives that wait to be read.
type Queue = Mutex<Vec<(Day, Manifest)>>;

impl History {
    /// The table that is wanted, of the days of a state: those of its range, and those around it.
    ///
    /// Memory: a table a core, and a compressed file a core.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn table(&self, state: &RangeState, wanted: &Wanted) -> Result<Table, HistoryError> {
        let empty = || TableBuilder::new(wanted.group, wanted.range, state.range);
        let table = self.add_up(state, &Reading::of_table(wanted), empty).await?;
        let known = wanted.filter.known.clone();
        Ok(blocking(move || table.told_apart_by(&known).finish()).await)
    }

    /// Adds up the usage of a range that passes: archives on all cores, items some days at once.
    ///
    /// Memory: what `empty` grows to, once a core, and a compressed file a core.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn gather<G: Merge>(
        &self,
        state: &RangeState,
        filter: &Filter,
        empty: impl Fn() -> G,
    ) -> Result<G, HistoryError> {
        self.add_up(state, &Reading::whole(filter), empty).await
    }

    /// The mechanisms of all rows of a table, of the days of a state.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn mechanisms(
        &self,
        state: &RangeState,
        wanted: &Wanted,
    ) -> Result<RowMechanisms, HistoryError> {
        let Wanted { range, filter, group } = wanted;
        let empty = || RowMechanisms::new(*group, *range, &filter.known);
        self.add_up(state, &Reading::of_mechanisms(wanted), empty).await
    }

    /// The days and mechanisms of some rows of a table, in the order of these names, as `tell` wants them; of the days of a
    /// state, which are those of the range.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn stories<'n>(
        &self,
        state: &RangeState,
        wanted: &Wanted,
        names: impl Iterator<Item = &'n str> + Clone,
        tell: impl Fn(Stories) -> Stories,
    ) -> Result<Vec<Story>, HistoryError> {
        let Wanted { range, filter, group } = wanted;
        let empty = || tell(Stories::new(*group, *range, &filter.known, names.clone()));
        Ok(self.add_up(state, &Reading::of_stories(wanted), empty).await?.finish())
    }

    /// Messages by day of what passes in a range.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn days(
        &self,
        state: &RangeState,
        filter: &Filter,
    ) -> Result<DayCounts, HistoryError> {
        let wanted = Wanted { range: state.range, filter: filter.clone(), group: Group::Tls };
        self.add_up(state, &Reading::of_table(&wanted), DayCounts::default).await
    }

    /// The same by kind of mechanism.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn kinds(
        &self,
        state: &RangeState,
        filter: &Filter,
    ) -> Result<KindCounts, HistoryError> {
        let wanted = Wanted { range: state.range, filter: filter.clone(), group: Group::Mechanism };
        self.add_up(state, &Reading::of_table(&wanted), || KindCounts::new(&filter.known)).await
    }

    async fn add_up<G: Merge>(
        &self,
        state: &RangeState,
        reading: &Reading,
        empty: impl Fn() -> G,
    ) -> Result<G, HistoryError> {
        let mut refused = BTreeSet::new();
        loop {
            match self.attempt(state, reading, &refused, &empty).await {
                Ok(gathered) => return Ok(gathered),
                Err(Stopped::Failed(error)) => return Err(error),
                // What was taken of it cannot be told from the rest: everything is begun again without it.
                Err(Stopped::Spoiled(day)) => refused.insert(day),
            };
        }
    }

    async fn attempt<G: Merge>(
        &self,
        state: &RangeState,
        reading: &Reading,
        refused: &BTreeSet<Day>,
        empty: impl Fn() -> G,
    ) -> Result<G, Stopped> {
        let (mut archived, mut open) = (Vec::new(), Vec::new());
        for day in state.range.days() {
            match self.usable(state, day).filter(|_| !refused.contains(&day)) {
                Some(manifest) => archived.push((day, manifest)),
                None => open.push(day),
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = cores.min(archived.len());
        let queue = Mutex::new(archived);
        let workers = (0..workers).map(|_| self.read_archives(state, &queue, reading, empty()));
        let archives = async { join_all(workers).await.into_iter().collect::<Result<Vec<_>, _>>() };
        let items = async { Ok(self.read_items(open, &reading.filter, empty()).await?) };
        let (parts, mut gathered) = try_join(archives, items).await?;
        let mut fallen_back = Vec::new();
        for (part, unusable) in parts {
            gathered.merge(part);
            fallen_back.extend(unusable);
        }
        Ok(self.read_items(fallen_back, &reading.filter, gathered).await?)
    }

    /// The manifest of a day's archive, if that is current as far as the table knows.
    fn usable(&self, state: &RangeState, day: Day) -> Option<Manifest> {
        match state.manifest(day)? {
            Ok(manifest) => Some(manifest),
            Err(error) => {
                (self.watch)(day, &error);
                None
            }
        }
    }

    /// Reads archives until the queue is empty. Gives the days whose archives cannot be used as well.
    async fn read_archives<G: Gather>(
        &self,
        state: &RangeState,
        queue: &Queue,
        reading: &Reading,
        mut gathered: G,
    ) -> Result<(G, Vec<Day>), Stopped> {
        let mut unusable = Vec::new();
        while let Some((day, manifest)) = next(queue) {
            let broken = match self.fetch(state, day, &manifest, reading.grain).await {
                None => {
                    unusable.push(day);
                    continue;
                }
                Some(Ok(file)) => {
                    let (to, read) = read_archive(day, file, reading.clone(), gathered).await;
                    gathered = to;
                    match read {
                        Ok(_) => continue,
                        Err(broken) => broken,
                    }
                }
                Some(Err(error)) => Broken { error, after_rows: false },
            };
            (self.watch)(day, &broken.error);
            if broken.after_rows {
                return Err(Stopped::Spoiled(day));
            }
            unusable.push(day);
        }
        Ok((gathered, unusable))
    }

    async fn read_items<G: Gather>(
        &self,
        days: Vec<Day>,
        filter: &Filter,
        gathered: G,
    ) -> Result<G, HistoryError> {
        let gathered = Mutex::new(gathered);
        let reads = days.into_iter().map(|day| {
            let gathered = &gathered;
            self.usage.read(day, wanted::of_store(filter), move |key, messages| {
                if filter.passes(|field| key.get(field)) {
                    let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = gathered.row(day, &key, messages);
                }
            })
        });
        let reads: Vec<_> = reads.collect();
        stream::iter(reads).buffer_unordered(DAYS).try_collect::<()>().await?;
        Ok(gathered.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hands the usage of a range that passes to `to`, day after day, and each day's rows in the order of the
    /// archive's columns. Stops when `to` wants no more. Gives `to` back, and whether all went well: if not,
    /// the table did not answer, or an archive broke off in the middle of its rows.
    ///
    /// Memory: one day, from its archive as a compressed file, from items whole.
    pub async fn walk<G: Gather>(
        &self,
        state: &RangeState,
        filter: &Filter,
        to: G,
    ) -> (G, Result<(), HistoryError>) {
        let reading = Reading::whole(filter);
        let mut to = to;
        for day in state.range.days() {
            let (back, walked) = self.walk_day(state, day, &reading, to).await;
            to = back;
            match walked {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(error) => return (to, Err(error)),
            }
        }
        (to, Ok(()))
    }

    async fn walk_day<G: Gather>(
        &self,
        state: &RangeState,
        day: Day,
        reading: &Reading,
        mut to: G,
    ) -> (G, Result<ControlFlow<()>, HistoryError>) {
        if let Some(manifest) = self.usable(state, day) {
            match self.fetch(state, day, &manifest, reading.grain).await {
                None => {}
                Some(Ok(file)) => {
                    let (back, read) = read_archive(day, file, reading.clone(), to).await;
                    to = back;
                    match read {
                        Ok(flow) => return (to, Ok(flow)),
                        Err(broken) => {
                            (self.watch)(day, &broken.error);
                            if broken.after_rows {
                                return (to, Err(HistoryError::BrokeOff(day)));
                            }
                        }
                    }
                }
                Some(Err(error)) => (self.watch)(day, &error),
            }
        }
        let rows = match DayRows::read(&self.usage, day, &reading.filter).await {
            Ok(rows) => rows,
            Err(error) => return (to, Err(error)),
        };
        let (to, flow) = blocking(move || {
            let flow = rows.iter().try_for_each(|(key, messages)| to.row(day, &key, messages));
            (to, flow)
        })
        .await;
        (to, Ok(flow))
    }
}

/// Why an archive broke off.
struct Broken {
    error: Unusable,
    /// Some of its rows were handed out before.
    after_rows: bool,
}

fn next(queue: &Queue) -> Option<(Day, Manifest)> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// Reads an archive on a thread of its own; gives back the one who took the rows, and whether it wants more.
async fn read_archive<G: Gather>(
    day: Day,
    file: Bytes,
    reading: Reading,
    mut to: G,
) -> (G, Result<ControlFlow<()>, Broken>) {
    blocking(move || {
        let (mut flow, mut after_rows) = (ControlFlow::Continue(()), false);
        let read = read::rows(file, &reading, |key, messages| {
            after_rows = true;
            flow = to.row(day, &key, messages);
            flow
        });
        (to, read.map(|()| flow).map_err(|error| Broken { error, after_rows }))
    })
    .await
}
