//! Reports that are large: zipped, or too large for a mail.

use anyhow::{Context as _, Result};
use serde_json::json;
use tests::app::App;
use tests::mail::Post;

use crate::reports::{asked, mailed};

/// Senders whose detailed reports do not compress well: about 140 kB a day, and one day seven times as much.
async fn app_with_much_mail() -> Result<App> {
    let app = App::new().await?;
    let mut rng = fastrand::Rng::with_seed(5);
    for day in [18, 19, 21, 22, 23] {
        let days = if day == 22 { 7 } else { 1 };
        let log: String = (0..7000 * days)
            .map(|_| {
                let event = json!({"time": format!("2026-11-{day}T08:00:00Z"), "tls": "TLS1.0",
                    "sender": format!("{:016x}@example.test", rng.u64(..)),
                    "account": format!("{:016x}", rng.u64(..))});
                format!("{event}\n")
            })
            .collect();
        app.log(&format!("{day}"), &log).await?;
    }
    Ok(app)
}

#[tokio::test]
async fn what_is_too_large_is_told_with_ranges_that_fit() -> Result<()> {
    let app = app_with_much_mail().await?;
    let post = Post::with_limit(1_700_000);
    let (request, letter) = mailed(&app, &post, &asked("sending-volume")).await?;
    assert_eq!(request["status"], "sent");
    let names: Vec<_> = letter.files.keys().collect();
    assert!(!names.iter().any(|name| name.starts_with("detailed")), "{names:?}");
    let (_, told) =
        letter.text.split_once("These ranges fit, one report each: ").context("told")?;
    let (fit, rest) = told.split_once('.').context("an end")?;
    assert!(rest.contains("Too large even alone: 2026-11-22 to 2026-11-22"), "{rest}");
    let mut covered = 0;
    for range in fit.split(", ") {
        let (start, end) = range.split_once(" to ").context("a range")?;
        let mut body = asked("sending-volume");
        (body["start"], body["end"]) = (json!(start), json!(end));
        let (_, letter) = mailed(&app, &post, &body).await?;
        covered += letter.messages("detailed").with_context(|| range.to_owned())?;
    }
    assert_eq!(covered, 4 * 7000);
    // Everything fits into a large mail, zipped.
    let (_, letter) = mailed(&app, &Post::default(), &asked("sending-volume")).await?;
    assert!(letter.files.contains_key("detailed_2026-11-18_2026-11-24.csv.zip"));
    assert_eq!(letter.messages("detailed")?, 11 * 7000);
    assert_eq!(letter.messages("sending-volume")?, 11 * 7000);
    Ok(())
}
