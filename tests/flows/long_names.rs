//! Names that are too long are stored with a mark, and a table keeps the form of marks that it began with: nothing is
//! counted twice when a version with another form goes on in the middle of a batch, and no name becomes two.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use chrono_tz::Tz;
use ingest::kinesis::KinesisEvent;
use ingest::{FileIngest, Ingest, IngestedLine, Settings};
use local::engine::Engine;
use report::{LongNames, Range};
use store::{KnownFile, Store, Writing};
use tests::app::{NOW, settings, usage};
use tests::fault::store_that_dies;
use tests::kinesis::{self, Record};

use crate::exactly_once::engine;

const FOREVER: i64 = i64::MAX;
/// So many that their pages are full more than once.
const NAMES: u64 = 12;

/// A name of 300 bytes and more, and what it begins with as it is stored.
fn long(number: u64) -> (String, String) {
    let name = format!("{number}{}", "n".repeat(300));
    let kept = name[..239].to_owned();
    (name, kept)
}

/// Every name sends once and fails to log in once.
fn records() -> Vec<Record> {
    let records = (0..NAMES).flat_map(|number| {
        let (name, _) = long(number);
        let sent = format!(
            r#"{{"event":"submission","time":"2026-11-24T10:00:00Z","sender":"{name}","account":"{name}","tls":"TLS1.3","client":"192.0.2.1"}}"#
        );
        let failed = format!(
            r#"{{"event":"auth_failure","time":"2026-11-24T10:00:00Z","account":"{name}","client":"192.0.2.2"}}"#
        );
        let record = |sequence, line: String| Record { sequence, data: line.into_bytes() };
        [record(2 * number + 1, sent), record(2 * number + 2, failed)]
    });
    records.collect()
}

fn event(records: &[Record]) -> Result<KinesisEvent> {
    serde_json::from_value(kinesis::event("shard", records, NOW)).context("an event")
}

/// What the first version says of a table: its zone, and no form of long names.
async fn first_version_was_here(engine: &Engine) -> Result<()> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = engine.client().put_item().table_name("table");
    put.item("pk", text("META")).item("sk", text("zone")).item("zone", text("UTC")).send().await?;
    Ok(())
}

fn ingest(engine: &Engine, writes: i64, writing: Writing, long_names: LongNames) -> Ingest {
    let settings = Settings { long_names, ..settings(Tz::UTC) };
    Ingest::new(&store_that_dies(engine, writing, writes), settings)
}

/// Every stored name with how often it sent and failed to log in.
async fn counts(engine: &Engine) -> Result<BTreeMap<String, (u64, u64)>> {
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    let range = Range::kept(report::Days::new(Tz::UTC).day_of(NOW));
    let mut counts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (key, messages) in usage(&store, range).await? {
        ensure!(key.2 == key.3, "{key:?}");
        counts.entry(key.2).or_default().0 += messages;
    }
    for row in store.summaries().failures(range).await? {
        counts.entry(row.account).or_default().1 += row.failures;
    }
    Ok(counts)
}

#[tokio::test]
async fn a_table_of_the_first_version_goes_on_exactly_wherever_that_version_stopped() -> Result<()>
{
    let records = records();
    for writing in [Writing::Single { concurrency: 1 }, Writing::Transactions] {
        for writes in 0..30 {
            let engine = engine().await?;
            first_version_was_here(&engine).await?;
            let (before, behind) = records.split_at(records.len() / 3);
            let first = ingest(&engine, FOREVER, writing, LongNames::Foldhash);
            first.event(&event(before)?, NOW).await?;
            let dying = ingest(&engine, writes, writing, LongNames::Foldhash);
            let _ = dying.event(&event(behind)?, NOW).await;

            let store = Store::new(engine.client(), "table", Writing::Transactions);
            let long_names = store.ingestion().claim_zone("UTC").await?;
            assert_eq!(long_names, LongNames::Foldhash);
            let now = ingest(&engine, FOREVER, writing, long_names);
            for batch in behind.chunks(3) {
                now.event(&event(batch)?, NOW).await?;
            }
            // And once more what was there all the time.
            now.event(&event(&records)?, NOW).await?;

            let counts = counts(&engine).await?;
            assert_eq!(counts.len() as u64, NAMES, "{writes} writes: {counts:?}");
            assert!(counts.values().all(|counts| *counts == (1, 1)), "{writes} writes: {counts:?}");
        }
    }
    Ok(())
}

/// What a stranger may vary takes memory by its bytes, so it fills a batch by these: no number of lines does.
#[tokio::test]
async fn names_that_vary_at_will_fill_a_batch_by_their_bytes() -> Result<()> {
    const TIME: &str = "\"time\":\"2026-11-24T10:00:00Z\"";
    let long = "x".repeat(200);
    let submission = |sender: String| {
        format!("{{\"event\":\"submission\",{TIME},\"sender\":\"{sender}\",\"account\":\"ann\"}}")
    };
    let names = |n: u32| submission(format!("{n}{long}@example.test"));
    let domains = |n: u32| submission(format!("a@{n}{long}.test"));
    let failed = |n: u32| {
        format!(
            "{{\"event\":\"auth_failure\",{TIME},\"account\":\"{n}{long}\",\"client\":\"192.0.2.1\"}}"
        )
    };
    let broken =
        |n: u32| format!("{{\"event\":\"submission\",\"time\":\"{n}{}\"}}", "x".repeat(40_000));
    let kinds: [(&dyn Fn(u32) -> String, u32); 4] =
        [(&names, 120_000), (&domains, 120_000), (&failed, 120_000), (&broken, 900)];
    for (line, most) in kinds {
        let ingest = Ingest::new(&store_of(&engine().await?), settings(Tz::UTC));
        let file = KnownFile { source: "file:log".to_owned(), known: false };
        let mut reading = FileIngest::resume(&ingest, &file, NOW).await?;
        let mut begins = 0;
        let full = (0..most).find(|number| {
            let line = line(*number);
            let ends = begins + line.len() as u64 + 1;
            let (is_ended, is_continued) = (true, false);
            reading.line(
                line.as_bytes(),
                IngestedLine { begins, ends, reference: NOW, is_ended, is_continued },
            );
            begins = ends;
            reading.is_full()
        });
        let full = full.with_context(|| format!("{begins} bytes are not enough"))?;
        ensure!(full > most / 10, "{full} of {most}");
    }
    Ok(())
}

fn store_of(engine: &Engine) -> Store {
    Store::new(engine.client(), "table", Writing::Transactions)
}

#[tokio::test]
async fn a_new_table_has_the_form_whose_values_are_specified() -> Result<()> {
    let engine = engine().await?;
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    for _ in 0..2 {
        assert_eq!(store.ingestion().claim_zone("UTC").await?, LongNames::SipHash);
    }
    let ingest = ingest(&engine, FOREVER, Writing::Transactions, LongNames::SipHash);
    ingest.event(&event(&records())?, NOW).await?;
    let counts = counts(&engine).await?;
    for number in 0..NAMES {
        let (name, kept) = long(number);
        let cleaned = report::lowered(name.as_bytes(), report::SENDER_LIMIT);
        let stored = LongNames::SipHash.stored(&cleaned, report::SENDER_LIMIT);
        assert!(stored.starts_with(&kept) && stored.len() == report::SENDER_LIMIT);
        assert_eq!(counts.get(&*stored), Some(&(1, 1)), "{stored}");
    }
    Ok(())
}
