//! Writing a tally so that every record counts once.

use std::collections::HashMap;

use futures_util::FutureExt;
use report::{RollupEntry, Tally, UsageKey};

use crate::counting::admission::{Admission, Limits};
use crate::counting::client_names::KnownNames;
use crate::counting::counter_pages::{Book, FULL, Page, Row, open};
use crate::counting::outcome::Outcome;
use crate::counting::placement::Pages;
use crate::counting::position::{Positions, Source};
use crate::counting::seen::Marked;
use crate::counting::{counter_names, days, rollups};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::{Table, Writing};
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{Answer, Refusal, TRANSACTION, Transacted, Write, gathered, known};

/// Transactions under way at once.
const TRANSACTIONS: usize = 2;

/// One item and what a tally adds to it.
#[derive(Debug)]
enum Pending<'t> {
    Page(Page<'t>),
    Rollup {
        whole: RollupEntry<'t>,
        /// What was counted at this mark or later is still to be added.
        from: u64,
    },
}

/// What a refused write leaves to do.
enum Left<'t> {
    /// What lies behind the item's position.
    Rest(Pending<'t>),
    /// The page was closed meanwhile: its rows belong into its children.
    Full(Page<'t>),
}

/// What came of some writes.
#[derive(Default)]
struct Progress<'t> {
    outcome: Outcome,
    /// Messages and failed authentications that were added.
    added: u64,
    full: Vec<Page<'t>>,
}

/// A tally on its way into the table.
struct Counted<'a> {
    tally: &'a Tally,
    source: &'a Source,
    positions: &'a Positions,
}

impl<'a> Counted<'a> {
    /// The root page of every book that the tally adds to.
    fn roots(&self) -> Vec<Page<'a>> {
        let mut books: HashMap<Book, Vec<Row<'a>>> = HashMap::new();
        for (day, key, marks) in self.tally.usage() {
            let Some(key) = UsageKey::read(key) else { continue };
            let (partition, prefix) = (keys::usage(day), format!("{}\t", key.domain));
            let rows = books.entry(Book { day, partition, prefix, of_others: false }).or_default();
            rows.push(Row::new(counter_names::write(&key), marks));
        }
        for (day, key, marks) in self.tally.failures() {
            let (partition, prefix) = (keys::failures(day), String::new());
            let rows = books.entry(Book { day, partition, prefix, of_others: false }).or_default();
            rows.push(Row::new(key.to_owned(), marks));
        }
        for (day, key, marks) in self.tally.finer() {
            let (partition, prefix) = (keys::finer(day), String::new());
            let rows = books.entry(Book { day, partition, prefix, of_others: true }).or_default();
            rows.push(Row::new(key.to_owned(), marks));
        }
        books.into_iter().map(|(book, rows)| Page::root(book, rows)).collect()
    }

    /// The update for what is pending; none if nothing is left of it.
    fn change(&self, pending: &Pending<'_>) -> Option<Change> {
        match pending {
            Pending::Page(page) => {
                let marks = page.marks()?;
                let change = Change::of(page.key());
                let change = page.amounts().fold(change, |change, (name, count)| {
                    change.add(name, items::of_number(count))
                });
                Some(self.once(change.expires(items::expiry(page.day())), marks).only_if(open()))
            }
            Pending::Rollup { whole, from } if *from > whole.last => None,
            Pending::Rollup { whole, from } => {
                let part = if *from > whole.first {
                    self.tally.rollup_since(whole, *from)
                } else {
                    *whole
                };
                if part.counts.total() == 0 {
                    return None;
                }
                let change = rollups::add(whole.domain, whole.day, &part.counts);
                Some(self.once(change, (part.first.max(*from), part.last)))
            }
        }
    }

    /// Moves the source's position from before the first of these marks to the last.
    ///
    /// Condition **not counted yet**: closes the race of two writers with the same records, and of a writer
    /// with its own past, since only one of them moves the position over the first mark.
    fn once(&self, change: Change, (first, last): (u64, u64)) -> Change {
        let (attribute, position) = (self.source.attribute(), |mark| self.positions.of_mark(mark));
        let condition = Condition::new("attribute_not_exists(#p) OR #p < :first")
            .name("#p", attribute)
            .value(":first", items::of_bytes(position(first)));
        change.set(attribute, items::of_bytes(position(last))).only_if(condition)
    }

    /// What is left when the item turns out to be `old`.
    fn left<'p>(&self, pending: Pending<'p>, old: &Item) -> Left<'p> {
        let position = items::bytes(old, self.source.attribute());
        match pending {
            Pending::Page(page) if old.contains_key(FULL) => Left::Full(page),
            Pending::Page(mut page) => {
                page.skip(position, self.positions);
                Left::Rest(Pending::Page(page))
            }
            Pending::Rollup { whole, from } => {
                let after = position.map_or(0, |position| self.positions.mark_after(position));
                Left::Rest(Pending::Rollup { whole, from: from.max(after) })
            }
        }
    }
}

/// Counts into the table. Touches usage, failed logins, finer counters, rollups, who was seen, names of clients and
/// revisions of days, and nothing else.
#[derive(Clone, Debug)]
pub struct Counting {
    table: Table,
    pages: Pages,
    admission: Admission,
    marked: Marked,
    names: KnownNames,
}

impl Counting {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["U#*", "F#*", "G#*", "R#*", "S#*", "A#*", "N#*", keys::DAYS];

    pub(crate) fn new(table: Table) -> Self {
        let (admission, marked) = (Admission::default(), Marked::default());
        let names = KnownNames::default();
        Self { pages: Pages::new(table.clone()), admission, marked, names, table }
    }

    pub(crate) fn with_pages_of(self, bytes: usize) -> Self {
        Self { pages: self.pages.of_bytes(bytes), ..self }
    }

    pub(crate) fn within(self, limits: Limits) -> Self {
        Self { admission: self.admission.clone().within(limits), ..self }
    }

    /// Adds a tally to the table: usage, rollups, failures, finer counters, who was seen, and last of all the
    /// revisions of its days.
    ///
    /// What is of days that were rebuilt from archives is left out, of the tally too: these hold it, or nobody knows.
    /// Names of which there are too many are counted under those for all others first, in the tally itself: see
    /// the module `admission`. `positions` are those of the marks in the tally. May be called again with the same records, in
    /// other batches, after a failure or at the same time: every record counts once.
    ///
    /// # Errors
    /// A request failed. What was not written is written by calling again.
    pub async fn count(
        &self,
        tally: &mut Tally,
        source: &Source,
        positions: &Positions,
    ) -> Result<Outcome, StoreError> {
        let rebuilt = days::rebuilt(&self.table, tally.days_over()).await?;
        let left_out = tally.leave_out(&rebuilt);
        let mut outcome = self.admission.cap(&self.table, tally).await?;
        outcome.rebuilt += left_out;
        outcome.add(&self.count_again(tally, source, positions).await?);
        Ok(outcome)
    }

    /// Adds what was counted before, as an archive has it: under the names that it has, whatever day it is of. The same as
    /// [`count`](Self::count) in all else.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub async fn count_again(
        &self,
        tally: &Tally,
        source: &Source,
        positions: &Positions,
    ) -> Result<Outcome, StoreError> {
        let counted = Counted { tally, source, positions };
        self.pages.directory().trim();
        let mut pages = counted.roots();
        let rollups = tally.rollups().map(|whole| Pending::Rollup { whole, from: 0 });
        let mut rollups: Vec<_> = rollups.collect();
        let (mut outcome, mut added) = (Outcome::default(), 0);
        while !pages.is_empty() || !rollups.is_empty() {
            let (placed, write_units) = self.pages.place(pages, source, positions).await?;
            outcome.write_units += write_units;
            let pending = placed.into_iter().map(Pending::Page).chain(rollups.drain(..));
            pages = Vec::new();
            for progress in self.count_all(&counted, pending.collect()).await? {
                outcome.add(&progress.outcome);
                added += progress.added;
                pages.extend(progress.full);
            }
        }
        let all = tally.counted();
        outcome.duplicates = (all.messages + all.auth_failures).saturating_sub(added);
        outcome.add(&self.marked.mark(&self.table, tally).await?);
        outcome.add(&self.names.learn(&self.table, tally).await?);
        outcome.add(&days::raise_revisions(&self.table, tally).await?);
        Ok(outcome)
    }

    async fn count_all<'t>(
        &self,
        counted: &Counted<'_>,
        mut pending: Vec<Pending<'t>>,
    ) -> Result<Vec<Progress<'t>>, StoreError> {
        match self.table.writing {
            Writing::Single { concurrency } => {
                let writes = pending.into_iter().map(|pending| self.count_one(counted, pending));
                gathered(writes.map(FutureExt::boxed).collect(), concurrency).await
            }
            Writing::Transactions => {
                let mut writes = Vec::with_capacity(pending.len() / TRANSACTION + 1);
                while !pending.is_empty() {
                    let chunk = pending.split_off(pending.len().saturating_sub(TRANSACTION));
                    writes.push(self.count_many(counted, chunk).boxed());
                }
                gathered(writes, TRANSACTIONS).await
            }
        }
    }

    async fn count_one<'t>(
        &self,
        counted: &Counted<'_>,
        mut pending: Pending<'t>,
    ) -> Result<Progress<'t>, StoreError> {
        let mut progress = Progress::default();
        while let Some(change) = counted.change(&pending) {
            match self.table.update(change).await? {
                Answer::Done(units) => {
                    progress.outcome.write_units += units;
                    self.done(&pending, Some(units), &mut progress);
                    break;
                }
                Answer::Refused(old, units) => {
                    progress.outcome.write_units += units;
                    match self.left(counted, pending, &known(old)?, &mut progress) {
                        Some(rest) => pending = rest,
                        None => break,
                    }
                }
            }
        }
        Ok(progress)
    }

    /// Counts up to a hundred items in one request; those that refuse are cut down and tried again.
    async fn count_many<'t>(
        &self,
        counted: &Counted<'_>,
        mut pending: Vec<Pending<'t>>,
    ) -> Result<Progress<'t>, StoreError> {
        let mut progress = Progress::default();
        loop {
            let mut changes = Vec::with_capacity(pending.len());
            pending.retain(|pending| {
                let change = counted.change(pending);
                let left = change.is_some();
                changes.extend(change.map(Write::Change));
                left
            });
            match self.table.transact(changes).await? {
                Transacted::Done(units) => {
                    progress.outcome.write_units += units;
                    for pending in &pending {
                        self.done(pending, None, &mut progress);
                    }
                    return Ok(progress);
                }
                Transacted::Refused(refusals) => {
                    // What the answer does not speak of was not refused.
                    let refusals = refusals.into_iter().chain(std::iter::repeat_with(|| None));
                    let mut left = Vec::with_capacity(pending.len());
                    for (pending, refusal) in pending.into_iter().zip(refusals) {
                        left.extend(match refusal {
                            Some(Refusal { item }) => {
                                self.left(counted, pending, &known(item)?, &mut progress)
                            }
                            None => Some(pending),
                        });
                    }
                    pending = left;
                }
                Transacted::Contended => {
                    for pending in pending {
                        let one = self.count_one(counted, pending).await?;
                        progress.outcome.add(&one.outcome);
                        progress.added += one.added;
                        progress.full.extend(one.full);
                    }
                    return Ok(progress);
                }
            }
        }
    }

    /// Takes note of what was written.
    fn done(&self, pending: &Pending<'_>, write_units: Option<f64>, progress: &mut Progress<'_>) {
        progress.outcome.items += 1;
        // Rollups and finer counters tell of the same messages again: they do not count here.
        if let Pending::Page(page) = pending {
            if !page.is_of_others() {
                progress.added += page.amounts().map(|(_, count)| count).sum::<u64>();
            }
            self.pages.directory().written(page, write_units);
        }
    }

    /// What is left of a write that was refused; a page that was closed is put aside.
    fn left<'t>(
        &self,
        counted: &Counted<'_>,
        pending: Pending<'t>,
        old: &Item,
        progress: &mut Progress<'t>,
    ) -> Option<Pending<'t>> {
        match counted.left(pending, old) {
            Left::Rest(rest) => Some(rest),
            Left::Full(page) => {
                self.pages.directory().found(&page, Some(old));
                progress.full.push(page);
                None
            }
        }
    }
}
