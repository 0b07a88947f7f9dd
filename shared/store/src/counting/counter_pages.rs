//! Counters packed into pages.
//!
//! DynamoDB charges a write by the size of the whole item, from one kilobyte up, and a usage counter is
//! forty bytes: so an item holds as many counters as fit into a kilobyte. Such a **page** costs the same
//! write unit as one counter alone would, and a day has a tenth of the items to write, keep and read.
//!
//! Counters of one book (a day and domain, a day's failed logins, or its finer counters) are spread over a binary tree of
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
//! What a process remembers of pages (the module `directory`) saves reads. Of full pages it is the truth for
//! ever; of others it only guesses when they will be too large.

use std::sync::Arc;

use report::{Day, Marks};
use sha2::{Digest as _, Sha256};

use crate::counting::counter_names::is_counter;
use crate::counting::position::Positions;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::update::{Change, Condition};

/// Marks a page as full.
pub(crate) const FULL: &str = "f";

/// A counter and what a tally adds to it.
#[derive(Debug)]
pub(crate) struct Row<'t> {
    /// Its attribute.
    pub(crate) name: String,
    /// Which way it takes through the tree, highest bit first.
    pub(crate) way: u64,
    marks: &'t Marks,
}

impl<'t> Row<'t> {
    pub(crate) fn new(name: String, marks: &'t Marks) -> Self {
        let way = way_of(&name);
        Self { name, way, marks }
    }
}

/// The same in every process and every version: otherwise records that come again would go another way. So failed logins
/// of all hours go the way that they went when there were no hours.
pub(crate) fn way_of(name: &str) -> u64 {
    let mut tabs = name.match_indices('\t').map(|(at, _)| at).skip(1);
    let placed = match (tabs.next(), tabs.next()) {
        (Some(hour), None) => &name[..hour],
        _ => name,
    };
    let checksum = Sha256::digest(placed.as_bytes());
    checksum[..8].iter().fold(0, |way, byte| way << 8 | u64::from(*byte))
}

/// Whether a counter's name leads to the page at this place in the tree, as in `.011`.
pub(crate) fn leads_to(name: &str, place: &str) -> bool {
    let way = way_of(name);
    let turns = |(bit, digit): (usize, u8)| {
        let turn = 63_usize.checked_sub(bit).map(|bit| u64::from(b'0') + (way >> bit & 1));
        turn == Some(u64::from(digit))
    };
    place.strip_prefix('.').is_some_and(|turned| turned.bytes().enumerate().all(turns))
}

/// The counters of one kind that share a tree.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Book {
    pub(crate) day: Day,
    pub(crate) partition: String,
    /// What sort keys begin with.
    pub(crate) prefix: String,
    /// Whether its counters tell more of messages that another book counts: then these are not added again.
    pub(crate) of_others: bool,
}

/// A page, and what a tally adds to it.
#[derive(Debug)]
pub(crate) struct Page<'t> {
    book: Arc<Book>,
    pub(crate) depth: u32,
    pub(crate) rows: Vec<Row<'t>>,
    /// What was counted at this mark or later is still to be added.
    from: u64,
}

/// Partition and sort key of a page.
pub(crate) type Place = (String, String);

/// Condition **open**: only while the page is not marked as full.
///
/// Closes the race of a writer with one who closes the page: positions of a full page never change.
pub(crate) fn open() -> Condition {
    Condition::new(format!("attribute_not_exists({FULL})"))
}

impl<'t> Page<'t> {
    /// The root page of a book, with everything that is to be added to the book.
    pub(crate) fn root(book: Book, rows: Vec<Row<'t>>) -> Self {
        Self { book: Arc::new(book), depth: 0, rows, from: 0 }
    }

    pub(crate) fn day(&self) -> Day {
        self.book.day
    }

    /// Whether it tells more of what another book counts.
    pub(crate) fn is_of_others(&self) -> bool {
        self.book.of_others
    }

    pub(crate) fn place(&self) -> Place {
        self.place_on(self.way(), self.depth)
    }

    /// The places of the two pages below.
    pub(crate) fn places_below(&self) -> [Place; 2] {
        let (way, bit) = (self.way(), 1 << (63 - self.depth));
        [way & !bit, way | bit].map(|way| self.place_on(way, self.depth + 1))
    }

    fn way(&self) -> u64 {
        self.rows.first().map_or(0, |row| row.way)
    }

    fn place_on(&self, way: u64, depth: u32) -> Place {
        (self.book.partition.clone(), self.sort_key(way, depth))
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
    pub(crate) fn closing(&self) -> Change {
        Change::of(self.key())
            .set(FULL, items::of_number(1))
            .expires(items::expiry(self.day()))
            .only_if(open())
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
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
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

/// The counters of a page, and their counts as far as they are numbers.
pub(crate) fn counters(item: &Item) -> impl Iterator<Item = (&str, Option<u64>)> {
    let counters = item.iter().filter(|(name, _)| is_counter(name));
    counters.map(|(name, count)| {
        (name.as_str(), count.as_n().ok().and_then(|digits| digits.parse().ok()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_logins_of_all_hours_go_the_way_that_they_went_without_hours() {
        let way = way_of("ann@x.test\t192.0.2.1");
        for hour in ["00", "07", "23"] {
            assert_eq!(way_of(&format!("ann@x.test\t192.0.2.1\t{hour}")), way);
        }
        assert_ne!(way_of("ann@x.test\t192.0.2.2\t00"), way);
        // Of usage, everything is looked at.
        let usage = "ann\u{1}\t\u{1}\tPLAIN\t3\t192.0.2.1";
        assert_ne!(way_of(usage), way_of(&usage.replace("PLAIN", "LOGIN")));
        assert_ne!(way_of("ann\tnight"), way_of("ann\trecipients"));
        assert_ne!(way_of(usage), way_of("ann\u{1}\t\u{1}\tPLAIN\t3\t192.0.2.2"));
    }
}
