//! A hundred thousand senders over ninety days: how fast tables, details and archives are, and how fast
//! DuckDB is on the same files (where `DUCKDB_PYTHON` names a Python that can import it).
//!
//! `SENDERS` chooses another number of senders.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use history::{Archived, DayRows, History};
use local::engine::Engine;
use object_store::local::LocalFileSystem;
use report::{Day, Days, Range, Submission, Tally, TlsVersion, UsageKey};
use store::{Positions, Source, Store, Writing};
use tests::app::{App, NOW, settings};
use tokio::runtime::Runtime;

/// Times that each question is asked; the median is told.
const ROUNDS: usize = 7;

fn main() {
    let senders = std::env::var("SENDERS").ok().and_then(|text| text.parse().ok());
    let senders: u32 = senders.unwrap_or(100_000);
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    runtime.block_on(measure(senders, folder.path()));
}

async fn measure(senders: u32, folder: &Path) {
    let engine = Engine::open(&folder.join("store.sqlite")).expect("an engine");
    let store = Store::new(engine.client(), "table", Writing::Transactions);
    store.create_table().await.expect("a table");
    let archive = folder.join("archive");
    std::fs::create_dir(&archive).expect("a folder");
    let objects = Arc::new(LocalFileSystem::new_with_prefix(&archive).expect("a folder"));
    let history = History::new(&store, objects.clone());
    let today = Days::new(chrono_tz::UTC).day_of(NOW);
    let closed = archive::closed(today);

    let begun = Instant::now();
    let (mut rows, mut bytes) = (0, 0);
    for day in closed.days() {
        let written = history.archive_rows(day, rows_of(day, senders)).await.expect("an archive");
        if let Archived::Written { rows: more, bytes: size, .. } = written {
            (rows, bytes) = (rows + more, bytes + size);
        }
    }
    println!(
        "{senders} senders, {} closed days: {rows} usage rows, {} MB of archives, written in {:.1?}",
        closed.days().count(),
        bytes / 1_000_000,
        begun.elapsed()
    );

    let open = Range { start: closed.end.succ_opt().expect("a day"), end: today };
    let begun = Instant::now();
    let items = fill(&store, open, senders).await;
    println!(
        "{} open days: {items} items, written in {:.1?}",
        open.days().count(),
        begun.elapsed()
    );

    // A process that knows nothing yet, each time.
    let cold = || App::over(engine.clone(), &store, history.clone(), objects.clone());
    let details = "/v1/reports/tls-usage/details?sort=-TLS1.0";
    let Range { start, end } = closed;
    let table = format!("{details}&start={start}&end={end}");
    tell("first page, closed days, cold", || async { ask(&cold(), &table).await }).await;
    duckdb(&archive);
    let app = cold();
    let next = |page: &[u8]| {
        let page: serde_json::Value = serde_json::from_slice(page).expect("JSON");
        format!("{table}&cursor={}", page["next"].as_str().expect("a next page"))
    };
    let second = next(&ask(&app, &table).await);
    tell("next page", || async { ask(&app, &second).await }).await;
    let other = table.replace("-TLS1.0", "-messages");
    tell("the same in another order", || async { ask(&app, &other).await }).await;
    tell("search", || async { ask(&app, &format!("{table}&search=user0123")).await }).await;
    let one = format!("{table}&domain=d07.example.test");
    tell("one domain, cold", || async { ask(&cold(), &one).await }).await;
    let csv = format!("{table}&format=csv");
    tell("the whole table as CSV, cold", || async { ask(&cold(), &csv).await }).await;
    let whole = format!("{details}&start={start}");
    tell("first page, with the open days, cold", || async { ask(&cold(), &whole).await }).await;
    for group in ["account", "client", "mechanism"] {
        let path = format!("{table}&group={group}");
        let what = format!("first page by {group}, closed days, cold");
        tell(&what, || async { ask(&cold(), &path).await }).await;
    }
    let chart = format!("/v1/reports/mechanisms?start={start}&end={end}");
    tell("kinds of mechanisms, closed days, cold", || async { ask(&cold(), &chart).await }).await;
    let plan = format!("/v1/plan?off=TLS1.0,TLS1.1,none&start={start}");
    tell("plan of old TLS over all days, cold", || async { ask(&cold(), &plan).await }).await;
    tell("the same once more", || async { ask(&app, &plan).await }).await;
    let basic = plan.replace("TLS1.0,TLS1.1,none", "basic");
    tell("plan of everybody over all days, cold", || async { ask(&cold(), &basic).await }).await;
    let week = "/v1/plan".to_owned();
    tell("plan of old TLS over 7 days, cold", || async { ask(&cold(), &week).await }).await;
    let account = format!("/v1/accounts?account={}", address(7));
    tell("one account, 7 days", || async { ask(&cold(), &account).await }).await;
    let account = format!("{account}&start={start}");
    tell("one account, with the open days", || async { ask(&cold(), &account).await }).await;
    let found = "/v1/search?search=user0123".to_owned();
    tell("search for any name, cold", || async { ask(&cold(), &found).await }).await;
    tell("the same once more", || async { ask(&app, &found).await }).await;
    let sender = format!("/v1/senders?sender={}&start={start}", address(7));
    tell("one sender, with the open days", || async { ask(&cold(), &sender).await }).await;
    let week = details.to_owned();
    tell("first page of 7 days, cold", || async { ask(&cold(), &week).await }).await;
    tell("insight", || async { ask(&cold(), "/v1/insight").await }).await;
    let begun = Instant::now();
    let detailed = ask(&app, &format!("/v1/reports/detailed?start={start}&end={start}")).await;
    println!(
        "{:<44}{:>10.1?}  ({} MB)",
        "detailed CSV of one closed day",
        begun.elapsed(),
        detailed.len() / 1_000_000
    );

    let begun = Instant::now();
    let archived = history.archive(open.start).await.expect("an archive");
    println!("{:<44}{:>10.1?}  ({archived:?})", "archive of one day from items", begun.elapsed());
}

async fn ask(app: &App, path: &str) -> Vec<u8> {
    let answer = app.get(path).await.expect("an answer");
    assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
    answer.body
}

async fn tell<F: Future<Output = Vec<u8>>>(what: &str, mut work: impl FnMut() -> F) {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        work().await;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "{what:<44}{:>10.1?}  ({:.1?} to {:.1?})",
        times[ROUNDS / 2],
        times[0],
        times[ROUNDS - 1]
    );
}

/// The same question to DuckDB, with as many threads.
fn duckdb(archive: &Path) {
    duckdb_by(archive, "senders", "sender");
    duckdb_by(archive, "usage", "account");
    duckdb_by(archive, "usage", "client");
}

fn duckdb_by(archive: &Path, files: &str, group: &str) {
    let Ok(python) = std::env::var("DUCKDB_PYTHON") else {
        println!("DuckDB: not asked, DUCKDB_PYTHON is not set");
        return;
    };
    let script = format!(
        "
import duckdb, time
duckdb.sql('SET threads = {}')
times = []
for _ in range({ROUNDS}):
    begun = time.perf_counter()
    rows = duckdb.sql(\"\"\"
        SELECT {group},
            sum(messages) FILTER (tls = 'TLS1.0') AS tls10, sum(messages) FILTER (tls = 'TLS1.1'),
            sum(messages) FILTER (tls = 'TLS1.2'), sum(messages) FILTER (tls = 'TLS1.3'),
            sum(messages) FILTER (tls = 'none'), sum(messages) FILTER (tls = 'unknown'), sum(messages)
        FROM read_parquet('{}/{files}/*/*.parquet')
        GROUP BY {group} ORDER BY tls10 DESC NULLS LAST, {group} LIMIT 100\"\"\").fetchall()
    times.append((time.perf_counter() - begun) * 1000)
times.sort()
print(f'{{times[{ROUNDS} // 2]:8.1f}}ms  ({{times[0]:.1f}}ms to {{times[-1]:.1f}}ms)')
",
        std::thread::available_parallelism().map_or(1, usize::from),
        archive.display()
    );
    let output = Command::new(python).args(["-c", &script]).output().expect("DuckDB");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    print!(
        "{:<44}{}",
        format!("DuckDB, the same by {group}"),
        String::from_utf8_lossy(&output.stdout)
    );
}

fn address(number: u32) -> String {
    format!("user{number:06}@d{:02}.example.test", number % 40)
}

/// Three keys a sender: another TLS version now and then, and other clients.
fn each(day: Day, senders: u32, mut row: impl FnMut(&UsageKey<'_>, u64)) {
    let mut rng =
        Rng::with_seed(u64::from(chrono::Datelike::num_days_from_ce(&day).unsigned_abs()));
    let usual = [TlsVersion::Tls13, TlsVersion::Tls12, TlsVersion::Tls13, TlsVersion::Tls10];
    for number in 0..senders {
        let sender = address(number);
        let domain = sender.split('@').nth(1).unwrap_or_default();
        for variant in 0..3_u32 {
            let tls = usual[if variant == 2 && number % 5 == 0 { 3 } else { number as usize % 3 }];
            let client = format!("198.51.{}.{}", 100 + (number + variant) % 100, number % 250);
            let (username, mechanism) = (sender.as_str(), "PLAIN");
            let key =
                UsageKey { domain, sender: &sender, username, mechanism, tls, client: &client };
            row(&key, rng.u64(1..40));
        }
    }
}

fn rows_of(day: Day, senders: u32) -> DayRows {
    let mut rows = DayRows::default();
    each(day, senders, |key, messages| rows.push(key, messages));
    rows.sort();
    rows
}

/// Counts open days as ingestion does.
async fn fill(store: &Store, days: Range, senders: u32) -> u64 {
    let (mut items, source) = (0, Source::new("generated"));
    for day in days.days() {
        // By day: at night everybody has a counter more.
        let time = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() + 12 * 3600;
        let mut tally: Tally = settings(chrono_tz::UTC).tally(NOW);
        each(day, senders, |key, messages| {
            let UsageKey { sender, username: account, mechanism, tls, client, .. } = *key;
            let mark = time.unsigned_abs();
            let (client_name, recipients) = ("", 0);
            let one = Submission {
                time,
                sender,
                account,
                mechanism,
                tls,
                client,
                client_name,
                messages,
                recipients,
            };
            tally.submission(mark, &one);
        });
        let counted = store.counting().count(&mut tally, &source, &Positions::Offsets).await;
        items += counted.expect("counted").items;
    }
    items
}
