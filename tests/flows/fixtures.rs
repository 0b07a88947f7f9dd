//! Logs that real servers wrote, and what was really sent: the HTTP interface must tell the same.
//!
//! `fixtures/FORMAT/SCENARIO` holds a `log` and its `truth.json`. Every folder is read with its format fixed, with the
//! format found out, and inside the JSON of a container's log: a format needs nothing here but its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use local::verify::verify;
use logs::Format;
use serde_json::Value;
use tests::app::{App, NOW, usage};
use tests::recorded;
use tests::traffic::Expected;

/// Messages by sender, account, mechanism and TLS version.
type Rows = BTreeMap<(String, String, String, String), u64>;

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(parent)? {
        folders.push(entry?.path());
    }
    folders.sort();
    Ok(folders)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn truth(path: &Path) -> Result<(Rows, u64)> {
    let truth: Value = serde_json::from_slice(&fs::read(path)?)?;
    let rows = truth["rows"].as_array().context("rows")?;
    let row = |row: &Value| {
        let key = (text(&row[0]), text(&row[1]), text(&row[2]), text(&row[3]));
        (key, row[4].as_u64().unwrap_or_default())
    };
    let rows: Rows = rows.iter().map(row).collect();
    assert_eq!(rows.values().sum::<u64>(), truth["messages"].as_u64().context("messages")?);
    Ok((rows, truth["auth_failures"].as_u64().context("auth_failures")?))
}

/// What the store holds, and that the views agree with it.
async fn told(app: &App) -> Result<(Rows, u64)> {
    let today = report::Days::new(chrono_tz::UTC).day_of(NOW);
    let kept = report::Range::kept(today);
    let mut rows = Rows::new();
    for (key, messages) in usage(&app.store, kept).await? {
        let (_, _, sender, account, mechanism, tls, _) = key;
        *rows.entry((sender, account, mechanism, tls.name().to_owned())).or_default() += messages;
    }
    let found = verify(&app.store, &app.history, kept, Duration::ZERO).await?;
    assert_eq!(found.faults, []);
    let failures = app.store.summaries().failures(kept).await?.iter().map(|row| row.failures).sum();
    Ok((rows, failures))
}

/// Every line in an object, as Docker keeps what a container writes.
fn in_docker(log: &str) -> String {
    let object = |line: &str| serde_json::json!({"log": format!("{line}\n"), "stream": "stdout"});
    log.lines().map(|line| format!("{}\n", object(line))).collect()
}

/// The rows by account: the user that the log names, or the sender where it names none.
fn by_account(rows: &Rows) -> Rows {
    let mut by_account = Rows::new();
    for ((sender, username, mechanism, tls), messages) in rows {
        let account = if username.is_empty() { sender } else { username };
        let key = (sender.clone(), account.clone(), mechanism.clone(), tls.clone());
        *by_account.entry(key).or_default() += messages;
    }
    by_account
}

async fn check(folder: &Path, format: Format) -> Result<()> {
    let name = format!("{}, read as {format}", folder.display());
    let (rows, failures) = truth(&folder.join("truth.json"))?;
    let log = fs::read(folder.join("log"))?;
    let log = String::from_utf8_lossy(&log);
    let app = App::new().await?.reading(format);
    app.log(&name, &log).await?;
    assert_eq!(told(&app).await?, (rows.clone(), failures), "{name}");

    // Again: nothing changes.
    app.log(&name, &log).await?;
    assert_eq!(told(&app).await?, (rows.clone(), failures), "{name}, read twice");

    let wrapped = App::new().await?.reading(format);
    wrapped.log(&name, &in_docker(&log)).await?;
    assert_eq!(told(&wrapped).await?, (rows.clone(), failures), "{name}, in a container's log");
    if format != Format::Auto {
        return Ok(());
    }

    // The same through the HTTP interface, row by row.
    let range = "start=2026-08-27&end=2026-11-24";
    let table =
        app.get(&format!("/v1/reports/tls-usage/details?{range}&limit=1000")).await?.ok()?;
    let mut shown = Rows::new();
    for row in table["rows"].as_array().context("rows")? {
        let sender = text(&row["sender"]);
        let encoded: String = sender.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/senders?sender={encoded}&{range}");
        let details = app.get(&path).await?.ok()?;
        assert_eq!(details["tls"], row["tls"], "{name}: {sender}");
        for used in details["uses"].as_array().context("uses")? {
            let (account, mechanism) = (text(&used["account"]), text(&used["mechanism"]));
            let key = (sender.clone(), account, mechanism, text(&used["version"]));
            shown.insert(key, used["messages"].as_u64().context("messages")?);
        }
    }
    assert_eq!(shown, by_account(&rows), "{name}");
    let insight = app.get(&format!("/v1/insight/details?{range}")).await?.ok()?;
    assert_eq!(insight["auth_failures"], failures, "{name}");
    Ok(())
}

/// One log each of all servers that were run, with the lines of the others between its own.
#[test]
fn servers_in_one_stream_count_as_each_by_itself() -> Result<()> {
    let mut of_formats = BTreeMap::new();
    for (name, lines) in recorded::logs()? {
        let format = name.split('/').next().unwrap_or_default().to_owned();
        of_formats.entry(format).or_insert(lines);
    }
    let mut apart = Expected::default();
    for lines in of_formats.values() {
        apart.add(recorded::counted_to_its_end(lines, chrono_tz::UTC));
    }
    let mixed = recorded::in_order_of_time(of_formats.values(), chrono_tz::UTC);
    assert_eq!(recorded::counted_to_its_end(mixed, chrono_tz::UTC), apart);
    Ok(())
}

#[tokio::test]
async fn logs_are_counted_as_they_were_sent() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut with_fixtures = BTreeSet::new();
    for folder in folders(&root)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let format: Format = name.parse().with_context(|| folder.display().to_string())?;
        with_fixtures.insert(format.name());
        for scenario in folders(&folder)? {
            for format in [format, Format::Auto] {
                check(&scenario, format).await?;
            }
        }
    }
    for format in Format::ALL.iter().filter(|format| **format != Format::Auto) {
        assert!(with_fixtures.contains(format.name()), "{format} has no folder of fixtures");
    }
    Ok(())
}
