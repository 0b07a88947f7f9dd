//! The list of logs: the last line of each, how many there were, what share was not understood, and why.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ingest::Summary;
use report::LineCounts;
use report::views::{self, SourceRow, SourceState};
use serde_json::{Value, json};
use tests::app::{App, NOW};
use tests::browser::Program;
use tests::kinesis::{self, Record};

use crate::local_files::{Machine, append, line, message, whole};

/// Patience with what takes a moment.
const SOON: Duration = Duration::from_secs(60);
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What a log holds of no known form.
const UNKNOWN: &str = "<event><program>mta</program></event>\n";

impl Machine {
    async fn sources(&self) -> Result<Vec<SourceRow>> {
        Ok(views::sources(self.home.store.sources().list(NOW).await?.logs, NOW))
    }

    /// Waits until all is told of so many lines: that comes behind the counting.
    async fn told(&self, lines: u64) -> Result<Vec<SourceRow>> {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let told = async {
            loop {
                let sources = self.sources().await?;
                if sources.iter().map(|one| one.total.counts.lines).sum::<u64>() == lines {
                    return anyhow::Ok(sources);
                }
                ticks.tick().await;
            }
        };
        tokio::time::timeout(SOON, told).await.with_context(|| format!("not {lines}"))?
    }
}

/// The records of one shard, delivered at a time.
async fn deliver(app: &App, records: &[Record], now: i64) -> Result<Summary> {
    let event = kinesis::event("shardId-000000000001", records, now);
    Ok(app.ingest.event(&serde_json::from_value(event)?, now).await?)
}

/// Numbered records, each with some lines of a log stream.
fn records(of: &[(&str, &[&str])]) -> Vec<Record> {
    let record = |(number, (log_stream, lines)): (usize, &(&str, &[&str]))| {
        let data = kinesis::cloudwatch(log_stream, lines.iter().copied(), number * 100, NOW);
        Record { sequence: number as u64 + 1, data }
    };
    of.iter().enumerate().map(record).collect()
}

async fn asked(app: &App) -> Result<Vec<Value>> {
    let answer = app.get("/v1/sources").await?.ok()?;
    Ok(answer["sources"].as_array().context("sources")?.clone())
}

#[tokio::test]
async fn each_log_tells_of_its_last_line_and_what_was_not_understood() -> Result<()> {
    let app = App::new().await?;
    ensure!(asked(&app).await?.is_empty());
    let page = app.get("/sources").await?.text()?;
    ensure!(page.contains("No log was read yet"), "{page}");
    let cron = line("cron", "x").replace("postfix/cron", "CRON");
    app.log("mail.log", &(whole(0) + &cron + UNKNOWN)).await?;
    app.log("odd.log", &UNKNOWN.repeat(3)).await?;
    let sources = asked(&app).await?;
    ensure!(sources.len() == 2, "{sources:?}");
    let odd = json!({
        "name": "odd.log", "state": "nothing-understood", "followed": false, "formats": [],
        "last_line": "2026-11-24T12:00:00Z", "log_time": null,
        "total": {
            "lines": 3, "mail_servers": 0, "other_programs": 0, "quarantined": 0,
            "not_understood": 3, "messages": 0, "not_understood_percent": 100.0,
        },
        "last_day": {
            "date": "2026-11-24", "lines": 3, "mail_servers": 0, "other_programs": 0,
            "quarantined": 0, "not_understood": 3, "messages": 0,
            "not_understood_percent": 100.0,
        },
        "not_understood": sources[0]["not_understood"],
    });
    assert_eq!(sources[0], odd);
    assert_eq!(sources[0]["not_understood"]["date"], "2026-11-24");
    let (mail, total) = (&sources[1], &sources[1]["total"]);
    assert_eq!((&mail["name"], &mail["state"]), (&json!("mail.log"), &json!("good")));
    assert_eq!(mail["formats"], json!(["postfix"]));
    assert_eq!(mail["log_time"], "2026-11-24T10:00:00Z");
    let figures = ["lines", "mail_servers", "other_programs", "not_understood", "messages"];
    assert_eq!(figures.map(|name| total[name].as_u64()), [6, 4, 1, 1, 1].map(Some));
    assert_eq!(total["not_understood_percent"], 16.67);
    // The same lines again, and more of them.
    app.log("odd.log", &UNKNOWN.repeat(4)).await?;
    assert_eq!(asked(&app).await?[0]["total"]["lines"], 4);
    let page = app.get("/").await?.text()?;
    for told in ["odd.log", "Nothing understood", "100.00", "mail.log", "16.67"] {
        ensure!(page.contains(told), "{told}: {page}");
    }
    app.get("/v1/sources?limit=1").await?.problem(400)?;
    Ok(())
}

#[tokio::test]
async fn a_stream_is_told_of_once_however_its_records_come_and_is_silent_in_the_end() -> Result<()>
{
    let app = App::new().await?;
    let mail = whole(0);
    let mail: Vec<_> = mail.lines().collect();
    let all = records(&[("mx1", &mail[..2]), ("mx2", &["{}"]), ("mx1", &mail[2..])]);
    deliver(&app, &all[..2], NOW - HOUR).await?;
    deliver(&app, &all, NOW).await?;
    deliver(&app, &all[1..], NOW).await?;
    let sources = asked(&app).await?;
    let told: Vec<_> = sources.iter().map(|one| (&one["name"], &one["total"]["lines"])).collect();
    let name = |stream: &str| json!(format!("cw:123456789012:mail:{stream}"));
    assert_eq!(told, [(&name("mx2"), &json!(1)), (&name("mx1"), &json!(4))]);
    assert_eq!((&sources[1]["state"], &sources[1]["followed"]), (&json!("good"), &json!(true)));
    assert_eq!(sources[1]["total"]["messages"], 1);
    let state = async |at: i64| {
        app.clock().set(NOW + at);
        let sources = asked(&app).await?;
        let mx1 = sources.iter().find(|one| one["name"] == name("mx1"));
        anyhow::Ok(mx1.map(|one| one["state"].clone()))
    };
    // An hour between lines was usual.
    assert_eq!(state(3 * HOUR - 1).await?, Some(json!("good")));
    assert_eq!(state(3 * HOUR).await?, Some(json!("silent")));
    let page = app.get("/").await?.text()?;
    ensure!(page.contains("Silent"), "{page}");
    assert_eq!(state(91 * DAY).await?, Some(json!("silent")));
    assert_eq!(state(92 * DAY).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_read_for_months_is_one() -> Result<()> {
    let app = App::new().await?;
    for month in 0..4_i64 {
        let lines: &[&str] = &["one", "two"];
        let mut all = records(&[("mx1", lines)]);
        all[0].sequence += month.unsigned_abs();
        all[0].data = kinesis::cloudwatch("mx1", lines.iter().copied(), 9 * month as usize, NOW);
        deliver(&app, &all, NOW + 31 * month * DAY).await?;
    }
    app.clock().set(NOW + 93 * DAY);
    let sources = asked(&app).await?;
    ensure!(sources.len() == 1 && sources[0]["total"]["lines"] == 8, "{sources:?}");
    assert_eq!(sources[0]["last_day"]["lines"], 2);
    Ok(())
}

#[tokio::test]
async fn a_log_group_of_another_program_is_told_and_an_odd_line_is_not() -> Result<()> {
    let app = App::new().await?;
    let mail = whole(0).repeat(3);
    let odd = UNKNOWN.trim_end();
    let mail: Vec<_> = mail.lines().chain([odd]).collect();
    let all = records(&[
        ("mail", &mail),
        ("few", &[odd; 3]),
        ("wrong", &[odd; 12]),
        ("web", &[r#"192.0.2.1 - - [24/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5"#; 40]),
    ]);
    let summary = deliver(&app, &all, NOW).await?;
    assert_eq!((summary.not_understood, summary.log_streams_not_understood), (56, 2));
    Ok(())
}

#[tokio::test]
async fn strangers_names_do_not_fill_the_list() -> Result<()> {
    let app = App::new().await?;
    deliver(&app, &records(&[("own", &["a line"])]), NOW).await?;
    let names: Vec<_> = (0..520).map(|number| format!("{number:03}{}", "x".repeat(400))).collect();
    let lines: &[&str] = &["a line"];
    let flood: Vec<_> = names.iter().map(|name| (name.as_str(), lines)).collect();
    let mut flood = records(&flood);
    flood.iter_mut().for_each(|record| record.sequence += 10);
    deliver(&app, &flood, NOW).await?;
    let answer = app.get("/v1/sources").await?.ok()?;
    let sources = answer["sources"].as_array().context("sources")?;
    assert_eq!((sources.len(), &answer["more"]), (500, &json!(true)));
    let own = "cw:123456789012:mail:own";
    ensure!(sources.iter().any(|one| one["name"] == own), "it came first");
    let name = |one: &Value| one["name"].as_str().map_or(0, |name| name.chars().count());
    ensure!(sources.iter().map(name).max() == Some(300), "names are cut");
    // Who has a place goes on.
    let mut more = records(&[("own", &["another line"])]);
    (more[0].sequence, more[0].data) =
        (9000, kinesis::cloudwatch("own", ["another line"], 70_000, NOW));
    deliver(&app, &more, NOW).await?;
    let sources = asked(&app).await?;
    let own = sources.iter().find(|one| one["name"] == own).context("its own")?;
    assert_eq!(own["total"]["lines"], 2);
    let page = app.get("/").await?.text()?;
    ensure!(page.contains("All sources"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_log_is_one_source_over_its_rotations() -> Result<()> {
    let machine = Machine::new().await?;
    let path = machine.path("maillog");
    fs::write(&path, whole(0) + UNKNOWN)?;
    let following = tokio::spawn(machine.follow(&path));
    machine.until(1).await?;
    let (begins, ends) = message(1);
    append(&path, &begins)?;
    fs::rename(&path, machine.path("maillog.1"))?;
    fs::write(&path, ends + &whole(2))?;
    machine.until(3).await?;
    // Copied and cut to nothing.
    fs::copy(&path, machine.path("maillog.2"))?;
    fs::write(&path, whole(3) + &whole(4))?;
    machine.until(5).await?;
    let sources = machine.told(21).await?;
    following.abort();
    ensure!(sources.len() == 1, "{sources:?}");
    let SourceRow { name, followed, total, not_understood, .. } = &sources[0];
    assert_eq!((name, followed), (&path.display().to_string(), &true));
    let counts = LineCounts {
        lines: 21,
        mail_servers: 20,
        not_understood: 1,
        messages: 5,
        ..LineCounts::default()
    };
    assert_eq!(total.counts, counts);
    ensure!(not_understood.is_some());
    // Another that is read once stands for itself.
    fs::write(machine.path("old"), whole(7))?;
    machine.read(&["old"]).await?;
    let sources = machine.sources().await?;
    let old = sources.iter().find(|one| one.name.ends_with("old")).context("the other")?;
    assert_eq!((old.followed, old.state, old.total.counts.lines), (false, SourceState::Good, 4));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_tells_of_what_it_follows() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (data, log) = (folder.path().join("data"), folder.path().join("mail.log"));
    fs::write(&log, whole(0) + UNKNOWN)?;
    let (data, path) = (data.display().to_string(), log.display().to_string());
    let command = ["serve", "--as-of", "2026-11-24", "--data", &data, "--follow", &path];
    let program = Program::start(&command, folder.path()).await?;
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let told = async {
        loop {
            let answer = program.json("/v1/sources").await?;
            if answer["sources"][0]["total"]["lines"] == 5 {
                return anyhow::Ok(answer);
            }
            ticks.tick().await;
        }
    };
    let answer = tokio::time::timeout(SOON, told).await??;
    assert_eq!(answer["sources"].as_array().map(Vec::len), Some(1));
    let source = &answer["sources"][0];
    assert_eq!((&source["name"], &source["followed"]), (&json!(path), &json!(true)));
    assert_eq!(source["total"]["not_understood"], 1);
    let told = async {
        let line = format!(
            "smtp_auth_report_source_not_counted_lines_total{{source=\"{path}\",reason=\"not_understood\"}} 1"
        );
        loop {
            let metrics = String::from_utf8(program.get("/metrics").await?)?;
            if metrics.lines().any(|one| one == line) {
                return anyhow::Ok(());
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(SOON, told).await?
}
