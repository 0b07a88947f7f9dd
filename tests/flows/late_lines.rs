//! Late lines, archives, crashes and queries in any order: every answer is a correct count of some moment
//! between its question and its end.
//!
//! `EXACTLY_ONCE_SECONDS` and `EXACTLY_ONCE_SEED` as for the exactly-once tests.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use chrono_tz::Tz;
use fastrand::Rng;
use history::{Gather, History, Standing, Wanted};
use ingest::Ingest;
use ingest::kinesis::KinesisEvent;
use local::engine::Engine;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use query::Query;
use report::{Column, Day, Filter, Group, Range, Sort, TableBuilder, TlsVersion, UsageKey};
use serde_json::Value;
use store::{Store, Writing};
use tests::app::{NOW, mailing, settings, usage};
use tests::fault::{Life, MortalObjects, store_with};
use tests::kinesis::{self, Record};
use tower::ServiceExt as _;

use crate::exactly_once::{engine, seeds, writing};

const FOREVER: i64 = i64::MAX;
const SENDERS: u64 = 6;

/// Messages by sender and TLS version.
type Counts = BTreeMap<(String, TlsVersion), u64>;

/// What was begun and what was finished, so far.
#[derive(Debug, Default)]
struct Ledger {
    begun: Counts,
    finished: Counts,
}

fn add(to: &mut Counts, counts: &Counts) {
    for (key, messages) in counts {
        *to.entry(key.clone()).or_default() += messages;
    }
}

/// The world that outlives every process.
#[derive(Clone)]
struct World {
    engine: Engine,
    objects: Arc<dyn ObjectStore>,
    ledger: Arc<Mutex<Ledger>>,
    /// Writers that have not finished.
    writers: Arc<AtomicUsize>,
    days: Range,
}

impl World {
    async fn new(rng: &mut Rng) -> Result<Self> {
        let today = report::Days::new(Tz::UTC).day_of(NOW);
        let end = archive::closed(today).end;
        Ok(Self {
            engine: engine().await?,
            objects: Arc::new(InMemory::new()),
            ledger: Arc::default(),
            writers: Arc::default(),
            days: Range::last(end, rng.u64(1..4)),
        })
    }

    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that lasts.
    fn store(&self, rng: &mut Rng) -> Store {
        store_with(&self.engine, writing(rng), Life::of(FOREVER))
    }

    /// A process's view of the world, until that process dies.
    fn history(&self, writes: i64, rng: &mut Rng) -> History {
        self.history_of(Life::of(writes), writing(rng))
    }

    fn history_of(&self, life: Life, writing: Writing) -> History {
        let store = store_with(&self.engine, writing, life.clone());
        let objects = MortalObjects::of(Arc::clone(&self.objects), life);
        History::new(&store, Arc::new(objects)).watched_by(Arc::new(|_, _| {}))
    }

    fn today(&self) -> Day {
        report::Days::new(Tz::UTC).day_of(NOW)
    }

    fn busy(&self) -> bool {
        self.writers.load(Ordering::SeqCst) > 0
    }
}

/// A batch of late lines, and what it is worth.
fn batch(days: Range, first: u64, rng: &mut Rng) -> (Vec<Record>, Counts) {
    let (mut records, mut counts) = (Vec::new(), Counts::new());
    let days: Vec<Day> = days.days().collect();
    for number in 0..rng.u64(1..5) {
        let day = days[rng.usize(0..days.len())];
        let sender = format!("user{}@example.test", rng.u64(0..SENDERS));
        let tls = TlsVersion::ALL[rng.usize(0..4)];
        let client = rng.u32(1..4);
        let line = format!(
            r#"{{"time":"{day}T11:00:00Z","sender":"{sender}","account":"a{client}","tls":"{}","client":"192.0.2.{client}"}}"#,
            tls.name()
        );
        records.push(Record { sequence: first + number, data: line.into_bytes() });
        *counts.entry((sender, tls)).or_default() += 1;
    }
    (records, counts)
}

/// Writes batches, dying now and then; a batch comes again until it was taken.
async fn write(world: World, shard: usize, batches: usize, mut rng: Rng) -> Result<()> {
    let shard = format!("shardId-{shard:012}");
    let mut first = 1;
    for _ in 0..batches {
        let (records, counts) = batch(world.days, first, &mut rng);
        first += records.len() as u64;
        let event: KinesisEvent =
            serde_json::from_value(kinesis::event(&shard, &records, NOW)).context("an event")?;
        add(&mut world.ledger().begun, &counts);
        loop {
            let writes = if rng.bool() { FOREVER } else { rng.i64(0..30) };
            let store = store_with(&world.engine, writing(&mut rng), Life::of(writes));
            let ingest = Ingest::new(&store, settings(Tz::UTC));
            if ingest.event(&event, NOW).await.is_ok() {
                break;
            }
        }
        add(&mut world.ledger().finished, &counts);
        for _ in 0..rng.u32(0..3) {
            tokio::task::yield_now().await;
        }
    }
    world.writers.fetch_sub(1, Ordering::SeqCst);
    Ok(())
}

/// Archives again and again, dying now and then.
async fn archive_always(world: World, mut rng: Rng) -> Result<()> {
    while world.busy() {
        let writes = if rng.bool() { FOREVER } else { rng.i64(0..12) };
        let history = world.history(writes, &mut rng);
        // Whether it died does not matter.
        let _ = archive::run(&history, world.today(), |_, _| {}).await;
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Damages and loses archives.
async fn damage(world: World, mut rng: Rng) -> Result<()> {
    while world.busy() {
        let days: Vec<Day> = world.days.days().collect();
        let day = days[rng.usize(0..days.len())];
        let name = ["usage", "senders"][rng.usize(0..2)];
        let path = format!("{name}/dt={day}/{name}.parquet").into();
        match rng.u32(0..40) {
            0 => drop(world.objects.delete(&path).await),
            1 => {
                if let Ok(found) = world.objects.get(&path).await {
                    let mut bytes = found.bytes().await?.to_vec();
                    let at = rng.usize(0..bytes.len());
                    bytes[at] ^= 1 << rng.u32(0..8);
                    world.objects.put(&path, bytes.into()).await?;
                }
            }
            _ => {}
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

fn check(before: &Counts, found: &Counts, after: &Counts) -> Result<()> {
    for key in before.keys().chain(found.keys()) {
        let at = |counts: &Counts| counts.get(key).copied().unwrap_or(0);
        let (least, is, most) = (at(before), at(found), at(after));
        ensure!((least..=most).contains(&is), "{key:?}: {is} is not within {least} and {most}");
    }
    Ok(())
}

/// The counts of a table as the HTTP interface tells them.
async fn table(router: &axum::Router, days: Range) -> Result<Counts> {
    let path = "/v1/reports/tls-usage/details";
    let uri = format!("{path}?start={}&end={}&limit=1000", days.start, days.end);
    let response = router.clone().oneshot(Request::get(uri).body(Body::empty())?).await?;
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
    let page: Value = serde_json::from_slice(&body)?;
    let mut counts = Counts::new();
    for row in page["rows"].as_array().with_context(|| page.to_string())? {
        let sender = row["sender"].as_str().context("sender")?;
        for share in row["tls"].as_array().context("tls")? {
            let tls = TlsVersion::from_name(share["version"].as_str().context("version")?);
            let messages = share["messages"].as_u64().context("messages")?;
            if messages > 0 {
                counts.insert((sender.to_owned(), tls.context("a version")?), messages);
            }
        }
    }
    Ok(counts)
}

/// The two files of an archive.
#[derive(Clone, Copy, Debug)]
enum Grain {
    Senders,
    Usage,
}

/// The same counts, from either file or the items.
async fn gathered(history: &History, days: Range, grain: Grain) -> Result<Counts> {
    let state = history.state(days).await?;
    let filter = Filter::of_domain(Some("example.test"));
    let group = Group::Sender;
    let senders = match grain {
        Grain::Senders => history.table(&state, &Wanted { range: days, filter, group }).await?,
        Grain::Usage => {
            history.gather(&state, &filter, || TableBuilder::new(group, days, days)).await?.finish()
        }
    };
    let sort = Sort { column: Column::Name, descending: false };
    let mut counts = Counts::new();
    for row in senders.rows(sort, "") {
        for tls in TlsVersion::ALL {
            if row.counts.get(tls) > 0 {
                counts.insert((row.name.to_owned(), tls), row.counts.get(tls));
            }
        }
    }
    Ok(counts)
}

/// The same counts, from a walk through the range.
async fn walked(history: &History, days: Range) -> Result<Counts> {
    let state = history.state(days).await?;
    let (walk, done) = history.walk(&state, &Filter::default(), Walk::default()).await;
    done?;
    ensure!(walk.keys.is_sorted(), "rows of a walk are in order");
    Ok(walk.counts)
}

#[derive(Default)]
struct Walk {
    counts: Counts,
    keys: Vec<(Day, String)>,
}

impl Gather for Walk {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        *self.counts.entry((key.sender.to_owned(), key.tls)).or_default() += messages;
        self.keys.push((day, key.sender.to_owned()));
        ControlFlow::Continue(())
    }
}

/// Asks all the time.
async fn ask(world: World, mut rng: Rng) -> Result<u64> {
    let history = world.history(FOREVER, &mut rng);
    let (store, history_of_it) = (world.store(&mut rng), history.clone());
    let query = Query::new(&store, history_of_it, Tz::UTC, mailing(), Arc::new(|| NOW));
    let router = query::router(query);
    let mut asked = 0;
    while world.busy() || asked == 0 {
        let before = world.ledger().finished.clone();
        let found = match rng.u32(0..4) {
            0 => table(&router, world.days).await?,
            1 => gathered(&history, world.days, Grain::Senders).await?,
            2 => walked(&history, world.days).await?,
            _ => gathered(&history, world.days, Grain::Usage).await?,
        };
        let after = world.ledger().begun.clone();
        check(&before, &found, &after)?;
        asked += 1;
    }
    Ok(asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_answer_is_a_correct_count() -> Result<()> {
    let mut asked = 0;
    for seed in seeds(25) {
        let mut rng = Rng::with_seed(seed);
        let world = World::new(&mut rng).await?;
        let writers = rng.usize(1..3);
        world.writers.store(writers, Ordering::SeqCst);
        let mut tasks = Vec::new();
        for shard in 0..writers {
            let batches = rng.usize(1..12);
            tasks.push(tokio::spawn(write(world.clone(), shard, batches, rng.fork())));
        }
        for _ in 0..rng.usize(1..3) {
            tasks.push(tokio::spawn(archive_always(world.clone(), rng.fork())));
        }
        tasks.push(tokio::spawn(damage(world.clone(), rng.fork())));
        let askers = [(); 2].map(|()| tokio::spawn(ask(world.clone(), rng.fork())));
        for task in tasks {
            task.await?.with_context(|| format!("seed {seed}"))?;
        }
        for asker in askers {
            asked += asker.await?.with_context(|| format!("seed {seed}"))?;
        }
        settled(&world, &mut rng).await.with_context(|| format!("seed {seed}"))?;
    }
    println!("{asked} answers");
    Ok(())
}

/// When everything is quiet, one run makes all archives current, and they hold exactly what was counted.
async fn settled(world: &World, rng: &mut Rng) -> Result<()> {
    let history = world.history(FOREVER, rng);
    archive::run(&history, world.today(), |_, _| {}).await.1?;
    let lasting = world.store(rng);
    let usage = usage(&lasting, world.days).await?;
    for day in world.days.days() {
        let empty = !usage.keys().any(|key| key.0 == day);
        let standing = history.standing(day).await?;
        ensure!(
            standing == if empty { Standing::Missing } else { Standing::Current },
            "{standing:?}"
        );
    }
    let counted = world.ledger().finished.clone();
    ensure!(usage.values().sum::<u64>() == counted.values().sum::<u64>());
    // Only archives can tell this: the items are gone.
    let bare = Engine::in_memory()?;
    let store = Store::new(bare.client(), "table", Writing::Transactions);
    store.create_table().await?;
    for (day, state) in lasting.days().states(world.days).await? {
        let manifest = state.archive.unwrap_or_default();
        let manifest =
            manifest.replace(&format!(r#""revision":{}"#, state.revision), r#""revision":0"#);
        if !manifest.is_empty() {
            ensure!(store.days().put_archive(day, None, manifest).await?);
        }
    }
    let archived = History::new(&store, Arc::clone(&world.objects));
    for history in [&history, &archived] {
        let found = walked(history, world.days).await?;
        ensure!(found == counted, "{found:?} is not {counted:?}");
        for grain in [Grain::Senders, Grain::Usage] {
            let found = gathered(history, world.days, grain).await?;
            ensure!(found == counted, "{grain:?}: {found:?} is not {counted:?}");
        }
    }
    Ok(())
}

/// One archiver, one late batch, and a crash before every write of either.
#[tokio::test]
async fn a_crash_at_any_step_leaves_every_answer_right() -> Result<()> {
    for writing in [Writing::Transactions, Writing::Single { concurrency: 1 }] {
        let (mut writes, mut writer_died, mut most) = (0, true, 0);
        while writer_died {
            let (mut archives, mut archiver_died) = (0, true);
            while archiver_died {
                let died = crash(writing, writes, archives).await;
                let died = died.with_context(|| format!("{writing:?} {writes} {archives}"))?;
                (writer_died, archiver_died) = died;
                archives += 1;
            }
            (writes, most) = (writes + 1, most.max(archives));
        }
        ensure!(writes > 3, "a batch writes counters, names, revisions and its state: {writes}");
        ensure!(most > 3, "an archiver writes two objects and a manifest a day: {most}");
    }
    Ok(())
}

/// A late batch whose writer dies after so many writes, then an archiver that dies after so many; whether
/// they did.
async fn crash(writing: Writing, writes: i64, archiver: i64) -> Result<(bool, bool)> {
    let mut rng = Rng::with_seed(1);
    let world = World::new(&mut rng).await?;
    let lasting = world.history(FOREVER, &mut rng);
    let ingest = Ingest::new(&world.store(&mut rng), settings(Tz::UTC));
    let (records, mut told) = batch(world.days, 1, &mut rng);
    let first = serde_json::from_value(kinesis::event("shardId-0", &records, NOW))?;
    ingest.event(&first, NOW).await?;
    archive::run(&lasting, world.today(), |_, _| {}).await.1?;

    let before = told.clone();
    let (records, counts) = batch(world.days, 100, &mut rng);
    let event = serde_json::from_value(kinesis::event("shardId-0", &records, NOW))?;
    let mortal = store_with(&world.engine, writing, Life::of(writes));
    let mortal = Ingest::new(&mortal, settings(Tz::UTC));
    let writer_died = mortal.event(&event, NOW).await.is_err();
    add(&mut told, &counts);
    let dying = world.history_of(Life::of(archiver), writing);
    let archiver_died = archive::run(&dying, world.today(), |_, _| {}).await.1.is_err();
    let least = if writer_died { &before } else { &told };
    for grain in [Grain::Senders, Grain::Usage] {
        check(least, &gathered(&lasting, world.days, grain).await?, &told)?;
    }
    check(least, &walked(&lasting, world.days).await?, &told)?;

    ingest.event(&event, NOW).await?;
    for grain in [Grain::Senders, Grain::Usage] {
        let found = gathered(&lasting, world.days, grain).await?;
        ensure!(found == told, "{grain:?}: {found:?} is not {told:?}");
    }
    archive::run(&lasting, world.today(), |_, _| {}).await.1?;
    ensure!(gathered(&lasting, world.days, Grain::Senders).await? == told);
    Ok((writer_died, archiver_died))
}
