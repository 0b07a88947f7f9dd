//! Messages by sender: added up, sorted, searched and cut into pages.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use memchr::memmem::Finder;

use crate::{Column, Sort, TlsCounts, TlsVersion};

/// One sender's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderRow<'s> {
    /// The sender.
    pub sender: &'s str,
    /// Its messages per TLS version.
    pub counts: TlsCounts,
}

/// A sender in a [`SenderTable`]: as large as one cache line.
#[derive(Debug)]
struct Entry {
    begins: usize,
    length: u32,
    /// The entry that was added to after this one, the last time.
    next: u32,
    counts: TlsCounts,
}

/// Adds usage up by sender.
///
/// Sources that name the same senders in the same order, day after day, are added up without looking
/// senders up: each remembers who came next.
#[derive(Debug, Default)]
pub struct SenderTable {
    names: String,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    hasher: RandomState,
    last: usize,
}

impl SenderTable {
    /// Adds messages of one sender.
    pub fn add(&mut self, sender: &str, tls: TlsVersion, messages: u64) {
        let at = self.place(sender);
        self.entries[at].counts.add(tls, messages);
    }

    /// Adds another table.
    pub fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            let at = self.place(entry.name(&other.names));
            self.entries[at].counts.merge(&entry.counts);
        }
    }

    fn place(&mut self, sender: &str) -> usize {
        if let Some(last) = self.entries.get(self.last) {
            if last.name(&self.names) == sender {
                return self.last;
            }
            let next = last.next as usize;
            if self.entries[next].name(&self.names) == sender {
                self.last = next;
                return next;
            }
        }
        let at = self.find(sender);
        if let Some(last) = self.entries.get_mut(self.last) {
            last.next = u32::try_from(at).unwrap_or(0);
        }
        self.last = at;
        at
    }

    fn find(&mut self, sender: &str) -> usize {
        let Self { names, entries, index, hasher, .. } = self;
        let hash = hasher.hash_one(sender);
        if let Some(at) = index.find(hash, |at| entries[*at as usize].name(names) == sender) {
            return *at as usize;
        }
        // Four thousand million senders do not fit into memory.
        let at = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(sender.len()).unwrap_or(u32::MAX);
        let begins = names.len();
        names.push_str(sender);
        entries.push(Entry { begins, length, next: 0, counts: TlsCounts::default() });
        index.insert_unique(hash, at, |at| hasher.hash_one(entries[*at as usize].name(names)));
        entries.len() - 1
    }

    /// Everything added up.
    #[must_use]
    pub fn finish(self) -> Senders {
        let Self { names, mut entries, .. } = self;
        entries.sort_by(|one, other| one.name(&names).cmp(other.name(&names)));
        let mut sorted = Senders { names: String::with_capacity(names.len()), rows: Vec::new() };
        sorted.rows.reserve_exact(entries.len());
        for entry in entries {
            sorted.names.push_str(entry.name(&names));
            sorted.rows.push((sorted.names.len(), entry.counts));
        }
        sorted
    }
}

impl Entry {
    fn name<'n>(&self, names: &'n str) -> &'n str {
        &names[self.begins..self.begins + self.length as usize]
    }
}

/// Messages by sender, in the order of the senders: about 60 bytes each, and the address.
#[derive(Debug, Default)]
pub struct Senders {
    names: String,
    /// Where each sender's name ends, and its messages.
    rows: Vec<(usize, TlsCounts)>,
}

impl Senders {
    /// How many senders there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All senders' messages together.
    #[must_use]
    pub fn total(&self) -> TlsCounts {
        let mut total = TlsCounts::default();
        for (_, counts) in &self.rows {
            total.merge(counts);
        }
        total
    }

    /// The row at a place in the order of senders.
    fn row(&self, at: usize) -> SenderRow<'_> {
        let begins = at.checked_sub(1).map_or(0, |before| self.rows[before].0);
        let (ends, counts) = self.rows[at];
        SenderRow { sender: &self.names[begins..ends], counts }
    }

    /// The places of the senders with `part` in them: all for an empty part.
    fn found(&self, part: &str) -> impl Iterator<Item = usize> {
        let finder = Finder::new(part).into_owned();
        let found = move |at: &usize| {
            finder.needle().is_empty() || finder.find(self.row(*at).sender.as_bytes()).is_some()
        };
        (0..self.len()).filter(found)
    }

    /// The order of two places: by column, then by sender, which is the order of the places.
    fn compare(&self, sort: Sort, one: usize, other: usize) -> Ordering {
        let by_column = match sort.column {
            Column::Sender => one.cmp(&other),
            column => column.compare(&self.rows[one].1, &self.rows[other].1),
        };
        sort.directed(by_column).then(one.cmp(&other))
    }

    /// Every row with `part` in its sender, in order.
    pub fn rows(&self, sort: Sort, part: &str) -> impl Iterator<Item = SenderRow<'_>> {
        let mut places: Vec<_> = self.found(part).collect();
        places.sort_unstable_by(|one, other| self.compare(sort, *one, *other));
        places.into_iter().map(|at| self.row(at))
    }

    /// At most `limit` rows with `part` in their sender, from a place in the order on.
    ///
    /// Picks the rows of one page, in time that grows with the number of senders only, and sorts these
    /// alone: no order has to be kept for other pages.
    #[must_use]
    pub fn page(&self, sort: Sort, part: &str, place: Place<'_>, limit: usize) -> SenderPage<'_> {
        let wanted = |at: usize| match place {
            Place::First => true,
            Place::After(row) => sort.compare(&self.row(at), &row) == Ordering::Greater,
            Place::Before(row) => sort.compare(&self.row(at), &row) == Ordering::Less,
        };
        let (mut places, mut others) = (Vec::new(), 0);
        for at in self.found(part) {
            if wanted(at) {
                places.push(at);
            } else {
                others += 1;
            }
        }
        // The rows nearest to the place come first.
        let nearer = |one: &usize, other: &usize| {
            let order = self.compare(sort, *one, *other);
            if matches!(place, Place::Before(_)) { order.reverse() } else { order }
        };
        let further = places.len().saturating_sub(limit);
        if further > 0 {
            places.select_nth_unstable_by(limit, nearer);
            places.truncate(limit);
        }
        places.sort_unstable_by(|one, other| self.compare(sort, *one, *other));
        let rows = places.into_iter().map(|at| self.row(at)).collect();
        match place {
            Place::First | Place::After(_) => SenderPage { rows, before: others, after: further },
            Place::Before(_) => SenderPage { rows, before: further, after: others },
        }
    }
}

/// Where a page of a table lies.
#[derive(Clone, Copy, Debug)]
pub enum Place<'s> {
    /// At the top.
    First,
    /// Right behind this row, or behind where it would stand.
    After(SenderRow<'s>),
    /// Right before this row, or before where it would stand.
    Before(SenderRow<'s>),
}

/// Some rows of a table.
#[derive(Debug)]
pub struct SenderPage<'s> {
    /// The rows, in order.
    pub rows: Vec<SenderRow<'s>>,
    /// How many rows stand before these.
    pub before: usize,
    /// How many follow.
    pub after: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(tls10: u64, tls13: u64) -> TlsCounts {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls10, tls10);
        counts.add(TlsVersion::Tls13, tls13);
        counts
    }

    fn table(rows: &[(&str, u64, u64)]) -> SenderTable {
        let mut table = SenderTable::default();
        for (sender, tls10, tls13) in rows {
            table.add(sender, TlsVersion::Tls10, *tls10);
            table.add(sender, TlsVersion::Tls13, *tls13);
        }
        table
    }

    const ORDERS: [(&str, &str); 10] = [
        ("sender", "abc"),
        ("-sender", "cba"),
        ("messages", "abc"),
        ("-messages", "cab"),
        ("-TLS1.0", "cab"),
        ("-legacy", "cab"),
        ("TLS1.3", "abc"),
        ("TLS1.0.percent", "abc"),
        ("-TLS1.0.percent", "cab"),
        ("none", "abc"),
    ];

    #[test]
    fn rows_are_sorted_by_any_column_and_ties_by_sender() {
        let senders = table(&[("b", 1, 3), ("a", 1, 3), ("c", 3, 3)]).finish();
        for (text, expected) in ORDERS {
            let sort = Sort::read(text).expect(text);
            let order: String = senders.rows(sort, "").map(|row| row.sender).collect();
            assert_eq!(order, expected, "{sort:?}");
            assert_eq!(sort.written(), text);
        }
        for bad in ["", "-", "TLS", "messages.percent", "--sender"] {
            assert_eq!(Sort::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn pages_are_the_rows_in_order() {
        let mut rng = fastrand::Rng::with_seed(7);
        let names: Vec<_> = (0..300).map(|n| format!("user{n:03}@example.test")).collect();
        let mut rows = Vec::new();
        for name in &names {
            rows.push((name.as_str(), rng.u64(0..4), rng.u64(0..4)));
        }
        rng.shuffle(&mut rows);
        let senders = table(&rows).finish();
        for (text, _) in ORDERS {
            let sort = Sort::read(text).expect(text);
            for part in ["", "7", "nobody"] {
                let whole: Vec<_> = senders.rows(sort, part).collect();
                let (mut paged, mut place) = (Vec::new(), Place::First);
                loop {
                    let SenderPage { rows, before, after } = senders.page(sort, part, place, 7);
                    assert_eq!((before, before + rows.len() + after), (paged.len(), whole.len()));
                    if let Some(first) = rows.first() {
                        let page = senders.page(sort, part, Place::Before(*first), 7);
                        assert_eq!(page.rows, paged[before.saturating_sub(7)..], "{text} {part}");
                        assert_eq!(page.before + page.rows.len(), before);
                        assert_eq!(page.after, whole.len() - before);
                    }
                    paged.extend_from_slice(&rows);
                    match rows.last() {
                        Some(last) if after > 0 => place = Place::After(*last),
                        _ => break,
                    }
                }
                assert_eq!(paged, whole, "{text} {part}");
                assert!(whole.is_sorted_by(|one, two| sort.compare(one, two).is_lt()), "{text}");
            }
        }
    }

    #[test]
    fn counts_are_exact_in_any_order_and_in_parts() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..50 {
            let mut expected = std::collections::BTreeMap::new();
            let mut parts = [SenderTable::default(), SenderTable::default()];
            let mut order: Vec<u32> = (0..40).collect();
            for _ in 0..6 {
                // Mostly the same order, some days another, some senders missing or repeated.
                if rng.u32(0..3) == 0 {
                    rng.shuffle(&mut order);
                }
                for number in &order {
                    for _ in 0..[0, 1, 1, 1, 2][rng.usize(0..5)] {
                        let sender = format!("user{number}");
                        let tls = TlsVersion::ALL[rng.usize(0..6)];
                        parts[rng.usize(0..2)].add(&sender, tls, 1);
                        expected.entry(sender).or_insert_with(TlsCounts::default).add(tls, 1);
                    }
                }
            }
            let [mut one, two] = parts;
            one.merge(&two);
            let senders = one.finish();
            let by_sender = Sort { column: Column::Sender, descending: false };
            let found = senders.rows(by_sender, "").map(|row| (row.sender.to_owned(), row.counts));
            assert!(found.eq(expected));
        }
    }

    #[test]
    fn a_page_behind_a_row_that_is_gone_begins_where_it_stood() {
        let senders = table(&[("a", 5, 0), ("c", 3, 0), ("d", 1, 0)]).finish();
        let gone = SenderRow { sender: "b", counts: counts(3, 0) };
        for (place, expected) in [(Place::After(gone), "cd"), (Place::Before(gone), "a")] {
            let page = senders.page(Sort::MOST_MESSAGES, "", place, 10);
            assert_eq!(page.rows.iter().map(|row| row.sender).collect::<String>(), expected);
            assert_eq!(page.before + page.after + page.rows.len(), 3);
        }
    }
}
