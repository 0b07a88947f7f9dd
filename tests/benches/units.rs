//! DynamoDB's capacity units for messages that are counted and pages that are looked at, by the engine's own count:
//! what the README's costs are made of.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::http::Request;
use history::History;
use ingest::{Ingest, Summary};
use local::engine::Engine;
use object_store::memory::InMemory;
use query::Query;
use report::Days;
use store::{Store, Writing};
use tests::app::{NOW, mailing, settings};
use tests::generate::{self, Plan, Shape};
use tests::kinesis::{self, Record};
use tests::units::{Counted, Units};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

/// One mail server's log stream, for a part of a day.
struct Site {
    told: &'static str,
    /// Messages of the day, or of the part of it that is enough for the average.
    messages: u64,
    /// Messages of a batch.
    batch: u64,
    senders: usize,
}

/// The batches of the README's `large batches`, and those of a minute at 10,000, 1 million and 100 million messages a
/// month.
const SITES: [Site; 6] = [
    Site { told: "10,000 a month, each minute", messages: 333, batch: 1, senders: 30 },
    Site { told: "1 million a month, each minute", messages: 33_333, batch: 23, senders: 1_000 },
    Site {
        told: "100 million a month, each minute",
        messages: 1_000_000,
        batch: 2_315,
        senders: 20_000,
    },
    Site { told: "batches of 100", messages: 200_000, batch: 100, senders: 5_000 },
    Site { told: "batches of 1,000", messages: 1_000_000, batch: 1_000, senders: 5_000 },
    Site { told: "batches of 10,000", messages: 1_000_000, batch: 10_000, senders: 5_000 },
];

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    println!(
        "Postfix, senders by Zipf's law, one log stream; units of a million messages, and of one page"
    );
    println!(
        "{:>33} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "write", "read", "overview", "report", "table", "archive", "none new"
    );
    for site in SITES {
        let begun = Instant::now();
        runtime.block_on(measure(&site));
        println!("   ({:.1?})", begun.elapsed());
    }
}

async fn measure(site: &Site) {
    let counted = Counted::new(Engine::in_memory().expect("an engine"));
    let writing = Writing::Single { concurrency: 4 };
    let store = Store::new(counted.client(), "table", writing);
    store.create_table().await.expect("a table");
    let ingest = Ingest::new(&store, settings(chrono_tz::UTC));
    let _ = counted.take();
    let summary = ingested(&ingest, site).await;
    assert_eq!(summary.submissions, site.messages);
    let Units { read, write } = counted.take();
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    let millions = site.messages as f64 / 1e6;
    print!("{:>33} {:>10.0} {:>10.0}", site.told, write / millions, read / millions);

    // Every function in a process of its own, that remembers nothing.
    let connected = || {
        let store = Store::new(counted.client(), "table", writing);
        let history = History::new(&store, Arc::new(InMemory::new()));
        (store, history)
    };
    for page in ["/", "/reports/tls-usage", "/reports/tls-usage/details"] {
        let (store, history) = connected();
        let query = Query::new(&store, history, chrono_tz::UTC, mailing(), Arc::new(|| NOW));
        let request = Request::get(page).body(Body::empty()).expect("a request");
        let answer = query::router(query).oneshot(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{page}: {}", answer.status());
        print!(" {:>9.1}", counted.take().read);
    }
    // Three days later the day is closed: it is archived once, and looked at again each hour.
    let (history, later) = (history(), Days::new(chrono_tz::UTC).day_of(NOW + 3 * 86_400));
    for _ in 0..2 {
        archive::run(&history, later, |_, _| {}).await.1.expect("archived");
        let units = counted.take();
        print!(" {:>9.1}", units.read + units.write);
    }
}

async fn ingested(ingest: &Ingest, site: &Site) -> Summary {
    let Site { messages, batch, senders, .. } = *site;
    let mut log = Vec::new();
    let plan = Plan { messages, senders, days: 1, begins: NOW - 12 * 3600, seed: 4 };
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
