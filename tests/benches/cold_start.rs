//! Cold starts of the real functions: from the start of the process to its first `next`, and from there to the
//! answer of its first invocation, over the Runtime API, with the embedded engine behind loopback HTTP.
//!
//! `cargo build --release --workspace --bins && cargo bench --workspace --bench cold_start`

use std::time::{Duration, Instant};

use anyhow::Result;
use axum::body::Body;
use axum::http::Request;
use local::engine::Engine;
use serde_json::{Value, json};
use store::{Store, Writing};
use tests::aws::Aws;
use tests::gateway;
use tests::issuer::Issuer;
use tests::kinesis::{self, Record};
use tests::lambda::Function;
use tests::process::built;

/// Starts of each function.
const STARTS: usize = 21;
const TABLE: &str = "table";

fn now() -> i64 {
    bootstrap::now()
}

struct Stage {
    aws: Aws,
    issuer: Issuer,
}

impl Stage {
    fn function(&self, name: &str) -> Result<Function> {
        let mut environment = self.aws.environment(name);
        environment.extend(self.issuer.environment());
        let more = [
            ("TABLE_NAME", TABLE),
            ("ARCHIVE_BUCKET", "archive"),
            ("RECIPIENT_DOMAINS", "example.test"),
            ("MAIL_FROM", "reports@example.test"),
            ("DASHBOARD_URL", "https://report.example.test"),
        ];
        environment.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(Function::new(built(name)?, environment, Duration::from_secs(30)))
    }

    /// An event for a function, by which its first invocation is measured.
    async fn event(&self, name: &str) -> Result<Value> {
        Ok(match name {
            "ingest" => records(1, 100),
            "query" => {
                let token = self.issuer.token(&self.issuer.claims(&["readers"]));
                let request = Request::get("/v1/reports/tls-usage");
                let request = request.header("authorization", format!("Bearer {token}"));
                gateway::event(request.body(Body::empty())?).await?
            }
            _ => json!({"source": "aws.events"}),
        })
    }
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
    let engine = Engine::in_memory()?;
    Store::new(engine.client(), TABLE, Writing::Transactions).create_table().await?;
    let stage = Stage { aws: Aws::start(engine, None).await?, issuer: Issuer::start(now()).await? };
    stage.function("ingest")?.invoke(&records(0, 1000)).await?.answer()?;
    println!("milliseconds: least, median, most of {STARTS}");
    println!("{:8} {:8}  {:17}  first invocation", "function", "MB", "until first next");
    for name in ["ingest", "query", "report"] {
        let (mut starts, mut firsts) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let function = stage.function(name)?;
            starts.push(function.start().await?);
            let event = stage.event(name).await?;
            let begun = Instant::now();
            function.invoke(&event).await?.answer()?;
            firsts.push(begun.elapsed());
            function.stop().await;
        }
        let size = std::fs::metadata(built(name)?)?.len() as f64 / 1e6;
        println!("{name:8} {size:5.1}     {}  {}", quartiles(starts), quartiles(firsts));
    }
    Ok(())
}
