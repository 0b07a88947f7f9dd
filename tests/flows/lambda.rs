//! The real Lambda functions, as Lambda runs them: events in, answers out, over the Runtime API.

mod deployed;
mod faults;
mod people;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::Request;
use local::engine::Engine;
use serde_json::{Value, json};
use store::{Store, Writing};
use tests::app::Answer;
use tests::aws::Aws;
use tests::gateway;
use tests::issuer::Issuer;
use tests::kinesis::{self, Record};
use tests::lambda::Function;
use tests::process::built;

const TABLE: &str = "table";

/// The present, in seconds since 1970: the functions go by the machine's clock.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}

/// The table, and somebody who issues tokens.
struct Stage {
    aws: Aws,
    issuer: Issuer,
}

impl Stage {
    async fn new() -> Result<Self> {
        let engine = Engine::in_memory()?;
        Store::new(engine.client(), TABLE, Writing::Transactions).create_table().await?;
        let aws = Aws::start(engine, None).await?;
        Ok(Self { aws, issuer: Issuer::start(now()).await? })
    }

    /// A function with this environment beside what every one needs.
    fn function(
        &self,
        name: &str,
        more: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Arc<Function>> {
        let mut environment = self.aws.environment(name);
        environment.extend(self.issuer.environment());
        let always = [
            ("TABLE_NAME", TABLE),
            ("ARCHIVE_BUCKET", "archive"),
            ("RECIPIENT_DOMAINS", "example.test"),
            ("MAIL_FROM", "reports@example.test"),
            ("DASHBOARD_URL", "https://report.example.test"),
        ];
        let all = always.iter().chain(more);
        environment.extend(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Ok(Arc::new(Function::new(built(name)?, environment, timeout)))
    }

    fn ingest(&self) -> Result<Arc<Function>> {
        self.function("ingest", &[], PATIENCE)
    }

    /// How many messages there are today and yesterday, as the table tells.
    async fn messages(&self) -> Result<u64> {
        let query = self.function("query", &[], PATIENCE)?;
        let token = self.issuer.token(&self.issuer.claims(&["readers"]));
        let answer = ask(&query, "/v1/reports/sending-volume", &token).await?.ok()?;
        answer["total"].as_u64().context("a total")
    }
}

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(60);

async fn ask(query: &Function, path: &str, token: &str) -> Result<Answer> {
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    gateway::ask(query, request.body(Body::empty())?).await
}

/// A payload with one message of each sender, each on a line of its own, accepted a moment ago.
fn payload(number: u64, senders: u64) -> Vec<u8> {
    let lines: Vec<_> = (0..senders)
        .map(|sender| {
            json!({
                "time": chrono::DateTime::from_timestamp(now(), 0),
                "sender": format!("s{number}-{sender}@example.test"),
                "account": "ann",
                "tls": "TLS1.2",
            })
            .to_string()
        })
        .collect();
    let first = usize::try_from(number * 1000).unwrap_or(0);
    kinesis::cloudwatch("mx1", lines.iter().map(String::as_str), first, now())
}

/// An event with payloads of so many messages each, numbered from `first`.
fn event(first: u64, payloads: u64, senders: u64) -> Value {
    let records: Vec<_> = (first..first + payloads)
        .map(|number| Record { sequence: number, data: payload(number, senders) })
        .collect();
    kinesis::event("shardId-000000000000", &records, now())
}
