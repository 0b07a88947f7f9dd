//! What is wrong is told: what could not be read, what there was no room for, and sums that differ.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::clock::Now;
use local::quarantine::Look;
use local::verify::{Fault, Found, verify};
use report::{Day, Range};
use store::{Positions, Rejected, Source};
use tests::app::{App, NOW};

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
    let whole = verify(&app.store, range, Duration::ZERO).await?;
    assert_eq!(whole, Found { days: 1, messages: 9, ..Found::default() });
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
    let found = verify(&app.store, range, Duration::ZERO).await?;
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
    let (found, set) = tokio::join!(verify(&app.store, range, Duration::from_secs(3)), later);
    set?;
    assert_eq!(found?.faults, []);
    Ok(())
}
