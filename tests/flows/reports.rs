//! Reports by mail: asked for over HTTP, made by the report function, read from the outbox.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::Request;
use mailer::{OUTBOX_LIMIT, Outbox, SendError};
use query::Mailing;
use report::RecipientDomains;
use reporter::{ATTEMPTS, Reporter, Summary};
use serde_json::{Value, json};
use tests::app::{App, NOW};
use tests::mail::{Letter, Post};

const REQUESTS: &str = "/v1/report-requests";

/// Some days of mail of a few senders, over old and new TLS versions.
pub(crate) async fn app_with_mail() -> Result<App> {
    let app = App::new().await?;
    let mut log = String::new();
    for day in 5..=24 {
        for sender in 0..12 {
            let tls = ["TLS1.3", "TLS1.2", "TLS1.0", "none"][sender % 4];
            let event = json!({
                "time": format!("2026-11-{day:02}T08:00:00Z"), "tls": tls, "mechanism": "PLAIN",
                "sender": format!("user{sender}@{}", ["example.test", "corp.test"][sender % 2]),
                "account": format!("account{sender}"), "client": format!("192.0.2.{sender}"),
                "messages": 1 + (day * 7 + sender * 5) % 11,
            });
            log += &format!("{event}\n");
        }
    }
    app.log("events", &log).await?;
    Ok(app)
}

pub(crate) fn asked(view: &str) -> Value {
    json!({"view": view, "recipients": ["ann@example.test"]})
}

/// Asks for a report; gives its id.
pub(crate) async fn ask(app: &App, body: &Value) -> Result<String> {
    let answer = app.send("POST", REQUESTS, body).await?;
    let request = answer.ok()?;
    ensure!(answer.status == 202, "{}", answer.status);
    Ok(request["id"].as_str().context("an id")?.to_owned())
}

pub(crate) async fn request(app: &App, id: &str) -> Result<Value> {
    app.get(&format!("{REQUESTS}/{id}")).await?.ok()
}

/// The event that a new request sends to the report function.
pub(crate) fn inserted(id: &str) -> Value {
    json!({"Records": [{"eventName": "INSERT", "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"pk": {"S": "REQUESTS"}, "sk": {"S": id}}}}]})
}

/// Asks for a report, makes it, and reads the one mail that came of it.
pub(crate) async fn mailed(app: &App, post: &Post, body: &Value) -> Result<(Value, Letter)> {
    let (reporter, before) = (app.reporter(Arc::new(post.clone()))?, post.taken().len());
    let id = ask(app, body).await?;
    reporter.handle(&inserted(&id)).await?;
    let taken = post.taken();
    ensure!(taken.len() == before + 1, "{} mails", taken.len() - before);
    Ok((request(app, &id).await?, Letter::read(&taken[before].bytes)?))
}

#[tokio::test]
async fn a_request_arrives_with_both_files_and_the_sums_of_the_views() -> Result<()> {
    let app = app_with_mail().await?;
    let mut stream = app.engine.new_items(store::REPORT_REQUESTS);
    let folder = tempfile::tempdir()?;
    let reporter =
        app.reporter(Arc::new(Outbox::new(folder.path().join("outbox"), OUTBOX_LIMIT)))?;
    for (view, question) in [
        ("sending-volume", "start=2026-11-10&end=2026-11-20"),
        ("tls-usage", "start=2026-11-18&end=2026-11-24&domain=corp.test"),
    ] {
        let mut body = asked(view);
        for pair in question.split('&') {
            let (name, value) = pair.split_once('=').context("a pair")?;
            body[name] = json!(value);
        }
        let id = ask(&app, &body).await?;
        assert_eq!(request(&app, &id).await?["status"], "pending");

        let record = stream.try_recv().context("the write triggers the function")?;
        let summary = reporter.handle(&json!({"Records": [record]})).await?;
        assert_eq!(summary, Summary { sent: 1, ..Summary::default() });

        let sent = request(&app, &id).await?;
        assert_eq!((&sent["status"], &sent["attempts"]), (&json!("sent"), &json!(1)));
        assert_eq!(sent["message_id"], format!("{id}.eml"));
        let mail = std::fs::read(folder.path().join(format!("outbox/{id}.eml")))?;
        let letter = Letter::read(&mail)?;
        assert_eq!(letter.to, ["ann@example.test"]);

        let csv = app.get(&format!("/v1/reports/{view}/details?format=csv&{question}")).await?;
        assert!(letter.files.values().any(|file| *file == csv.body), "the table is that of HTTP");
        let csv = app.get(&format!("/v1/reports/detailed?{question}")).await?;
        assert!(letter.files.values().any(|file| *file == csv.body), "so is the detailed report");
        let chart = app.get(&format!("/v1/reports/{view}?{question}")).await?.ok()?;
        let total = chart["total"].as_u64().context("a total")?;
        assert_eq!((letter.messages(view)?, letter.messages("detailed")?), (total, total));
        assert_eq!(sent["messages"], total);
        for text in [&letter.text, &letter.html] {
            assert!(text.contains(&report::grouped(total)), "{text}");
        }
        assert!(letter.html.contains(&format!(
            "https://mail.example.test/reports/{view}?{}",
            question.replace('&', "&#38;")
        )));
        let chart = letter.chart.context("a chart")?;
        assert_eq!(chart.get(..8), Some(b"\x89PNG\r\n\x1a\n".as_slice()));
    }
    assert!(app.store.report_requests().open().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_range_without_mail_is_told_as_such() -> Result<()> {
    let (app, post) = (App::new().await?, Post::default());
    let (request, letter) = mailed(&app, &post, &asked("tls-usage")).await?;
    assert_eq!((&request["status"], &request["messages"]), (&json!("sent_empty"), &json!(0)));
    assert!(letter.subject.ends_with("no messages"), "{}", letter.subject);
    assert!(letter.text.contains("No messages were sent"), "{}", letter.text);
    assert_eq!((letter.rows("tls-usage")?.len(), letter.rows("detailed")?.len()), (0, 0));
    assert_eq!(letter.chart, None);
    Ok(())
}

#[tokio::test]
async fn the_change_is_that_against_as_many_days_before() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let total = async |range: &str| -> Result<u64> {
        let chart = app.get(&format!("/v1/reports/tls-usage?{range}")).await?.ok()?;
        chart["total"].as_u64().context("a total")
    };
    let now = total("start=2026-11-18&end=2026-11-24").await?;
    let before = total("start=2026-11-11&end=2026-11-17").await?;
    let change = report::views::change(before, now).context("a change")?;
    let (_, letter) = mailed(&app, &post, &asked("tls-usage")).await?;
    let expected = format!("{now} messages ({change:+.2} %)");
    assert!(letter.text.contains(&expected), "{expected} in\n{}", letter.text);
    let mut long = asked("tls-usage");
    long["start"] = json!("2026-08-27");
    let (_, letter) = mailed(&app, &post, &long).await?;
    assert!(letter.text.contains("no comparison"), "{}", letter.text);
    Ok(())
}

#[tokio::test]
async fn the_same_key_asks_once() -> Result<()> {
    let app = App::new().await?;
    let send = async |key: &str, body: &Value| {
        let request = Request::post(REQUESTS)
            .header("content-type", "application/json; charset=utf-8")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))?;
        app.ask(request).await
    };
    let first = send("k1", &asked("tls-usage")).await?;
    let again = send("k1", &asked("tls-usage")).await?;
    assert_eq!(first.ok()?, again.ok()?);
    assert_eq!(first.headers.get("location"), again.headers.get("location"));
    let id = first.ok()?["id"].as_str().context("an id")?.to_owned();
    assert_eq!(first.headers["location"], format!("{REQUESTS}/{id}"));
    let other = send("k1", &asked("sending-volume")).await?.problem(422)?;
    assert_eq!(other["type"], "urn:smtp-auth-report:problem:idempotency-key-reused");
    assert_ne!(send("k2", &asked("tls-usage")).await?.ok()?["id"], json!(id));
    send("", &asked("tls-usage")).await?.problem(400)?;
    send(&"k".repeat(256), &asked("tls-usage")).await?.problem(400)?;
    // A day later the key is free again.
    app.clock().set(NOW + 86_401);
    assert_ne!(send("k1", &asked("tls-usage")).await?.ok()?["id"], json!(id));
    Ok(())
}

#[tokio::test]
async fn many_clients_with_one_key_make_one_request() -> Result<()> {
    let app = App::new().await?;
    let asks = (0..12).map(|_| {
        let request = Request::post(REQUESTS)
            .header("content-type", "application/json")
            .header("idempotency-key", "one")
            .body(Body::from(asked("tls-usage").to_string()));
        async { app.ask(request?).await?.ok() }
    });
    let ids: BTreeSet<String> = futures_util::future::try_join_all(asks)
        .await?
        .iter()
        .map(|request| request["id"].to_string())
        .collect();
    assert_eq!((ids.len(), app.store.report_requests().open().await?.len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_day_has_only_so_many_requests() -> Result<()> {
    let mailing = Mailing { recipients: RecipientDomains::Any, requests_per_day: 3 };
    let app = App::new().await?.with_mailing(mailing);
    let body = asked("tls-usage");
    let asks = (0..8).map(|_| app.send("POST", REQUESTS, &body));
    let answers = futures_util::future::try_join_all(asks).await?;
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(accepted, 3);
    let refused = answers.iter().find(|answer| answer.status != 202).context("a refusal")?;
    let problem = refused.problem(429)?;
    assert_eq!(problem["type"], "urn:smtp-auth-report:problem:no-more-today");
    // The present is noon.
    assert_eq!(refused.headers["retry-after"], "43200");
    app.clock().set(NOW + 43_200);
    ask(&app, &asked("tls-usage")).await?;
    Ok(())
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() -> Result<()> {
    let app = App::new().await?;
    let many: Vec<_> = (0..51).map(|n| format!("a{n}@example.test")).collect();
    for (field, value, told) in [
        ("view", json!("volume"), "sending-volume or tls-usage"),
        ("view", json!(null), "sending-volume or tls-usage"),
        ("view", json!(7), "a text"),
        ("start", json!("2026-11-31"), "a date as in"),
        ("start", json!("2026-08-26"), "90 days"),
        ("end", json!("2026-11-25"), "in the future"),
        ("domain", json!("a b"), "a domain as in"),
        ("name", json!("a\nb"), "one line"),
        ("name", json!("x".repeat(101)), "at most 100"),
        ("recipients", json!([]), "at least one"),
        ("recipients", json!("ann@example.test"), "a list"),
        ("recipients", json!([7]), "a list of texts"),
        ("recipients", json!(["ann"]), "ann is no mail address"),
        ("recipients", json!(["ann@other.test"]), "corp.test, example.test"),
        ("recipients", json!(many), "50 at most"),
        ("recipient", json!(["ann@example.test"]), "the fields here are view,"),
        ("group", json!("x"), "one of sender, account,"),
        ("filter", json!("tls=TLS1.0"), "the filters here are sender, account,"),
        ("filter.domain", json!({"domain": ["a.test"]}), "the filters here are sender, account,"),
        ("filter.tls", json!({"tls": "TLS1.0"}), "a list of at most 50"),
        ("filter.tls", json!({"tls": vec!["TLS1.0"; 51]}), "a list of at most 50"),
        ("filter.tls", json!({"tls": [1]}), "a list of at most 50"),
        ("filter.tls", json!({"tls": ["TLS9"]}), "one of TLS1.0"),
        ("filter.client", json!({"client": ["192.0.2.0/33"]}), "a network"),
    ] {
        let mut body = asked("tls-usage");
        body[field.split('.').next().unwrap_or(field)] = value.clone();
        let problem = app.send("POST", REQUESTS, &body).await?.problem(400)?;
        assert_eq!(problem["parameter"], field, "{problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(told), "{field}={value}: {detail}");
    }
    assert!(app.store.report_requests().open().await?.is_empty());
    let send = async |media_type: &str, body: String| {
        let request = Request::post(REQUESTS).header("content-type", media_type);
        app.ask(request.body(Body::from(body))?).await
    };
    let body = asked("tls-usage").to_string();
    send("text/plain", body.clone()).await?.problem(415)?;
    send("application/x-www-form-urlencoded", body).await?.problem(415)?;
    send("application/json", "{".to_owned()).await?.problem(400)?;
    send("application/json", "[]".to_owned()).await?.problem(400)?;
    let huge = json!({"view": "x".repeat(70_000)}).to_string();
    send("application/json", huge).await?.problem(413)?;
    app.get(&format!("{REQUESTS}/nobody")).await?.problem(404)?;
    app.get(&format!("{REQUESTS}/00000000-0000-7000-8000-000000000000")).await?.problem(404)?;
    app.get(&format!("{REQUESTS}?cursor=x")).await?.problem(400)?;
    let other = format!("{REQUESTS}?cursor=v1-0198c5a1-0000-7000-8000-000000000000");
    let problem = app.get(&other).await?.problem(400)?;
    ensure!(
        problem["detail"].as_str().is_some_and(|it| it.contains("another version")),
        "{problem}"
    );
    app.send("DELETE", REQUESTS, &json!({})).await?.problem(405)?;
    Ok(())
}

#[tokio::test]
async fn requests_are_listed_newest_first_page_by_page() -> Result<()> {
    let app = App::new().await?;
    let mut ids = Vec::new();
    for number in 0..7 {
        // Some in the same second.
        app.clock().set(NOW + number / 3);
        ids.push(ask(&app, &asked("tls-usage")).await?);
    }
    ids.reverse();
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{REQUESTS}?limit=3{cursor}")).await?.ok()?;
        let requests = page["requests"].as_array().context("requests")?;
        ensure!(requests.len() == 3 || page["next"].is_null());
        listed.extend(requests.iter().map(|r| r["id"].as_str().unwrap_or_default().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, ids);
    app.clock().set(NOW + 93 * 86_400);
    let page = app.get(REQUESTS).await?.ok()?;
    assert_eq!(page, json!({"requests": [], "next": null}), "expired ones are not shown");
    Ok(())
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_will_not_fails() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let id = ask(&app, &asked("tls-usage")).await?;
    post.refuse_once(SendError::Temporary("SES answered TooManyRequestsException".into()));
    let summary = reporter.handle(&inserted(&id)).await?;
    assert_eq!((summary.put_off, summary.next), (1, Some(NOW + 60)));
    let pending = request(&app, &id).await?;
    assert_eq!((&pending["status"], &pending["attempts"]), (&json!("pending"), &json!(1)));
    assert!(pending["reason"].as_str().unwrap_or_default().contains("TooManyRequests"));
    assert_eq!(reporter.tick().await?.next, Some(NOW + 60), "too early");
    app.clock().set(NOW + 60);
    assert_eq!(reporter.tick().await?.sent, 1);
    let sent = request(&app, &id).await?;
    assert_eq!((&sent["status"], &sent["reason"]), (&json!("sent"), &Value::Null));

    let id = ask(&app, &asked("tls-usage")).await?;
    post.refuse_once(SendError::Permanent("SES answered MessageRejected: not verified".into()));
    assert_eq!(reporter.handle(&inserted(&id)).await?.failed, 1);
    let failed = request(&app, &id).await?;
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["reason"], "SES answered MessageRejected: not verified");
    assert_eq!(post.taken().len(), 1);
    assert!(app.store.report_requests().open().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_request_is_given_up_after_some_attempts() -> Result<()> {
    let (app, post) = (App::new().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let id = ask(&app, &asked("tls-usage")).await?;
    for _ in 0..ATTEMPTS {
        post.refuse_once(SendError::Temporary("no connection".into()));
        if let Some(next) = reporter.tick().await?.next {
            app.clock().set(next);
        }
    }
    let failed = request(&app, &id).await?;
    assert_eq!((&failed["status"], &failed["attempts"]), (&json!("failed"), &json!(ATTEMPTS)));
    let reason = failed["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains(&format!("{ATTEMPTS} attempts")) && reason.contains("no connection"),
        "{reason}"
    );
    assert!(post.taken().is_empty());
    Ok(())
}

#[tokio::test]
async fn many_workers_send_once() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let id = ask(&app, &asked("tls-usage")).await?;
    let reporters: Vec<Reporter> =
        (0..6).map(|_| app.reporter(Arc::new(post.clone()))).collect::<Result<_>>()?;
    let event = inserted(&id);
    let work = reporters.iter().map(|reporter| reporter.handle(&event));
    let done = futures_util::future::try_join_all(work).await?;
    assert_eq!(done.iter().map(|summary| summary.sent).sum::<u64>(), 1);
    assert_eq!(post.taken().len(), 1);
    Ok(())
}

#[tokio::test]
async fn days_that_are_not_kept_any_more_are_told() -> Result<()> {
    let (app, post) = (app_with_mail().await?, Post::default());
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let mut body = asked("tls-usage");
    (body["start"], body["end"]) = (json!("2026-11-05"), json!("2026-11-08"));
    let (one, other) = (ask(&app, &body).await?, ask(&app, &body).await?);
    // From 7 November on, 90 days are kept.
    app.clock().set(NOW + 72 * 86_400);
    reporter.handle(&inserted(&one)).await?;
    let letter = Letter::read(&post.taken()[0].bytes)?;
    let told = "Asked for 5 Nov 2026 to 8 Nov 2026. Of these, only 7 Nov 2026 to 8 Nov 2026 is still kept.";
    assert!(letter.text.contains(told) && letter.html.contains(told), "{}", letter.text);
    assert!(letter.files.contains_key("detailed_2026-11-07_2026-11-08.csv"));
    app.clock().set(NOW + 80 * 86_400);
    reporter.handle(&inserted(&other)).await?;
    let failed = request(&app, &other).await?;
    assert_eq!(failed["reason"], "the days 2026-11-05 to 2026-11-08 are not kept any more");
    Ok(())
}

#[tokio::test]
async fn what_was_asked_under_other_rules_is_checked_again() -> Result<()> {
    let mailing = Mailing { recipients: RecipientDomains::Any, requests_per_day: 9 };
    let (app, post) = (App::new().await?.with_mailing(mailing), Post::default());
    let body = json!({"view": "tls-usage", "recipients": ["eve@elsewhere.test"]});
    let id = ask(&app, &body).await?;
    app.reporter(Arc::new(post.clone()))?.tick().await?;
    let failed = request(&app, &id).await?;
    assert_eq!(failed["status"], "failed");
    assert!(failed["reason"].as_str().unwrap_or_default().contains("eve@elsewhere.test"));
    assert!(post.taken().is_empty());
    Ok(())
}

#[tokio::test]
async fn hostile_senders_and_names_are_harmless() -> Result<()> {
    let (app, post) = (App::new().await?, Post::default());
    for sender in [
        "<script>alert(1)</script>@example.test",
        "=cmd|'/c calc'!a1@example.test",
        "user\u{202e}tset.elpmaxe@example.test",
        "\"a\"\r\nbcc: eve@example.test",
    ] {
        let event = json!({"time": "2026-11-24T08:00:00Z", "sender": sender, "tls": "none"});
        app.log(sender, &format!("{event}\n")).await?;
    }
    let mut body = asked("sending-volume");
    body["name"] = json!("<img src=x> & \u{202e}gpj.exe");
    let (_, letter) = mailed(&app, &post, &body).await?;
    assert!(!letter.html.contains("<script") && !letter.html.contains("<img src=x"));
    assert!(!letter.html.contains('\u{202e}') && !letter.text.contains('\u{202e}'));
    assert!(!letter.subject.contains('\u{202e}') && !letter.subject.contains('\n'));
    assert_eq!(letter.to, ["ann@example.test"]);
    let rows = letter.rows("sending-volume")?;
    assert_eq!(rows.len(), 4);
    assert!(rows.iter().any(|row| row[0].starts_with("'=cmd")), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn on_one_machine_a_request_is_sent_without_anybody_doing_anything() -> Result<()> {
    let app = app_with_mail().await?;
    let post = Post::default();
    // One is left from a process that died.
    let left = ask(&app, &asked("tls-usage")).await?;
    let stream = app.engine.new_items(store::REPORT_REQUESTS);
    let reporter = app.reporter(Arc::new(post.clone()))?;
    let clock = app.clock().clone();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let work = tokio::spawn(local::reports::work(reporter, stream, stopping, move || clock.now()));
    let new = ask(&app, &asked("sending-volume")).await?;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    let patience = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        for id in [&left, &new] {
            while request(&app, id).await?["status"] != "sent" {
                ticks.tick().await;
            }
        }
        anyhow::Ok(())
    });
    patience.await??;
    stop.send(true)?;
    work.await?;
    assert_eq!(post.taken().len(), 2);
    Ok(())
}
