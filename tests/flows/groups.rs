//! Tables by any group, of whatever passes any filter: from archives as from items.

use anyhow::{Context as _, Result, ensure};
use chrono_tz::Tz;
use fastrand::Rng;
use history::{DayRows, Standing, Wanted};
use report::{
    Column, Day, Days, Filter, Group, Range, Sort, Submission, Table, TableBuilder, TlsCounts,
    TlsVersion, UsageKey,
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
            messages: rng.u64(1..9),
        };
        tally.submission(1 + mark, &submission);
    }
    app.store.counting().count(&mut tally, &Source::new("generated"), &Positions::Offsets).await?;
    Ok(())
}

/// A filter that leaves something, mostly.
fn filter(keys: &[(UsageKey<'_>, u64)], rng: &mut Rng) -> Filter {
    let key = keys[rng.usize(0..keys.len())].0;
    let mut some = |name: &str| (rng.u32(0..4) == 0).then(|| name.to_owned());
    Filter {
        domain: some(key.domain),
        sender: some(key.sender),
        account: some(key.account().name()),
        client: some(key.client),
        mechanism: some(key.mechanism),
        tls: some(key.tls.name()).and_then(|name| TlsVersion::from_name(&name)),
    }
}

fn rows(table: &Table) -> Vec<(&str, TlsCounts)> {
    let by_name = Sort { column: Column::Name, descending: false };
    table.rows(by_name, "").map(|row| (row.name, row.counts)).collect()
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
            days.push(DayRows::read(&app.store.usage(), day, &Filter::default()).await?);
        }
        let keys: Vec<_> = days.iter().flat_map(DayRows::iter).collect();
        for round in 0..30 {
            let filter = if round == 0 { Filter::default() } else { filter(&keys, &mut rng) };
            found += u32::from(check(&app, range, &keys, &filter).await? > 0);
        }
        insight(&app, range).await.with_context(|| format!("seed {seed}"))?;
    }
    ensure!(archived > 24, "archives are read too: {archived}");
    ensure!(found > 200, "filters leave something: {found}");
    Ok(())
}

/// Asks for every group's table, and holds each against what passes; gives the messages.
async fn check(
    app: &App,
    range: Range,
    keys: &[(UsageKey<'_>, u64)],
    filter: &Filter,
) -> Result<u64> {
    let passes = |key: &UsageKey<'_>| {
        let is = |wanted: &Option<String>, name| wanted.as_deref().is_none_or(|one| one == name);
        is(&filter.domain, key.domain)
            && is(&filter.sender, key.sender)
            && is(&filter.account, if key.username.is_empty() { key.sender } else { key.username })
            && is(&filter.client, key.client)
            && is(&filter.mechanism, key.mechanism)
            && filter.tls.is_none_or(|tls| tls == key.tls)
    };
    let mut total = TlsCounts::default();
    let passed: Vec<_> = keys.iter().filter(|(key, _)| passes(key)).collect();
    passed.iter().for_each(|(key, messages)| total.add(key.tls, *messages));
    let state = app.history.state(range).await?;
    for group in Group::ALL {
        let mut expected = TableBuilder::new(group);
        passed.iter().for_each(|(key, messages)| expected.add(key, *messages));
        let wanted = Wanted { filter: filter.clone(), group };
        let table = app.history.table(&state, &wanted).await?;
        ensure!(rows(&table) == rows(&expected.finish()), "{wanted:?}: {:?}", rows(&table));
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
        let wanted = Wanted { filter: Filter::default(), group };
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
    let some = || Some("x".to_owned());
    let all = Filter::default;
    let filters = [
        all(),
        Filter { domain: some(), ..all() },
        Filter { sender: some(), ..all() },
        Filter { account: some(), ..all() },
        Filter { client: some(), ..all() },
        Filter { mechanism: some(), ..all() },
        Filter { tls: Some(TlsVersion::Tls10), ..all() },
    ];
    let mut ids = std::collections::BTreeSet::new();
    for days in [1, 2] {
        let range = Range::last(today, days);
        for counted in 0..2 {
            let state = app.history.state(range).await?;
            for (filter, group) in
                filters.iter().flat_map(|filter| Group::ALL.map(|group| (filter.clone(), group)))
            {
                let wanted = Wanted { filter, group };
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
