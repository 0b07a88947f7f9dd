//! Messages by group: added up, sorted, searched and cut into pages.

use std::cmp::Ordering;
use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use memchr::memmem::Finder;

use super::group::Group;
use super::row::Row;
use super::sort::{Column, Sort};
use crate::counting::tls::{TlsCounts, TlsVersion};
use crate::counting::usage::UsageKey;

/// A row in a [`TableBuilder`]: as large as one cache line.
#[derive(Debug)]
struct Entry {
    begins: usize,
    length: u32,
    /// The entry that was added to after this one, the last time.
    next: u32,
    counts: TlsCounts,
}

/// Adds usage up by a group.
///
/// Sources that name the same rows in the same order, day after day, are added up without looking rows up:
/// each remembers which came next.
#[derive(Debug)]
pub struct TableBuilder {
    group: Group,
    names: String,
    entries: Vec<Entry>,
    index: HashTable<u32>,
    hasher: RandomState,
    last: usize,
}

impl TableBuilder {
    /// Nothing, yet.
    #[must_use]
    pub fn new(group: Group) -> Self {
        let (names, entries, index) = (String::new(), Vec::new(), HashTable::new());
        Self { group, names, entries, index, hasher: RandomState::default(), last: 0 }
    }

    /// Adds messages of one key. Of its fields, only those of the group and the TLS version matter.
    pub fn add(&mut self, key: &UsageKey<'_>, messages: u64) {
        self.add_to(self.group.of(key), key.tls, messages);
    }

    fn add_to(&mut self, name: &str, tls: TlsVersion, messages: u64) {
        let at = self.place(name);
        self.entries[at].counts.add(tls, messages);
    }

    /// Adds what another one of the same group has added up.
    pub fn merge(&mut self, other: &Self) {
        for entry in &other.entries {
            let at = self.place(entry.name(&other.names));
            self.entries[at].counts.merge(&entry.counts);
        }
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
        entries.push(Entry { begins, length, next: 0, counts: TlsCounts::default() });
        index.insert_unique(hash, at, |at| hasher.hash_one(entries[*at as usize].name(names)));
        entries.len() - 1
    }

    /// Everything added up.
    #[must_use]
    pub fn finish(self) -> Table {
        let Self { group, names, mut entries, .. } = self;
        entries.sort_by(|one, other| one.name(&names).cmp(other.name(&names)));
        let (text, rows) = (String::with_capacity(names.len()), Vec::with_capacity(entries.len()));
        let mut sorted = Table { group, names: text, rows };
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

/// Messages by a group, in the order of the names: about 60 bytes a row, and its name.
#[derive(Debug)]
pub struct Table {
    group: Group,
    names: String,
    /// Where each row's name ends, and its messages.
    rows: Vec<(usize, TlsCounts)>,
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

    /// All messages together.
    #[must_use]
    pub fn total(&self) -> TlsCounts {
        let mut total = TlsCounts::default();
        for (_, counts) in &self.rows {
            total.merge(counts);
        }
        total
    }

    /// The row at a place in the order of names.
    fn row(&self, at: usize) -> Row<'_> {
        let begins = at.checked_sub(1).map_or(0, |before| self.rows[before].0);
        let (ends, counts) = self.rows[at];
        Row { name: &self.names[begins..ends], counts }
    }

    /// The places of the rows with `part` in their names: all for an empty part.
    fn found(&self, part: &str) -> impl Iterator<Item = usize> {
        let finder = Finder::new(part).into_owned();
        let found = move |at: &usize| {
            finder.needle().is_empty() || finder.find(self.row(*at).name.as_bytes()).is_some()
        };
        (0..self.len()).filter(found)
    }

    /// The order of two places: by column, then by name, which is the order of the places.
    fn compare(&self, sort: Sort, one: usize, other: usize) -> Ordering {
        let by_column = match sort.column {
            Column::Name => one.cmp(&other),
            column => column.compare(&self.rows[one].1, &self.rows[other].1),
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::counting::day::{Day, Days, Range};
    use crate::counting::day_tally::ALL_DOMAINS;
    use crate::counting::submission::{Submission, domain_of, own_domain};
    use crate::counting::tally::{Tally, Window};
    use crate::counting::usage::IdentityKind;
    use crate::views::filter::Filter;

    fn counts(tls10: u64, tls13: u64) -> TlsCounts {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls10, tls10);
        counts.add(TlsVersion::Tls13, tls13);
        counts
    }

    fn table(rows: &[(&str, u64, u64)]) -> TableBuilder {
        let mut table = TableBuilder::new(Group::Sender);
        for (sender, tls10, tls13) in rows {
            table.add_to(sender, TlsVersion::Tls10, *tls10);
            table.add_to(sender, TlsVersion::Tls13, *tls13);
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
            let sort = Sort::read(Group::Sender, text).expect(text);
            let order: String = senders.rows(sort, "").map(|row| row.name).collect();
            assert_eq!(order, expected, "{sort:?}");
            assert_eq!(sort.written(Group::Sender), text);
        }
        for bad in ["", "-", "TLS", "messages.percent", "--sender"] {
            assert_eq!(Sort::read(Group::Sender, bad), None, "{bad}");
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
            let sort = Sort::read(Group::Sender, text).expect(text);
            for part in ["", "7", "nobody"] {
                let whole: Vec<_> = senders.rows(sort, part).collect();
                let (mut paged, mut place) = (Vec::new(), Place::First);
                loop {
                    let TablePage { rows, before, after } = senders.page(sort, part, place, 7);
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
            let mut parts = [(); 2].map(|()| TableBuilder::new(Group::Sender));
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
                        parts[rng.usize(0..2)].add_to(&sender, tls, 1);
                        expected.entry(sender).or_insert_with(TlsCounts::default).add(tls, 1);
                    }
                }
            }
            let [mut one, two] = parts;
            one.merge(&two);
            let senders = one.finish();
            let by_sender = Sort { column: Column::Name, descending: false };
            let found = senders.rows(by_sender, "").map(|row| (row.name.to_owned(), row.counts));
            assert!(found.eq(expected));
        }
    }

    #[test]
    fn a_page_behind_a_row_that_is_gone_begins_where_it_stood() {
        let senders = table(&[("a", 5, 0), ("c", 3, 0), ("d", 1, 0)]).finish();
        let gone = Row { name: "b", counts: counts(3, 0) };
        for (place, expected) in [(Place::After(gone), "cd"), (Place::Before(gone), "a")] {
            let page = senders.page(Sort::MOST_MESSAGES, "", place, 10);
            assert_eq!(page.rows.iter().map(|row| row.name).collect::<String>(), expected);
            assert_eq!(page.before + page.after + page.rows.len(), 3);
        }
    }

    /// Usage of a few names, so that all sorts of it fall together.
    fn usage<'n>(names: &'n [[String; 4]; 5], rng: &mut fastrand::Rng) -> Vec<(UsageKey<'n>, u64)> {
        let mut usage = Vec::new();
        for _ in 0..rng.usize(0..200) {
            let mut name = |kind: usize| names[rng.usize(0..5)][kind].as_str();
            let (sender, username, mechanism, client) = (name(0), name(1), name(2), name(3));
            let tls = TlsVersion::ALL[rng.usize(0..6)];
            let domain = domain_of(sender, username, "(none)");
            let key = UsageKey { domain, sender, username, mechanism, tls, client };
            usage.push((key, rng.u64(1..9)));
        }
        usage
    }

    fn names() -> [[String; 4]; 5] {
        [
            ["ann@example.test", "ann@example.test", "PLAIN", "192.0.2.1"],
            ["bob@example.test", "", "LOGIN", "192.0.2.2"],
            ["ann@corp.test", "ann", "", ""],
            ["<>", "scanner@corp.test", "PLAIN", "2001:db8::1"],
            ["root", "bob@example.test", "CRAM-MD5", "192.0.2.1"],
        ]
        .map(|row| row.map(str::to_owned))
    }

    fn filter(names: &[[String; 4]; 5], rng: &mut fastrand::Rng) -> Filter {
        let mut some = |kinds: &[usize]| {
            let kind = kinds[rng.usize(0..kinds.len())];
            let name = names[rng.usize(0..5)][kind].clone();
            (rng.u32(0..3) == 0).then_some(name)
        };
        let (sender, account) = (some(&[0]), some(&[0, 1]));
        let (mechanism, client) = (some(&[2]), some(&[3]));
        let domain = some(&[0]).as_deref().and_then(own_domain).map(str::to_owned);
        let tls = (rng.u32(0..3) == 0).then(|| TlsVersion::ALL[rng.usize(0..6)]);
        Filter { domain, sender, account, client, tls, mechanism }
    }

    #[test]
    fn totals_agree_across_all_groups_whatever_the_filter() {
        let mut rng = fastrand::Rng::with_seed(23);
        let (names, mut found) = (names(), 0);
        for round in 0..2000 {
            let usage = usage(&names, &mut rng);
            let filter = if round % 4 == 0 { Filter::default() } else { filter(&names, &mut rng) };
            let passed = || usage.iter().filter(|(key, _)| filter.passes(|field| key.get(field)));
            let mut total = TlsCounts::default();
            for (key, messages) in passed() {
                total.add(key.tls, *messages);
                assert!(filter.exact().all(|(field, wanted)| key.get(field) == wanted));
                assert!(filter.account.as_deref().is_none_or(|who| key.account().name() == who));
            }
            for group in Group::ALL {
                let mut table = TableBuilder::new(group);
                passed().for_each(|(key, messages)| table.add(key, *messages));
                let table = table.finish();
                assert_eq!(table.total(), total, "{group:?} {filter:?}");
                let rows: u64 = table.rows(Sort::MOST_LEGACY, "").map(|r| r.counts.total()).sum();
                assert_eq!(rows, total.total(), "{group:?} {filter:?}");
            }
            found += u64::from(total.total() > 0);
        }
        assert!(found > 500, "the filters leave something: {found}");
    }

    /// What the insight counts, and how its accounts are found in the table.
    #[test]
    fn a_table_by_account_adds_up_to_the_insight() {
        let mut rng = fastrand::Rng::with_seed(29);
        let names = names();
        for _ in 0..500 {
            let day = Day::from_ymd_opt(2026, 11, 23).expect("a date");
            let days = Range { start: day, end: day };
            let window = Window { days, default_domain: "(none)".into() };
            let mut tally = Tally::new(Days::new(chrono_tz::UTC), window);
            let usage = usage(&names, &mut rng);
            for (key, messages) in &usage {
                let UsageKey { sender, username: account, mechanism, tls, client, .. } = *key;
                let (time, messages) = (1_795_435_200, *messages);
                let one = Submission { time, sender, account, mechanism, tls, client, messages };
                tally.submission(1, &one);
            }
            let (mut accounts, mut senders) = (BTreeSet::new(), BTreeSet::new());
            for (_, who) in tally.identities() {
                match who.kind {
                    IdentityKind::Account => accounts.insert(who.name),
                    IdentityKind::Sender => senders.insert(who.name),
                    IdentityKind::Domain => true,
                };
            }
            let all = tally.rollups().find(|rollup| rollup.domain == ALL_DOMAINS);
            let messages = all.map_or(0, |all| all.counts.total());
            for (group, seen) in [(Group::Account, accounts), (Group::Sender, senders)] {
                let mut table = TableBuilder::new(group);
                for (_, key, marks) in tally.usage() {
                    table.add(&UsageKey::read(key).expect("a key"), marks.since(0));
                }
                let table = table.finish();
                let by_name = Sort { column: Column::Name, descending: false };
                assert!(table.rows(by_name, "").map(|row| row.name).eq(seen), "{group:?}");
                assert_eq!(table.total().total(), messages, "{group:?}");
            }
        }
    }
}
