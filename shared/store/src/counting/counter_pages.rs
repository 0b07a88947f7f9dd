//! Counters packed into pages.
//!
//! DynamoDB charges a write by the size of the whole item, from one kilobyte up, and a usage counter is
//! forty bytes: so an item holds as many counters as fit into a kilobyte. Such a **page** costs the same
//! write unit as one counter alone would, and a day has a tenth of the items to write, keep and read.
//!
//! Counters of one book (a day and domain, or a day's failed logins) are spread over a binary tree of
//! pages by the bits of their names' checksums. A book begins with its root page. A page that a batch
//! would make too large is closed first: it is marked **full**, keeps the counts that it has, and is never
//! written again; what would have gone there goes to its two children. A counter's value is the sum of what
//! is found of it in any page.
//!
//! # Why every record still counts once
//!
//! A page remembers positions as any counter item does, for all of its counters together: a write holds
//! everything that its batch adds to the page, under the conditions that the page is not full and that its
//! position lies before the batch.
//!
//! A full page's positions never change again. Whoever writes to a page has seen that all pages above it
//! are full, and leaves out what lies before their positions: that was counted there. What comes after was
//! not, because they were closed before. So each record is counted in the first page on its way from the root
//! that was open when the record came to it, and in no other; whoever brings it again meets the same pages
//! with the same positions.
//!
//! What this process remembers of pages ([`Directory`]) saves reads. Of full pages it is the truth for ever;
//! of others it only guesses when they will be too large.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::FutureExt as _;
use report::{Day, Marks};
use sha2::{Digest as _, Sha256};

use crate::counting::counter_names::is_counter;
use crate::dynamo::keys::{self, Item};
use crate::dynamo::update::Change;
use crate::dynamo::writes::{TRANSACTION, Transacted, Updated, gathered};
use crate::{Positions, Source, Store, StoreError, Writing};

/// Marks a page as full.
pub(crate) const FULL: &str = "f";
/// Bytes that a page may take, as DynamoDB counts them: within one write unit, with room for numbers to grow.
pub(crate) const PAGE: usize = 960;
/// What a new page takes beside its counters: keys, expiry, a position.
const FRAME: usize = 100;
/// Counters that one update adds to: far below what an update expression may hold.
const ROWS: usize = 100;
/// What a counter's value takes.
const VALUE: usize = 4;
/// The deepest page: below it, checksums have no more bits to tell counters apart.
const DEEPEST: u32 = 60;
/// Counters remembered, or as much else: about 50 MB.
const REMEMBERED: usize = 1_000_000;
/// Pages read or closed at once.
const CONCURRENCY: usize = 32;
/// A counter and what a tally adds to it.
#[derive(Debug)]
pub(crate) struct Row<'t> {
    /// Its attribute.
    name: String,
    /// Which way it takes through the tree, highest bit first.
    way: u64,
    marks: &'t Marks,
}

impl<'t> Row<'t> {
    pub(crate) fn new(name: String, marks: &'t Marks) -> Self {
        let way = way_of(&name);
        Self { name, way, marks }
    }
}

/// The same in every process and every version: otherwise records that come again would go another way.
fn way_of(name: &str) -> u64 {
    let checksum = Sha256::digest(name.as_bytes());
    checksum[..8].iter().fold(0, |way, byte| way << 8 | u64::from(*byte))
}

/// The counters of one kind that share a tree.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Book {
    pub(crate) day: Day,
    pub(crate) partition: String,
    /// What sort keys begin with.
    pub(crate) prefix: String,
}

/// A page, and what a tally adds to it.
#[derive(Debug)]
pub(crate) struct Page<'t> {
    book: Arc<Book>,
    depth: u32,
    rows: Vec<Row<'t>>,
    /// What was counted at this mark or later is still to be added.
    from: u64,
}

/// Partition and sort key of a page.
type Place = (String, String);

impl<'t> Page<'t> {
    /// The root page of a book, with everything that is to be added to the book.
    pub(crate) fn root(book: Book, rows: Vec<Row<'t>>) -> Self {
        Self { book: Arc::new(book), depth: 0, rows, from: 0 }
    }

    pub(crate) fn day(&self) -> Day {
        self.book.day
    }

    fn place(&self) -> Place {
        let way = self.rows.first().map_or(0, |row| row.way);
        (self.book.partition.clone(), self.sort_key(way, self.depth))
    }

    fn sort_key(&self, way: u64, depth: u32) -> String {
        let mut key = format!("{}.", self.book.prefix);
        key.extend((0..depth).map(|bit| if way >> (63 - bit) & 1 == 0 { '0' } else { '1' }));
        key
    }

    pub(crate) fn key(&self) -> Item {
        let (pk, sk) = self.place();
        keys::key(&pk, &sk)
    }

    /// The update that marks the page as full, if nobody has.
    fn closing(&self) -> Change {
        let full = [(FULL, keys::of_number(1))];
        Change::add(self.key(), full, keys::expiry(self.day())).while_open()
    }

    /// Attributes and what is to be added to them, as far as something is.
    pub(crate) fn amounts(&self) -> impl Iterator<Item = (&str, u64)> {
        let added = self.rows.iter().map(|row| (row.name.as_str(), row.marks.since(self.from)));
        added.filter(|(_, count)| *count > 0)
    }

    /// The first and the last mark of what is to be added; none if nothing is.
    pub(crate) fn marks(&self) -> Option<(u64, u64)> {
        let rows = self.rows.iter().filter(|row| row.marks.since(self.from) > 0);
        let marks = rows.map(|row| (row.marks.first().max(self.from), row.marks.last()));
        marks.reduce(|(first, last), (f, l)| (first.min(f), last.max(l)))
    }

    /// Skips what lies before a position of the source.
    pub(crate) fn skip(&mut self, position: Option<&[u8]>, positions: &Positions) {
        let after = position.map_or(0, |position| positions.mark_after(position));
        self.from = self.from.max(after);
    }

    /// The pages below this one that something is to be added to.
    fn children(self) -> impl Iterator<Item = Self> {
        let Self { book, depth, rows, from } = self;
        let rows = rows.into_iter().filter(|row| row.marks.since(from) > 0);
        let (left, right): (Vec<_>, Vec<_>) =
            rows.partition(|row| row.way >> (63 - depth) & 1 == 0);
        [left, right].into_iter().filter(|rows| !rows.is_empty()).map(move |rows| Self {
            book: Arc::clone(&book),
            depth: depth + 1,
            rows,
            from,
        })
    }
}

/// What is known of a page.
#[derive(Debug)]
enum Known {
    /// It is full, with these positions for ever.
    Full(Arc<HashMap<String, Vec<u8>>>),
    /// It is open, with at least these counters; the bytes of these, and of everything else.
    Open { rows: HashSet<u64>, bytes: usize, frame: usize },
}

impl Known {
    fn of(item: Option<&Item>) -> Self {
        let Some(item) = item else {
            return Self::Open { rows: HashSet::new(), bytes: 0, frame: FRAME };
        };
        if item.contains_key(FULL) {
            let positions = item.iter().filter_map(|(name, value)| {
                value.as_b().ok().map(|position| (name.clone(), position.as_ref().to_vec()))
            });
            return Self::Full(Arc::new(positions.collect()));
        }
        let (mut rows, mut bytes, mut frame) = (HashSet::new(), 0, 0);
        for (name, value) in item {
            if is_counter(name) {
                rows.insert(way_of(name));
                bytes += name.len() + VALUE;
            } else {
                frame += name.len();
                frame += match value {
                    AttributeValue::S(text) => text.len(),
                    AttributeValue::B(bytes) => bytes.as_ref().len(),
                    _ => VALUE,
                };
            }
        }
        Self::Open { rows, bytes, frame }
    }
}

/// What this process remembers of pages.
#[derive(Debug, Default)]
pub(crate) struct Directory(HashMap<Place, Known>);

/// What is to be done with a page.
enum Decision {
    /// Nothing is known of it.
    Read,
    /// It is full: go on with its children, without what lies before this position.
    Descend(Option<Vec<u8>>),
    /// It would be too large.
    Close,
    Write,
}

impl Directory {
    /// Forgets everything if it has grown too much.
    pub(crate) fn trim(&mut self) {
        let weight = |known: &Known| match known {
            Known::Full(positions) => 6 + 3 * positions.len(),
            Known::Open { rows, .. } => 6 + rows.len(),
        };
        if self.0.values().map(weight).sum::<usize>() > REMEMBERED {
            self.0.clear();
        }
    }

    fn decide(&self, page: &Page<'_>, source: &Source, limit: usize) -> Decision {
        match self.0.get(&page.place()) {
            None => Decision::Read,
            Some(Known::Full(positions)) => {
                Decision::Descend(positions.get(source.attribute()).cloned())
            }
            Some(Known::Open { rows, bytes, frame }) => {
                let new = page.rows.iter().filter(|row| !rows.contains(&row.way));
                let (count, added) = new.fold((rows.len(), 0), |(count, added), row| {
                    (count + 1, added + row.name.len() + VALUE)
                });
                // Positions of many sources must not leave a page without room for counters.
                let room = limit.saturating_sub((*frame).min(limit / 3));
                let fits = page.rows.len() <= ROWS && (added == 0 || bytes + added <= room);
                if fits || count <= 1 || page.depth >= DEEPEST {
                    Decision::Write
                } else {
                    Decision::Close
                }
            }
        }
    }

    /// Takes note of what was written to a page, and of how large DynamoDB says that it is.
    pub(crate) fn written(&mut self, page: &Page<'_>, write_units: Option<f64>) {
        let place = page.place();
        let Some(Known::Open { rows, bytes, frame }) = self.0.get_mut(&place) else { return };
        for row in &page.rows {
            if rows.insert(row.way) {
                *bytes += row.name.len() + VALUE;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand bytes")]
        let expected = ((*bytes + *frame) as f64 / 1024.0).ceil() + 1.0;
        if write_units.is_some_and(|units| units > expected) {
            // Others have filled it too: look again next time.
            self.0.remove(&place);
        }
    }

    /// Takes note that this process was the one that closed a page: nobody can have gone below it yet.
    fn closed_first(&mut self, page: &Page<'_>) {
        let way = page.rows.first().map_or(0, |row| row.way);
        let bit = 1 << (63 - page.depth);
        for way in [way & !bit, way | bit] {
            let place = (page.book.partition.clone(), page.sort_key(way, page.depth + 1));
            self.0.entry(place).or_insert_with(|| Known::of(None));
        }
    }

    /// Takes note of a page as it is.
    pub(crate) fn found(&mut self, page: &Page<'_>, item: &Item) {
        self.0.insert(page.place(), Known::of(Some(item)));
    }
}

impl Store {
    pub(crate) fn directory(&self) -> std::sync::MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the pages that take what is to be added, and closes those that would be too large. Gives
    /// also the write units that this took.
    pub(crate) async fn place<'t>(
        &self,
        mut pages: Vec<Page<'t>>,
        source: &Source,
        positions: &Positions,
    ) -> Result<(Vec<Page<'t>>, f64), StoreError> {
        let (mut placed, mut write_units) = (Vec::new(), 0.0);
        while !pages.is_empty() {
            let (mut next, mut unknown, mut too_large) = (Vec::new(), Vec::new(), Vec::new());
            {
                let directory = self.directory();
                for mut page in pages {
                    match directory.decide(&page, source, self.page) {
                        Decision::Read => unknown.push(page),
                        Decision::Close => too_large.push(page),
                        Decision::Write => placed.push(page),
                        Decision::Descend(position) => {
                            page.skip(position.as_deref(), positions);
                            next.extend(page.children());
                        }
                    }
                }
            }
            let reads: Vec<_> = unknown.iter().map(|page| self.look_at(page).boxed()).collect();
            gathered(reads, CONCURRENCY).await?;
            write_units += self.close_all(&too_large).await?;
            next.extend(unknown);
            next.extend(too_large);
            pages = next;
        }
        Ok((placed, write_units))
    }

    async fn look_at(&self, page: &Page<'_>) -> Result<(), StoreError> {
        let item = self.get(page.key()).await?;
        self.directory().0.insert(page.place(), Known::of(item.as_ref()));
        Ok(())
    }

    /// Marks pages as full, whatever is in them, and takes note of their positions.
    async fn close_all(&self, pages: &[Page<'_>]) -> Result<f64, StoreError> {
        if let Writing::Single { concurrency } = self.writing {
            return self.close_each(pages, concurrency).await;
        }
        let mut write_units = 0.0;
        for pages in pages.chunks(TRANSACTION) {
            write_units += match self.transact(pages.iter().map(Page::closing).collect()).await? {
                Transacted::Done(units) => {
                    let looks = pages.iter().map(|page| self.look_at_closed(page).boxed());
                    gathered(looks.collect(), CONCURRENCY).await?;
                    units
                }
                Transacted::Refused(_) | Transacted::Contended => {
                    self.close_each(pages, CONCURRENCY).await?
                }
            };
        }
        Ok(write_units)
    }

    async fn close_each(&self, pages: &[Page<'_>], concurrency: usize) -> Result<f64, StoreError> {
        let closes = pages.iter().map(|page| self.close(page).boxed());
        Ok(gathered(closes.collect(), concurrency).await?.into_iter().sum())
    }

    async fn close(&self, page: &Page<'_>) -> Result<f64, StoreError> {
        match self.update(page.closing()).await? {
            Updated::Done(units) => {
                self.look_at_closed(page).await?;
                Ok(units)
            }
            Updated::Refused(old, units) => {
                if let Some(old) = old {
                    self.directory().found(page, &old);
                }
                Ok(units)
            }
        }
    }

    /// Takes note of a page that this process has just closed: closing does not tell what was in it.
    async fn look_at_closed(&self, page: &Page<'_>) -> Result<(), StoreError> {
        self.look_at(page).await?;
        self.directory().closed_first(page);
        Ok(())
    }
}
