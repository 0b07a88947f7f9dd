//! Tables by any group, of whatever passes any filter: from archives as from items.

use anyhow::{Context as _, Result, ensure};
use chrono_tz::Tz;
use fastrand::Rng;
use history::{DayRows, Standing, Wanted};
use report::{
    Clients, Column, Day, Days, Filter, Group, Kinds, Known, Range, Row, Sort, Submission, Table,
    TableBuilder, TlsCounts, TlsVersion, UsageKey,
};
use store::{Positions, Source};
use tests::app::{App, NOW, settings};

const DAYS: u64 = 6;

/// Some of each, so that they meet in many ways; what is empty is not told by the log.
const SENDERS: [&str; 6] =
    ["ann@example.test", "bob@example.test", "ann@corp.test", "<>", "root", "(unknown)"];
const USERNAMES: [&str; 5] = ["", "ann@example.test", "bob", "scanner@corp.test", "root"];
const MECHANISMS: [&str; 4] = ["", "PLAIN", "LOGIN", "SCRAM-SHA-256"];
const CLIENTS: [&str; 4] = ["", "192.0.2.1", "192.0.2.70", "2001:db8::1"];

fn one_of(names: &[&'static str], rng: &mut Rng) -> &'static str {
    names[rng.usize(0..names.len())]
}

/// Random mail of some days, up to the present.
async fn count(app: &App, range: Range, rng: &mut Rng) -> Result<()> {
    let mut tally = settings(Tz::UTC).tally(NOW);
    let first = range.start.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    for mark in 0..rng.u64(1..400) {
        let submission = Submission {
            time: rng.i64(first..NOW),
            sender: one_of(&SENDERS, rng),
            account: one_of(&USERNAMES, rng),
            mechanism: one_of(&MECHANISMS, rng),
            tls: TlsVersion::ALL[rng.usize(0..6)],
            client: one_of(&CLIENTS, rng),
            client_name: "",
            messages: rng.u64(1..9),
            recipients: 0,
        };
        tally.submission(1 + mark, &submission);
    }
    app.store.counting().count(&mut tally, &Source::new("generated"), &Positions::Offsets).await?;
    Ok(())
}

/// A filter that leaves something, mostly.
fn filter(keys: &[(Day, UsageKey<'_>, u64)], rng: &mut Rng) -> Filter {
    let key = keys[rng.usize(0..keys.len())].1;
    let other = keys[rng.usize(0..keys.len())].1;
    let mut some = |one: &str, other: &str| -> Vec<String> {
        match rng.u32(0..8) {
            0 => vec![one.to_owned()],
            1 => vec![one.to_owned(), other.to_owned()],
            _ => Vec::new(),
        }
    };
    let mut clients: Vec<_> =
        some(key.client, other.client).iter().filter_map(|client| Clients::read(client)).collect();
    if let (Some(last), Ok(address)) =
        (clients.last_mut(), key.client.parse::<std::net::Ipv4Addr>())
        && address.octets()[3] > 50
    {
        *last = Clients::read("192.0.2.64/26").expect("a network");
    }
    Filter {
        domains: some(key.domain, other.domain),
        senders: some(key.sender, other.sender),
        accounts: some(key.account().name(), other.account().name()),
        clients,
        mechanisms: some(key.mechanism, other.mechanism),
        kinds: some(key.mechanism, other.mechanism)
            .iter()
            .map(|name| Kinds::default().of(name))
            .collect(),
        off: Vec::new(),
        countries: Vec::new(),
        networks: Vec::new(),
        known: Known::default(),
        tls: some(key.tls.name(), other.tls.name())
            .iter()
            .filter_map(|name| TlsVersion::from_name(name))
            .collect(),
    }
}

fn rows(table: &Table) -> Vec<Row<'_>> {
    let by_name = Sort { column: Column::Name, descending: false };
    table.rows(by_name, "").collect()
}

#[tokio::test]
async fn every_table_adds_up_what_passes_and_to_the_same_total() -> Result<()> {
    let today = Days::new(Tz::UTC).day_of(NOW);
    let range = Range::last(today, DAYS);
    let (mut archived, mut found) = (0, 0);
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let app = App::new().await?;
        count(&app, range, &mut rng).await?;
        archive::run(&app.history, today, |_, _| {}).await.1?;
        for day in range.days() {
            archived += u32::from(app.history.standing(day).await? == Standing::Current);
        }
        let mut days = Vec::new();
        for day in range.days() {
            days.push((day, DayRows::read(&app.store.usage(), day, &Filter::default()).await?));
        }
        let mut keys = Vec::new();
        for (day, rows) in &days {
            keys.extend(rows.iter().map(|(key, messages)| (*day, key, messages)));
        }
        for round in 0..30 {
            let filter = if round == 0 { Filter::default() } else { filter(&keys, &mut rng) };
            found += u32::from(
                check(&app, (some_of(range, &mut rng), range), &keys, &filter).await? > 0,
            );
        }
        insight(&app, range).await.with_context(|| format!("seed {seed}"))?;
    }
    ensure!(archived > 24, "archives are read too: {archived}");
    ensure!(found > 200, "filters leave something: {found}");
    Ok(())
}

/// Some days of a range.
fn some_of(range: Range, rng: &mut Rng) -> Range {
    let days: Vec<_> = range.days().collect();
    let start = rng.usize(0..days.len());
    Range { start: days[start], end: days[rng.usize(start..days.len())] }
}

/// Asks for every group's table of some of the days that are read, and holds each against what passes; gives the messages.
async fn check(
    app: &App,
    (range, read): (Range, Range),
    keys: &[(Day, UsageKey<'_>, u64)],
    filter: &Filter,
) -> Result<u64> {
    let passes = |key: &UsageKey<'_>| {
        let is =
            |wanted: &[String], name| wanted.is_empty() || wanted.iter().any(|one| one == name);
        let from = |clients: &Clients| match clients {
            Clients::One(one) => one == key.client,
            Clients::Network(_) => key.client == "192.0.2.70",
        };
        is(&filter.domains, key.domain)
            && is(&filter.senders, key.sender)
            && is(&filter.accounts, if key.username.is_empty() { key.sender } else { key.username })
            && (filter.clients.is_empty() || filter.clients.iter().any(from))
            && is(&filter.mechanisms, key.mechanism)
            && (filter.kinds.is_empty()
                || filter.kinds.contains(&filter.known.kinds.of(key.mechanism)))
            && (filter.tls.is_empty() || filter.tls.contains(&key.tls))
    };
    let mut total = TlsCounts::default();
    let passed: Vec<_> = keys.iter().filter(|(_, key, _)| passes(key)).collect();
    let in_range = passed.iter().filter(|(day, ..)| range.contains(*day));
    in_range.for_each(|(_, key, messages)| total.add(key.tls, *messages));
    let state = app.history.state(read).await?;
    for group in Group::ALL {
        let mut expected = TableBuilder::new(group, range, read);
        passed.iter().for_each(|(day, key, messages)| expected.add(*day, key, *messages));
        let expected = expected.told_apart_by(&filter.known).finish();
        let wanted = Wanted { range, filter: filter.clone(), group };
        let table = app.history.table(&state, &wanted).await?;
        ensure!(rows(&table) == rows(&expected), "{wanted:?}: {:?}", rows(&table));
        ensure!(table.total() == total, "{wanted:?}: {:?} is not {total:?}", table.total());
    }
    Ok(total.total())
}

/// The insight's numbers are those of the tables by account and by sender.
async fn insight(app: &App, range: Range) -> Result<()> {
    let Range { start, end } = range;
    let insight = app.get(&format!("/v1/insight?start={start}&end={end}")).await?.ok()?;
    let state = app.history.state(range).await?;
    for (group, number) in [(Group::Account, "accounts"), (Group::Sender, "senders")] {
        let wanted = Wanted { range, filter: Filter::default(), group };
        let table = app.history.table(&state, &wanted).await?;
        ensure!(insight[number] == table.len(), "{insight} has not {} {number}", table.len());
        ensure!(insight["messages"] == table.total().total(), "{insight}");
    }
    Ok(())
}

/// Whatever of the question is another is another table to a cache.
#[tokio::test]
async fn tables_are_kept_apart_by_the_whole_question_and_by_what_was_counted() -> Result<()> {
    let app = App::new().await?;
    let today: Day = Days::new(Tz::UTC).day_of(NOW);
    let some = || vec!["x".to_owned()];
    let all = Filter::default;
    let filters = [
        all(),
        Filter { domains: some(), ..all() },
        Filter { senders: some(), ..all() },
        Filter { accounts: some(), ..all() },
        Filter { clients: vec![Clients::One("x".to_owned())], ..all() },
        Filter { mechanisms: some(), ..all() },
        Filter { tls: vec![TlsVersion::Tls10], ..all() },
    ];
    let mut ids = std::collections::BTreeSet::new();
    for days in [1, 2] {
        let range = Range::last(today, days);
        for counted in 0..2 {
            let state = app.history.state(range).await?;
            for (filter, group) in
                filters.iter().flat_map(|filter| Group::ALL.map(|group| (filter.clone(), group)))
            {
                let wanted = Wanted { range, filter, group };
                ensure!(ids.insert(state.table_id(&wanted)), "{days} {counted} {wanted:?}");
                ensure!(!ids.insert(app.history.state(range).await?.table_id(&wanted)));
            }
            app.log(&format!("{days} {counted}"), &line(today)).await?;
        }
    }
    Ok(())
}

fn line(day: Day) -> String {
    format!(
        "{day} 10:00:00 1rABCD-000001-XX <= ann@example.test H=(pc) [192.0.2.1] P=esmtpsa \
         X=TLS1.3:TLS_AES_256_GCM_SHA384:256 A=plain:ann S=1000\n"
    )
}
