//! The HTTP interface: defaults, tables page by page, CSV, and every way to ask wrongly.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use store::Limits;
use tests::app::{Answer, App};

use crate::scopes::{bound, of};

/// `count` senders: number n sends n messages, every third over TLS 1.0.
async fn app_with_senders(count: u64) -> Result<App> {
    let app = App::new().await?;
    let event = |number: u64| {
        let tls = if number.is_multiple_of(3) { "TLS1.0" } else { "TLS1.3" };
        json!({"time": "2026-11-24T08:00:00Z", "sender": format!("user{number}@example.test"),
            "account": format!("user{}@example.test", number / 2), "tls": tls, "messages": number,
            "mechanism": "PLAIN", "client": "192.0.2.1"})
    };
    let log: String = (1..=count).map(|number| format!("{}\n", event(number))).collect();
    app.log("events", &log).await?;
    Ok(app)
}

fn senders(page: &Value) -> Vec<String> {
    let rows = page["rows"].as_array().into_iter().flatten();
    rows.map(|row| row["sender"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn an_empty_store_answers_everything() -> Result<()> {
    let app = App::new().await?;
    assert_eq!(app.get("/healthz").await?.ok()?, json!({"status": "ok"}));
    let insight = app.get("/v1/insight").await?.ok()?;
    let expected = json!({"start": "2026-11-18", "end": "2026-11-24", "accounts": 0, "senders": 0,
        "messages": 0, "more_senders": false});
    assert_eq!(insight, expected);
    assert_eq!(app.get("/v1/domains").await?.ok()?, json!({"domains": []}));
    let volume = app.get("/v1/reports/sending-volume").await?.ok()?;
    assert_eq!(volume["volume"].as_array().map(Vec::len), Some(7), "zeros included");
    let tls = app.get("/v1/reports/tls-usage?domain=example.test").await?.ok()?;
    assert_eq!((&tls["total"], &tls["domain"]), (&json!(0), &json!("example.test")));
    let names: Vec<_> =
        tls["tls"].as_array().into_iter().flatten().map(|share| share["version"].clone()).collect();
    assert_eq!(json!(names), json!(["TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3", "none", "unknown"]));
    let table = app.get("/v1/reports/tls-usage/details").await?.ok()?;
    assert_eq!(table, json!({"rows": [], "next": null}));
    let sender = app.get("/v1/senders?sender=nobody@example.test").await?.ok()?;
    assert_eq!(sender["messages"], 0);
    Ok(())
}

#[tokio::test]
async fn senders_that_are_not_told_apart_are_told_of_and_count_for_none() -> Result<()> {
    let App { engine, store, history, objects, .. } = App::new().await?;
    // Each sender claims a place, and another from its client.
    let store = store.within(Limits { account: 6, network: 1 });
    let app = App::over(engine, &store, history, objects);
    let event = |number: u32| {
        json!({"time": "2026-11-24T08:00:00Z", "sender": format!("any{number}@corp.test"),
            "account": "taken@corp.test", "client": "192.0.2.1"})
    };
    let log: String = (0..8).map(|number| format!("{}\n", event(number))).collect();
    app.log("events", &log).await?;
    let bound = app.get_as(&bound(of(&["corp.test"])), "/v1/insight").await?;
    for answer in [app.get("/v1/insight").await?, bound] {
        let insight = answer.ok()?;
        let told = (&insight["senders"], &insight["more_senders"], &insight["messages"]);
        assert_eq!(told, (&json!(3), &json!(true), &json!(8)));
    }
    let page = app.get("/insight").await?.text()?;
    ensure!(
        page.contains("From 3 sender addresses, and others that are not told apart."),
        "{page}"
    );
    Ok(())
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() -> Result<()> {
    let app = app_with_senders(250).await?;
    for sort in ["-messages", "messages", "sender", "-TLS1.0", "TLS1.0.percent", "-sender"] {
        let all = app.get(&format!("/v1/reports/tls-usage/details?sort={sort}&limit=1000")).await?;
        let all = senders(&all.ok()?);
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let path =
                format!("/v1/reports/tls-usage/details?sort={sort}&limit=60&cursor={cursor}");
            let page = app.get(&path).await?.ok()?;
            paged.extend(senders(&page));
            // Counting goes on while somebody turns pages.
            let event = json!({"time": "2026-11-24T09:00:00Z", "sender": "new@example.test"});
            app.log(&format!("{sort}{}", paged.len()), &format!("{event}\n")).await?;
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        paged.retain(|sender| sender != "new@example.test");
        let wanted: Vec<_> = all.into_iter().filter(|s| s != "new@example.test").collect();
        assert_eq!(paged, wanted, "{sort}");
    }
    Ok(())
}

#[tokio::test]
async fn a_cursor_outlives_the_process_that_made_it() -> Result<()> {
    let (one, other) = (app_with_senders(50).await?, app_with_senders(50).await?);
    let path = "/v1/reports/sending-volume/details?limit=20&sort=-messages";
    let first = one.get(path).await?.ok()?;
    let next = first["next"].as_str().context("next")?;
    let second = other.get(&format!("{path}&cursor={next}")).await?.ok()?;
    assert_eq!(senders(&second).first().map(String::as_str), Some("user30@example.test"));
    Ok(())
}

#[tokio::test]
async fn tables_are_searched_and_sorted() -> Result<()> {
    let app = app_with_senders(30).await?;
    let found =
        app.get("/v1/reports/sending-volume/details?search=USER2&sort=sender").await?.ok()?;
    let expected: BTreeSet<_> =
        [2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29].map(|n| format!("user{n}@example.test")).into();
    assert_eq!(senders(&found), expected.into_iter().collect::<Vec<_>>());
    let legacy = app.get("/v1/reports/tls-usage/details?sort=-TLS1.0&limit=2").await?.ok()?;
    assert_eq!(senders(&legacy), ["user30@example.test", "user27@example.test"]);
    let insight = app.get("/v1/insight").await?.ok()?;
    assert_eq!((&insight["accounts"], &insight["senders"]), (&json!(16), &json!(30)));
    Ok(())
}

#[tokio::test]
async fn csv_is_the_whole_table_and_safe() -> Result<()> {
    let app = app_with_senders(150).await?;
    let hostile = json!({"time": "2026-11-24T08:00:00Z", "messages": 1000,
        "sender": "=HYPERLINK(\"http://x.test\")\r\n@example.test"});
    app.log("hostile", &format!("{hostile}\n")).await?;
    let accept = Request::get("/v1/reports/tls-usage/details?limit=5")
        .header("accept", "text/csv, application/json;q=0.5")
        .body(Body::empty())?;
    let answer = app.ask(accept).await?;
    let disposition = answer.headers.get("content-disposition").context("a name")?.to_str()?;
    assert_eq!(disposition, "attachment; filename=\"tls-usage_2026-11-18_2026-11-24.csv\"");
    let text = answer.text()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().collect::<Result<_, _>>()?;
    assert_eq!(rows.len(), 151);
    assert!(rows[0][0].starts_with("'=hyperlink("), "{:?}", &rows[0]);
    assert!(!rows[0][0].contains(['\r', '\n']));
    let total: u64 = rows.iter().filter_map(|row| row[13].parse::<u64>().ok()).sum();
    let chart = app.get("/v1/reports/tls-usage").await?.ok()?;
    assert_eq!(chart["total"], total);
    let volume = app.get("/v1/reports/sending-volume/details?format=csv").await?.text()?;
    assert!(volume.starts_with(
        "Sender address,Message count,Before,Change %,First day,Last day,Mechanisms\r\n"
    ));
    Ok(())
}

#[tokio::test]
async fn one_sender_in_full() -> Result<()> {
    let app = app_with_senders(4).await?;
    let path = "/v1/senders?sender=User3%40example.test&start=2026-11-23";
    let details = app.get(path).await?.ok()?;
    assert_eq!(details["messages"], 3);
    assert_eq!(details["accounts"], json!([{"name": "user1@example.test", "messages": 3}]));
    assert_eq!(details["mechanisms"], json!([{"name": "PLAIN", "messages": 3}]));
    assert_eq!(details["clients"], json!([{"name": "192.0.2.1", "messages": 3}]));
    assert_eq!(details["days"].as_array().map(Vec::len), Some(2));
    assert_eq!(details["tls"][0], json!({"version": "TLS1.0", "messages": 3, "percent": 100.0}));
    let other = app.get(&format!("{path}&tls=TLS1.3")).await?.ok()?;
    assert_eq!(other["messages"], 0, "it takes the filters of a chart");
    Ok(())
}

#[tokio::test]
async fn wrong_questions_name_the_parameter_the_value_and_what_is_allowed() -> Result<()> {
    let app = app_with_senders(3).await?;
    let table = "/v1/reports/tls-usage/details";
    for (path, parameter, value, allowed) in [
        ("/v1/insight?start=2026-11-31", "start", "2026-11-31", "a date as in"),
        ("/v1/insight?start=2026-1-2", "start", "2026-1-2", "a date as in"),
        ("/v1/insight?end=yesterday", "end", "yesterday", "a date as in"),
        ("/v1/insight?start=2026-11-24&end=2026-11-23", "start", "2026-11-24", "after end"),
        ("/v1/insight?end=2026-11-25", "end", "2026-11-25", "future: today is 2026-11-24"),
        ("/v1/insight?start=2026-08-26", "start", "2026-08-26", "from 2026-08-27"),
        ("/v1/insight?end=2026-08-01", "end", "2026-08-01", "from 2026-08-27"),
        ("/v1/insight?domain=example.test", "domain", "example.test", "are start, end"),
        ("/v1/reports/tls-usage?start=2026-11-20&start=2026-11-21", "start", "2026-11-21", "once"),
        ("/v1/reports/tls-usage?domain=a%20b", "domain", "a b", "must be a domain"),
        ("/v1/reports/tls-usage?domain=%3Cscript%3E", "domain", "<script>", "must be a domain"),
        ("/v1/reports/tls-usage?limit=5", "limit", "5", "are start, end, domain"),
        ("/v1/reports/tls-usage/details?limit=0", "limit", "0", "from 1 to 1000"),
        ("/v1/reports/tls-usage/details?limit=1001", "limit", "1001", "from 1 to 1000"),
        ("/v1/reports/tls-usage/details?sort=size", "sort", "size", "name, messages"),
        ("/v1/reports/tls-usage/details?group=day", "group", "day", "one of sender, account"),
        ("/v1/reports/tls-usage?tls=TLS1.4", "tls", "TLS1.4", "one of TLS1.0"),
        ("/v1/reports/tls-usage?client=192.0.2.0/33", "client", "192.0.2.0/33", "a network as in"),
        ("/v1/accounts", "account", "", "give account="),
        ("/v1/senders?sender=", "sender", "", "give sender="),
        ("/v1/senders?sender=a&sender=b", "sender", "b", "only once"),
        ("/v1/accounts?account=a&account=b", "account", "b", "only once"),
        ("/v1/clients?client=192.0.2.1&client=192.0.2.2", "client", "192.0.2.2", "only once"),
        ("/v1/clients?client=x/1", "client", "x/1", "a network as in"),
        ("/v1/reports/tls-usage/details?cursor=abc", "cursor", "abc", "next of an earlier page"),
        ("/v1/reports/tls-usage/details?format=xml", "format", "xml", "json or csv"),
    ] {
        let problem = app.get(path).await?.problem(400)?;
        assert_eq!(problem["type"], "urn:smtp-auth-report:problem:invalid-parameter");
        assert_eq!((&problem["parameter"], &problem["value"]), (&json!(parameter), &json!(value)));
        assert!(problem["detail"].as_str().is_some_and(|d| d.contains(allowed)), "{problem}");
    }
    let page = app.get(&format!("{table}?limit=1")).await?.ok()?;
    let cursor = page["next"].as_str().context("next")?;
    let other =
        app.get(&format!("{table}?limit=1&sort=sender&cursor={cursor}")).await?.problem(400)?;
    assert!(other["detail"].as_str().is_some_and(|detail| detail.contains("other parameters")));
    app.get("/v1/nothing").await?.problem(404)?;
    app.get("/v1/reports/tls-usage/details/a@example.test").await?.problem(404)?;
    app.ask(Request::post("/v1/insight").body(Body::empty())?).await?.problem(405)?;
    Ok(())
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() -> Result<()> {
    let app = app_with_senders(200).await?;
    let ask = async |method: &str, path: &str, coding: &str| -> Result<Answer> {
        let request = Request::builder().method(method).uri(path).header("accept-encoding", coding);
        app.ask(request.body(Body::empty())?).await
    };
    let header = |answer: &Answer, name| {
        let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    for path in [
        "/v1/reports/tls-usage/details?limit=100",
        "/v1/reports/tls-usage/details?format=csv",
        "/v1/reports/detailed",
        "/reports/tls-usage/details",
        "/assets/dashboard.css",
        "/openapi.json",
    ] {
        let plain = ask("GET", path, "identity").await?;
        let redacted = |text: String| text.split("\"next\"").next().unwrap_or_default().to_owned();
        for coding in ["gzip", "br, gzip;q=0.5"] {
            let compressed = ask("GET", path, coding).await?;
            ensure!(redacted(compressed.unzipped()?) == redacted(plain.text()?), "{path}");
            ensure!(compressed.body.len() < plain.body.len() / 2, "{path}");
        }
        for coding in ["identity", "", "br", "gzip;q=0", "*", "x"] {
            let plain = ask("GET", path, coding).await?;
            assert_eq!(header(&plain, "content-encoding"), "", "{path} {coding}");
            assert_eq!(
                header(&plain, "vary"),
                "accept-encoding",
                "{path}: caches must tell them apart"
            );
        }
        let head = ask("HEAD", path, "gzip").await?;
        ensure!(head.status.is_success() && head.body.is_empty(), "{path}");
    }
    let small = ask("GET", "/healthz", "gzip").await?;
    assert_eq!(header(&small, "content-encoding"), "", "it is one packet anyway");
    Ok(())
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_said_without_inner_detail() -> Result<()> {
    use std::sync::Arc;
    let engine = local::engine::Engine::in_memory()?;
    let store = tests::fault::store_that_dies(&engine, store::Writing::Transactions, 0);
    let objects = Arc::new(object_store::memory::InMemory::new());
    let history = history::History::new(&store, objects);
    let query = query::Query::new(
        &store,
        history,
        chrono_tz::UTC,
        tests::app::mailing(),
        Arc::new(|| tests::app::NOW),
    );
    let router = query::router(query);
    let request = Request::get("/healthz").body(Body::empty())?;
    let response = tower::ServiceExt::oneshot(router, request).await?;
    assert_eq!(response.status(), 503);
    let body = axum::body::to_bytes(response.into_body(), 10_000).await?;
    assert!(!String::from_utf8_lossy(&body).contains("died"));
    Ok(())
}
