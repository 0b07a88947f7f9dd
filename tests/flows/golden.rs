//! What earlier versions of this program have stored: everything goes on from it, exactly.
//!
//! `tests/golden` holds it, and tells how it was made.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use ingest::kinesis::KinesisEvent;
use local::clock::Now;
use local::files::{self, Stop};
use local::home::Home;
use local::verify::verify;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use report::{ALL_DOMAINS, Range, TlsCounts};
use serde_json::Value;
use store::{CarryOver, Positions, Source};
use tests::app::{App, NOW, usage};
use tests::kinesis::{self, Record};
use tests::traffic::Key;

/// A copy of a data folder that an earlier version has left, opened.
struct Folder {
    temporary: tempfile::TempDir,
    golden: PathBuf,
    app: App,
    _home: Home,
}

impl Folder {
    async fn open(version: &str) -> Result<Self> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/folders").join(version);
        let temporary = tempfile::tempdir()?;
        let data = temporary.path().join("data");
        copy(&golden.join("data"), &data)?;
        let home = Home::own(&data, chrono_tz::UTC).await?;
        let objects: Arc<dyn ObjectStore> =
            Arc::new(LocalFileSystem::new_with_prefix(data.join("archive"))?);
        let engine = home.engine.clone().context("the folder's own engine")?;
        let app = App::over(engine, &home.store, home.history.clone(), objects);
        let app = app.with_long_names(home.long_names);
        Ok(Self { temporary, golden, app, _home: home })
    }

    /// Holds every answer that was kept against what is answered now.
    async fn answers(&self, kept: &str) -> Result<()> {
        let kept: Value = serde_json::from_slice(&fs::read(self.golden.join(kept))?)?;
        for (path, expected) in kept.as_object().context("answers")? {
            let answer = self.app.get(&present(path)).await?;
            match expected {
                Value::String(text) => {
                    let answer = answer.text()?;
                    ensure!(tells_lines(&answer, text), "{path}: {answer}, not {text}");
                }
                json => {
                    let answer = answer.ok()?;
                    ensure!(tells(&answer, json), "{path}: {answer}, not {json}");
                }
            }
        }
        Ok(())
    }

    /// The name under which the folder's log is counted.
    async fn source(&self, head: &[u8]) -> Result<String> {
        let candidates = self.app.store.files().candidates(head).await?;
        Ok(candidates.into_iter().next().context("a known file")?.source)
    }

    /// Reads the log of the folder, which has grown since that version has read it.
    async fn read_on(&self) -> Result<Vec<files::Report>> {
        let mut reports = Vec::new();
        let log = [self.golden.join("log")];
        let known = self.app.store.files();
        files::ingest(
            &self.app.ingest,
            &known,
            &log,
            Now::Fixed(NOW),
            false,
            &Stop::default(),
            |one| reports.push(one),
        )
        .await?;
        Ok(reports)
    }

    async fn messages(&self) -> Result<u64> {
        let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
        let rollup = self.app.store.summaries().rollup(ALL_DOMAINS, range).await?;
        Ok(rollup.values().map(TlsCounts::total).sum())
    }

    async fn quarantined(&self) -> Result<Vec<store::Quarantined>> {
        let day = report::Days::new(chrono_tz::UTC).day_of(NOW);
        let mut found = Vec::new();
        self.app.store.quarantine().read(day, |one| found.push(one)).await?;
        Ok(found)
    }
}

/// Where that is answered now which an earlier version answered at a path.
fn present(path: &str) -> String {
    let sender = path.strip_prefix("/v1/reports/tls-usage/details/");
    match sender.and_then(|sender| sender.split_once('?')) {
        Some((sender, asked)) => format!("/v1/senders?sender={sender}&{asked}"),
        None => path.to_owned(),
    }
}

/// Whether an answer tells what it told before. It may tell more.
fn tells(answer: &Value, before: &Value) -> bool {
    match (answer, before) {
        (Value::Object(answer), Value::Object(before)) => before
            .iter()
            .all(|(name, value)| answer.get(name).is_some_and(|answer| tells(answer, value))),
        (Value::Array(answer), Value::Array(before)) => {
            answer.len() == before.len()
                && answer.iter().zip(before).all(|(answer, before)| tells(answer, before))
        }
        _ => answer == before,
    }
}

/// The same of CSV: lines may tell more at their ends.
fn tells_lines(answer: &str, before: &str) -> bool {
    let (answer, before) = (answer.lines().collect::<Vec<_>>(), before.lines().collect::<Vec<_>>());
    let tells = |(answer, before): (&&str, &&str)| {
        answer.strip_prefix(before).is_some_and(|more| more.is_empty() || more.starts_with(','))
    };
    answer.len() == before.len() && answer.iter().zip(&before).all(tells)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_data_folder_of_every_version_tells_the_same_and_counts_on() -> Result<()> {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/folders");
    for entry in fs::read_dir(folders)? {
        let version = entry?.file_name().into_string().unwrap_or_default();
        let folder = Folder::open(&version).await?;
        folder.answers("before.json").await.with_context(|| version.clone())?;
        folder.read_on().await?;
        folder.answers("after.json").await.with_context(|| version.clone())?;
        folder.read_on().await?;
        folder.answers("after.json").await.with_context(|| format!("{version}, read twice"))?;
        ensure!(folder.quarantined().await?.is_empty(), "{version}");
        let (app, kept) = (&folder.app, Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW)));
        let found = verify(&app.store, &app.history, kept, Duration::ZERO).await?;
        ensure!(found.faults.is_empty() && !found.unprotected.is_empty(), "{version}: {found:?}");
    }
    Ok(())
}

/// What a later version may leave: this one cannot read it, and must neither lose it nor stop.
const LATER: &[u8] = b"\x63 of a later version";

#[tokio::test]
async fn a_files_state_that_cannot_be_read_is_put_aside_and_reading_goes_on() -> Result<()> {
    let folder = Folder::open("0.1.0").await?;
    let head = fs::read(folder.golden.join("log"))?;
    let source = folder.source(&head).await?;
    let carried = folder.app.store.ingestion().carry_over(&source).await?;
    let read = carried.next_mark(&Source::new(source.clone()), &Positions::Offsets) - 1;
    let place = Source::new(source.clone());
    let later = carried.next(LATER.to_vec(), &place, &Positions::Offsets, read);
    folder.app.store.ingestion().put_carry_over(&source, &later, NOW).await?;

    let before = folder.messages().await?;
    let reports = folder.read_on().await?;
    assert_eq!((reports[0].summary.lines, reports[0].summary.quarantined), (5, 1));
    // What was open is lost with the state; the line that proves a message by itself is counted.
    assert_eq!(folder.messages().await?, before + 1);
    let aside = folder.quarantined().await?;
    assert_eq!((aside.len(), aside[0].raw()), (1, LATER.to_vec()));
    assert!(aside[0].is_state() && aside[0].source().ends_with(&source), "{:?}", aside[0]);
    assert!(aside[0].reason.contains("it has version 99"), "{}", aside[0].reason);

    // Once and for all: the next time there is nothing to put aside, and nothing is read twice.
    let again = folder.read_on().await?;
    assert_eq!((again[0].summary.lines, again[0].summary.quarantined), (0, 0));
    assert_eq!(folder.messages().await?, before + 1);
    Ok(())
}

#[tokio::test]
async fn a_name_that_was_cut_goes_on_under_the_name_that_it_has() -> Result<()> {
    let folder = Folder::open("0.1.0").await?;
    folder.read_on().await?;
    let range = Range::kept(report::Days::new(chrono_tz::UTC).day_of(NOW));
    let long = |usage: BTreeMap<Key, u64>| -> Vec<_> {
        let long = usage.into_iter().filter(|(key, _)| key.2.starts_with("lll"));
        long.map(|(key, messages)| (key.2, messages)).collect()
    };
    let before = long(usage(&folder.app.store, range).await?);
    assert_eq!(before.len(), 1);
    let log = fs::read_to_string(folder.golden.join("log"))?;
    let line = log.lines().find(|line| line.contains("lllll")).context("the long sender's line")?;
    // The log grows by the same line.
    let grown = folder.temporary.path().join("log");
    fs::write(&grown, format!("{log}{line}\n"))?;
    let known = folder.app.store.files();
    files::ingest(
        &folder.app.ingest,
        &known,
        &[grown],
        Now::Fixed(NOW),
        false,
        &Stop::default(),
        |_| {},
    )
    .await?;
    let after = long(usage(&folder.app.store, range).await?);
    assert_eq!(after, [(before[0].0.clone(), before[0].1 + 1)]);
    Ok(())
}

#[tokio::test]
async fn a_files_item_that_is_no_state_is_put_aside_and_reading_goes_on() -> Result<()> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for broken in ["REMOVE #v", "REMOVE #s", "REMOVE #v, #s", "SET #v = :text", "SET form = :later"]
    {
        let folder = Folder::open("0.1.0").await?;
        let head = fs::read(folder.golden.join("log"))?;
        let source = folder.source(&head).await?;
        let client = folder.app.engine.client();
        let broken = client
            .update_item()
            .table_name("smtp-auth-report")
            .key("pk", text(&format!("C#{source}")))
            .key("sk", text("-"))
            .update_expression(broken);
        let uses = |place: &str| {
            broken.get_update_expression().as_deref().is_some_and(|one| one.contains(place))
        };
        let places = [("#v", "v"), ("#s", "state")];
        let values = [(":text", text("?")), (":later", AttributeValue::N("2".to_owned()))];
        let used: Vec<_> = places.into_iter().filter(|(place, _)| uses(place)).collect();
        let given: Vec<_> = values.into_iter().filter(|(place, _)| uses(place)).collect();
        let broken = used
            .into_iter()
            .fold(broken, |one, (place, name)| one.expression_attribute_names(place, name));
        let broken = given
            .into_iter()
            .fold(broken, |one, (place, value)| one.expression_attribute_values(place, value));
        broken.send().await?;

        let before = folder.messages().await?;
        let reports = folder.read_on().await?;
        assert_eq!((reports[0].summary.lines, reports[0].summary.quarantined), (5, 1));
        assert_eq!(folder.messages().await?, before + 1);
        let aside = folder.quarantined().await?;
        assert!(aside.len() == 1 && aside[0].is_state(), "{aside:?}");
        let raw = String::from_utf8(aside[0].raw())?;
        assert!(raw.contains(&format!("pk C#{source}\n")), "{raw}");
        let again = folder.read_on().await?;
        assert_eq!((again[0].summary.lines, again[0].summary.quarantined), (0, 0));
        assert_eq!(folder.messages().await?, before + 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_streams_state_that_cannot_be_read_is_put_aside_and_reading_goes_on() -> Result<()> {
    let app = App::new().await?;
    let stream = "cw:123456789012:mail:mx1";
    let place = Source::new("elsewhere");
    let later = CarryOver::default().next(LATER.to_vec(), &place, &Positions::Offsets, 0);
    app.store.ingestion().put_carry_over(stream, &later, NOW).await?;
    let event = |sequence: u64| -> Result<KinesisEvent> {
        let line = format!(
            "2026-11-24 10:00:00 1xVWoN-0001PO-{sequence}u <= a@example.test H=(h) [192.0.2.1] P=esmtpsa A=plain:a S=1"
        );
        let payload =
            kinesis::cloudwatch("mx1", [line.as_str()].into_iter(), 10 * sequence as usize, NOW);
        let records = [Record { sequence, data: payload }];
        Ok(serde_json::from_value(kinesis::event("shard", &records, NOW))?)
    };
    let first = app.ingest.event(&event(1)?, NOW).await?;
    assert_eq!((first.submissions, first.quarantined), (1, 1));
    let second = app.ingest.event(&event(2)?, NOW).await?;
    assert_eq!((second.submissions, second.quarantined), (1, 0));
    let day = report::Days::new(chrono_tz::UTC).day_of(NOW);
    let mut aside = Vec::new();
    app.store.quarantine().read(day, |one| aside.push(one)).await?;
    assert_eq!((aside.len(), aside[0].raw()), (1, LATER.to_vec()));
    assert_eq!(aside[0].source(), format!("state of {stream}"));
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_read_in_quarantine_is_told_and_hides_nothing() -> Result<()> {
    let app = App::new().await?;
    let day = report::Days::new(chrono_tz::UTC).day_of(NOW);
    let event = kinesis::event(
        "shard",
        &[1, 3].map(|sequence| Record { sequence, data: b"\x1f\x8b is no gzip data".to_vec() }),
        NOW,
    );
    app.ingest.event(&serde_json::from_value::<KinesisEvent>(event)?, NOW).await?;
    let mut kept = Vec::new();
    app.store.quarantine().read(day, |one| kept.push(one)).await?;
    assert_eq!(kept.len(), 2);
    // Between these two: an item of a later version, and one that holds nothing.
    let text = |text: &str| AttributeValue::S(text.to_owned());
    for (sk, form) in [("a\tb", "2"), ("shard\tx\t0\t0", "1")] {
        let put = app.engine.client().put_item().table_name("table");
        let put = put.item("pk", text(&format!("Q#{day}"))).item("sk", text(sk));
        put.item("form", AttributeValue::N(form.to_owned())).send().await?;
    }
    let mut all = Vec::new();
    app.store.quarantine().read(day, |one| all.push(one)).await?;
    let (unreadable, read): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.is_unreadable);
    assert_eq!(read, kept);
    let reasons: Vec<_> = unreadable.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["a later version of this program wrote it", "it tells no reason"]);
    ensure!(unreadable[0].raw().starts_with(b"form 2\n"), "{:?}", unreadable[0]);
    Ok(())
}
