//! Writing a tally so that every record counts once.

use std::collections::HashMap;

use futures_util::FutureExt;
use report::{RollupEntry, Tally, TlsVersion, UsageKey};

use crate::counting::counter_names;
use crate::counting::counter_pages::{Book, FULL, Page, Row};
use crate::dynamo::keys::{self, Item};
use crate::dynamo::update::Change;
use crate::dynamo::writes::{TRANSACTION, Transacted, Updated, gathered};
use crate::{Positions, Source, Store, StoreError, Writing};

/// Transactions under way at once.
const TRANSACTIONS: usize = 2;

/// What writing a tally came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Items written.
    pub items: u64,
    /// Messages and failed authentications that the store had already.
    pub duplicates: u64,
    /// Write capacity units consumed.
    pub write_units: f64,
}

impl<'o> std::iter::Sum<&'o Self> for Outcome {
    fn sum<I: Iterator<Item = &'o Self>>(outcomes: I) -> Self {
        outcomes.fold(Self::default(), |mut sum, outcome| {
            sum.add(outcome);
            sum
        })
    }
}

impl Outcome {
    /// Adds another outcome to this.
    pub fn add(&mut self, other: &Self) {
        self.items += other.items;
        self.duplicates += other.duplicates;
        self.write_units += other.write_units;
    }
}

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
struct Write<'a> {
    tally: &'a Tally,
    source: &'a Source,
    positions: &'a Positions,
}

impl<'a> Write<'a> {
    /// The root page of every book that the tally adds to.
    fn roots(&self) -> Vec<Page<'a>> {
        let mut books: HashMap<Book, Vec<Row<'a>>> = HashMap::new();
        for (day, key, marks) in self.tally.usage() {
            let Some(key) = UsageKey::read(key) else { continue };
            let (partition, prefix) = (keys::usage(day), format!("{}\t", key.domain));
            let rows = books.entry(Book { day, partition, prefix }).or_default();
            rows.push(Row::new(counter_names::write(&key), marks));
        }
        for (day, key, marks) in self.tally.failures() {
            let (partition, prefix) = (keys::failures(day), String::new());
            let rows = books.entry(Book { day, partition, prefix }).or_default();
            rows.push(Row::new(key.to_owned(), marks));
        }
        books.into_iter().map(|(book, rows)| Page::root(book, rows)).collect()
    }

    /// The update for what is pending; none if nothing is left of it.
    fn change(&self, pending: &Pending<'_>) -> Option<Change> {
        let position = |mark| self.positions.of_mark(mark);
        let attribute = self.source.attribute();
        match pending {
            Pending::Page(page) => {
                let (first, last) = page.marks()?;
                let change = Change::add_named(
                    page.key(),
                    page.amounts().map(|(name, count)| (name.to_owned(), keys::of_number(count))),
                    keys::expiry(page.day()),
                );
                Some(change.once(attribute, position(first), position(last)).while_open())
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
                let amounts = TlsVersion::ALL
                    .into_iter()
                    .map(|version| (attribute_of(version), part.counts.get(version)))
                    .filter(|(_, messages)| *messages > 0)
                    .map(|(name, messages)| (name, keys::of_number(messages)));
                let key = keys::key(&keys::rollup(whole.domain), &whole.day.to_string());
                let change = Change::add(key, amounts, keys::expiry(whole.day));
                let first = part.first.max(*from);
                Some(change.once(attribute, position(first), position(part.last)))
            }
        }
    }

    /// What is left when the item turns out to be `old`.
    fn left<'p>(&self, pending: Pending<'p>, old: Option<&Item>) -> Left<'p> {
        let position = old.and_then(|old| keys::read_bytes(old, self.source.attribute()));
        match pending {
            Pending::Page(page) if old.is_some_and(|old| old.contains_key(FULL)) => {
                Left::Full(page)
            }
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

/// The attribute that holds a TLS version's messages in a rollup.
pub(crate) const fn attribute_of(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "t10",
        TlsVersion::Tls11 => "t11",
        TlsVersion::Tls12 => "t12",
        TlsVersion::Tls13 => "t13",
        TlsVersion::None => "t0",
        TlsVersion::Unknown => "tx",
    }
}

impl Store {
    /// Adds a tally to the table: usage, rollups, failures, who was seen, and last of all the
    /// revisions of its days.
    ///
    /// `positions` are those of the marks in the tally. May be called again with the same records, in
    /// other batches, after a failure or at the same time: every record counts once.
    ///
    /// # Errors
    /// A request failed. What was not written is written by calling again.
    pub async fn count(
        &self,
        tally: &Tally,
        source: &Source,
        positions: &Positions,
    ) -> Result<Outcome, StoreError> {
        let write = Write { tally, source, positions };
        self.directory().trim();
        let mut pages = write.roots();
        let rollups = tally.rollups().map(|whole| Pending::Rollup { whole, from: 0 });
        let mut rollups: Vec<_> = rollups.collect();
        let (mut outcome, mut added) = (Outcome::default(), 0);
        while !pages.is_empty() || !rollups.is_empty() {
            let (placed, write_units) = self.place(pages, source, positions).await?;
            outcome.write_units += write_units;
            let pending = placed.into_iter().map(Pending::Page).chain(rollups.drain(..));
            pages = Vec::new();
            for progress in self.count_all(&write, pending.collect()).await? {
                outcome.add(&progress.outcome);
                added += progress.added;
                pages.extend(progress.full);
            }
        }
        let counted = tally.counted();
        outcome.duplicates = (counted.messages + counted.auth_failures).saturating_sub(added);
        outcome.add(&self.mark_seen(tally).await?);
        outcome.add(&self.raise_revisions(tally).await?);
        Ok(outcome)
    }

    async fn count_all<'t>(
        &self,
        write: &Write<'_>,
        mut pending: Vec<Pending<'t>>,
    ) -> Result<Vec<Progress<'t>>, StoreError> {
        match self.writing {
            Writing::Single { concurrency } => {
                let writes = pending.into_iter().map(|pending| self.count_one(write, pending));
                gathered(writes.map(FutureExt::boxed).collect(), concurrency).await
            }
            Writing::Transactions => {
                let mut writes = Vec::with_capacity(pending.len() / TRANSACTION + 1);
                while !pending.is_empty() {
                    let chunk = pending.split_off(pending.len().saturating_sub(TRANSACTION));
                    writes.push(self.count_many(write, chunk).boxed());
                }
                gathered(writes, TRANSACTIONS).await
            }
        }
    }

    async fn count_one<'t>(
        &self,
        write: &Write<'_>,
        mut pending: Pending<'t>,
    ) -> Result<Progress<'t>, StoreError> {
        let mut progress = Progress::default();
        while let Some(change) = write.change(&pending) {
            match self.update(change).await? {
                Updated::Done(units) => {
                    progress.outcome.write_units += units;
                    self.done(&pending, Some(units), &mut progress);
                    break;
                }
                Updated::Refused(old, units) => {
                    progress.outcome.write_units += units;
                    match self.left(write, pending, old.as_ref(), &mut progress) {
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
        write: &Write<'_>,
        mut pending: Vec<Pending<'t>>,
    ) -> Result<Progress<'t>, StoreError> {
        let mut progress = Progress::default();
        loop {
            let mut changes = Vec::with_capacity(pending.len());
            pending.retain(|pending| {
                let change = write.change(pending);
                let left = change.is_some();
                changes.extend(change);
                left
            });
            match self.transact(changes).await? {
                Transacted::Done(units) => {
                    progress.outcome.write_units += units;
                    for pending in &pending {
                        self.done(pending, None, &mut progress);
                    }
                    return Ok(progress);
                }
                Transacted::Refused(old) => {
                    // What the answer does not speak of was not refused.
                    let old = old.into_iter().chain(std::iter::repeat(None));
                    let left =
                        pending.into_iter().zip(old).filter_map(|(pending, old)| match old {
                            Some(_) => self.left(write, pending, old.as_ref(), &mut progress),
                            None => Some(pending),
                        });
                    pending = left.collect();
                }
                Transacted::Contended => {
                    for pending in pending {
                        let one = self.count_one(write, pending).await?;
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
        // Rollups hold the same messages again: they do not count here.
        if let Pending::Page(page) = pending {
            progress.added += page.amounts().map(|(_, count)| count).sum::<u64>();
            self.directory().written(page, write_units);
        }
    }

    /// What is left of a write that was refused; a page that was closed is put aside.
    fn left<'t>(
        &self,
        write: &Write<'_>,
        pending: Pending<'t>,
        old: Option<&Item>,
        progress: &mut Progress<'t>,
    ) -> Option<Pending<'t>> {
        match write.left(pending, old) {
            Left::Rest(rest) => Some(rest),
            Left::Full(page) => {
                if let Some(old) = old {
                    self.directory().found(&page, old);
                }
                progress.full.push(page);
                None
            }
        }
    }
}
