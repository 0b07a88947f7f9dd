//! What API Gateway makes of requests, and what AWS Lambda takes as an answer.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tests::app::{Answer, App, NOW};
use tests::gateway;
use tests::issuer::Issuer;
use tests::stage::{PATIENCE, Stage};
use url::form_urlencoded::byte_serialize;

/// What nobody has as a name who means well.
const NAMES: [&str; 11] = [
    "a#b@example.test",
    "q?r@example.test",
    "a%41b@example.test",
    "a%2fb@example.test",
    "a%zz@example.test",
    "a/../b@example.test",
    "a+b@example.test",
    "a&account=b@example.test",
    "a=b;c@example.test",
    "\u{fc}@example.test",
    "..",
];

async fn app_with(names: impl IntoIterator<Item = String>) -> Result<App> {
    let app = App::new().await?;
    let line = |name: String| {
        let event = json!({"time": "2026-11-24T08:00:00Z", "sender": name, "account": name,
            "tls": "TLS1.2", "client": "192.0.2.1"});
        format!("{event}\n")
    };
    app.log("events", &names.into_iter().map(line).collect::<String>()).await?;
    Ok(app)
}

async fn get(router: &Router, path: &str) -> Result<Answer> {
    let request = Request::get(path).header("host", "report.example.test").body(Body::empty())?;
    gateway::hand_in(router, gateway::event(request).await?).await
}

#[tokio::test]
async fn names_arrive_as_they_were_written() -> Result<()> {
    let app = app_with(NAMES.map(str::to_owned)).await?;
    let router = app.router();
    let table = get(&router, "/v1/reports/tls-usage/details").await?.ok()?;
    let rows = table["rows"].as_array().context("rows")?;
    let found: BTreeSet<_> = rows.iter().filter_map(|row| row["sender"].as_str()).collect();
    assert_eq!(found, BTreeSet::from(NAMES));
    for name in NAMES {
        let encoded: String = byte_serialize(name.as_bytes()).collect();
        for path in ["senders?sender", "accounts?account"] {
            let details = get(&router, &format!("/v1/{path}={encoded}")).await?.ok()?;
            assert_eq!(details["messages"], 1, "{path}={name}");
        }
        // Pages link to each other in the same way.
        let page = get(&router, &format!("/accounts?account={encoded}")).await?.text()?;
        ensure!(page.contains("192.0.2.1"), "{name}");
        let flyout = format!("/reports/tls-usage/details?open={encoded}");
        ensure!(get(&router, &flyout).await?.text()?.contains("192.0.2.1"), "{name}");
        // Nothing is found under a name in a path, rather than something else.
        let every: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        get(&router, &format!("/v1/reports/tls-usage/details/{every}")).await?.problem(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn paths_are_taken_as_they_were_meant() -> Result<()> {
    let router = App::new().await?.router();
    for path in ["/v1/insight%23", "/v1/insight%252f", "/v1/%69nsight%25", "/v1//insight", "/%2e/"]
    {
        get(&router, path).await?.problem(404)?;
    }
    get(&router, "/v1/%69nsight").await?.ok()?;
    Ok(())
}

/// Events of what is no request: the real gateway may hand it over.
async fn odd_events(authorization: &str) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let good = || {
        let request = Request::get("/v1/insight").header("authorization", authorization);
        request.header("host", "report.example.test").body(Body::empty())
    };
    for query in ["a b", "start=<script>", "a#b", "a\u{0}b", "a\u{7f}", "a\nb", &"a".repeat(70_000)]
    {
        let mut event = gateway::event(good()?).await?;
        event["rawQueryString"] = json!(query);
        events.push(event);
    }
    for host in ["", "a b", "[::1", "a:99999", "999.1.1.1", "a/b", "a@b", "a^b", ":", "a?b", "a#b"]
    {
        let mut event = gateway::event(good()?).await?;
        event["headers"]["host"] = json!(host);
        events.push(event);
    }
    for path in ["", "*", "v1/insight"] {
        let mut event = gateway::event(good()?).await?;
        event["rawPath"] = json!(path);
        events.push(event);
    }
    Ok(events)
}

#[tokio::test]
async fn what_is_no_request_is_told_before_anybody_signs_in() -> Result<()> {
    let issuer = Issuer::start(NOW).await?;
    let router = App::new().await?.behind(&issuer)?.router();
    for authorization in
        ["Bearer x", &format!("Bearer {}", issuer.token(&issuer.claims(&["readers"])))]
    {
        for event in odd_events(authorization).await? {
            let problem = gateway::hand_in(&router, event).await?.problem(400)?;
            assert_eq!(problem["type"], "urn:smtp-auth-report:problem:invalid-parameter");
        }
    }
    get(&router, "/v1/insight").await?.problem(401)?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the functions' programs: cargo build --release --workspace --bins"]
async fn the_function_tells_what_is_no_request_and_goes_on() -> Result<()> {
    let stage = Stage::new().await?;
    let query = stage.function("query", &[], PATIENCE)?;
    for event in odd_events("Bearer x").await? {
        let answer = query.invoke(&event).await?.answer()?;
        assert_eq!(answer["statusCode"], 400, "{event}");
    }
    let told =
        gateway::ask(&query, stage.question("/v1/senders?sender=a%23b%40example.test")?).await?;
    assert_eq!(told.ok()?["messages"], 0);
    let table = Request::get("/assets/dashboard.css").header("accept-encoding", "gzip");
    let compressed = gateway::ask(&query, table.body(Body::empty())?).await?;
    ensure!(compressed.unzipped()?.contains("body"));
    let log = query.told().join("\n");
    ensure!(!log.contains("panicked"), "{log}");
    Ok(())
}

#[tokio::test]
async fn a_long_answer_fits_compressed_or_names_the_way() -> Result<()> {
    // Letters that no compression makes much shorter, and such that it does.
    let mut rng = fastrand::Rng::with_seed(7);
    let mut random = |length| (0..length).map(|_| rng.alphanumeric()).collect::<String>();
    let noise = (0..34_000).map(|_| random(240)).map(|name| format!("{name}@noise.test"));
    let noise: Vec<_> = noise.collect();
    let plain = (0..12_000).map(|number| format!("{number:0>240}@plain.test"));
    let app = app_with(noise.into_iter().chain(plain)).await?;
    let router = app.router();
    let path = "/v1/reports/detailed?domain=";
    let ask = async |domain: &str, coding: &str, accept: &str| -> Result<Answer> {
        let request = Request::get(format!("{path}{domain}"));
        let request = request.header("accept-encoding", coding).header("accept", accept);
        gateway::hand_in(&router, gateway::event(request.body(Body::empty())?).await?).await
    };
    let whole = app.get(&format!("{path}plain.test")).await?.text()?;
    ensure!(whole.len() > query::gateway::MOST, "{}", whole.len());
    let compressed = ask("plain.test", "gzip", "*/*").await?;
    ensure!(compressed.unzipped()? == whole);
    for (domain, coding, hint) in [("plain.test", "identity", true), ("noise.test", "gzip", false)]
    {
        let problem = ask(domain, coding, "*/*").await?.problem(422)?;
        assert_eq!(problem["type"], "urn:smtp-auth-report:problem:answer-too-large");
        let detail = problem["detail"].as_str().context("a detail")?;
        assert_eq!(detail.contains("Accept-Encoding: gzip"), hint, "{detail}");
        for way in ["start, end", "filters", "limit, cursor", "/v1/report-requests"] {
            ensure!(detail.contains(way), "{way}: {detail}");
        }
    }
    // One machine has no such limit.
    ensure!(app.get(&format!("{path}noise.test")).await?.text()?.len() > query::gateway::MOST);
    Ok(())
}
