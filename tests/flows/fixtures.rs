//! Logs that real servers wrote, and what was really sent: the HTTP interface must tell the same.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tests::app::{App, NOW, usage};

/// Messages by sender, account, mechanism and TLS version.
type Rows = BTreeMap<(String, String, String, String), u64>;

fn folders(server: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(server);
    let mut folders: Vec<_> = fs::read_dir(root)
        .expect("fixtures")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
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
    let failures = app.store.failures(kept).await?.iter().map(|row| row.failures).sum();
    Ok((rows, failures))
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

async fn check(folder: &Path, file: &str) -> Result<()> {
    let name = folder.display().to_string();
    let (rows, failures) = truth(&folder.join("truth.json"))?;
    let log = fs::read(folder.join(file))?;
    let log = String::from_utf8_lossy(&log);
    let app = App::new().await?;
    app.log(&name, &log).await?;
    assert_eq!(told(&app).await?, (rows.clone(), failures), "{name}");

    // Again: nothing changes.
    app.log(&name, &log).await?;
    assert_eq!(told(&app).await?, (rows.clone(), failures), "{name}, read twice");

    // The same through the HTTP interface, row by row.
    let range = "start=2026-08-27&end=2026-11-24";
    let table =
        app.get(&format!("/v1/reports/tls-usage/details?{range}&limit=1000")).await?.ok()?;
    let mut shown = Rows::new();
    for row in table["rows"].as_array().context("rows")? {
        let sender = text(&row["sender"]);
        let path: String = sender.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/v1/reports/tls-usage/details/{path}?{range}");
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

#[tokio::test]
async fn postfix_logs_are_counted_as_they_were_sent() -> Result<()> {
    for folder in folders("postfix-live") {
        check(&folder, "maillog").await?;
    }
    Ok(())
}

#[tokio::test]
async fn exim_logs_are_counted_as_they_were_sent() -> Result<()> {
    for folder in folders("exim-live") {
        check(&folder, "mainlog").await?;
    }
    Ok(())
}
