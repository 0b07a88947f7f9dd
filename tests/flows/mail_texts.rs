//! What mails look like: subject, text and files as people get them.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::json;
use tests::app::App;
use tests::mail::{Letter, Post};

use crate::reports::{app_with_mail, ask, asked, inserted};

/// A mail as a person reads it, without HTML.
fn shown(letter: &Letter) -> String {
    let mut shown =
        format!("To: {}\nSubject: {}\n\n{}", letter.to.join(", "), letter.subject, letter.text);
    for (name, bytes) in &letter.files {
        let _ = write!(shown, "\n--- {name}\n");
        let text = String::from_utf8_lossy(bytes).replace('\r', "");
        for line in text.lines().take(4) {
            let _ = writeln!(shown, "{line}");
        }
        let _ = writeln!(shown, "({} lines)", text.lines().count());
    }
    shown
}

async fn mail(app: &App, body: &serde_json::Value) -> Result<Letter> {
    let post = Post::default();
    let id = ask(app, body).await?;
    app.reporter(std::sync::Arc::new(post.clone()))?.handle(&inserted(&id)).await?;
    Letter::read(&post.taken()[0].bytes)
}

#[tokio::test]
async fn sending_volume() -> Result<()> {
    let app = app_with_mail().await?;
    let mut body = asked("sending-volume");
    body["recipients"] = json!(["ann@example.test", "bob@corp.test"]);
    body["name"] = json!("Who sends");
    insta::assert_snapshot!("sending-volume", shown(&mail(&app, &body).await?));
    Ok(())
}

#[tokio::test]
async fn tls_usage_of_one_domain() -> Result<()> {
    let app = app_with_mail().await?;
    let mut body = asked("tls-usage");
    body["domain"] = json!("example.test");
    (body["start"], body["end"]) = (json!("2026-11-22"), json!("2026-11-22"));
    insta::assert_snapshot!("tls-usage", shown(&mail(&app, &body).await?));
    Ok(())
}

#[tokio::test]
async fn nothing() -> Result<()> {
    let app = App::new().await?;
    insta::assert_snapshot!("nothing", shown(&mail(&app, &asked("tls-usage")).await?));
    Ok(())
}
