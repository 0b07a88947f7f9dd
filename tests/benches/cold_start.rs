//! Cold starts of the real functions: from the start of the process to its first `next`, and from there to the
//! answer of its first invocation, over the Runtime API, with the embedded engine behind loopback HTTP.
//!
//! `cargo build --release --workspace --bins && cargo bench --workspace --bench cold_start`

use std::time::{Duration, Instant};

use anyhow::Result;
use bootstrap::now;
use serde_json::{Value, json};
use tests::gateway;
use tests::kinesis::{self, Record};
use tests::process::{built, program};
use tests::stage::{PATIENCE, Stage};

/// Starts of each function.
const STARTS: usize = 21;

/// An event for a function, by which its first invocation is measured.
async fn event(stage: &Stage, name: &str) -> Result<Value> {
    Ok(match name {
        "ingest" => records(1, 100),
        "query" => gateway::event(stage.question("/v1/reports/tls-usage")?).await?,
        _ => json!({"source": "aws.events"}),
    })
}

/// An event with messages of so many senders.
fn records(sequence: u64, senders: u64) -> Value {
    let line = |sender: u64| {
        let time = chrono::DateTime::from_timestamp(now(), 0);
        json!({"time": time, "sender": format!("s{sender}@example.test"), "tls": "TLS1.3"})
            .to_string()
    };
    let lines: Vec<_> = (0..senders).map(line).collect();
    let data = kinesis::cloudwatch("mx1", lines.iter().map(String::as_str), 1, now());
    kinesis::event("shardId-000000000000", &[Record { sequence, data }], now())
}

fn quartiles(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 4].as_secs_f64() * 1000.0;
    format!("{:5.1} {:5.1} {:5.1}", at(0), at(2), at(4))
}

#[tokio::main]
async fn main() -> Result<()> {
    let stage = Stage::new().await?;
    stage.ingest()?.invoke(&records(0, 1000)).await?.answer()?;
    println!("milliseconds: least, median, most of {STARTS}");
    println!("{:8} {:8}  {:17}  first invocation", "function", "MB", "until first next");
    for name in ["ingest", "query", "report"] {
        let (mut starts, mut firsts) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let function = stage.function(name, &[], PATIENCE)?;
            starts.push(function.start().await?);
            let event = event(&stage, name).await?;
            let begun = Instant::now();
            function.invoke(&event).await?.answer()?;
            firsts.push(begun.elapsed());
            function.stop().await;
        }
        let size = std::fs::metadata(built(program(name))?)?.len() as f64 / 1e6;
        println!("{name:8} {size:5.1}     {}  {}", quartiles(starts), quartiles(firsts));
    }
    Ok(())
}
