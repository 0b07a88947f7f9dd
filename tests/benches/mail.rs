//! A report with a million detailed rows: how long it takes to make and hand over, and the memory of a process
//! that does nothing else. `ROWS` chooses another number of rows.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use chrono::Datelike as _;
use chrono_tz::Tz;
use fastrand::Rng;
use futures_util::StreamExt as _;
use history::{DayRows, History};
use local::engine::Engine;
use mailer::{Mailer, OUTBOX_LIMIT, Outbox, SES_LIMIT, Ses, Transport};
use object_store::local::LocalFileSystem;
use report::{
    Contents, Day, Days, Filter, Group, Known, Range, RecipientDomains, ReportRequest, Scope,
    TlsVersion, UsageKey, View,
};
use reporter::{Reporter, Settings};
use serde_json::json;
use store::{Guard, Store, Writing};
use tests::app::NOW;
use tests::mail::sdk_config;

/// Days that the rows are spread over.
const DAYS: u64 = 31;

fn main() {
    let rows = std::env::var("ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure(rows));
}

async fn measure(rows: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(&folder.path().join("store.sqlite")).expect("an engine");
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    store.create_table().await.expect("a table");
    let archive = folder.path().join("archive");
    std::fs::create_dir(&archive).expect("a folder");
    let objects = Arc::new(LocalFileSystem::new_with_prefix(&archive).expect("a folder"));
    let history = History::new(&store, objects);
    let today = Days::new(Tz::UTC).day_of(NOW);
    let end = archive::closed(today).end;
    let range = Range::last(end, DAYS);
    for day in range.days() {
        history.archive_rows(day, rows_of(day, rows / DAYS)).await.expect("an archive");
    }

    let outbox = Arc::new(Outbox::new(folder.path().join("outbox"), OUTBOX_LIMIT));
    println!("{rows} rows of {DAYS} days; {} MB of memory so far", peak());
    tell("into the outbox", &store, &history, range, outbox).await;
    let ses = Ses::new(&sdk_config(), Some(swallowing().await), None, SES_LIMIT);
    tell("to SES", &store, &history, range, Arc::new(ses)).await;
}

/// Sends a report of a range, and tells how long that took and the most memory that the process has had.
async fn tell(
    to: &str,
    store: &Store,
    history: &History,
    range: Range,
    transport: Arc<dyn Transport>,
) {
    let mailer = Mailer::new("reports@example.test", transport).expect("a mailer");
    let recipients = RecipientDomains::Any;
    let settings = Settings {
        zone: Tz::UTC,
        recipients,
        dashboard: None,
        as_of: None,
        known: Known::default(),
    };
    let reporter = Reporter::new(store, history.clone(), mailer, settings, Arc::new(|| NOW));
    let contents = Contents {
        view: View::TlsUsage,
        group: Group::Sender,
        only: Filter::default(),
        name: None,
        recipients: vec!["ann@example.test".to_owned()],
        scope: Scope::All,
    };
    let id = uuid::Uuid::now_v7().to_string();
    let request = ReportRequest::new(id, contents, range, NOW);
    let requests = store.report_requests();
    requests.place(&request, &Guard::default(), NOW).await.expect("a request");
    let begun = Instant::now();
    let done = reporter.handle(&json!({"source": "smtp-auth-report"})).await.expect("a report");
    assert_eq!(done.sent, 1);
    println!("{to}: {:.1?}, {} MB of memory", begun.elapsed(), peak());
}

/// A server that takes mail as SES does and keeps nothing.
async fn swallowing() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let swallow = async |body: Body| {
        let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
        while let Some(Ok(piece)) = pieces.next().await {
            bytes += piece.len();
        }
        println!("a request of {:.1} MB", bytes as f64 / 1e6);
        axum::Json(json!({"MessageId": "1"}))
    };
    let router = axum::Router::new().fallback(swallow).layer(DefaultBodyLimit::disable());
    tokio::spawn(async move { axum::serve(listener, router).await });
    endpoint
}

/// What a mail server with many accounts has: addresses that change from day to day.
fn rows_of(day: Day, rows: u64) -> DayRows {
    let mut rng = Rng::with_seed(u64::from(day.day()));
    let mut day_rows = DayRows::default();
    for number in 0..rows {
        let sender = format!("user{:05}@example.test", number % 20_000);
        let account = format!("account{:05}", number % 20_000);
        let client = format!("2001:db8::{:x}:{:x}", rng.u16(..), rng.u16(..));
        let key = UsageKey {
            domain: "example.test",
            sender: &sender,
            username: &account,
            mechanism: "PLAIN",
            tls: TlsVersion::ALL[rng.usize(0..6)],
            client: &client,
        };
        day_rows.push(&key, rng.u64(1..100));
    }
    day_rows.sort();
    day_rows
}

/// The most memory that this process has had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1000
}
