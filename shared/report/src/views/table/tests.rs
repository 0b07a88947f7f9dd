use std::collections::BTreeSet;

use super::*;
use crate::counting::day::Days;
use crate::counting::day_tally::ALL_DOMAINS;
use crate::counting::kind::{Kind, Kinds};
use crate::counting::submission::{Submission, domain_of, own_domain};
use crate::counting::tally::{Tally, Window};
use crate::counting::usage::IdentityKind;
use crate::views::filter::Filter;

const DAY: Day = Day::from_ymd_opt(2026, 11, 20).expect("a date");
const RANGE: Range = Range { start: DAY, end: DAY };
const PAST: Past = Past { before: None, first: DAY, last: DAY };

fn counts(tls10: u64, tls13: u64) -> TlsCounts {
    let mut counts = TlsCounts::default();
    counts.add(TlsVersion::Tls10, tls10);
    counts.add(TlsVersion::Tls13, tls13);
    counts
}

fn table(rows: &[(&str, u64, u64)]) -> TableBuilder {
    let mut table = TableBuilder::new(Group::Sender, RANGE, RANGE);
    for (sender, tls10, tls13) in rows {
        table.add_to(DAY, sender, TlsVersion::Tls10, *tls10);
        table.add_to(DAY, sender, TlsVersion::Tls13, *tls13);
    }
    table
}

const ORDERS: [(&str, &str); 13] = [
    ("name", "abc"),
    ("-name", "cba"),
    ("messages", "abc"),
    ("-messages", "cab"),
    ("-TLS1.0", "cab"),
    ("-legacy", "cab"),
    ("TLS1.3", "abc"),
    ("TLS1.0.percent", "abc"),
    ("-TLS1.0.percent", "cab"),
    ("none", "abc"),
    ("change", "abc"),
    ("-first", "abc"),
    ("last", "abc"),
];

#[test]
fn rows_are_sorted_by_any_column_and_ties_by_sender() {
    let senders = table(&[("b", 1, 3), ("a", 1, 3), ("c", 3, 3)]).finish();
    for (text, expected) in ORDERS {
        let sort = Sort::read(text).expect(text);
        let order: String = senders.rows(sort, "").map(|row| row.name).collect();
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
        let mut parts = [(); 2].map(|()| TableBuilder::new(Group::Sender, RANGE, RANGE));
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
                    parts[rng.usize(0..2)].add_to(DAY, &sender, tls, 1);
                    expected.entry(sender).or_insert_with(TlsCounts::default).add(tls, 1);
                }
            }
        }
        let [mut one, two] = parts;
        one.merge(two);
        let senders = one.finish();
        let by_sender = Sort { column: Column::Name, descending: false };
        let found = senders.rows(by_sender, "").map(|row| (row.name.to_owned(), row.counts));
        assert!(found.eq(expected));
    }
}

#[test]
fn a_page_behind_a_row_that_is_gone_begins_where_it_stood() {
    let senders = table(&[("a", 5, 0), ("c", 3, 0), ("d", 1, 0)]).finish();
    let gone = Row { name: "b", counts: counts(3, 0), past: PAST };
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
    let second = sender.as_ref().and_then(|_| some(&[0]));
    let (mechanism, client) = (some(&[2]), some(&[3]));
    let domain = some(&[0]).as_deref().and_then(own_domain).map(str::to_owned);
    let tls = (rng.u32(0..3) == 0).then(|| TlsVersion::ALL[rng.usize(0..6)]);
    let kind = (rng.u32(0..6) == 0).then(|| Kind::ALL[rng.usize(0..6)]);
    let list = |name: Option<String>| name.into_iter().collect::<Vec<_>>();
    Filter {
        domains: list(domain),
        senders: list(sender).into_iter().chain(second).collect(),
        accounts: list(account),
        clients: list(client).into_iter().filter_map(|client| Clients::read(&client)).collect(),
        tls: tls.into_iter().collect(),
        mechanisms: list(mechanism),
        kinds: kind.into_iter().collect(),
        off: Vec::new(),
        countries: Vec::new(),
        networks: Vec::new(),
        known: Known::default(),
    }
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
            let is =
                |wanted: &[String], name| wanted.is_empty() || wanted.iter().any(|one| one == name);
            assert!(is(&filter.senders, key.sender) && is(&filter.domains, key.domain));
            assert!(is(&filter.accounts, key.account().name()));
            assert!(is(&filter.mechanisms, key.mechanism));
            let kind = filter.known.kinds.of(key.mechanism);
            assert!(filter.kinds.is_empty() || filter.kinds.contains(&kind));
            assert!(filter.may_pass(|field, value| key.get(field) == value));
        }
        for group in Group::ALL {
            let mut table = TableBuilder::new(group, RANGE, RANGE);
            passed().for_each(|(key, messages)| table.add(DAY, key, *messages));
            let table = table.told_apart_by(&filter.known).finish();
            assert_eq!(table.total(), total, "{group:?} {filter:?}");
            let rows: u64 = table.rows(Sort::MOST_LEGACY, "").map(|r| r.counts.total()).sum();
            assert_eq!(rows, total.total(), "{group:?} {filter:?}");
        }
        found += u64::from(total.total() > 0);
    }
    assert!(found > 500, "the filters leave something: {found}");
}

#[test]
fn a_row_tells_how_it_changed_and_when_it_was_seen() {
    let day = |ahead| DAY + chrono::Days::new(ahead);
    let (range, read) = (Range { start: day(4), end: day(5) }, Range { start: DAY, end: day(9) });
    let add = |table: &mut TableBuilder, name, days: &[(u64, u64)]| {
        for (ahead, messages) in days {
            table.add_to(day(*ahead), name, TlsVersion::Tls12, *messages);
        }
    };
    let mut parts = [(); 2].map(|()| TableBuilder::new(Group::Sender, range, read));
    add(&mut parts[0], "fell", &[(0, 9), (2, 3), (3, 5), (4, 1)]);
    add(&mut parts[1], "fell", &[(5, 1), (7, 1)]);
    add(&mut parts[0], "new", &[(5, 2)]);
    add(&mut parts[1], "as before", &[(3, 4), (4, 4)]);
    add(&mut parts[1], "not in these days", &[(2, 7), (9, 7)]);
    let [mut one, two] = parts;
    one.merge(two);
    let table = one.finish();
    let told = |sort: &str| {
        let rows = table.rows(Sort::read(sort).expect(sort), "");
        rows.map(|row| (row.name, row.past.before, row.change())).collect::<Vec<_>>()
    };
    let (fell, same) = (("fell", Some(8), Some(-75.0)), ("as before", Some(4), Some(0.0)));
    assert_eq!(told("change"), [fell, same, ("new", Some(0), None)]);
    assert_eq!(told("first").first(), Some(&fell));
    assert_eq!(told("-last").first(), Some(&fell));
    let past = table.rows(Sort::MOST_MESSAGES, "fell").next().map(|row| row.past);
    assert_eq!(table.get("fell").map(|row| row.past), past);
    assert_eq!((table.get("new").is_some(), table.get("nobody")), (true, None));
    assert_eq!(past, Some(Past { before: Some(8), first: DAY, last: day(7) }));
    // Days that are not kept tell nothing.
    let mut short = TableBuilder::new(Group::Sender, range, Range { start: day(3), end: day(9) });
    add(&mut short, "fell", &[(3, 5), (4, 1)]);
    let mut short = short.finish();
    assert_eq!(short.row(0).past.before, None);
    short.learn(&table);
    assert_eq!((short.row(0).past.before, short.row(0).counts.total()), (Some(8), 1));
}

#[test]
fn kinds_of_mechanisms_are_told_apart_as_the_administrator_says() {
    let mut table = TableBuilder::new(Group::Kind, RANGE, RANGE);
    for (mechanism, messages) in [("LOGIN", 2), ("CORP", 3), ("PLAIN", 1), ("", 4)] {
        table.add_to(DAY, mechanism, TlsVersion::Tls10, messages);
    }
    let kinds = Kinds::read("corp=oauth").expect("kinds");
    let table = table.told_apart_by(&Known { kinds, places: None }).finish();
    let rows = table.rows(Sort::MOST_MESSAGES, "");
    let rows: Vec<_> = rows.map(|row| (row.name, row.counts.total())).collect();
    assert_eq!(rows, [("unknown", 4), ("basic", 3), ("oauth", 3)]);
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
            let (time, messages, recipients) = (1_795_435_200, *messages, 0);
            let client_name = "";
            let one = Submission {
                time,
                sender,
                account,
                mechanism,
                tls,
                client,
                client_name,
                messages,
                recipients,
            };
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
            let mut table = TableBuilder::new(group, RANGE, RANGE);
            for (_, key, marks) in tally.usage() {
                table.add(DAY, &UsageKey::read(key).expect("a key"), marks.since(0));
            }
            let table = table.finish();
            let by_name = Sort { column: Column::Name, descending: false };
            assert!(table.rows(by_name, "").map(|row| row.name).eq(seen), "{group:?}");
            assert_eq!(table.total().total(), messages, "{group:?}");
        }
    }
}
