//! Archives as their users meet them: views agree with them and without them, damage is noticed, other
//! tools can read them.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use history::{History, Standing};
use object_store::local::LocalFileSystem;
use object_store::{ObjectStore, ObjectStoreExt as _};
use report::{Day, Range};
use serde_json::Value;
use tests::app::{App, NOW, usage};
use tests::fault::MortalObjects;
use tests::generate::{self, Plan, Shape};

fn today() -> Day {
    report::Days::new(chrono_tz::UTC).day_of(NOW)
}

async fn run(history: &History) -> Result<archive::Summary> {
    let (summary, done) = archive::run(history, today(), |_, _| {}).await;
    done?;
    Ok(summary)
}

/// A service with thirty days of mail.
async fn app() -> Result<App> {
    let app = App::new().await?;
    let mut log = Vec::new();
    let begins = NOW - 29 * 86_400;
    let plan = Plan { messages: 6_000, senders: 150, days: 30, begins, seed: 3 };
    generate::write(Shape::Exim, plan, &mut log)?;
    app.log("mainlog", std::str::from_utf8(&log)?).await?;
    Ok(app)
}

/// Everything that reads usage, over the whole range, one domain, and one sender.
const VIEWS: [&str; 9] = [
    "/v1/reports/tls-usage/details?start=2026-08-27&limit=1000",
    "/v1/reports/tls-usage/details?start=2026-10-01&sort=-TLS1.0&limit=7",
    "/v1/reports/tls-usage/details?start=2026-08-27&domain=d03.example.test",
    "/v1/reports/sending-volume/details?start=2026-10-20&end=2026-11-10&search=user0001",
    "/v1/reports/sending-volume/details?start=2026-08-27&format=csv",
    "/v1/senders?sender=user00003@d03.example.test&start=2026-08-27",
    "/v1/senders?sender=nobody@d03.example.test&start=2026-08-27",
    "/v1/reports/detailed?start=2026-08-27",
    "/v1/reports/detailed?start=2026-11-01&domain=d01.example.test",
];

async fn views(app: &App) -> Result<Vec<String>> {
    let mut views = Vec::new();
    for path in VIEWS {
        views.push(counts(&app.get(path).await?.text()?));
    }
    Ok(views)
}

/// What is told, but for the cursor: it names the computation that it belongs to.
fn counts(answer: &str) -> String {
    match serde_json::from_str::<Value>(answer) {
        Ok(mut page) => {
            page["next"].take();
            page.to_string()
        }
        Err(_) => answer.to_owned(),
    }
}

/// Counts the archives that cannot be used.
fn counting() -> (history::Watch, Arc<AtomicUsize>) {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let watch = move |_, _: &history::Unusable| {
        count.fetch_add(1, Ordering::SeqCst);
    };
    (Arc::new(watch), refused)
}

/// The same service in a process that has computed nothing yet.
fn restarted(app: &App, history: History) -> App {
    App::over(app.engine.clone(), &app.store, history, Arc::clone(&app.objects))
}

#[tokio::test]
async fn views_are_the_same_from_items_and_from_archives() -> Result<()> {
    let app = app().await?;
    let from_items = views(&app).await?;
    let detailed = from_items[7].lines().count();
    assert!(detailed > 1_500, "{detailed}");
    let summary = run(&app.history).await?;
    assert_eq!((summary.new, summary.empty), (28, 60), "{summary:?}");
    let (watch, refused) = counting();
    let watched = || app.history.clone().watched_by(Arc::clone(&watch));
    assert_eq!(views(&restarted(&app, watched())).await?, from_items);
    assert_eq!(refused.load(Ordering::SeqCst), 0);

    // Again: everything is current. Twice the same bytes.
    let again = run(&app.history).await?;
    assert_eq!((again.current, again.new + again.renewed + again.repaired), (28, 0));
    let path = "usage/dt=2026-11-10/usage.parquet".into();
    let before = app.objects.get(&path).await?.bytes().await?;
    app.history.archive("2026-11-10".parse()?).await?;
    assert_eq!(app.objects.get(&path).await?.bytes().await?, before);

    // Lost, cut, replaced by another day's, or not ours: the answers stay, and somebody is told.
    let object = |name: &str, day: &str| format!("{name}/dt={day}/{name}.parquet").into();
    app.objects.delete(&object("senders", "2026-11-02")).await?;
    app.objects.delete(&object("usage", "2026-11-02")).await?;
    for (day, name) in [("2026-11-03", "senders"), ("2026-11-04", "usage")] {
        let whole = app.objects.get(&object(name, day)).await?.bytes().await?;
        let cut = whole.slice(..whole.len() / 2);
        app.objects.put(&object(name, day), cut.into()).await?;
    }
    let other = app.objects.get(&object("senders", "2026-11-06")).await?.bytes().await?;
    app.objects.put(&object("senders", "2026-11-05"), other.into()).await?;
    app.objects.put(&object("usage", "2026-11-05"), "PAR1".into()).await?;
    assert_eq!(views(&restarted(&app, watched())).await?, from_items);
    assert!(refused.load(Ordering::SeqCst) > 0);
    assert!(matches!(app.history.standing("2026-11-05".parse()?).await?, Standing::Broken(_)));
    let repaired = run(&app.history).await?;
    assert_eq!((repaired.repaired, repaired.current), (4, 24));

    // What is no longer kept goes, and nothing else.
    let oldest: Day = "2026-11-01".parse()?;
    assert_eq!(app.history.remove_before(oldest).await?, 6);
    assert_eq!(app.history.standing("2026-11-01".parse()?).await?, Standing::Current);
    assert!(app.objects.head(&object("usage", "2026-10-31")).await.is_err());
    assert_eq!(views(&restarted(&app, watched())).await?, from_items);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_object_store_that_does_not_answer_is_waited_for_once_a_range() -> Result<()> {
    let app = app().await?;
    run(&app.history).await?;
    // Longer than what is taken for a mere refusal.
    let wait = Duration::from_millis(1500);
    let cores = std::thread::available_parallelism()?.get();
    // A page of a table reads its range twice: for the rows, and for what is told of those that are shown.
    for (path, times) in [(VIEWS[0], 2), (VIEWS[7], 1)] {
        let expected = app.get(path).await?.text()?;
        let objects = MortalObjects::out_of_reach(Arc::clone(&app.objects), wait);
        let wanted = Arc::clone(&objects.wanted);
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let watch = move |_, error: &history::Unusable| {
            tell.lock().expect("nobody panicked").push(error.to_string());
        };
        let history = History::new(&app.store, Arc::new(objects)).watched_by(Arc::new(watch));
        let answer = restarted(&app, history).get(path).await?.text()?;
        assert_eq!(counts(&answer), counts(&expected), "{path}");
        // Others are on their way when the first one fails.
        let most = cores * times;
        assert!((1..=most).contains(&wanted.load(Ordering::SeqCst)), "{path}: {wanted:?}");
        let told = told.lock().expect("nobody panicked");
        assert!((1..=most).contains(&told.len()), "{path}: {told:?}");
        assert!(told[0].contains("timed out") && told[0].contains("not waited for"), "{told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_late_line_makes_its_day_stale_and_the_next_run_renews_it() -> Result<()> {
    let app = app().await?;
    run(&app.history).await?;
    let path = "/v1/senders?sender=late@example.test&start=2026-08-27";
    assert_eq!(app.get(path).await?.ok()?["messages"], 0);
    let late = r#"{"time":"2026-11-10T10:00:00Z","sender":"late@example.test","messages":5}"#;
    app.log("late", &format!("{late}\n")).await?;
    assert_eq!(app.history.standing("2026-11-10".parse()?).await?, Standing::Stale);
    assert_eq!(app.get(path).await?.ok()?["messages"], 5);
    let run = run(&app.history).await?;
    assert_eq!((run.renewed, run.current), (1, 27));
    assert_eq!(app.get(path).await?.ok()?["messages"], 5);
    Ok(())
}

#[tokio::test]
async fn a_table_asked_for_again_is_not_computed_again_until_something_was_counted() -> Result<()> {
    let app = app().await?;
    run(&app.history).await?;
    let (watch, refused) = counting();
    let app = restarted(&app, app.history.clone().watched_by(watch));
    let table = "/v1/reports/tls-usage/details?start=2026-08-27&sort=messages&limit=5";
    let first = app.get(table).await?.ok()?;
    // From now on, whoever computes a table finds no archives and tells.
    for day in archive::closed(today()).days() {
        let path = format!("senders/dt={day}/senders.parquet").into();
        let _ = app.objects.delete(&path).await;
    }
    assert_eq!(app.get(table).await?.ok()?, first);
    let other_order = app.get(&table.replace("=messages", "=-messages")).await?.ok()?;
    assert_ne!(other_order["rows"], first["rows"]);
    let found = app.get(&format!("{table}&search=user0001")).await?.ok()?;
    assert!(!found["rows"].as_array().context("rows")?.is_empty());
    assert_eq!(refused.load(Ordering::SeqCst), 0);

    // A new sender with as many messages as the second page's senders have.
    let next = |page: &Value| {
        Ok::<_, anyhow::Error>(format!("{table}&cursor={}", page["next"].as_str().context("next")?))
    };
    let second = app.get(&next(&first)?).await?.ok()?;
    let messages = second["rows"][1]["messages"].as_u64().context("messages")?;
    let line = format!(
        r#"{{"time":"2026-11-24T10:00:00Z","sender":"aaa@example.test","messages":{messages}}}"#
    );
    app.log("more", &format!("{line}\n")).await?;
    let still = app.get(&next(&first)?).await?.ok()?;
    assert_eq!(still, second, "the page that follows belongs to the first one's table");
    assert_eq!(refused.load(Ordering::SeqCst), 0);
    let now = app.get(&table.replace("limit=5", "limit=1000")).await?.ok()?;
    assert!(now["rows"].to_string().contains("aaa@example.test"));
    assert!(refused.load(Ordering::SeqCst) > 0);
    Ok(())
}

#[tokio::test]
async fn a_detailed_report_that_breaks_off_does_not_look_whole() -> Result<()> {
    let app = app().await?;
    let path = "/v1/reports/detailed?start=2026-08-27";
    let whole = app.get(path).await?.text()?;
    // Reads end too when a process dies: this one's after the states of the days and some pages.
    for reads in [2, 20, 80] {
        let store = tests::fault::store_that_stops_reading(&app.engine, reads);
        let history = History::new(&store, Arc::clone(&app.objects));
        let dying = App::over(app.engine.clone(), &store, history, Arc::clone(&app.objects));
        let answer = dying.get(path).await;
        assert!(answer.is_err(), "{reads}: {} of {} bytes", answer?.body.len(), whole.len());
    }
    Ok(())
}

#[tokio::test]
async fn a_day_that_cannot_be_archived_does_not_hold_up_the_others() -> Result<()> {
    let app = app().await?;
    // An item of somebody else's in the partition of a day.
    let put = app.engine.client().put_item().table_name("table");
    let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
    put.item("pk", text("U#2026-11-01")).item("sk", text("other")).send().await?;
    let (summary, done) = archive::run(&app.history, today(), |_, _| {}).await;
    assert_eq!((summary.new, summary.failed), (27, 1));
    assert!(done.is_err_and(|error| error.to_string().contains("U#2026-11-01")));
    Ok(())
}

/// DuckDB, which shares no code with this program, reads the folder and finds what the interface tells.
#[tokio::test]
#[ignore = "needs DuckDB: DUCKDB_PYTHON names a Python that can import it"]
async fn duckdb_agrees_with_the_views() -> Result<()> {
    let python = std::env::var("DUCKDB_PYTHON").context("DUCKDB_PYTHON is not set")?;
    let app = app().await?;
    let folder = tempfile::tempdir()?;
    let objects: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder.path())?);
    let history = History::new(&app.store, Arc::clone(&objects));
    run(&history).await?;
    let closed = archive::closed(today());

    let query = "
import duckdb, json, sys
folder = sys.argv[1]
usage = duckdb.sql(f\"\"\"
    SELECT CAST(dt AS VARCHAR), domain, sender, account, mechanism, tls, client, SUM(messages)::BIGINT
    FROM read_parquet('{folder}/usage/*/*.parquet', hive_partitioning = true)
    GROUP BY ALL ORDER BY ALL\"\"\").fetchall()
senders = duckdb.sql(f\"\"\"
    SELECT sender, tls, SUM(messages)::BIGINT FROM '{folder}/senders/*/*.parquet'
    GROUP BY ALL\"\"\").fetchall()
types = duckdb.sql(f\"DESCRIBE SELECT * FROM '{folder}/usage/*/*.parquet'\").fetchall()
print(json.dumps({'usage': usage, 'senders': senders, 'types': [row[:2] for row in types]}))
";
    let output = Command::new(python).args(["-c", query]).arg(folder.path()).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout)?;

    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut by_key = BTreeMap::new();
    for row in told["usage"].as_array().context("usage")? {
        let tls = report::TlsVersion::from_name(&text(&row[5])).context("tls")?;
        let [domain, sender, account, mechanism] = [1, 2, 3, 4].map(|at: usize| text(&row[at]));
        let key = (text(&row[0]).parse()?, domain, sender, account, mechanism, tls, text(&row[6]));
        by_key.insert(key, row[7].as_u64().context("messages")?);
    }
    assert_eq!(by_key, usage(&app.store, closed).await?);

    let Range { start, end } = closed;
    let path = format!("/v1/reports/tls-usage/details?start={start}&end={end}&limit=1000");
    let page = app.get(&path).await?.ok()?;
    let mut expected = BTreeMap::new();
    for row in page["rows"].as_array().context("rows")? {
        for share in row["tls"].as_array().context("tls")? {
            if share["messages"] != 0 {
                let key = (text(&row["sender"]), text(&share["version"]));
                expected.insert(key, share["messages"].as_u64());
            }
        }
    }
    let rows = told["senders"].as_array().context("senders")?;
    let rows = rows.iter().map(|row| ((text(&row[0]), text(&row[1])), row[2].as_u64()));
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), expected);
    assert_eq!(
        told["types"].as_array().context("types")?.last(),
        Some(&serde_json::json!(["dt", "DATE"]))
    );
    Ok(())
}
