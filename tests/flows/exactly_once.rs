//! Every record counts once: random traffic in random batches, with duplicates, re-delivery with other
//! boundaries, crashes after any write, and two readers of the same records at once.
//!
//! `EXACTLY_ONCE_SECONDS` makes the tests go on for longer than their usual number of cases, and
//! `EXACTLY_ONCE_SEED` begins with another one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use fastrand::Rng;
use futures_util::future::try_join_all;
use ingest::kinesis::KinesisEvent;
use ingest::{FileIngest, Ingest, IngestedLine};
use local::engine::Engine;
use report::{Day, LineCounts, Range, TlsVersion, views};
use store::{KnownFile, Limits, Store, Writing};
use tests::app::{NOW, finer, settings, usage};
use tests::fault::store_that_dies;
use tests::kinesis::{self, Puts, Record};
use tests::recorded;
use tests::traffic::{self, Expected, Failed, Key, Kind};

const FOREVER: i64 = i64::MAX;

pub(crate) fn seeds(usual: u64) -> impl Iterator<Item = u64> {
    let setting = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = setting("EXACTLY_ONCE_SEED").unwrap_or(1);
    let until = setting("EXACTLY_ONCE_SECONDS")
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    (first..).take_while(move |seed| match until {
        Some(until) => Instant::now() < until,
        None => *seed < first + usual,
    })
}

pub(crate) async fn engine() -> Result<Engine> {
    let engine = Engine::in_memory()?;
    Store::new(engine.client(), "table", Writing::Transactions).create_table().await?;
    Ok(engine)
}

pub(crate) fn writing(rng: &mut Rng) -> Writing {
    if rng.bool() { Writing::Transactions } else { Writing::Single { concurrency: 4 } }
}

/// A writer that dies after so many writes.
fn writer(engine: &Engine, zone: Tz, writes: i64, rng: &mut Rng) -> Ingest {
    Place { engine, zone, limits: Limits::default() }.writer(writes, rng)
}

/// Where something is counted, and how.
#[derive(Clone, Copy)]
struct Place<'e> {
    engine: &'e Engine,
    zone: Tz,
    limits: Limits,
}

impl Place<'_> {
    fn writer(self, writes: i64, rng: &mut Rng) -> Ingest {
        let store = store_that_dies(self.engine, writing(rng), writes).within(self.limits);
        Ingest::new(&store, settings(self.zone))
    }
}

/// The records of one shard, with how many of them cannot be read.
struct Shard {
    name: String,
    records: Vec<Record>,
    unreadable: u64,
}

/// A log in a shard, and how much of it is in records already.
struct Source {
    /// The log stream.
    name: String,
    /// Lines without a log stream's name share one for the whole shard.
    is_named: bool,
    lines: Vec<String>,
    taken: usize,
}

/// A shard with the logs of some servers, mixed as they would come.
fn shard(number: usize, zone: Tz, expected: &mut Expected, rng: &mut Rng) -> Shard {
    let kinds = [Kind::Postfix, Kind::PostfixQuiet, Kind::Exim, Kind::Json];
    let mut sources = Vec::new();
    for stream in 0..rng.usize(1..4) {
        let kind = kinds[rng.usize(0..4)];
        let name = format!("mx{number}{stream}");
        let mut log = traffic::log(kind, &name, rng.usize(1..14), zone, rng);
        let is_named = stream > 0 || rng.bool();
        if is_named {
            log = log.dressed(rng);
        }
        expected.add(log.expected);
        sources.push(Source { name, is_named, lines: log.lines, taken: 0 });
    }
    records(number, sources, rng)
}

/// Puts logs into records, a few lines of one after a few of another.
fn records(number: usize, mut sources: Vec<Source>, rng: &mut Rng) -> Shard {
    let (mut records, mut sequence, mut unreadable) = (Vec::new(), 0, 0);
    loop {
        let waiting: Vec<usize> =
            (0..sources.len()).filter(|at| sources[*at].taken < sources[*at].lines.len()).collect();
        if waiting.is_empty() {
            break;
        }
        sequence += rng.u64(1..1000);
        let source = &mut sources[waiting[rng.usize(0..waiting.len())]];
        let Source { name, is_named, lines, taken } = source;
        let to = lines.len().min(*taken + rng.usize(1..6));
        let part = &lines[*taken..to];
        let puts = Puts { log_stream: name, lines, size: 7 };
        let data = match rng.u32(0..3) {
            _ if *is_named => puts.payload(*taken..to, NOW),
            0 => kinesis::gzip(part.join("\n").as_bytes()),
            _ => (part.join("\n") + "\n").into_bytes(),
        };
        *taken = to;
        records.push(Record { sequence, data });
        if *is_named && rng.u32(0..8) == 0 {
            // CloudWatch Logs sends events again, cut as it likes.
            sequence += rng.u64(1..1000);
            let from = rng.usize(0..*taken);
            let data = puts.payload(from..rng.usize(from + 1..=*taken), NOW);
            records.push(Record { sequence, data });
        }
        if rng.u32(0..12) == 0 {
            sequence += 1;
            let data = b"\x1f\x8b\x08 no gzip and no text".to_vec();
            records.push(Record { sequence, data });
            unreadable += 1;
        }
    }
    Shard { name: format!("shardId-{number:012}"), records, unreadable }
}

fn event(shard: &Shard, from: usize, to: usize) -> Result<KinesisEvent> {
    let event = kinesis::event(&shard.name, &shard.records[from..to], NOW);
    serde_json::from_value(event).context("an event")
}

/// Delivers a shard as Lambda might, until every record was taken.
async fn deliver(place: Place<'_>, shard: &Shard, mut rng: Rng) -> Result<()> {
    let rng = &mut rng;
    let mut taken = 0;
    let mut lasting = place.writer(FOREVER, rng);
    while taken < shard.records.len() {
        let to = shard.records.len().min(taken + rng.usize(1..8));
        match rng.u32(0..6) {
            // Something that was taken long ago comes once more.
            0 => {
                let from = rng.usize(0..=taken);
                let stale = event(shard, from, rng.usize(from..=taken))?;
                lasting.event(&stale, NOW).await?;
            }
            // The writer dies; the records come again in another batch.
            1 | 2 => {
                let from = rng.usize(0..=taken);
                let mortal = place.writer(rng.i64(0..40), rng);
                if mortal.event(&event(shard, from, to)?, NOW).await.is_ok() {
                    taken = to;
                }
                lasting = place.writer(FOREVER, rng);
            }
            // Two readers have records in common, at once.
            3 => {
                let other = place.writer(FOREVER, rng);
                let end = shard.records.len().min(to + rng.usize(0..4));
                let from = rng.usize(0..=taken);
                let (one, two) = (event(shard, taken, to)?, event(shard, from, end)?);
                let (one, two) = tokio::join!(lasting.event(&one, NOW), other.event(&two, NOW));
                one?;
                two?;
                taken = end;
            }
            _ => {
                lasting.event(&event(shard, taken, to)?, NOW).await?;
                taken = to;
            }
        }
    }
    Ok(())
}

/// That every counter is one that somebody can have counted into.
async fn check_counters(store: &Store, range: Range) -> Result<()> {
    let mut strays = Vec::new();
    for day in range.days() {
        store.whole().strays(day, |counter| strays.push(counter)).await?;
    }
    assert_eq!(strays, [""; 0]);
    Ok(())
}

async fn check(engine: &Engine, zone: Tz, expected: &Expected) -> Result<()> {
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    let range = Range::kept(report::Days::new(zone).day_of(NOW));
    let usage = usage(&store, range).await?;
    assert_eq!(usage, expected.usage);
    let failures = store.summaries().failures(range).await?;
    let failures = failures.into_iter().map(|row| {
        let failed = Failed { times: row.failures, hours: row.hours };
        ((row.day, row.account, row.client), failed)
    });
    assert_eq!(failures.collect::<BTreeMap<_, _>>(), expected.failures);
    assert_eq!(finer(&store, range).await?, expected.finer);

    let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, messages) in &expected.usage {
        *domains.entry(key.1.as_str()).or_default() += messages;
        *domains.entry(report::ALL_DOMAINS).or_default() += messages;
    }
    for (domain, messages) in domains {
        let rollup = store.summaries().rollup(domain, range).await?;
        let total: u64 = rollup.values().map(report::TlsCounts::total).sum();
        assert_eq!(total, messages, "rollup of {domain:?}");
    }
    let senders: std::collections::BTreeSet<_> =
        expected.usage.keys().map(|key| key.2.clone()).collect();
    assert_eq!(store.summaries().seen(range).await?.senders, senders);
    check_counters(&store, range).await
}

/// What the list of logs tells of each: its lines, and those of the day.
async fn listed(engine: &Engine) -> Result<BTreeMap<String, [LineCounts; 2]>> {
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    let rows = views::sources(store.sources().list(NOW).await?.logs, NOW).into_iter();
    Ok(rows.map(|row| (row.name, [row.total.counts, row.last_day.lines.counts])).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_a_stream() -> Result<()> {
    for seed in seeds(60) {
        let mut rng = Rng::with_seed(seed);
        let zone = [Tz::UTC, Tz::Europe__Berlin][rng.usize(0..2)];
        let engine = engine().await?;
        let mut expected = Expected::default();
        let shards: Vec<_> = (0..rng.usize(1..3))
            .map(|number| shard(number, zone, &mut expected, &mut rng))
            .collect();
        let place = Place { engine: &engine, zone, limits: Limits::default() };
        let deliveries = shards.iter().map(|shard| deliver(place, shard, rng.fork()));
        let deliveries: Vec<_> = deliveries.collect();
        try_join_all(deliveries).await.with_context(|| format!("seed {seed}"))?;
        println!("seed {seed}");
        check(&engine, zone, &expected).await?;
        let store = Store::new(engine.client(), "table", Writing::Transactions);
        let day = report::Days::new(zone).day_of(NOW);
        let mut quarantined = 0;
        store.quarantine().read(day, |_| quarantined += 1).await?;
        assert_eq!(quarantined, shards.iter().map(|shard| shard.unreadable).sum::<u64>());
        // Each line is told of once, as if all had come at once.
        let plain = self::engine().await?;
        let once = Place { engine: &plain, ..place }.writer(FOREVER, &mut rng);
        for shard in &shards {
            once.event(&event(shard, 0, shard.records.len())?, NOW).await?;
        }
        assert_eq!(listed(&engine).await?, listed(&plain).await?, "seed {seed}");
    }
    Ok(())
}

#[tokio::test]
async fn an_event_counts_once_however_late_it_comes_again() -> Result<()> {
    let mut rng = Rng::with_seed(7);
    let log = traffic::log(Kind::Postfix, "mx1", 229, Tz::UTC, &mut rng).dressed(&mut rng);
    let puts = Puts { log_stream: "mx1", lines: &log.lines, size: 3 };
    let all = log.lines.len();
    assert!(all > 900, "{all}");
    let mut payloads: Vec<_> =
        (0..all).step_by(3).map(|from| puts.payload(from..all.min(from + 3), NOW)).collect();
    // Hundreds of payloads later, and by other cuts.
    payloads.extend((0..all - 50).step_by(41).map(|from| puts.payload(from..from + 50, NOW)));
    let records: Vec<_> =
        (1..).zip(payloads).map(|(sequence, data)| Record { sequence, data }).collect();
    let shard = Shard { name: "shardId-000000000000".to_owned(), records, unreadable: 0 };
    let engine = engine().await?;
    let place = Place { engine: &engine, zone: Tz::UTC, limits: Limits::default() };
    let ingest = place.writer(FOREVER, &mut rng);
    let (mut repeated, mut state_bytes) = (0, 0);
    for from in (0..shard.records.len()).step_by(5) {
        let to = shard.records.len().min(from + 5);
        let summary = ingest.event(&event(&shard, from, to)?, NOW).await?;
        assert_eq!(summary.repeats_forgotten, 0);
        (repeated, state_bytes) = (repeated + summary.repeated_events, summary.state_bytes);
    }
    assert!(repeated > 900 && state_bytes < 8_000, "{repeated}, {state_bytes} bytes");
    check(&engine, Tz::UTC, &log.expected).await
}

/// Each server's own way to join lines, with the logs that real servers wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_of_servers_that_were_run() -> Result<()> {
    let logs = recorded::logs()?;
    // Every log at least once, whatever their number.
    for seed in seeds(logs.len() as u64) {
        let mut rng = Rng::with_seed(seed);
        let zone = [Tz::UTC, Tz::Europe__Berlin][rng.usize(0..2)];
        let engine = engine().await?;
        let mut expected = Expected::default();
        let mut sources = Vec::new();
        for stream in 0..rng.usize(1..3) {
            let at =
                if stream == 0 { seed as usize % logs.len() } else { rng.usize(0..logs.len()) };
            let log = recorded::log(logs[at].1.clone(), zone, &mut rng);
            println!("seed {seed}: {}", logs[at].0);
            expected.add(log.expected);
            let name = format!("mx{stream}");
            sources.push(Source { name, is_named: true, lines: log.lines, taken: 0 });
        }
        let shard = records(1, sources, &mut rng);
        let place = Place { engine: &engine, zone, limits: Limits::default() };
        deliver(place, &shard, rng.fork()).await.with_context(|| format!("seed {seed}"))?;
        check(&engine, zone, &expected).await?;
    }
    Ok(())
}

/// Sums by what is kept of a message whose sender or client is not told apart.
fn sums<'k>(
    usage: impl IntoIterator<Item = (&'k Key, &'k u64)>,
) -> BTreeMap<(Day, &'k str, &'k str, TlsVersion), u64> {
    let mut sums = BTreeMap::new();
    for ((day, _, _, account, mechanism, tls, _), messages) in usage {
        *sums.entry((*day, account.as_str(), mechanism.as_str(), *tls)).or_default() += messages;
    }
    sums
}

/// That everything is counted once, under its own name or that of all others, and that there are not too many names.
async fn check_within(place: Place<'_>, expected: &Expected) -> Result<(u64, u64)> {
    let Place { engine, zone, limits } = place;
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    let range = Range::kept(report::Days::new(zone).day_of(NOW));
    let found = usage(&store, range).await?;
    assert_eq!(sums(&found), sums(&expected.usage));
    let mut others = 0;
    let mut names: BTreeMap<(Day, &str), BTreeSet<(&str, &str)>> = BTreeMap::new();
    for (key, messages) in &found {
        let (day, domain, sender, account, _, _, client) = key;
        if sender == report::OTHER_SENDERS || client == report::OTHER_CLIENTS {
            let own = report::own_domain(account).unwrap_or("(none)");
            assert!(sender != report::OTHER_SENDERS || domain == own, "{key:?}");
            others += messages;
        } else {
            // A decision is for the whole day.
            assert_eq!(
                expected.usage[key], *messages,
                "{key:?}: a name is told apart, or it is not"
            );
            if sender != account && sender != "<>" {
                names.entry((*day, account)).or_default().insert((sender, client));
            }
        }
    }
    for (owner, names) in names {
        assert!(names.len() <= limits.account, "{owner:?}: {names:?}");
    }
    let mut domains: BTreeMap<&str, u64> = BTreeMap::new();
    for (key, messages) in &found {
        *domains.entry(key.1.as_str()).or_default() += messages;
        *domains.entry(report::ALL_DOMAINS).or_default() += messages;
    }
    for (domain, messages) in domains {
        let rollup = store.summaries().rollup(domain, range).await?;
        let total: u64 = rollup.values().map(report::TlsCounts::total).sum();
        assert_eq!(total, messages, "rollup of {domain:?}");
    }
    let senders: BTreeSet<_> = found.keys().map(|key| key.2.clone()).collect();
    assert_eq!(store.summaries().seen(range).await?.senders, senders);
    check_counters(&store, range).await?;
    assert_eq!(finer(&store, range).await?, expected.finer, "accounts are all told apart");

    let (mut by_network, mut unnamed) = (BTreeMap::<_, u64>::new(), 0);
    let mut tried: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for row in store.summaries().failures(range).await? {
        // A network stands for itself.
        let network = row.client.parse::<IpAddr>().map(|_| report::network(&row.client));
        let network = network.unwrap_or_else(|_| row.client.as_str().into());
        *by_network.entry((row.day, network.clone())).or_default() += row.failures;
        if row.account == report::OTHER_NAMES {
            unnamed += row.failures;
        } else {
            tried.entry((row.day, network)).or_default().insert((row.account, row.client));
        }
    }
    let mut wanted = BTreeMap::<_, u64>::new();
    for ((day, _, client), failures) in &expected.failures {
        *wanted.entry((*day, report::network(client))).or_default() += failures.times;
    }
    assert_eq!(by_network, wanted);
    for (network, names) in tried {
        assert!(names.len() <= limits.network, "{network:?}: {names:?}");
    }
    Ok((others, unnamed))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_with_more_names_than_are_told_apart() -> Result<()> {
    let (mut others, mut unnamed) = (0, 0);
    for seed in seeds(60) {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let zone = [Tz::UTC, Tz::Europe__Berlin][rng.usize(0..2)];
        let engine = engine().await?;
        let limits = Limits { account: rng.usize(1..7), network: rng.usize(1..3) };
        let place = Place { engine: &engine, zone, limits };
        let mut expected = Expected::default();
        let shards: Vec<_> = (0..rng.usize(1..3))
            .map(|number| shard(number, zone, &mut expected, &mut rng))
            .collect();
        let deliveries = shards.iter().map(|shard| deliver(place, shard, rng.fork()));
        let deliveries: Vec<_> = deliveries.collect();
        try_join_all(deliveries).await.with_context(|| format!("seed {seed}"))?;
        let found = check_within(place, &expected).await.with_context(|| format!("seed {seed}"))?;
        (others, unnamed) = (others + found.0, unnamed + found.1);
    }
    assert!(others > 20 && unnamed > 5, "{others} and {unnamed} were not told apart");
    Ok(())
}

/// Where the lines of a text end.
fn line_ends(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at + 1).collect()
}

/// Reads a file that has grown to `size`, with a writer that may die.
async fn read(ingest: &Ingest, file: &KnownFile, text: &str, rng: &mut Rng) -> Result<FileIngest> {
    let mut reading = FileIngest::resume(ingest, file, NOW).await?;
    reading.call("log", true);
    let begins = usize::try_from(reading.offset())?;
    let mut at = begins;
    for end in line_ends(text).into_iter().filter(|end| *end > begins) {
        let place = IngestedLine {
            begins: at as u64,
            ends: end as u64,
            reference: NOW,
            is_ended: true,
            is_continued: false,
        };
        reading.line(text[at..end].trim_end_matches(['\r', '\n']).as_bytes(), place);
        at = end;
        if rng.u32(0..30) == 0 {
            reading.flush().await?;
        }
    }
    reading.flush().await?;
    Ok(reading)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_files_that_grow_and_are_rotated() -> Result<()> {
    for seed in seeds(60) {
        println!("seed {seed}");
        let mut rng = Rng::with_seed(seed);
        let zone = Tz::UTC;
        let engine = engine().await?;
        let kind = [Kind::Postfix, Kind::PostfixQuiet, Kind::Exim, Kind::Json][rng.usize(0..4)];
        let log = traffic::log(kind, "mx1", rng.usize(5..60), zone, &mut rng).dressed(&mut rng);
        // The log is cut into files anywhere; each file grows in steps.
        let cut = rng.usize(0..=log.lines.len());
        let (first, second) = log.lines.split_at(cut);
        let files = [first, second]
            .map(|lines| lines.iter().map(|line| format!("{line}\n")).collect::<String>());
        let mut names = vec![];
        for (number, text) in files.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let file = KnownFile { source: format!("file:{number}"), known: number > 0 };
            let ends = line_ends(text);
            let mut size = 0;
            while size < text.len() {
                let grown = ends[rng.usize(0..ends.len())];
                let grown = if rng.u32(0..3) == 0 { text.len() } else { grown.max(size) };
                let writes = if rng.bool() { FOREVER } else { rng.i64(0..30) };
                let ingest = writer(&engine, zone, writes, &mut rng);
                if read(&ingest, &file, &text[..grown], &mut rng).await.is_ok() {
                    size = grown;
                }
            }
            names.push(file.clone());
            // Rotated: the next file goes on with what is open in this one.
            let next = KnownFile { source: format!("file:{}", number + 1), known: false };
            loop {
                let writes = if rng.bool() { FOREVER } else { rng.i64(0..4) };
                let ingest = writer(&engine, zone, writes, &mut rng);
                let handed = async {
                    let mut reading = FileIngest::resume(&ingest, &file, NOW).await?;
                    reading.hand_over(&next).await
                };
                if handed.await.is_ok() {
                    break;
                }
            }
        }
        check(&engine, zone, &log.expected).await.with_context(|| format!("seed {seed}"))?;
        // Everything once more, and closed: nothing is counted again.
        for (file, text) in names.iter().zip(files.iter().filter(|text| !text.is_empty())) {
            let ingest = writer(&engine, zone, FOREVER, &mut rng);
            read(&ingest, file, text, &mut rng).await?.close().await?;
        }
        check(&engine, zone, &log.expected).await?;
        // It is told of as one log that was read at once.
        let plain = self::engine().await?;
        let once = writer(&plain, zone, FOREVER, &mut rng);
        let file = KnownFile { source: "file:0".to_owned(), known: false };
        read(&once, &file, &files.concat(), &mut rng).await?.close().await?;
        assert_eq!(listed(&engine).await?, listed(&plain).await?, "seed {seed}");
    }
    Ok(())
}

#[tokio::test]
async fn closing_a_log_settles_what_is_open_once_wherever_it_dies() -> Result<()> {
    let line = |program: &str, text: &str| {
        format!("2026-11-24T10:00:00Z mx1 postfix/{program}[7]: {text}\n")
    };
    let log = [
        line("smtpd", "connect from unknown[192.0.2.1]"),
        line(
            "smtpd",
            "4AA091855DA0: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=a@x.test",
        ),
        line("qmgr", "4AA091855DA0: from=<a@x.test>, size=1, nrcpt=1 (queue active)"),
    ]
    .concat();
    let end =
        line("smtpd", "disconnect from unknown[192.0.2.1] ehlo=1 auth=1 mail=1 rcpt=1 data=1");
    let file = KnownFile { source: "file:1".to_owned(), known: false };
    for writes in 0..12 {
        let mut rng = Rng::with_seed(writes);
        let engine = engine().await?;
        let lasting = writer(&engine, Tz::UTC, FOREVER, &mut rng);
        read(&lasting, &file, &log, &mut rng).await?;
        let mortal = writer(&engine, Tz::UTC, writes.cast_signed(), &mut rng);
        let closed = async { FileIngest::resume(&mortal, &file, NOW).await?.close().await };
        let closed = closed.await.is_ok();
        // The log went on after all.
        read(&lasting, &file, &[log.as_str(), &end].concat(), &mut rng).await?;
        let range = Range::kept(report::Days::new(Tz::UTC).day_of(NOW));
        let store = Store::new(engine.client(), "table", Writing::Transactions);
        let found = usage(&store, range).await?;
        let found: Vec<_> = found.into_iter().map(|(key, messages)| (key.5, messages)).collect();
        assert_eq!(found.len(), 1, "{writes} writes, closed: {closed}: {found:?}");
        assert_eq!(found[0].1, 1);
        if closed {
            assert_eq!(found[0].0, report::TlsVersion::Unknown);
        }
    }
    Ok(())
}
