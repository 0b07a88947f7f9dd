//! An SMTP relay: a real Postfix that demands TLS and a login.
//!
//! Needs root and Debian's Postfix: see `tests/lab/relay.sh`, which says what is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use detector::{Detector, Settings};
use mailer::{SMTP_LIMIT, Smtp};
use serde_json::json;
use tests::app::NOW;
use tests::mail::Letter;
use tokio::process::Command;

use crate::alerts::{STOLEN, mailed_by, today, unjudged};
use crate::reports::{app_with_mail, ask, asked, inserted, request};

/// The relay, stopped when this is dropped.
struct Relay {
    folder: tempfile::TempDir,
    submission: u16,
    submissions: u16,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/relay.sh")
}

impl Relay {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let started =
            Command::new("sh").arg(script()).arg("start").arg(folder.path()).output().await?;
        let told = String::from_utf8_lossy(&started.stderr);
        ensure!(started.status.success(), "the relay did not start: {told}");
        let ports = String::from_utf8_lossy(&started.stdout);
        let (submission, submissions) = ports.trim().split_once(' ').context("two ports")?;
        let (submission, submissions) = (submission.parse()?, submissions.parse()?);
        Ok(Self { folder, submission, submissions })
    }

    fn read(&self, file: &str) -> Result<String> {
        Ok(fs::read_to_string(self.folder.path().join(file))?)
    }

    /// The next mail in a mailbox; it is taken out.
    async fn next_mail(&self, mailbox: &str) -> Result<Vec<u8>> {
        let new = self.folder.path().join("mail").join(mailbox).join("new");
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        let found = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                ticks.tick().await;
                if let Ok(mut files) = fs::read_dir(&new)
                    && let Some(file) = files.next()
                {
                    return anyhow::Ok(file?.path());
                }
            }
        });
        let Ok(found) = found.await else {
            bail!("no mail for {mailbox}: {}", self.read("postfix/maillog")?);
        };
        let found = found?;
        let mail = fs::read(&found)?;
        fs::remove_file(found)?;
        Ok(mail)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = std::process::Command::new("sh")
            .arg(script())
            .arg("stop")
            .arg(self.folder.path())
            .status();
    }
}

#[tokio::test]
#[ignore = "needs root and Postfix"]
async fn reports_go_through_a_relay_that_demands_tls_and_a_login() -> Result<()> {
    let relay = Relay::start().await?;
    let app = app_with_mail().await?;
    let (authority, password) = (relay.read("ca.pem")?, relay.read("password")?);
    let smtp = |url: &str, password: &str| {
        Smtp::new(url, Some(password), Some(authority.as_bytes()), SMTP_LIMIT)
    };
    let submission = format!("smtp://reports@localhost:{}", relay.submission);
    let submissions = format!("smtps://reports@localhost:{}", relay.submissions);
    let mut body = asked("tls-usage");
    body["recipients"] = json!(["ann@example.test", "bob@corp.test"]);
    for url in [&submission, &submissions] {
        let reporter = app.reporter(Arc::new(smtp(url, &password)?))?;
        let id = ask(&app, &body).await?;
        assert_eq!(reporter.handle(&inserted(&id)).await?.sent, 1, "{}", request(&app, &id).await?);
        let reply = request(&app, &id).await?["message_id"].to_string();
        assert!(reply.contains("queued as"), "{reply}");
        for mailbox in ["ann@example.test", "bob@corp.test"] {
            let letter = Letter::read(&relay.next_mail(mailbox).await?)?;
            assert_eq!(letter.message_id, format!("{id}@example.test"));
            assert_eq!(letter.to, ["ann@example.test", "bob@corp.test"]);
            let csv = app.get("/v1/reports/tls-usage/details?format=csv").await?;
            let range = "2026-11-18_2026-11-24";
            assert!(letter.files[&format!("tls-usage_{range}.csv")] == csv.body, "unchanged");
        }
    }
    let log = relay.read("postfix/maillog")?;
    assert!(log.contains("sasl_username=reports@localhost"), "{log}");

    // A wrong password, an unknown recipient and an unknown authority end the request; each says why.
    let failing = async |smtp: Smtp, body: &serde_json::Value| -> Result<(String, String)> {
        let id = ask(&app, body).await?;
        app.reporter(Arc::new(smtp))?.handle(&inserted(&id)).await?;
        let ended = request(&app, &id).await?;
        let text = |name: &str| ended[name].as_str().unwrap_or_default().to_owned();
        Ok((text("status"), text("reason")))
    };
    let (status, reason) = failing(smtp(&submission, "wrong")?, &body).await?;
    assert!(status == "failed" && reason.contains("535"), "{status}: {reason}");
    body["recipients"] = json!(["ann@example.test", "nobody@example.test"]);
    let (status, reason) = failing(smtp(&submission, &password)?, &body).await?;
    assert!(status == "failed" && reason.contains("nobody@example.test"), "{status}: {reason}");
    let stranger = Smtp::new(&submission, Some(&password), None, SMTP_LIMIT)?;
    let (status, reason) = failing(stranger, &asked("tls-usage")).await?;
    assert!(status == "pending" && reason.contains("certificate"), "{status}: {reason}");

    // Nobody got anything of these.
    let left = fs::read_dir(relay.folder.path().join("mail/ann@example.test/new"))?.count();
    assert_eq!(left, 0);
    drop(relay);

    let (status, reason) = failing(smtp(&submission, &password)?, &asked("tls-usage")).await?;
    assert!(status == "pending" && !reason.is_empty(), "no connection: {status}: {reason}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs root and Postfix"]
async fn alerts_go_through_it_too() -> Result<()> {
    let relay = Relay::start().await?;
    let (authority, password) = (relay.read("ca.pem")?, relay.read("password")?);
    let submission = format!("smtp://reports@localhost:{}", relay.submission);
    let smtp = Smtp::new(&submission, Some(&password), Some(authority.as_bytes()), SMTP_LIMIT)?;
    let settings = Settings { channels: Some(mailed_by(Arc::new(smtp))?), ..Settings::default() };
    let app = unjudged().await?;
    let summary =
        Detector::new(&app.store, app.history.clone(), settings).run(today(), NOW).await?;
    ensure!(summary.told > 0 && summary.failing_channels == 0, "{summary:?}");
    let letter = Letter::read(&relay.next_mail("ann@example.test").await?)?;
    ensure!(letter.text.contains(STOLEN) && letter.subject.contains("need"), "{}", letter.text);
    Ok(())
}
