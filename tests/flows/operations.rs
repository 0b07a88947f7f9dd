//! What an operator does by hand on AWS, with the real program against moto's Kinesis.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use ingest::kinesis::KinesisEvent;
use serde_json::{Value, json};
use store::{Store, Writing};
use tests::app::{App, NOW};
use tests::aws::Aws;
use tests::generate::{self, Plan, Shape};
use tests::kinesis::{self, Record};
use tests::moto::Moto;
use tests::process::built;
use tokio::process::Command;

const STREAM: &str = "mail";
const SHARD: &str = "shardId-000000000000";

/// A stream, and a folder to work in.
struct Desk {
    moto: Moto,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Result<Self> {
        let moto = Moto::start().await?;
        moto.kinesis("CreateStream", &json!({"StreamName": STREAM, "ShardCount": 1})).await?;
        Ok(Self { moto, folder: tempfile::tempdir()? })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the program prints.
    async fn run(&self, arguments: &[&str], environment: Vec<(String, String)>) -> Result<String> {
        let output = Command::new(built("smtp-auth-report-aws")?)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_ENDPOINT_URL_KINESIS", format!("http://{}", self.moto.address))
            .envs(environment)
            .output()
            .await?;
        let told = String::from_utf8(output.stdout)?;
        ensure!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        Ok(told)
    }

    /// Ingests all records of the stream from the first on, some at a time: how many there are, and how many events
    /// were known again.
    async fn ingest(&self, app: &App, at_once: usize) -> Result<(usize, u64)> {
        let records: Vec<_> = (1..)
            .zip(self.moto.records(STREAM).await?)
            .map(|(sequence, data)| Record { sequence, data })
            .collect();
        let mut repeated = 0;
        for part in records.chunks(at_once) {
            let event: KinesisEvent = serde_json::from_value(kinesis::event(SHARD, part, NOW))?;
            repeated += app.ingest.event(&event, NOW).await?.repeated_events;
        }
        Ok((records.len(), repeated))
    }

    /// Where the last payload of a file begins, by the beginning of its events' ids.
    async fn last_begins(&self, digest: &str) -> Result<u64> {
        let mut last = None;
        for record in self.moto.records(STREAM).await? {
            let mut text = String::new();
            flate2::read::GzDecoder::new(record.as_slice()).read_to_string(&mut text)?;
            let payload: Value = serde_json::from_str(&text)?;
            let first = payload["logEvents"][0]["id"].as_str().context("an id")?;
            if let Some(begins) = first.strip_prefix(&digest[..16]) {
                last = Some(begins.parse()?);
            }
        }
        last.context("no payload of this file")
    }
}

/// Writes a file as if it had been changed last at `changed`.
fn write(path: &Path, text: &[u8], changed: i64) -> Result<()> {
    fs::write(path, text)?;
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(changed)?);
    Ok(File::options().write(true).open(path)?.set_modified(at)?)
}

async fn total(app: &App) -> Result<Value> {
    let answer = app.get("/v1/reports/sending-volume?start=2026-09-01").await?.ok()?;
    Ok(answer["total"].clone())
}

#[tokio::test]
#[ignore = "needs the programs and moto (MOTO_PYTHON)"]
async fn old_logs_are_written_in_order_and_count_once() -> Result<()> {
    let desk = Desk::new().await?;
    let plan = Plan { messages: 9_000, senders: 300, ..Plan::default() };
    let mut log = Vec::new();
    generate::write(Shape::Postfix, plan, &mut log)?;
    // Rotated in the middle of a message, and the older part compressed.
    let middle = log.len() * 2 / 3;
    let cut = middle + memchr::memchr(b'\n', &log[middle..]).context("a line")? + 1;
    write(&desk.path("mail.log.2.gz"), &kinesis::gzip(&log[..cut]), NOW)?;
    write(&desk.path("mail.log.1"), &log[cut..], NOW)?;
    let backfill = [
        "backfill",
        "--stream",
        STREAM,
        "--log",
        "123456789012:/mail/mx1:mx1",
        "mail.log.2.gz",
        "mail.log.1",
    ];
    let told = desk.run(&backfill, vec![]).await?;
    ensure!(told.starts_with("mail.log.2.gz: "), "{told}");
    let app = App::new().await?;
    let (records, _) = desk.ingest(&app, 3).await?;
    assert!(records > 8, "{records}");
    assert_eq!(total(&app).await?, 9_000);

    // Again: nothing is written.
    let told = desk.run(&backfill, vec![]).await?;
    assert_eq!(told.matches("nothing new").count(), 2, "{told}");
    assert_eq!(desk.ingest(&app, 5).await?, (records, 0));

    // Killed after a record was taken and before that was noted, and then the file grew: the same payload is
    // written again, and known again.
    let progress = desk.path("smtp-auth-report-backfill.json");
    let noted: Value = serde_json::from_slice(&fs::read(&progress)?)?;
    let mut before = noted.clone();
    let files = before.as_array_mut().context("files")?;
    assert_eq!(files.len(), 2);
    for file in files {
        file["written"] =
            json!(desk.last_begins(file["digest"].as_str().context("a digest")?).await?);
    }
    fs::write(&progress, before.to_string())?;
    let more = "Nov 23 23:59:59 mx1 postfix/anvil[1]: statistics: none\n";
    write(&desk.path("mail.log.1"), &[&log[cut..], more.as_bytes()].concat(), NOW)?;
    desk.run(&backfill, vec![]).await?;
    let (all, repeated) = desk.ingest(&app, 4).await?;
    assert_eq!(all, records + 3);
    assert!(repeated > 1_000, "{repeated} events");
    assert_eq!(total(&app).await?, 9_000);

    // Another file that begins alike is another file; what is no text, or too old to count, is refused.
    let begin = log.split_inclusive(|byte| *byte == b'\n').next().context("a line")?;
    write(&desk.path("other.log"), &[begin, &log[cut..cut + 40_000]].concat(), NOW)?;
    let mut other = backfill[..backfill.len() - 2].to_vec();
    other.push("other.log");
    let told = desk.run(&other, vec![]).await?;
    ensure!(!told.contains("written before"), "{told}");
    let refused = |name: &'static str, told: &'static str| {
        let desk = &desk;
        async move {
            let done = desk.run(&["backfill", "--stream", STREAM, name], vec![]).await;
            ensure!(done.is_err_and(|error| error.to_string().contains(told)), "{name}");
            Ok(())
        }
    };
    write(&desk.path("mail.7z"), b"7z\xbc\xaf\x27\x1c\0\x04", NOW)?;
    write(&desk.path("old.log"), b"x\n", 0)?;
    refused("mail.7z", "unpack it first").await?;
    refused("old.log", "--changed").await?;
    // A line that is being written is left until it is whole.
    fs::write(desk.path("live.log"), "one\ntwo")?;
    let told = desk.run(&["backfill", "--stream", STREAM, "live.log"], vec![]).await?;
    ensure!(told.contains("live.log: 1 line in 1 record") && told.contains("no end yet"), "{told}");

    // A name that CloudWatch never gives, and a file that is not there.
    let refused =
        desk.run(&["backfill", "--stream", STREAM, "--log", "x", "mail.log.1"], vec![]).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("ACCOUNT:LOG-GROUP:LOG-STREAM")));
    let refused = desk.run(&["backfill", "--stream", STREAM, "nothing.log"], vec![]).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("nothing.log")));
    let refused = desk.run(&["backfill", "--stream", "none", "mail.log.1"], vec![]).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("the stream none")));
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs and moto (MOTO_PYTHON)"]
async fn failed_invocations_are_written_again_in_their_order() -> Result<()> {
    let desk = Desk::new().await?;
    let line = |number: u64| {
        json!({"time": NOW, "sender": format!("s{number}@example.test"), "tls": "TLS1.2"})
            .to_string()
    };
    let records: Vec<_> =
        (1..=6).map(|sequence| Record { sequence, data: line(sequence).into_bytes() }).collect();
    let event = |part: &[Record]| kinesis::event(SHARD, part, NOW);
    let folder = desk.path("failures/aws/lambda/shardId-000000000000/2026/11/24");
    fs::create_dir_all(&folder)?;
    let (first, second) = (event(&records[..4]), event(&records[4..]));
    let failure = |payload: Value| {
        json!({"requestContext": {"condition": "RetryAttemptsExhausted"}, "version": "1.0",
            "KinesisBatchInfo": {"shardId": SHARD, "batchSize": 4}, "payload": payload})
    };
    fs::write(
        folder.join("2026-11-24T12.00.01-b"),
        failure(json!(second.to_string())).to_string(),
    )?;
    fs::write(folder.join("2026-11-24T12.00.00-a"), failure(first).to_string())?;
    let told = desk.run(&["replay", "--stream", STREAM, "failures"], vec![]).await?;
    ensure!(told.ends_with("6 records in all\n"), "{told}");
    let written = desk.moto.records(STREAM).await?;
    assert_eq!(written, records.iter().map(|record| record.data.clone()).collect::<Vec<_>>());

    // Fetched again with others: nothing is written twice, and what was interrupted goes on.
    let told = desk.run(&["replay", "--stream", STREAM, "failures"], vec![]).await?;
    ensure!(told.ends_with("0 records in all\n"), "{told}");
    fs::write(folder.join("2026-11-24T12.00.00-a.written"), "3")?;
    let told = desk.run(&["replay", "--stream", STREAM, "failures"], vec![]).await?;
    ensure!(told.ends_with("1 record in all\n"), "{told}");
    assert_eq!(desk.moto.records(STREAM).await?[6], records[3].data);

    // One that is something else stops it before anything is written.
    fs::write(folder.join("note.txt"), "{}")?;
    let refused = desk.run(&["replay", "--stream", STREAM, "failures"], vec![]).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("note.txt")));
    assert_eq!(desk.moto.records(STREAM).await?.len(), 7);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the programs and moto (MOTO_PYTHON)"]
async fn the_quarantine_is_looked_at_and_emptied() -> Result<()> {
    let desk = Desk::new().await?;
    let app = App::new().await?;
    let aws = Aws::start(app.engine.clone(), None).await?;
    let large = [&b"\0"[..], &vec![b'x'; 1_200_000]].concat();
    let records = [
        Record { sequence: 1, data: large.clone() },
        Record { sequence: 2, data: b"\x1f\x8b\x1b[31mred".to_vec() },
    ];
    let event: KinesisEvent = serde_json::from_value(kinesis::event(SHARD, &records, NOW))?;
    app.ingest.event(&event, NOW).await?;
    let environment = || aws.environment("operator");
    let quarantine = ["quarantine", "--table", "table", "--since", "2026-11-20"];
    let told = desk.run(&quarantine, environment()).await?;
    ensure!(
        told.contains("2 in quarantine since 2026-11-20") && told.contains("1,200,001 bytes"),
        "{told}"
    );
    ensure!(told.contains("damaged gzip data") && !told.contains('\x1b'), "{told}");
    let save: Vec<_> = quarantine.iter().copied().chain(["--save", "kept"]).collect();
    desk.run(&save, environment()).await?;
    let mut kept = Vec::new();
    for file in fs::read_dir(desk.path("kept"))? {
        kept.push(fs::read(file?.path())?);
    }
    ensure!(kept.len() == 2 && kept.contains(&large), "{} files", kept.len());
    // Once more is the same again.
    desk.run(&save, environment()).await?;
    let replay: Vec<_> = quarantine.iter().copied().chain(["--replay", STREAM]).collect();
    desk.run(&replay, environment()).await?;
    let written = desk.moto.records(STREAM).await?;
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(written[0].as_slice()).read_to_end(&mut inflated)?;
    assert_eq!((&inflated, &written[1]), (&large, &records[1].data));
    let told = desk.run(&quarantine, environment()).await?;
    ensure!(told.starts_with("0 in quarantine"), "{told}");
    let store = Store::new(app.engine.client(), "table", Writing::Transactions);
    let mut left = 0;
    store.quarantine().read(report::Days::new(chrono_tz::UTC).day_of(NOW), |_| left += 1).await?;
    assert_eq!(left, 0);
    Ok(())
}
