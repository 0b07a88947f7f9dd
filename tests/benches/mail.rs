//! A report with a million detailed rows: how long it takes to make and hand over, and the memory of a process
//! that does nothing else. `ROWS` chooses another number of rows.

use std::sync::Arc;
use std::time::Instant;

use chrono::Datelike as _;
use chrono_tz::Tz;
use fastrand::Rng;
use history::{DayRows, History};
use local::engine::Engine;
use mailer::{Mailer, Outbox};
use object_store::local::LocalFileSystem;
use report::{
    Contents, Day, Days, Range, RecipientDomains, ReportRequest, TlsVersion, UsageKey, View,
};
use reporting::{Reporter, Settings};
use serde_json::json;
use store::{Guard, Store, Writing};
use tests::app::NOW;

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
    let history = History::new(Arc::new(store), objects);
    let today = Days::new(Tz::UTC).day_of(NOW);
    let end = archive::closed(today).end;
    let range = Range::last(end, DAYS);
    for day in range.days() {
        history.archive_rows(day, rows_of(day, rows / DAYS)).await.expect("an archive");
    }

    let outbox = folder.path().join("outbox");
    let mailer = Mailer::new("reports@example.test", Arc::new(Outbox::new(outbox.clone())));
    let settings = Settings { zone: Tz::UTC, recipients: RecipientDomains::Any, dashboard: None };
    let mailer = mailer.expect("a mailer");
    let reporter = Reporter::new(history.clone(), mailer, settings, Arc::new(|| NOW));
    let contents = Contents {
        view: View::TlsUsage,
        domain: None,
        name: None,
        recipients: vec!["ann@example.test".to_owned()],
    };
    let id = "019ab000-0000-7000-8000-000000000000".to_owned();
    let request = ReportRequest::new(id.clone(), contents, range, NOW);
    history.store().place_request(&request, &Guard::default(), NOW).await.expect("a request");

    let (before, begun) = (peak(), Instant::now());
    let done = reporter.handle(&json!({"source": "smtp-auth-report"})).await.expect("a report");
    assert_eq!(done.sent, 1);
    let mail = std::fs::metadata(outbox.join(format!("{id}.eml"))).expect("a mail").len();
    println!(
        "{rows} rows: a mail of {:.1} MB in {:.1?}; {} MB of memory at most ({} MB before)",
        mail as f64 / 1e6,
        begun.elapsed(),
        peak(),
        before
    );
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
            account: &account,
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
