//! How fast logs become aggregates, and aggregates items.
//!
//! `text` is lines to sums in memory; `payloads` begins at the base64 of a Kinesis event; `store` writes
//! to the embedded engine. Everything but `store` runs on one core.

use std::hint::black_box;
use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, Divan};
use ingest::Collected;
use logs::{Arrival, LogStream};
use report::UsageKey;
use tests::app::{App, NOW, settings};
use tests::generate::{self, Plan, Shape};
use tests::kinesis;
use unpack::record::{self, Decoded, Inflater};

const MESSAGES: u64 = 200_000;
/// Log events in a payload: CloudWatch Logs fills them up to some tens of kilobytes, gzipped.
const EVENTS: usize = 2_000;

static POSTFIX: LazyLock<Vec<u8>> = LazyLock::new(|| log(Shape::Postfix));
static EXIM: LazyLock<Vec<u8>> = LazyLock::new(|| log(Shape::Exim));

fn main() {
    Divan::from_args().main();
}

fn log(shape: Shape) -> Vec<u8> {
    let mut log = Vec::new();
    let plan = Plan { messages: MESSAGES, ..Plan::default() };
    generate::write(shape, plan, &mut log).expect("in memory");
    log
}

fn settings_utc() -> ingest::Settings {
    settings(chrono_tz::UTC)
}

/// Lines to sums.
fn aggregate(log: &[u8]) -> Collected {
    let settings = settings_utc();
    let mut stream = LogStream::new(settings.logs);
    let mut collected = Collected::new(settings.tally(NOW));
    let mut mark = 0;
    for line in record::lines(log) {
        mark += line.len() as u64 + 1;
        let arrival = Arrival { mark: mark * 2, before: mark * 2 - 1, reference: NOW };
        stream.line(line, arrival, &mut collected);
    }
    assert_eq!(collected.tally.counted().messages, MESSAGES);
    collected
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn text_postfix(bencher: Bencher) {
    let log = &*POSTFIX;
    bencher.counter(BytesCount::of_slice(log)).bench(|| aggregate(black_box(log)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn text_exim(bencher: Bencher) {
    let log = &*EXIM;
    bencher.counter(BytesCount::of_slice(log)).bench(|| aggregate(black_box(log)));
}

/// Payloads in base64, as a Kinesis event holds them.
fn payloads(log: &[u8]) -> Vec<String> {
    let lines: Vec<_> = std::str::from_utf8(log).expect("text").lines().collect();
    let payload = |(number, lines): (usize, &[&str])| {
        let payload = kinesis::cloudwatch("mx1", lines.iter().copied(), number * EVENTS, NOW);
        base64_simd::STANDARD.encode_to_string(payload)
    };
    lines.chunks(EVENTS).enumerate().map(payload).collect()
}

/// Base64, gzip, JSON, lines, sums.
fn decode(payloads: &[String]) -> Collected {
    let settings = settings_utc();
    let mut stream = LogStream::new(settings.logs);
    let mut collected = Collected::new(settings.tally(NOW));
    let mut inflater = Inflater::default();
    for (mark, payload) in payloads.iter().enumerate() {
        let mark = mark as u64;
        let data = record::unbase64(payload).expect("base64");
        let text = inflater.inflate(&data).expect("gzip").expect("held");
        let Ok(Decoded::CloudWatch(payloads)) = record::decode(text) else { panic!("no payload") };
        for event in payloads.iter().flat_map(|payload| &payload.events) {
            for line in record::lines(event.message.as_bytes()) {
                let reference = event.timestamp / 1000;
                stream.line(line, Arrival { mark, before: mark, reference }, &mut collected);
            }
        }
    }
    assert_eq!(collected.tally.counted().messages, MESSAGES);
    collected
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn payloads_postfix(bencher: Bencher) {
    let payloads = payloads(&POSTFIX);
    bencher.counter(ItemsCount::new(MESSAGES)).bench(|| decode(black_box(&payloads)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn payloads_exim(bencher: Bencher) {
    let payloads = payloads(&EXIM);
    bencher.counter(ItemsCount::new(MESSAGES)).bench(|| decode(black_box(&payloads)));
}

/// A hundred thousand messages into an empty store: the figure is messages a second.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn store_writes(bencher: Bencher) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut log = Vec::new();
    let plan = Plan { messages: 100_000, ..Plan::default() };
    generate::write(Shape::Postfix, plan, &mut log).expect("in memory");
    let log = String::from_utf8(log).expect("text");
    bencher
        .counter(ItemsCount::new(100_000_u64))
        .with_inputs(|| runtime.block_on(App::new()).expect("an app"))
        .bench_values(|app| {
            let summary = runtime.block_on(app.log("log", &log)).expect("ingested");
            assert!(summary.items > 5_000);
            app
        });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn usage_keys(bencher: Bencher) {
    let collected = aggregate(&EXIM);
    let keys: Vec<_> = collected.tally.usage().map(|(_, key, _)| key.to_owned()).collect();
    bencher.counter(ItemsCount::new(keys.len())).bench(|| {
        keys.iter().filter_map(|key| UsageKey::read(key)).map(|key| key.sender.len()).sum::<usize>()
    });
}
