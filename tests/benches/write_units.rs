//! DynamoDB write units that a million messages take, in batches of several sizes, by the engine's own count.

use std::sync::Arc;
use std::time::Instant;

use ingest::{Ingest, Summary};
use local::engine::Engine;
use store::{Store, Writing};
use tests::app::{NOW, settings};
use tests::generate::{self, Plan, Shape};
use tests::kinesis::{self, Record};
use tokio::runtime::Runtime;

const MILLION: u64 = 1_000_000;

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    println!("Postfix, 5,000 senders by Zipf's law, one day, one log stream, single updates");
    println!("{:>10} {:>24} {:>16}", "batch", "units a million messages", "items a batch");
    // The small batches are as many as the others take messages for: enough for the average.
    for (batch, messages) in [(100, MILLION / 5), (1_000, MILLION), (10_000, MILLION)] {
        let begun = Instant::now();
        let summary = runtime.block_on(ingested(batch, messages));
        assert_eq!(summary.submissions, messages);
        #[expect(clippy::cast_precision_loss, reason = "a few million")]
        let units = summary.write_units * MILLION as f64 / messages as f64;
        let items = summary.items / (messages / batch);
        println!("{batch:>10} {units:>24.0} {items:>16}   ({:.1?})", begun.elapsed());
    }
}

async fn ingested(batch: u64, messages: u64) -> Summary {
    let engine = Engine::in_memory().expect("an engine");
    let store = Store::new(engine.client(), "table", Writing::Single { concurrency: 4 });
    store.create_table().await.expect("a table");
    let ingest = Ingest::new(Arc::new(store), settings(chrono_tz::UTC));
    let mut log = Vec::new();
    let plan = Plan { messages, senders: 5_000, days: 1, begins: NOW - 12 * 3600, seed: 4 };
    let lines = generate::write(Shape::Postfix, plan, &mut log).expect("in memory");
    let lines_a_batch = usize::try_from(lines * batch / messages + 1).expect("a few thousand");
    let mut log: Vec<&[u8]> = log.split_inclusive(|byte| *byte == b'\n').collect();
    let mut sum = Summary::default();
    for (number, lines) in log.chunks_mut(lines_a_batch).enumerate() {
        let data = kinesis::gzip(&lines.concat());
        let record = Record { sequence: number as u64 + 1, data };
        let event = kinesis::event("shardId-000000000000", &[record], NOW);
        let event = serde_json::from_value(event).expect("an event");
        sum.add(&ingest.event(&event, NOW).await.expect("ingested"));
    }
    sum
}
