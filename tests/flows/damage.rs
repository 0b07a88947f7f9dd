//! What is wrong is told: what could not be read, what there was no room for, and sums that differ.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use local::check::{Fault, Found, check};
use local::clock::Now;
use local::quarantine::Look;
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
    let mut saved: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    saved.sort_by_key(fs::DirEntry::path);
    assert_eq!((saved.len(), fs::read(saved[0].path())?), (2, line.to_vec()));
    assert_eq!(kept(&app).await?, 2);
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
    let whole = check(&app.store, range).await?;
    assert_eq!(whole, Found { days: 1, messages: 9, ..Found::default() });
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let page = app.engine.client().query().table_name("table");
    let page = page.key_condition_expression("pk = :pk");
    let page = page.expression_attribute_values(":pk", text("U#2026-11-24")).send().await?;
    let item = page.items().first().context("a page")?;
    let counter = item.keys().find(|name| name.contains('\t')).context("a counter")?;
    let damage = app.engine.client().update_item().table_name("table");
    damage
        .key("pk", item["pk"].clone())
        .key("sk", item["sk"].clone())
        .update_expression("SET #c = :c")
        .expression_attribute_names("#c", counter)
        .expression_attribute_values(":c", AttributeValue::N("5".to_owned()))
        .send()
        .await?;
    let found = check(&app.store, range).await?;
    assert_eq!(found.faults.len(), 2, "{found:?}");
    let day: Day = "2026-11-24".parse()?;
    for domain in ["", "example.test"] {
        let domain = domain.to_owned();
        let differs = Fault::Differs { day, domain, usage: 13, rollup: 9 };
        ensure!(found.faults.contains(&differs), "{found:?}");
    }
    let told = found.faults[0].to_string();
    ensure!(told.contains("13 messages in the tables, 9 in the charts"), "{told}");
    Ok(())
}
