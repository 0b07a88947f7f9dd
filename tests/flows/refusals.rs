//! Writes that are refused, in ways that the embedded engine does not know by itself, and what is told of those before them.

use anyhow::{Context as _, Result, ensure};
use chrono_tz::Tz;
use ingest::kinesis::KinesisEvent;
use ingest::{Ingest, Summary};
use local::engine::Engine;
use report::Range;
use store::{Store, Writing};
use tests::app::{NOW, settings, usage};
use tests::fault::{Wanting, store_that_dies};
use tests::kinesis::{self, Record};

use crate::exactly_once::engine;

const BOTH: [Writing; 2] = [Writing::Single { concurrency: 1 }, Writing::Transactions];
const MESSAGES: u64 = 12;

/// Senders and what cannot be read.
fn event() -> Result<KinesisEvent> {
    let line = |sender: u64| {
        let time = "2026-11-24T10:00:00Z";
        format!(r#"{{"time":"{time}","sender":"s{sender}@example.test","messages":2}}"#)
    };
    let senders = (0..MESSAGES / 2).map(|sender| line(sender).into_bytes());
    let data = senders.chain([b"\0\x01\x02".to_vec()]);
    let records: Vec<_> =
        (1..).zip(data).map(|(sequence, data)| Record { sequence, data }).collect();
    Ok(serde_json::from_value(kinesis::event("shardId-000000000000", &records, NOW))?)
}

fn ingest(store: &Store) -> Ingest {
    Ingest::new(store, settings(Tz::UTC))
}

async fn messages(engine: &Engine) -> Result<u64> {
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    let range = Range::kept(report::Days::new(Tz::UTC).day_of(NOW));
    Ok(usage(&store, range).await?.values().sum())
}

#[tokio::test]
async fn an_engine_that_does_not_tell_what_is_there_is_asked_once() -> Result<()> {
    for writing in BOTH {
        let mut refused = 0;
        for writes in 1..40 {
            let engine = engine().await?;
            let dying = store_that_dies(&engine, writing, writes);
            let _ = ingest(&dying).event(&event()?, NOW).await;
            let wanting = Wanting::in_telling(&engine);
            let done = ingest(&wanting.store(writing)).event(&event()?, NOW).await;
            if let Err(error) = done {
                let told = error.to_string();
                ensure!(told.contains("ReturnValuesOnConditionCheckFailure"), "{writes}: {told}");
                refused += 1;
            }
            ensure!(wanting.asked() < 150, "{writes}: {} requests", wanting.asked());
        }
        ensure!(refused > 0, "{writing:?}: nothing was refused");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_single_write_that_meets_a_transaction_is_tried_again() -> Result<()> {
    for writing in BOTH {
        let engine = engine().await?;
        let wanting = Wanting::in_peace(&engine, 3);
        ingest(&wanting.store(writing)).event(&event()?, NOW).await?;
        assert_eq!(messages(&engine).await?, MESSAGES);
    }
    let wanting = Wanting::in_peace(&engine().await?, usize::MAX);
    let writing = Writing::Single { concurrency: 1 };
    let done = ingest(&wanting.store(writing)).event(&event()?, NOW).await;
    let error = done.err().context("it goes on for ever")?.to_string();
    ensure!(error.contains("TransactionConflictException"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_went_into_quarantine_is_told_wherever_the_table_fails() -> Result<()> {
    const POISON: &str = r#"{"event":"submission","time":"never"}"#;
    // Each log stream has a state of its own, which is written last.
    let streams = (1..=3).map(|stream| {
        let data = kinesis::cloudwatch(&format!("mx{stream}"), [POISON], stream, NOW);
        Record { sequence: stream as u64, data }
    });
    let records: Vec<_> = streams.collect();
    let event: KinesisEvent =
        serde_json::from_value(kinesis::event("shardId-000000000000", &records, NOW))?;
    let writing = Writing::Single { concurrency: 1 };
    let mut halted = 0;
    for writes in 0..30 {
        let engine = engine().await?;
        let (mut first, mut second) = (Summary::default(), Summary::default());
        let dying = store_that_dies(&engine, writing, writes);
        let done = ingest(&dying).event_into(&event, NOW, &mut first).await;
        let store = Store::new(engine.client(), "table", writing);
        ingest(&store).event_into(&event, NOW, &mut second).await?;
        let told = first.quarantined + second.quarantined;
        ensure!(told >= 3, "{writes}: {first:?}, then {second:?}");
        ensure!(first.lines == 0 || done.is_ok(), "{writes}: lines count once: {first:?}");
        halted += usize::from(done.is_err() && second.quarantined < 3);
    }
    ensure!(halted > 0, "no error after a state was written");
    Ok(())
}
