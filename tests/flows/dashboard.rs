//! The dashboard's pages without a browser.

mod forms;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use history::History;
use serde_json::json;
use tests::app::{Answer, App};
use tests::fault;

use crate::reports::app_with_mail;

/// A page as a browser asks for it.
async fn page(app: &App, path: &str) -> Result<Answer> {
    let request =
        Request::get(path).header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    app.ask(request.body(Body::empty())?).await
}

/// The parts of a page that stand between two marks.
fn between<'p>(page: &'p str, begin: &'p str, end: &'p str) -> impl Iterator<Item = &'p str> {
    page.split(begin).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0))
}

/// The senders of a table's page.
fn senders(page: &str) -> Vec<String> {
    let rows = between(page, "data-flyout><bdi>", "</bdi>");
    rows.map(|name| name.replace("<wbr>", "")).collect()
}

/// Where a link with this relation leads.
fn link(page: &str, relation: &str) -> Option<String> {
    let mark = format!("\" rel=\"{relation}\"");
    let before = page.split_once(&mark)?.0;
    Some(before.rsplit_once("href=\"")?.1.replace("&#38;", "&").replace("&amp;", "&"))
}
#[tokio::test]
async fn pages_can_be_turned_to_the_end_and_back() -> Result<()> {
    let app = App::new().await?;
    let event = |number: u64| {
        let tls = ["TLS1.0", "TLS1.2", "TLS1.3"][number as usize % 3];
        json!({"time": "2026-11-24T08:00:00Z", "sender": format!("user{number}@example.test"),
            "tls": tls, "messages": 1 + number % 7})
    };
    let log: String = (0..130).map(|number| format!("{}\n", event(number))).collect();
    app.log("events", &log).await?;
    for (sort, search) in
        [("-messages", ""), ("sender", ""), ("-TLS1.0.percent", ""), ("-legacy", "user1")]
    {
        let query = format!("sort={sort}&search={search}");
        let all =
            app.get(&format!("/v1/reports/tls-usage/details?limit=1000&{query}")).await?.ok()?;
        let rows = all["rows"].as_array().context("rows")?;
        let all: Vec<_> = rows.iter().filter_map(|row| row["sender"].as_str()).collect();
        let mut at = format!("/reports/tls-usage/details?{query}");
        let (mut pages, mut seen) = (Vec::new(), Vec::new());
        loop {
            let text = page(&app, &at).await?.text()?;
            let place = format!(
                "{} to {} of {} senders",
                seen.len() + 1,
                seen.len() + senders(&text).len(),
                all.len()
            );
            assert!(text.contains(&place), "{at}: {place}");
            seen.extend(senders(&text));
            pages.push(senders(&text));
            // Counts that grow meanwhile make no row come twice, or get lost.
            let more = event(129 - pages.len() as u64);
            app.log(&format!("{query} {}", pages.len()), &format!("{more}\n")).await?;
            match link(&text, "next") {
                Some(next) => at = next,
                None => break,
            }
        }
        assert_eq!(seen, all, "{query}");
        while let Some(before) = pages.pop() {
            let text = page(&app, &at).await?.text()?;
            assert_eq!(senders(&text), before, "{at}");
            match link(&text, "prev") {
                Some(previous) => at = previous,
                None => break,
            }
        }
        assert!(pages.is_empty(), "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn pages_show_the_numbers_of_the_interface() -> Result<()> {
    let app = app_with_mail().await?;
    for domain in ["", "&domain=corp.test"] {
        let range = format!("start=2026-11-01&end=2026-11-24{domain}");
        let tls = app.get(&format!("/v1/reports/tls-usage?{range}")).await?.ok()?;
        let text = page(&app, &format!("/reports/tls-usage?{range}")).await?.text()?;
        let shares =
            between(&text, "</svg>TLS", "</tr>").chain(between(&text, "</svg>No TLS", "</tr>"));
        let shown: u64 = shares
            .filter_map(|row| between(row, "<td class=\"n\">", "</td>").nth(1))
            .filter_map(|number| number.replace(',', "").parse::<u64>().ok())
            .sum();
        assert_eq!(json!(shown), tls["total"], "every message has a known version here");
        let volume = page(&app, &format!("/reports/sending-volume?{range}")).await?.text()?;
        let days = between(&volume, "<tr><th scope=\"row\">", "</td></tr>");
        let days: u64 = days
            .filter_map(|row| row.rsplit('>').next()?.replace(',', "").parse::<u64>().ok())
            .sum();
        assert_eq!(json!(days), tls["total"]);
        let table =
            page(&app, &format!("/reports/tls-usage/details?{range}&limit=100")).await?.text()?;
        let rows = between(&table, "<tr><th scope=\"row\"><a", "</td></tr>");
        let count =
            |row: &str| between(row, "<td class=\"n sum\">", "</td>").next().map(str::to_owned);
        let rows: u64 =
            rows.filter_map(|row| count(row)?.replace(',', "").parse::<u64>().ok()).sum();
        assert_eq!(json!(rows), tls["total"]);
    }
    Ok(())
}

#[tokio::test]
async fn filters_that_cannot_be_used_leave_the_others_as_they_are() -> Result<()> {
    let app = app_with_mail().await?;
    let rest = "domain=corp.test&search=user&sort=-legacy&limit=50";
    let bad = format!("/reports/tls-usage/details?start=2026-11-24&end=2026-11-20&{rest}");
    let answer = page(&app, &bad).await?;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let text = String::from_utf8(answer.body)?;
    for kept in [
        "<option value=\"corp.test\" selected>",
        "name=\"search\" value=\"user\"",
        "name=\"sort\" value=\"-legacy\"",
        "name=\"limit\" value=\"50\"",
        "name=\"start\" value=\"2026-11-24\"",
        "Start date: start 2026-11-24 lies after end 2026-11-20",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("Download CSV"), "of which days?");
    // To the chart and back nothing gets lost either.
    let table = format!("/reports/tls-usage/details?start=2026-11-18&end=2026-11-24&{rest}");
    let chart = page(&app, &table.replace("/details", "")).await?.text()?;
    assert!(chart.replace("&#38;", "&").contains(&format!("href=\"{table}\"")), "{chart}");
    // Days that are not kept any more are left out, and that is said.
    let older = page(&app, "/reports/tls-usage?start=2026-08-01&end=2026-11-24").await?.text()?;
    assert!(older.contains("Days before 27 Aug 2026 are not kept any more"), "{older}");
    assert!(older.contains("27 Aug 2026 to 24 Nov 2026"));
    Ok(())
}

#[tokio::test]
async fn whatever_is_asked_is_answered_with_a_page_under_the_policy() -> Result<()> {
    let app = app_with_mail().await?;
    let long = "x".repeat(5000);
    let cases = [
        ("/", 200),
        ("/insight", 200),
        ("/reports/tls-usage", 200),
        ("/reports/sending-volume/details?search=&domain=&start=&end=&sort=", 200),
        ("/reports/sending-volume/details?sort=-TLS1.0&limit=1", 200),
        ("/reports/tls-usage?start=2020-01-01", 200),
        ("/reports/tls-usage?start=2020-01-01&end=2020-01-07", 400),
        ("/reports/tls-usage?end=2030-01-01", 400),
        ("/reports/tls-usage?start=x&start=y", 400),
        ("/reports/tls-usage?domain=%22%3E%3Cscript%3E", 400),
        ("/reports/tls-usage/details?sort=zzz", 400),
        ("/reports/tls-usage/details?limit=0", 400),
        ("/reports/tls-usage/details?cursor=zzz", 400),
        ("/reports/tls-usage/details?zzz=1", 200),
        ("/reports/tls-usage/details?open=%3Cscript%3Ealert(1)%3C%2Fscript%3E", 200),
        ("/reports/tls-usage/details?open=%ff%00%0a", 200),
        (&format!("/reports/tls-usage/details?search={long}"), 200),
        (&format!("/reports/tls-usage/details?open={long}"), 200),
        ("/reports/zzz", 404),
        ("/reports/tls-usage/zzz", 404),
        ("/report-requests/zzz", 404),
        ("/report-requests?cursor=zzz", 400),
        ("/report-requests/new?view=zzz&start=2020-01-01&end=x&domain=%3C", 200),
        ("/schedules/zzz", 404),
        ("/schedules/zzz/delete", 404),
        ("/schedules/%ff", 404),
        ("/schedules?done=%3Cscript%3E", 200),
        ("/schedules/zzz/pause", 405),
        ("/assets/zzz", 404),
        ("/%3Cscript%3E", 404),
    ];
    for (path, status) in cases {
        let answer = page(&app, path).await?;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let policy = answer.headers.get("content-security-policy").context("a policy")?.to_str()?;
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(answer.headers.get("cache-control").context("kept")?, "no-store");
        let text = String::from_utf8(answer.body)?;
        assert!(text.starts_with("<!doctype html>") && text.contains("<h1"), "{path}: {text}");
        assert!(
            !text.contains("<script>")
                && !text.contains("style=")
                && ![" onerror=", " onclick=", " onload="]
                    .iter()
                    .any(|handler| text.contains(handler)),
            "{path}"
        );
    }
    // Scripts are told the same as JSON.
    app.get("/nowhere").await?.problem(404)?;
    app.send("PUT", "/schedules", &json!({})).await?.problem(405)?;
    Ok(())
}

#[tokio::test]
async fn files_are_kept_by_browsers_until_they_change() -> Result<()> {
    let app = App::new().await?;
    let text = page(&app, "/").await?.text()?;
    for (name, media_type) in [
        ("dashboard.css", "text/css"),
        ("dashboard.js", "text/javascript"),
        ("icon.svg", "image/svg"),
    ] {
        let begin = format!("/assets/{name}?v=");
        let version = between(&text, &begin, "\"").next().context("a version")?;
        let file = app.get(&format!("{begin}{version}")).await?;
        let header = |name| file.headers.get(name).and_then(|value| value.to_str().ok());
        assert!(header("content-type").is_some_and(|found| found.starts_with(media_type)));
        assert_eq!(header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        let other = app.get(&format!("/assets/{name}?v=0")).await?;
        assert_eq!(other.headers.get("cache-control").context("kept")?, "no-cache");
    }
    Ok(())
}

#[tokio::test]
async fn the_fullest_page_is_small() -> Result<()> {
    let app = App::new().await?;
    let domain = "mail.department.example.test";
    let mut log = String::new();
    for back in 0..90 {
        let day = report::day_in(chrono_tz::UTC, tests::app::NOW - back * 86_400);
        for version in ["TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3", "none", "unknown"] {
            log += &format!(
                "{}\n",
                json!({"time": format!("{day}T01:00:00Z"), "tls": version,
                "sender": format!("ann@{domain}"), "messages": 1_234_567})
            );
        }
    }
    app.log("events", &log).await?;
    let mut files = 0;
    for name in ["dashboard.css", "dashboard.js"] {
        files += app.get(&format!("/assets/{name}")).await?.body.len();
    }
    let range = format!("start=2026-08-27&end=2026-11-24&domain={domain}");
    for path in [
        format!("/reports/tls-usage?{range}"),
        format!("/reports/sending-volume?{range}"),
        format!("/reports/tls-usage/details?{range}&open=ann@{domain}"),
    ] {
        let body = page(&app, &path).await?.text()?;
        assert!(body.contains("666,666,180"), "{path}");
        let size = body.len() + files;
        assert!(size < 100_000, "{path}: {size} bytes");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_told_as_a_page() -> Result<()> {
    let app = app_with_mail().await?;
    let store = fault::store_that_stops_reading(&app.engine, 0);
    let history = History::new(&store, Arc::clone(&app.objects));
    let app = App::over(app.engine.clone(), &store, history, Arc::clone(&app.objects));
    for path in [
        "/",
        "/insight",
        "/reports/tls-usage",
        "/reports/tls-usage/details",
        "/report-requests",
        "/schedules",
    ] {
        let answer = page(&app, path).await?;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let text = String::from_utf8(answer.body)?;
        assert!(text.contains("Try again") && !text.contains("dynamodb"), "{path}: {text}");
    }
    Ok(())
}
