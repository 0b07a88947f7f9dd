//! Messages by group: added up, sorted, searched and cut into pages.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use memchr::memmem::Finder;

use super::filter::Clients;
use super::group::Group;
use super::known::Known;
use super::row::{Past, Row};
use super::sort::{Column, Sort};
use crate::counting::day::{Day, Range};
use crate::counting::tls::{TlsCounts, TlsVersion};
use crate::counting::usage::UsageKey;

/// A row in a [`TableBuilder`].
#[derive(Debug)]
struct Entry {
    begins: usize,
    length: u32,
    /// The entry that was added to after this one, the last time.
    next: u32,
    counts: TlsCounts,
    before: u64,
    first: Day,
    last: Day,
}

/// Adds the usage of some days up by a group: that of a range, and of the days around it what tells how it changed, and
/// who was seen when.
///
/// Sources that name the same rows in the same order, day after day, are added up without looking rows up:
/// each remembers which came next.
#[derive(Debug)]
pub struct TableBuilder {
    group: Group,
    days: TableDays,
    names: String,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    hasher: RandomState,
    last: usize,
}

impl TableBuilder {
    /// Nothing, yet, of a range among days that are read.
    #[must_use]
    pub fn new(group: Group, range: Range, read: Range) -> Self {
        let (names, entries, index) = (String::new(), Vec::new(), HashTable::new());
        let (days, hasher) = (TableDays::new(range, read), RandomState::default());
        Self { group, days, names, entries, index, hasher, last: 0 }
    }

    /// Adds messages of one key. Of its fields, only those of the group and the TLS version matter.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        self.add_to(day, self.group.of(key), key.tls, messages);
    }

    fn add_to(&mut self, day: Day, name: &str, tls: TlsVersion, messages: u64) {
        let at = self.place(name);
        let (days, entry) = (&self.days, &mut self.entries[at]);
        if days.range.contains(day) {
            entry.counts.add(tls, messages);
        } else if days.before.contains(day) {
            entry.before = entry.before.saturating_add(messages);
        }
        (entry.first, entry.last) = (entry.first.min(day), entry.last.max(day));
    }

    /// Adds what another one of the same group has added up.
    pub fn merge(&mut self, other: Self) {
        for entry in &other.entries {
            let at = self.place(entry.name(&other.names));
            self.entries[at].merge(entry);
        }
    }

    /// The same by the meaning of its names, where the group has one: rows by mechanism become rows by kind.
    #[must_use]
    pub fn told_apart_by(self, known: &Known) -> Self {
        if !self.group.is_of_meaning() {
            return self;
        }
        let mut meant = Self::new(self.group, self.days.range, self.days.read);
        for entry in &self.entries {
            let at = meant.place(&self.group.meant_by(entry.name(&self.names), known));
            meant.entries[at].merge(entry);
        }
        meant
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(last) = self.entries.get(self.last) {
            if last.name(&self.names) == name {
                return self.last;
            }
            let next = last.next as usize;
            if self.entries[next].name(&self.names) == name {
                self.last = next;
                return next;
            }
        }
        let at = self.find(name);
        if let Some(last) = self.entries.get_mut(self.last) {
            last.next = u32::try_from(at).unwrap_or(0);
        }
        self.last = at;
        at
    }

    fn find(&mut self, name: &str) -> usize {
        let Self { names, entries, index, hasher, .. } = self;
        let hash = hasher.hash_one(name);
        if let Some(at) = index.find(hash, |at| entries[*at as usize].name(names) == name) {
            return *at as usize;
        }
        // Four thousand million rows do not fit into memory.
        let at = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        let begins = names.len();
        names.push_str(name);
        let (counts, before, first, last) = (TlsCounts::default(), 0, Day::MAX, Day::MIN);
        entries.push(Entry { begins, length, next: 0, counts, before, first, last });
        index.insert_unique(hash, at, |at| hasher.hash_one(entries[*at as usize].name(names)));
        entries.len() - 1
    }

    /// Everything added up: a row for what has messages in the range.
    #[must_use]
    pub fn finish(self) -> Table {
        let Self { group, days, names, mut entries, .. } = self;
        entries.retain(|entry| entry.counts.total() > 0);
        entries.sort_by(|one, other| one.name(&names).cmp(other.name(&names)));
        let (text, rows) = (String::new(), Vec::with_capacity(entries.len()));
        let mut sorted = Table { group, names: text, rows };
        let knows_before = days.knows_before();
        for entry in entries {
            sorted.names.push_str(entry.name(&names));
            let Entry { counts, before, first, last, .. } = entry;
            let past = Past { before: knows_before.then_some(before), first, last };
            sorted.rows.push(Figures { ends: sorted.names.len(), counts, past });
        }
        sorted
    }
}

/// The days that a table tells of.
#[derive(Clone, Copy, Debug)]
struct TableDays {
    range: Range,
    /// As many before it.
    before: Range,
    /// All that are read.
    read: Range,
}

impl TableDays {
    fn new(range: Range, read: Range) -> Self {
        Self { range, before: range.before(), read }
    }

    fn knows_before(&self) -> bool {
        self.before.start >= self.read.start
    }
}

impl Entry {
    fn name<'n>(&self, names: &'n str) -> &'n str {
        &names[self.begins..self.begins + self.length as usize]
    }

    fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        self.before = self.before.saturating_add(other.before);
        (self.first, self.last) = (self.first.min(other.first), self.last.max(other.last));
    }
}

/// A row without its name.
#[derive(Clone, Copy, Debug, Hash)]
struct Figures {
    /// Where its name ends.
    ends: usize,
    counts: TlsCounts,
    past: Past,
}

/// Messages by a group, in the order of the names: about 80 bytes a row, and its name.
#[derive(Debug, Hash)]
pub struct Table {
    group: Group,
    names: String,
    rows: Vec<Figures>,
}

impl Table {
    /// What it has a row for each of.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Takes over what another table of the same group knows of the past of its rows: one that read more days, but was not
    /// read at the same moment, so that its counts may be others.
    pub fn learn(&mut self, other: &Self) {
        let mut theirs = 0;
        for at in 0..self.len() {
            let name = self.row(at).name;
            theirs += (theirs..other.len()).take_while(|at| other.row(*at).name < name).count();
            if theirs < other.len() && other.row(theirs).name == name {
                self.rows[at].past = other.rows[theirs].past;
            }
        }
    }

    /// All messages together.
    #[must_use]
    pub fn total(&self) -> TlsCounts {
        let mut total = TlsCounts::default();
        for row in &self.rows {
            total.merge(&row.counts);
        }
        total
    }

    /// The row with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Row<'_>> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let at = low.midpoint(high);
            match self.row(at).name.cmp(name) {
                Ordering::Less => low = at + 1,
                Ordering::Equal => return Some(self.row(at)),
                Ordering::Greater => high = at,
            }
        }
        None
    }

    /// The row at a place in the order of names.
    fn row(&self, at: usize) -> Row<'_> {
        let begins = at.checked_sub(1).map_or(0, |before| self.rows[before].ends);
        let Figures { ends, counts, past } = self.rows[at];
        Row { name: &self.names[begins..ends], counts, past }
    }

    /// The places of the rows with `part` in their names, or, if it is a network, of the clients in it: all for an empty
    /// part.
    fn found(&self, part: &str) -> impl Iterator<Item = usize> {
        let finder = Finder::new(part).into_owned();
        let network = Some(part).filter(|_| self.group == Group::Client).and_then(Clients::read);
        let network = network.filter(|clients| matches!(clients, Clients::Network(_)));
        let found = move |at: &usize| {
            let name = self.row(*at).name;
            finder.needle().is_empty()
                || match &network {
                    Some(network) => network.has(name),
                    None => finder.find(name.as_bytes()).is_some(),
                }
        };
        (0..self.len()).filter(found)
    }

    /// The order of two places: by column, then by name, which is the order of the places.
    fn compare(&self, sort: Sort, one: usize, other: usize) -> Ordering {
        let by_column = match sort.column {
            Column::Name => one.cmp(&other),
            column => column.compare(&self.row(one), &self.row(other)),
        };
        sort.directed(by_column).then(one.cmp(&other))
    }

    /// Every row with `part` in its name, in order.
    pub fn rows(&self, sort: Sort, part: &str) -> impl Iterator<Item = Row<'_>> {
        let mut places: Vec<_> = self.found(part).collect();
        places.sort_unstable_by(|one, other| self.compare(sort, *one, *other));
        places.into_iter().map(|at| self.row(at))
    }

    /// At most `limit` rows with `part` in their names, from a place in the order on.
    ///
    /// Picks the rows of one page, in time that grows with the number of rows only, and sorts these
    /// alone: no order has to be kept for other pages.
    #[must_use]
    pub fn page(&self, sort: Sort, part: &str, place: Place<'_>, limit: usize) -> TablePage<'_> {
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
            Place::First | Place::After(_) => TablePage { rows, before: others, after: further },
            Place::Before(_) => TablePage { rows, before: further, after: others },
        }
    }
}

/// Where a page of a table lies.
#[derive(Clone, Copy, Debug)]
pub enum Place<'t> {
    /// At the top.
    First,
    /// Right behind this row, or behind where it would stand.
    After(Row<'t>),
    /// Right before this row, or before where it would stand.
    Before(Row<'t>),
}

/// Some rows of a table.
#[derive(Debug)]
pub struct TablePage<'t> {
    /// The rows, in order.
    pub rows: Vec<Row<'t>>,
    /// How many rows stand before these.
    pub before: usize,
    /// How many follow.
    pub after: usize,
}

#[cfg(test)]
mod tests;
