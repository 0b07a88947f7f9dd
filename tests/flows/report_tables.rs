//! The table in a report by mail: by any group, of any filter.

use anyhow::{Context as _, Result};
use serde_json::json;
use tests::mail::Post;

use crate::reports::{app_with_mail, asked, mailed};

#[tokio::test]
async fn a_report_has_the_table_that_was_asked_for() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    for (view, group, domain, filter, told) in [
        ("tls-usage", "account", "", json!({}), "TLS usage by account"),
        (
            "sending-volume",
            "client",
            "",
            json!({"tls": ["TLS1.0", "none"], "account": ["account2", "account6", "account3"]}),
            "Only: Account account2, account6, account3; TLS version TLS1.0, none",
        ),
        (
            "tls-usage",
            "sender",
            "corp.test",
            json!({"client": ["192.0.2.0/29"]}),
            "Only: Client address 192.0.2.0/29",
        ),
        (
            "tls-usage",
            "kind",
            "",
            json!({"off": ["TLS1.0", "LOGIN"]}),
            "Only: Refused without TLS1.0, LOGIN",
        ),
    ] {
        let mut body = asked(view);
        (body["group"], body["domain"], body["filter"]) = (json!(group), json!(domain), filter);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("start", "2026-11-18").append_pair("end", "2026-11-24");
        if !domain.is_empty() {
            query.append_pair("domain", domain);
        }
        for (name, values) in body["filter"].as_object().into_iter().flatten() {
            for value in values.as_array().into_iter().flatten() {
                query.append_pair(name, value.as_str().context("a text")?);
            }
        }
        let query = query.finish();
        let table = format!("{query}&group={group}");
        let (request, letter) = mailed(&app, &post, &body).await?;
        assert_eq!((&request["group"], &request["filter"]), (&json!(group), &body["filter"]));
        let csv = app.get(&format!("/v1/reports/{view}/details?format=csv&{table}")).await?;
        assert!(letter.files.values().any(|file| *file == csv.body), "the table is that of HTTP");
        let csv = app.get(&format!("/v1/reports/detailed?{query}")).await?;
        assert!(letter.files.values().any(|file| *file == csv.body), "so is the detailed report");
        let chart = app.get(&format!("/v1/reports/{view}?{query}")).await?.ok()?;
        assert!(chart["total"].as_u64() > Some(0) && request["messages"] == chart["total"]);
        for text in [&letter.text, &letter.html] {
            assert!(text.replace("<bdi>", "").contains(told), "{told}: {text}");
        }
        // What is there to see is what was mailed.
        let link = letter.text.lines().find(|line| line.starts_with("https://"));
        let link = link.context("a link")?.replace("https://mail.example.test", "");
        app.get(&link).await?.text()?;
        let rows = app.get(&format!("/v1{link}")).await?.ok()?;
        let rows = rows["rows"].as_array().context("rows")?;
        let total: u64 = rows.iter().filter_map(|row| row["messages"].as_u64()).sum();
        assert!(link.contains("/details?") && request["messages"] == total, "{link}");
    }
    Ok(())
}
