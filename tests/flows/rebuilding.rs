//! A store that was lost is counted again from its archives: answers are the same as before, whatever happens meanwhile,
//! and what archives do not hold is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use history::{Became, History, HistoryError, Rebuilding};
use local::engine::Engine;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use report::{Day, Finer, Range};
use serde_json::Value;
use store::{FailureRow, Limits, Store, Writing};
use tests::app::{App, NOW, finer, usage};
use tests::fault::store_that_dies;
use tests::generate::{self, Plan, Shape};

fn today() -> Day {
    report::Days::new(chrono_tz::UTC).day_of(NOW)
}

/// Few: so that some names are counted under those for all others.
const LIMITS: Limits = Limits { account: 12, network: 3 };

/// An empty service over some archives.
async fn over(objects: &Arc<dyn ObjectStore>) -> Result<App> {
    let engine = Engine::in_memory()?;
    let store = Store::new(engine.client(), "table", Writing::Transactions).within(LIMITS);
    store.create_table().await?;
    let history = History::new(&store, Arc::clone(objects));
    Ok(App::over(engine, &store, history, Arc::clone(objects)))
}

/// Twenty days of mail, an account that varies its sender and its address, and somebody who guesses names.
fn log() -> Result<String> {
    let mut log = Vec::new();
    let begins = NOW - 19 * 86_400;
    let plan = Plan { messages: 2_000, senders: 60, days: 20, begins, seed: 5 };
    generate::write(Shape::Exim, plan, &mut log)?;
    let mut log = String::from_utf8(log)?;
    for n in 0..40 {
        let (hour, day) = (n % 10, 5 + n % 17);
        let time = format!("2026-11-{day:02}T1{hour}:00:00Z");
        for of in 0..n {
            writeln!(
                log,
                r#"{{"event":"submission","time":"{time}","account":"taken@corp.test","sender":"v{of}@x{}.test","client":"2001:db8::{n:x}"}}"#,
                of % 3
            )?;
            writeln!(
                log,
                r#"{{"event":"auth_failure","time":"{time}","account":"guess{of}","client":"198.51.100.{}"}}"#,
                n % 4
            )?;
        }
    }
    Ok(log)
}

/// All views that are asked for days alone, of the days that are archived, or of all.
async fn views(app: &App, end: Day) -> Result<Vec<String>> {
    let days = format!("start=2026-08-27&end={end}");
    let mut views = Vec::new();
    for view in [
        "insight?",
        "insight/details?",
        "reports/tls-usage?",
        "reports/tls-usage?domain=d03.example.test&",
        "reports/sending-volume?",
        "reports/tls-usage/details?limit=1000&",
        "reports/sending-volume/details?format=csv&",
        "senders?sender=user00003@d03.example.test&",
        "reports/detailed?",
        "reports/detailed?domain=x1.test&",
    ] {
        let mut text = app.get(&format!("/v1/{view}{days}")).await?.text()?;
        // A cursor names the computation that it belongs to.
        if let Ok(mut page) = serde_json::from_str::<Value>(&text)
            && page.get("next").is_some()
        {
            page["next"].take();
            // The last day of all may be one that is not archived yet.
            for row in page["rows"].as_array_mut().into_iter().flatten() {
                row["last"].take();
            }
            text = page.to_string();
        }
        if view.contains("format=csv") {
            let without_last = |line: &str| {
                let (line, mechanisms) = line.rsplit_once(',')?;
                let (line, _) = line.rsplit_once(',')?;
                Some(format!("{line},{mechanisms}\n"))
            };
            text = text.lines().filter_map(without_last).collect();
        }
        views.push(text);
    }
    Ok(views)
}

/// A service, and the same once its store is lost and its archives are left.
async fn archived() -> Result<(App, Range)> {
    let app = over(&(Arc::new(InMemory::new()) as Arc<dyn ObjectStore>)).await?;
    app.log("log", &log()?).await?;
    let (summary, done) = archive::run(&app.history, today(), |_, _| {}).await;
    done?;
    assert_eq!((summary.new, summary.unknown), (18, 0), "{summary:?}");
    let closed = archive::closed(today());
    Ok((app, closed))
}

async fn rebuild(store: &Store, objects: &Arc<dyn ObjectStore>) -> Result<Vec<(Day, Became)>> {
    let rebuilding = Rebuilding::of(store, Arc::clone(objects), today()).await?;
    let mut all = Vec::new();
    for day in rebuilding.days() {
        all.push((*day, rebuilding.day(*day).await?));
    }
    Ok(all)
}

fn object(name: &str, day: &str) -> Path {
    format!("{name}/dt={day}/{name}.parquet").into()
}

#[tokio::test]
async fn a_store_that_was_lost_answers_as_before() -> Result<()> {
    let (app, closed) = archived().await?;
    let expected = views(&app, closed.end).await?;
    ensure!(expected[1].contains("auth_failures") && expected[8].contains("(other clients)"));
    ensure!(expected[8].contains("(other senders)"), "some are not told apart");
    let lost = over(&app.objects).await?;
    let all = rebuild(&lost.store, &app.objects).await?;
    let sums = all.iter().map(|(_, became)| match became {
        Became::Rebuilt { messages, failures: Some(failures) } => Ok((*messages, *failures)),
        other => Err(anyhow::anyhow!("{other:?}")),
    });
    let sums = sums.collect::<Result<Vec<_>>>()?;
    assert_eq!(sums.len(), 18);
    assert_eq!(views(&lost, closed.end).await?, expected);
    assert_eq!(
        usage(&lost.store, closed).await?,
        usage(&app.store, closed).await?,
        "from items as well"
    );
    let nights = finer(&app.store, closed).await?;
    ensure!(!nights.is_empty());
    assert_eq!(finer(&lost.store, closed).await?, nights);
    // Once more is nothing.
    let again = rebuild(&lost.store, &app.objects).await?;
    ensure!(again.iter().all(|(_, became)| *became == Became::Before), "{again:?}");
    assert_eq!(views(&lost, closed.end).await?, expected);

    // The log is read again: what is not archived is counted, and nothing else.
    let (whole, read) = (views(&app, today()).await?, lost.log("log", &log()?).await?);
    let archived = sums.iter().map(|(messages, failures)| messages + failures).sum::<u64>();
    assert_eq!(read.rebuilt, archived);
    assert_eq!(views(&lost, today()).await?, whole);

    // Archives of rebuilt days have the same bytes.
    let file = async || app.objects.get(&object("usage", "2026-11-12")).await?.bytes().await;
    let before = file().await?;
    let (summary, done) = archive::run(&lost.history, today(), |_, _| {}).await;
    done?;
    assert_eq!((summary.new, summary.unknown), (18, 0), "{summary:?}");
    assert_eq!(file().await?, before);
    assert_eq!(views(&lost, today()).await?, whole);
    Ok(())
}

#[tokio::test]
async fn rebuilding_goes_on_wherever_it_was_killed() -> Result<()> {
    let (app, closed) = archived().await?;
    let expected = (usage(&app.store, closed).await?, besides(&app, closed).await?);
    let charts = views(&app, closed.end).await?;
    for (writing, steps) in [
        (Writing::Transactions, [1, 2, 7, 11]),
        (Writing::Single { concurrency: 3 }, [3, 40, 61, 150]),
    ] {
        let lost = over(&app.objects).await?;
        let mut lives = 0;
        for writes in steps.into_iter().cycle() {
            lives += 1;
            ensure!(lives < 400, "it never ends");
            let store = store_that_dies(&lost.engine, writing, writes + lives / 8);
            if rebuild(&store, &app.objects).await.is_ok() {
                break;
            }
            // Somebody archives between.
            let (summary, done) = archive::run(&lost.history, today(), |_, _| {}).await;
            done?;
            assert_eq!(summary.renewed + summary.repaired, 0, "{summary:?}");
        }
        ensure!(lives > 10, "{lives}");
        assert_eq!((usage(&lost.store, closed).await?, besides(&lost, closed).await?), expected);
        assert_eq!(views(&lost, closed.end).await?, charts);
    }
    Ok(())
}

async fn failures(app: &App, range: Range) -> Result<Vec<FailureRow>> {
    Ok(app.store.summaries().failures(range).await?)
}

type Finers = BTreeMap<(Day, String, Finer), u64>;

/// What is counted besides messages.
async fn besides(app: &App, range: Range) -> Result<(Vec<FailureRow>, Finers)> {
    Ok((failures(app, range).await?, finer(&app.store, range).await?))
}

#[tokio::test]
async fn damaged_archives_are_told_and_not_counted() -> Result<()> {
    let (app, closed) = archived().await?;
    let objects = &app.objects;
    let flip = async |path: &Path| -> Result<()> {
        let mut bytes = objects.get(path).await?.bytes().await?.to_vec();
        let at = bytes.len() / 3;
        bytes[at] ^= 4;
        objects.put(path, bytes.into()).await?;
        Ok(())
    };
    let manifest = |day: &str| Path::from(format!("usage/dt={day}/_manifest.json"));
    flip(&object("usage", "2026-11-10")).await?;
    flip(&object("failures", "2026-11-11")).await?;
    flip(&manifest("2026-11-12")).await?;
    objects.delete(&object("usage", "2026-11-13")).await?;
    // As earlier versions left them: the first is whole, the second is not.
    for day in ["2026-11-14", "2026-11-15"] {
        objects.delete(&manifest(day)).await?;
        objects.delete(&object("failures", day)).await?;
    }
    let other = objects.get(&object("senders", "2026-11-16")).await?.bytes().await?;
    objects.put(&object("senders", "2026-11-15"), other.into()).await?;
    // Of the usage alone everything is made.
    objects.delete(&object("senders", "2026-11-17")).await?;
    flip(&object("finer", "2026-11-18")).await?;
    // As the version before left it: nothing but messages and failed logins was counted.
    let before = manifest("2026-11-19");
    let mut copy: Value = serde_json::from_slice(&objects.get(&before).await?.bytes().await?)?;
    copy.as_object_mut().and_then(|copy| copy.remove("finer")).context("finer counters")?;
    objects.put(&before, copy.to_string().into()).await?;
    objects.delete(&object("finer", "2026-11-19")).await?;

    let lost = over(objects).await?;
    let all = rebuild(&lost.store, objects).await?;
    assert_eq!(all.len(), 18);
    let damaged: BTreeSet<_> = all
        .iter()
        .filter(|(_, became)| matches!(became, Became::Damaged(_)))
        .map(|(day, _)| day.to_string())
        .collect();
    let expected = [10, 11, 12, 13, 15, 18].map(|day| format!("2026-11-{day}"));
    assert_eq!(damaged, BTreeSet::from(expected));
    let days: BTreeSet<Day> = usage(&lost.store, closed).await?.keys().map(|key| key.0).collect();
    assert_eq!(days.len(), 12, "{days:?}");
    let of_days = |rows: Finers| rows.keys().map(|key| key.0).collect::<BTreeSet<_>>();
    let (nights, left) =
        (of_days(finer(&app.store, closed).await?), of_days(finer(&lost.store, closed).await?));
    // Of the 14th only usage is left.
    let without: BTreeSet<_> =
        ["2026-11-14", "2026-11-19"].iter().map(|day| day.parse()).collect::<Result<_, _>>()?;
    assert_eq!(left, &(&nights & &days) - &without);
    let old = all.iter().find(|(day, _)| day.to_string() == "2026-11-14").context("a day")?;
    ensure!(matches!(old.1, Became::Rebuilt { failures: None, .. }), "{old:?}");
    // What is left of the logs fills the gaps.
    lost.log("log", &log()?).await?;
    assert_eq!(usage(&lost.store, closed).await?, usage(&app.store, closed).await?);
    Ok(())
}

#[tokio::test]
async fn only_an_empty_store_is_rebuilt_and_archives_wait_for_it() -> Result<()> {
    let (app, closed) = archived().await?;
    let mistaken = over(&app.objects).await?;
    let line = r#"{"time":"2026-11-10T10:00:00Z","sender":"late@example.test","messages":1}"#;
    mistaken.log("late", &format!("{line}\n")).await?;
    let path = object("usage", "2026-11-10");
    let before = app.objects.get(&path).await?.bytes().await?;
    let (summary, done) = archive::run(&mistaken.history, today(), |_, _| {}).await;
    done?;
    assert_eq!((summary.unknown, summary.new), (18, 0), "{summary:?}");
    assert_eq!(app.objects.get(&path).await?.bytes().await?, before, "it is all that is left");
    let refused = Rebuilding::of(&mistaken.store, Arc::clone(&app.objects), today()).await;
    let error = refused.expect_err("it has counts");
    ensure!(matches!(error, HistoryError::NotEmpty { days: 1, .. }), "{error}");
    ensure!(error.to_string().contains("move this one away first"), "{error}");
    let nothing: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let error = Rebuilding::of(&over(&nothing).await?.store, nothing, today()).await;
    ensure!(matches!(error, Err(HistoryError::NoArchives)));

    // A day that is begun takes nothing but its archive.
    let lost = over(&app.objects).await?;
    let day = closed.end;
    ensure!(lost.store.days().begin_rebuilding(day, "another archive").await?);
    let all = rebuild(&lost.store, &app.objects).await?;
    let taken: Vec<_> = all.iter().filter(|(_, became)| *became == Became::Taken).collect();
    assert_eq!(taken, [&(day, Became::Taken)]);
    assert_eq!(lost.log("log", &log()?).await?.rebuilt, {
        let archived = usage(&app.store, closed).await?.values().sum::<u64>();
        let failures = failures(&app, closed).await?.iter().map(|row| row.failures).sum::<u64>();
        archived + failures
    });
    Ok(())
}
