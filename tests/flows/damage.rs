//! What is wrong is told: what could not be read, what there was no room for, and sums that differ.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::clock::Now;
use local::home::Home;
use local::quarantine::Look;
use local::verify::{Fault, Found, verify, verify_places};
use report::{Day, Range};
use store::{Positions, Rejected, Source};
use tests::app::{App, NOW};
use tests::generate::{self, Plan, Shape};

fn today() -> Day {
    report::Days::new(chrono_tz::UTC).day_of(NOW)
}

fn rejected(mark: u64, raw: &[u8]) -> Rejected {
    Rejected { mark, number: 0, raw: raw.to_vec(), reason: "cannot be read".to_owned() }
}

async fn kept(app: &App) -> Result<usize> {
    let mut kept = 0;
    app.store.quarantine().read(today(), |_| kept += 1).await?;
    Ok(kept)
}

#[tokio::test]
async fn a_days_quarantine_has_a_budget_and_counts_what_it_has_no_room_for() -> Result<()> {
    let app = App::new().await?;
    let ingestion = app.store.ingestion();
    let megabyte = vec![b'x'; 1 << 20];
    let all: Vec<_> = (1..=40).map(|mark| rejected(mark, &megabyte)).collect();
    let (source, other) = (Source::new("file:1"), Source::new("file:2"));
    let keep = async |part: &[Rejected], source: &Source| {
        ingestion.quarantine(part, source, &Positions::Offsets, |_| today()).await
    };
    assert_eq!(keep(&all[..30], &source).await?, 15);
    assert_eq!(kept(&app).await?, 15);
    // They come again, with others.
    assert_eq!(keep(&all[..30], &source).await?, 0);
    assert_eq!(keep(&all[20..], &source).await?, 10);
    // Something small finds room.
    assert_eq!(keep(&[rejected(1, b"?"), rejected(2, &megabyte)], &other).await?, 1);
    assert_eq!(kept(&app).await?, 16);
    let left_out = app.store.quarantine().left_out(today()).await?;
    assert_eq!((left_out.entries, left_out.bytes), (26, 26 << 20));
    Ok(())
}

#[tokio::test]
async fn reasons_of_what_was_put_aside_are_cut() -> Result<()> {
    let app = App::new().await?;
    let one = Rejected { reason: "\u{e9}".repeat(1000), ..rejected(1, b"?") };
    let (ingestion, source) = (app.store.ingestion(), Source::new("file:1"));
    ingestion.quarantine(&[one], &source, &Positions::Offsets, |_| today()).await?;
    let mut reasons = Vec::new();
    app.store.quarantine().read(today(), |one| reasons.push(one.reason)).await?;
    assert_eq!(reasons, ["\u{e9}".repeat(300)]);
    Ok(())
}

#[tokio::test]
async fn what_was_put_aside_is_saved_and_read_again_once_it_can_be() -> Result<()> {
    let app = App::new().await?;
    let line = b"2026-11-24 10:00:00 1xVWoN-0001PO-2u <= a@example.test H=(h) [192.0.2.1] P=esmtpsa A=plain:a S=1";
    let broken = br#"{"event": "submission", "time": "when?"}"#;
    let all = [rejected(1, line), rejected(2, broken)];
    let source = Source::new("file:1");
    let ingestion = app.store.ingestion();
    ingestion.quarantine(&all, &source, &Positions::Offsets, |_| today()).await?;
    let folder = tempfile::tempdir()?;
    let look = async |save: Option<PathBuf>, again| {
        let quarantine = app.store.quarantine();
        let look = Look::new(None, save, again);
        look.at(&quarantine, &app.ingest, Now::Fixed(NOW), chrono_tz::UTC).await
    };
    look(Some(folder.path().to_owned()), false).await?;
    let saved: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    let mut texts = Vec::new();
    for one in &saved {
        texts.push(fs::read(one.path())?);
    }
    ensure!(texts.len() == 2 && texts.contains(&line.to_vec()), "{saved:?}");
    // Once more is the same again; what is somebody else's stays.
    look(Some(folder.path().to_owned()), false).await?;
    fs::write(saved[0].path(), "other")?;
    ensure!(look(Some(folder.path().to_owned()), false).await.is_err());
    assert_eq!(fs::read(saved[0].path())?, b"other");
    assert_eq!(kept(&app).await?, 2);
    // The same, put aside on two days, is one.
    let before = |_: &Rejected| today().pred_opt().expect("a day");
    ingestion.quarantine(&all[..1], &source, &Positions::Offsets, before).await?;
    for _ in 0..2 {
        look(None, true).await?;
        let answer = app.get("/v1/reports/sending-volume").await?.ok()?;
        assert_eq!((kept(&app).await?, &answer["total"]), (1, &1.into()));
    }
    Ok(())
}

#[tokio::test]
async fn a_number_that_changed_by_itself_is_found() -> Result<()> {
    let app = App::new().await?;
    let lines: String = (0..9)
        .map(|n| format!("2026-11-24 10:00:00 1xVWoN-00{n}1PO-2u <= a{n}@example.test H=(h) [192.0.2.1] P=esmtpsa A=plain:a{n} S=1\n"))
        .collect();
    app.log("log", &lines).await?;
    let range = Range::kept(today());
    let whole = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    let unprotected = [today()].into();
    assert_eq!(whole, Found { days: 1, messages: 9, unprotected, ..Found::default() });
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let page = app.engine.client().query().table_name("table");
    let page = page.key_condition_expression("pk = :pk");
    let page = page.expression_attribute_values(":pk", text("U#2026-11-24")).send().await?;
    let item = page.items().first().context("a page")?;
    let counter = item.keys().find(|name| name.contains('\t')).context("a counter")?;
    let set = async |number: &str| {
        let change = app.engine.client().update_item().table_name("table");
        let change = change.key("pk", item["pk"].clone()).key("sk", item["sk"].clone());
        let change = change.update_expression("SET #c = :c");
        let change = change.expression_attribute_names("#c", counter);
        let number = AttributeValue::N(number.to_owned());
        change.expression_attribute_values(":c", number).send().await
    };
    set("5").await?;
    let found = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    assert_eq!(found.faults.len(), 2, "{found:?}");
    let day: Day = "2026-11-24".parse()?;
    for domain in ["", "example.test"] {
        let domain = domain.to_owned();
        let differs = Fault::Differs { day, domain, usage: 13, rollup: 9 };
        ensure!(found.faults.contains(&differs), "{found:?}");
    }
    let told = found.faults[0].to_string();
    ensure!(told.contains("13 messages in the tables, 9 in the charts"), "{told}");
    // As if it had been counted in one of them only so far.
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        set("1").await
    };
    let (found, set) =
        tokio::join!(verify(&app.store, &app.history, range, Duration::from_secs(3)), later);
    set?;
    assert_eq!(found?.faults, []);
    Ok(())
}

/// What a damaged store came to.
enum Outcome {
    Refused,
    Told,
    Same,
    Wrong(Vec<usize>),
}

const ANSWERS: [&str; 6] = [
    "/v1/insight/details?start=2026-11-01&end=2026-11-20",
    "/v1/domains",
    "/v1/reports/tls-usage?start=2026-11-01&end=2026-11-20",
    "/v1/reports/sending-volume/details?start=2026-11-01&end=2026-11-20&format=csv",
    "/v1/senders?sender=user00003@d03.example.test&start=2026-11-01&end=2026-11-20",
    "/v1/reports/detailed?start=2026-11-01&end=2026-11-20",
];

async fn answers(home: &Home) -> Result<Vec<String>> {
    let engine = home.engine.clone().context("it is its own")?;
    // From items: archives have checksums of their own.
    let nothing = std::sync::Arc::new(object_store::memory::InMemory::new());
    let history = history::History::new(&home.store, nothing.clone());
    let app = App::over(engine, &home.store, history, nothing);
    let mut answers = Vec::new();
    for path in ANSWERS {
        answers.push(app.get(path).await?.text()?);
    }
    Ok(answers)
}

/// Opens a data folder with one bit of its store turned over, as a program that starts and one that verifies would.
async fn with_a_flip(
    folder: &Path,
    whole: &[u8],
    bit: usize,
    expected: &[String],
) -> Result<Outcome> {
    for name in ["store.sqlite-wal", "store.sqlite-shm"] {
        let _ = fs::remove_file(folder.join(name));
    }
    let mut damaged = whole.to_vec();
    damaged[bit / 8] ^= 1 << (bit % 8);
    fs::write(folder.join("store.sqlite"), damaged)?;
    let Ok(home) = Home::own(folder, chrono_tz::UTC).await else { return Ok(Outcome::Refused) };
    let range = Range::kept(today());
    let (Ok(found), Ok(places)) = (
        verify(&home.store, &home.history, range, Duration::ZERO).await,
        verify_places(&home.store).await,
    ) else {
        return Ok(Outcome::Told);
    };
    if !found.faults.is_empty() || !places.is_empty() {
        return Ok(Outcome::Told);
    }
    let Ok(answers) = answers(&home).await else { return Ok(Outcome::Wrong(vec![])) };
    let differ = answers.iter().zip(expected).enumerate().filter(|(_, (one, other))| one != other);
    let differ: Vec<_> = differ.map(|(at, _)| at).collect();
    Ok(if differ.is_empty() { Outcome::Same } else { Outcome::Wrong(differ) })
}

#[tokio::test]
async fn whatever_bit_of_the_store_turns_over_it_shows_or_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("store.sqlite");
    let expected = {
        let home = Home::own(folder.path(), chrono_tz::UTC).await?;
        let engine = home.engine.clone().context("it is its own")?;
        let app = App::over(
            engine,
            &home.store,
            home.history.clone(),
            std::sync::Arc::new(object_store::memory::InMemory::new()),
        );
        let mut log = Vec::new();
        let begins = NOW - 23 * 86_400;
        let plan = Plan { messages: 1_500, senders: 60, days: 20, begins, seed: 9 };
        generate::write(Shape::Exim, plan, &mut log)?;
        let mut log = String::from_utf8(log)?;
        for n in 0..200 {
            let (day, client) = (1 + n % 20, n % 7);
            log += &format!(
                "{{\"event\":\"auth_failure\",\"time\":\"2026-11-{day:02}T10:00:00Z\",\"account\":\"guess{}\",\"client\":\"198.51.100.{client}\"}}\n",
                n % 50
            );
        }
        app.log("mainlog", &log).await?;
        let (summary, done) = archive::run(&home.history, today(), |_, _| {}).await;
        done?;
        ensure!(summary.new >= 20, "{summary:?}");
        let range = Range::kept(today());
        let found = verify(&home.store, &home.history, range, Duration::ZERO).await?;
        ensure!(found.faults.is_empty() && found.unprotected.is_empty(), "{found:?}");
        assert_eq!(verify_places(&home.store).await?, []);
        answers(&home).await?
    };
    // The engine is gone, and what it had beside its file is in it.
    ensure!(!folder.path().join("store.sqlite-wal").exists(), "the file is whole");
    let whole = fs::read(&file)?;
    let flips: usize = std::env::var("FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let mut rng = fastrand::Rng::with_seed(7);
    let (mut refused, mut told, mut same) = (0, 0, 0);
    for _ in 0..flips {
        let bit = rng.usize(..whole.len() * 8);
        match with_a_flip(folder.path(), &whole, bit, &expected).await? {
            Outcome::Refused => refused += 1,
            Outcome::Told => told += 1,
            Outcome::Same => same += 1,
            Outcome::Wrong(which) => {
                let at = bit / 8;
                let around = &whole[at.saturating_sub(60)..(at + 60).min(whole.len())];
                let around = String::from_utf8_lossy(around);
                panic!("bit {} of byte {at} of {}: {which:?}: {around}", bit % 8, whole.len());
            }
        }
    }
    println!(
        "{flips} flips of {} bytes: {refused} refused, {told} told, {same} change nothing",
        whole.len()
    );
    ensure!(told > flips / 10 && same > 0, "{refused} {told} {same}");
    Ok(())
}

/// Lets the name of a counter become another, as a damaged disk does.
async fn rename(app: &App, partition: &str, from: &str, to: &str) -> Result<()> {
    let pk = AttributeValue::S(partition.to_owned());
    let page = app.engine.client().query().table_name("table");
    let page = page.key_condition_expression("pk = :pk");
    let page = page.expression_attribute_values(":pk", pk).send().await?;
    let mut item = page.items().first().context("a page")?.clone();
    let named = |name: &&String| name.contains('\t') && name.contains(from);
    let counter = item.keys().find(named).context("a counter")?.clone();
    let count = item.remove(&counter).context("a count")?;
    item.insert(counter.replace(from, to), count);
    app.engine.client().put_item().table_name("table").set_item(Some(item)).send().await?;
    Ok(())
}

#[tokio::test]
async fn a_name_that_changed_by_itself_is_found() -> Result<()> {
    let app = App::new().await?;
    let line = r#"{"time":"2026-11-24T10:00:00Z","sender":"ann@example.test","account":"ann"}"#;
    app.log("log", &format!("{line}\n")).await?;
    rename(&app, "U#2026-11-24", "ann", "anm").await?;
    let range = Range::kept(today());
    let found = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    let told: Vec<_> = found.faults.iter().map(ToString::to_string).collect();
    ensure!(
        told.contains(&"2026-11-24, ann: in the insight, and not in the tables".to_owned()),
        "{told:?}"
    );
    ensure!(
        told.contains(&"2026-11-24, anm: in the tables, and not in the insight".to_owned()),
        "{told:?}"
    );
    Ok(())
}

/// Mechanisms, clients and failed logins are in no sum and in no list of names.
#[tokio::test]
async fn what_nobody_can_have_counted_is_found_on_days_that_are_not_archived() -> Result<()> {
    let app = App::new().await?;
    let log = [
        r#"{"time":"2026-11-24T10:00:00Z","sender":"ann@example.test","account":"ann","mechanism":"LOGIN","client":"192.0.2.1","tls":"TLS1.3"}"#,
        r#"{"time":"2026-11-24T10:00:00Z","sender":"bob@example.test","account":"bob","mechanism":"PLAIN","client":"192.0.2.8","tls":"TLS1.3"}"#,
        r#"{"event":"auth_failure","time":"2026-11-24T10:00:00Z","account":"guess","client":"198.51.100.7"}"#,
    ];
    app.log("log", &(log.join("\n") + "\n")).await?;
    let range = Range::kept(today());
    let whole = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    assert_eq!((whole.messages, whole.faults), (2, vec![]));
    rename(&app, "U#2026-11-24", "LOGIN", "LOGiN").await?;
    rename(&app, "U#2026-11-24", "192.0.2.8", "192.0.2.x").await?;
    rename(&app, "F#2026-11-24", "guess", "guesc").await?;
    let found = verify(&app.store, &app.history, range, Duration::ZERO).await?;
    let mut told: Vec<_> = found.faults.iter().map(ToString::to_string).collect();
    told.sort();
    let strays = [
        "2026-11-24, ann@example.test ann LOGiN TLS1.3 192.0.2.1: nobody counted this",
        "2026-11-24, bob@example.test bob PLAIN TLS1.3 192.0.2.x: nobody counted this",
        "2026-11-24, failed logins of guesc from 198.51.100.7: nobody counted this",
    ];
    assert_eq!(told, strays);
    Ok(())
}

#[tokio::test]
async fn what_is_counted_expires_by_its_own_day_whatever_the_clock_shows() -> Result<()> {
    let mut expiries = Vec::new();
    for clock in [NOW, NOW - 20 * 86_400, NOW + 60 * 86_400] {
        let app = App::new().await?;
        let file = store::KnownFile { source: "file:log".to_owned(), known: false };
        let mut reading = ingest::FileIngest::resume(&app.ingest, &file, clock).await?;
        let time = "2026-11-03T10:00:00Z";
        let line = format!(
            "{{\"time\":\"{time}\",\"sender\":\"ann@example.test\",\"account\":\"x\",\"client\":\"2001:db8::1\"}}"
        );
        let failure =
            format!("{{\"event\":\"auth_failure\",\"time\":\"{time}\",\"account\":\"x\"}}");
        let mut begins = 0;
        for line in [line, failure] {
            let ends = begins + line.len() as u64 + 1;
            let place = ingest::IngestedLine {
                begins,
                ends,
                reference: clock,
                is_ended: true,
                is_continued: false,
            };
            reading.line(line.as_bytes(), place);
            begins = ends;
        }
        reading.flush().await?;
        let all = app.engine.client().scan().table_name("table").send().await?;
        let mut of_items: Vec<_> = all
            .items()
            .iter()
            .filter_map(|item| {
                Some((item["pk"].as_s().ok()?.clone(), item.get("x")?.as_n().ok()?.clone()))
            })
            .filter(|(pk, _)| pk.starts_with(['U', 'R', 'S', 'F', 'A', 'D']) && pk != "REQUESTS")
            .collect();
        of_items.sort();
        ensure!(of_items.len() >= 8, "{of_items:?}");
        expiries.push(of_items);
    }
    assert_eq!(expiries[0], expiries[1]);
    assert_eq!(expiries[0], expiries[2]);
    Ok(())
}
