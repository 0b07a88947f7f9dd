//! Alerts: raised, kept once whatever happens, shown, and decided about.

mod mutes;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use channels::{ByMail, Channel, Channels};
use detect::{Pace, Severity};
use detector::{Detector, Settings, Summary};
use local::demo;
use mailer::{Mailer, OUTBOX_LIMIT, Outbox, Transport};
use report::Day;
use serde_json::{Value, json};
use store::{Store, Watched, Writing};
use tests::app::{Answer, App, NOW};
use tests::audit::audited;
use tests::fault;
use tests::issuer::Issuer;
use tests::mail::{Letter, Post};

use crate::reports::{asked, mailed};

const PATH: &str = "/v1/alerts";
pub(crate) const STOLEN: &str = "finn.brandt@harbor.test";
const DAY: i64 = 86_400;

pub(crate) fn today() -> Day {
    report::Days::new(chrono_tz::UTC).day_of(NOW)
}

/// The demo's traffic, which nobody has judged yet.
pub(crate) async fn unjudged() -> Result<App> {
    let app = App::new().await?;
    let long_names = app.store.ingestion().claim_zone("UTC").await?;
    let ingest = ingest::Ingest::new(&app.store, demo::settings(chrono_tz::UTC, long_names));
    demo::fill(&ingest, today(), NOW).await?;
    Ok(app)
}

fn detector(app: &App, store: &Store) -> Detector {
    Detector::new(store, app.history.clone(), Settings::default())
}

async fn judged() -> Result<App> {
    let app = unjudged().await?;
    detector(&app, &app.store).run(today(), NOW).await?;
    Ok(app)
}

async fn alerts(app: &App, asked: &str) -> Result<Vec<Value>> {
    let found = app.get(&format!("{PATH}?{asked}")).await?.ok()?;
    Ok(found["alerts"].as_array().context("alerts")?.clone())
}

/// The stolen account's alert.
async fn stolen(app: &App) -> Result<(String, Value)> {
    let found = alerts(app, &format!("status=all&account={STOLEN}")).await?;
    let [alert] = found.try_into().map_err(|found| anyhow::anyhow!("one: {found:?}"))?;
    Ok((alert["id"].as_str().context("an id")?.to_owned(), alert))
}

pub(crate) async fn page(app: &App, path: &str) -> Result<String> {
    let request = Request::get(path).header("accept", "text/html");
    app.ask(request.body(Body::empty())?).await?.text()
}

pub(crate) async fn send(app: &App, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path).header("accept", "text/html");
    let request = request.header("sec-fetch-site", "same-origin");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    app.ask(request.body(Body::from(body))?).await
}

#[tokio::test]
async fn the_stolen_account_is_the_first_thing_that_is_told() -> Result<()> {
    let app = unjudged().await?;
    ensure!(!page(&app, "/").await?.contains("needs attention"), "nobody was judged");
    ensure!(page(&app, "/alerts").await?.contains("Nobody was judged yet"));
    let summary = detector(&app, &app.store).run(today(), NOW).await?;
    ensure!(summary.open > 0 && summary.raised == summary.open, "{summary:?}");
    let (id, alert) = stolen(&app).await?;
    let reason = alert["reason"].as_str().context("a reason")?;
    assert_eq!((&alert["severity"], &alert["status"]), (&json!("high"), &json!("open")));
    assert_eq!(app.get(&format!("{PATH}/{id}")).await?.ok()?, alert);
    let overview = page(&app, "/").await?;
    let (attention, insight) = (overview.find(reason), overview.find("Sent through SMTP AUTH"));
    ensure!(attention.is_some() && attention < insight, "{overview}");
    ensure!(attention < overview.find("jonas.ahlers@"), "what is surest comes first: {overview}");
    ensure!(overview.contains(&format!("<title>({}) Overview", summary.open)), "{overview}");
    let client = alert["evidence"]["clients"][0].as_str().context("a client")?;
    let about = [format!("/accounts?account={STOLEN}"), format!("/clients?client={client}")];
    for path in about.into_iter().chain(["/alerts".to_owned()]) {
        let page = page(&app, &path).await?;
        ensure!(page.contains(reason) && page.contains(&format!("/alerts/{id}")), "{page}");
    }
    let own = page(&app, &format!("/alerts/{id}")).await?;
    for told in [reason, "Strange client addresses", "/clients?client=", "What to do", "doveadm"] {
        ensure!(own.contains(told), "{told}: {own}");
    }
    page(&app, "/accounts?account=nobody@harbor.test").await?;
    let csv = app.get(&format!("{PATH}?format=csv")).await?.text()?;
    ensure!(csv.starts_with("Account,Kind,Severity") && csv.contains(STOLEN), "{csv}");
    Ok(())
}

#[tokio::test]
async fn what_the_reason_says_is_found_through_other_views() -> Result<()> {
    let app = judged().await?;
    let (_, alert) = stolen(&app).await?;
    let (day, evidence) = (alert["day"].as_str().context("a day")?, &alert["evidence"]);
    let last = alert["last_day"].as_str().context("a day")?;
    let account = format!("/v1/accounts?account={STOLEN}&start={day}&end={last}");
    let details = app.get(&account).await?.ok()?;
    let most = details["days"].as_array().context("days")?.iter();
    let most = most.filter_map(|day| day["messages"].as_u64()).max();
    ensure!(evidence["messages"].as_u64() <= most, "{evidence} {details}");
    let names = |list: &str| -> Result<Vec<Value>> {
        let list = details[list].as_array().context("a list")?;
        Ok(list.iter().map(|one| one["name"].clone()).collect())
    };
    let (clients, senders) = (names("clients")?, names("senders")?);
    for (told, known) in [("clients", clients), ("senders", senders)] {
        let told = evidence[told].as_array().context("a list")?;
        ensure!(told.iter().all(|name| known.contains(name)), "{told:?} {known:?}");
    }
    let failures = evidence["failures"].as_u64().context("a number")?;
    if failures > 0 {
        let client = evidence["clients"][0].as_str().context("a client")?;
        let failed = app.get(&format!("/v1/failed-logins?group=client&client={client}")).await?;
        ensure!(failed.ok()?["failures"].as_u64() >= Some(failures), "{evidence}");
    }
    Ok(())
}

#[tokio::test]
async fn an_alert_is_looked_into_resolved_and_opened_again() -> Result<()> {
    let app = judged().await?;
    let (id, _) = stolen(&app).await?;
    let path = format!("{PATH}/{id}/status");
    let decide = async |body: Value| app.send("POST", &path, &body).await;
    for (body, field) in [
        (json!({}), "status"),
        (json!({"status": "historic"}), "status"),
        (json!({"status": "resolved"}), "resolution"),
        (json!({"status": "resolved", "resolution": "no"}), "resolution"),
        (json!({"status": "open", "resolution": "real"}), "resolution"),
        (json!({"status": "open", "note": "two\nlines"}), "note"),
        (json!({"status": "open", "note": "x".repeat(1001)}), "note"),
        (json!({"status": "open", "by": "me"}), "by"),
    ] {
        assert_eq!(decide(body.clone()).await?.problem(400)?["parameter"], field, "{body}");
    }
    app.send("POST", &format!("{PATH}/none/status"), &json!({"status": "open"}))
        .await?
        .problem(404)?;
    app.get(&format!("{PATH}/none")).await?.problem(404)?;
    for asked in ["status=x", "kind=x", "severity=x", "account=", "cursor=x", "limit=0", "days=1"] {
        app.get(&format!("{PATH}?{asked}")).await?.problem(400)?;
    }
    let open = alerts(&app, "").await?.len();
    let seen = decide(json!({"status": "acknowledged", "note": "asked him"})).await?.ok()?;
    assert_eq!(
        (&seen["status"], &seen["decision"]["note"]),
        (&json!("acknowledged"), &json!("asked him"))
    );
    assert_eq!(alerts(&app, "").await?.len(), open);
    let done = decide(json!({"status": "resolved", "resolution": "real"})).await?.ok()?;
    assert_eq!(done["resolution"], "real");
    assert_eq!(alerts(&app, "").await?.len(), open - 1);
    assert_eq!(alerts(&app, "status=resolved&severity=high").await?.len(), 1);
    // Judged again, it stays so: nothing was seen since.
    detector(&app, &app.store).run(today(), NOW + 60).await?;
    assert_eq!(stolen(&app).await?.1["status"], "resolved");
    // By the page's buttons.
    let form = format!("/alerts/{id}/status");
    let refused = send(&app, &form, &[("status", "resolved"), ("note", "who?")]).await?;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let again = String::from_utf8(refused.body)?;
    ensure!(
        again.contains("value=\"who?\"") && again.contains("id=\"resolution-fault\""),
        "{again}"
    );
    let gone = send(&app, &form, &[("status", "open")]).await?;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(stolen(&app).await?.1["status"], "open");
    let fields = [("status", "resolved"), ("resolution", "expected"), ("note", "<b>his</b>")];
    assert_eq!(send(&app, &form, &fields).await?.status, StatusCode::SEE_OTHER);
    let own = page(&app, &format!("/alerts/{id}?done=1")).await?;
    ensure!(own.contains("Resolved: its owner") && !own.contains("<b>his"), "{own}");
    Ok(())
}

#[tokio::test]
async fn readers_see_and_managers_decide_and_who_is_bound_learns_nothing() -> Result<()> {
    let issuer = Issuer::start(NOW).await?;
    let app = judged().await?;
    let (id, alert) = stolen(&app).await?;
    let app = app.behind(&issuer)?;
    let ask = async |app: &App, method: &str, path: &str, claims: &Value, body: &str| {
        let token = format!("Bearer {}", issuer.token(claims));
        let request = Request::builder().method(method).uri(path).header("authorization", token);
        let request = request.header("content-type", "application/json");
        audited(app.ask(request.body(Body::from(body.to_owned()))?)).await
    };
    let (reader, manager) = (issuer.claims(&["readers"]), issuer.claims(&["managers"]));
    let (one, path) = (format!("{PATH}/{id}"), format!("{PATH}/{id}/status"));
    assert_eq!(ask(&app, "GET", &one, &reader, "").await?.0.ok()?, alert);
    let body = json!({"status": "acknowledged"}).to_string();
    let (refused, told) = ask(&app, "POST", &path, &reader, &body).await?;
    refused.problem(403)?;
    ensure!(told.is_empty(), "{told:?}");
    let (done, told) = ask(&app, "POST", &path, &manager, &body).await?;
    assert_eq!(done.ok()?["decision"]["by"], "ann@example.test");
    let [told] = told.try_into().map_err(|told| anyhow::anyhow!("{told:?}"))?;
    assert_eq!((&told["action"], &told["id"]), (&json!("alert acknowledged"), &json!(id)));
    let app = app.behind_with(&issuer, &["domains"])?;
    let mut bound = manager.clone();
    bound["domains"] = json!(["harbor.test"]);
    assert_eq!(ask(&app, "GET", PATH, &bound, "").await?.0.ok()?["alerts"], json!([]));
    ask(&app, "GET", &one, &bound, "").await?.0.problem(404)?;
    ask(&app, "POST", &path, &bound, &body).await?.0.problem(404)?;
    Ok(())
}

/// What is kept of the alerts, but when they were raised.
async fn kept(app: &App) -> Result<Value> {
    let mut all = alerts(app, "status=all&start=2026-08-27").await?;
    for alert in &mut all {
        alert["raised_at"].take();
    }
    Ok(Value::from(all))
}

#[tokio::test]
async fn what_was_raised_is_counted_wherever_the_table_fails() -> Result<()> {
    let outbox = tempfile::tempdir()?;
    let channels = Some(by_mail(outbox.path())?);
    let settings = Settings { channels, ..Settings::default() };
    let (mut halted, mut all_done) = (0, Vec::new());
    for writes in 1..5 {
        let app = unjudged().await?;
        let store = fault::store_that_dies(&app.engine, Writing::Transactions, writes);
        let mut summary = Summary::default();
        let mut detector = Detector::new(&store, app.history.clone(), settings.clone());
        let done = detector.run_into(today(), NOW, &mut summary).await;
        let kept = kept(&app).await?;
        let raised = kept.as_array().is_some_and(|all| !all.is_empty());
        ensure!(!raised || summary.raised > 0, "{writes}: {summary:?}");
        halted += usize::from(raised && done.is_err());
        all_done.push((writes, raised, done));
    }
    ensure!(halted > 0, "no error after alerts were written: {all_done:?}");
    Ok(())
}

#[tokio::test]
async fn judged_often_twice_at_once_and_dying_anywhere_there_are_the_same_alerts() -> Result<()> {
    let app = judged().await?;
    let expected = kept(&app).await?;
    ensure!(expected.as_array().is_some_and(|all| !all.is_empty()), "{expected}");
    let app = unjudged().await?;
    for writes in 0..4 {
        let store = fault::store_that_dies(&app.engine, Writing::Transactions, writes);
        let _ = detector(&app, &store).run(today(), NOW).await;
    }
    let (mut one, mut other) = (detector(&app, &app.store), detector(&app, &app.store));
    let (first, second) = tokio::join!(one.run(today(), NOW + 1), other.run(today(), NOW + 2));
    first?;
    second?;
    assert_eq!(kept(&app).await?, expected);
    for hour in 0..24 {
        // Nothing was counted meanwhile, or a new process knows nothing of that.
        one.run(today(), NOW + hour * 3600).await?;
    }
    detector(&app, &app.store).run(today(), NOW + 3600).await?;
    assert_eq!(kept(&app).await?, expected);
    Ok(())
}

#[tokio::test]
async fn days_that_go_by_are_judged_as_they_come_and_alerts_end_by_themselves() -> Result<()> {
    let app = unjudged().await?;
    let mut detector = detector(&app, &app.store);
    // One process that judges day after day, from before the theft on.
    for back in (0..10).rev() {
        let day = today() - chrono::Days::new(back);
        detector.run(day, NOW - DAY * i64::try_from(back)?).await?;
    }
    let (_, alert) = stolen(&app).await?;
    let lived = alert["day"].clone();
    let whole = judged().await?;
    assert_eq!(stolen(&whole).await?.1["day"], lived, "{alert}");
    let later = today() + chrono::Days::new(20);
    detector.run(later, NOW + 20 * DAY).await?;
    let (_, alert) = stolen(&app).await?;
    let ended = [&alert["status"], &alert["resolution"], &alert["decision"]["by"]];
    assert_eq!(ended, ["resolved", "unclear", ""]);
    Ok(())
}

#[tokio::test]
async fn what_strangers_wrote_is_text_wherever_an_alert_is_shown() -> Result<()> {
    const HOSTILE: &str = "=1+1\"><script>alert(1)</script>\u{202e}'; {{7*7}} & x@example.test";
    let app = App::new().await?;
    let day = today();
    let alert = json!({
        "id": "one", "kind": "identities", "account": HOSTILE, "domain": HOSTILE, "severity": "high", "score": 1.0,
        "day": day, "last_day": day, "raised_day": day, "reason": HOSTILE, "status": "open",
        "signals": [{"signal": "volume", "weight": 1.0, "text": HOSTILE}, {"signal": "spread", "weight": 1.0, "text": HOSTILE}],
        "evidence": {"clients": [HOSTILE], "senders": [HOSTILE], "messages": 7, "usual_messages": 1.5},
        "resolution": null, "raised_at": NOW, "decision": {"at": NOW, "day": day, "by": HOSTILE, "note": HOSTILE},
    });
    let case: detect::Case = serde_json::from_value(alert)?;
    app.store.alerts().decide(|_| vec![case.clone()]).await?;
    app.store.alerts().watch(Watched { accounts: 1, began: Some(day), at: NOW }).await?;
    for path in ["/", "/alerts", "/alerts/one"] {
        let page = page(&app, path).await?;
        ensure!(
            page.contains("&#60;script&#62;alert") && !page.contains("<script>alert"),
            "{path}: {page}"
        );
        ensure!(!page.contains('\u{202e}'), "{path}: {page}");
    }
    let csv = app.get(&format!("{PATH}?format=csv")).await?.text()?;
    ensure!(csv.contains("\"'=1+1") && !csv.contains(",=1+1"), "{csv}");
    Ok(())
}

/// As if whoever told people had died before that was noted.
pub(crate) async fn forget_notices(app: &App) -> Result<()> {
    let forget = |known: &[detect::Case]| {
        let untold =
            |case: &detect::Case| detect::Case { notices: Default::default(), ..case.clone() };
        known.iter().map(untold).collect()
    };
    app.store.alerts().decide(forget).await?;
    Ok(())
}

/// Mail to ann, which is put into a folder.
fn by_mail(outbox: &Path) -> Result<Channels> {
    mailed_by(Arc::new(Outbox::new(outbox.to_owned(), OUTBOX_LIMIT)))
}

/// Mail to ann.
pub(crate) fn mailed_by(transport: Arc<dyn Transport>) -> Result<Channels> {
    let mail = ByMail {
        mailer: Mailer::new("SMTP AUTH report <reports@example.test>", transport)?,
        recipients: vec!["ann@example.test".to_owned()],
    };
    let (name, way) = ("mail".to_owned(), Arc::new(mail));
    let (pace, each, least) = (Pace::People, false, Severity::Medium);
    let all = vec![Channel { name, form: "mail", pace, each, least, way }];
    Ok(Channels { all, dashboard: Some("https://mail.example.test".to_owned()) })
}

#[tokio::test]
async fn people_are_mailed_once_at_once_and_again_only_if_nobody_knows_that_they_were() -> Result<()>
{
    let app = unjudged().await?;
    let outbox = tempfile::tempdir()?;
    let channels = by_mail(outbox.path())?;
    let settings = || Settings { channels: Some(channels.clone()), ..Settings::default() };
    let telling = |store: &Store| Detector::new(store, app.history.clone(), settings());
    let letters = || -> Result<Vec<Letter>> {
        let mut letters = Vec::new();
        for file in std::fs::read_dir(outbox.path())? {
            letters.push(Letter::read(&std::fs::read(file?.path())?)?);
        }
        Ok(letters)
    };
    // Whoever dies before it is noted that the mail went out tells once more, by the same mail.
    detector(&app, &app.store).run(today(), NOW).await?;
    telling(&app.store).run(today(), NOW).await?;
    ensure!(!letters()?.is_empty(), "it was told");
    forget_notices(&app).await?;
    let mut lives = telling(&app.store);
    for minute in 0..5 {
        lives.run(today(), NOW + 60 * minute).await?;
    }
    telling(&app.store).run(today(), NOW + 600).await?;
    let letters = letters()?;
    let ids: std::collections::BTreeSet<_> = letters.iter().map(|one| &one.message_id).collect();
    let first = letters.iter().find(|one| one.text.contains(STOLEN)).context("a mail")?;
    ensure!(ids.len() <= 2, "the stolen account's, and the morning's: {ids:?}");
    let (id, alert) = stolen(&app).await?;
    let reason = alert["reason"].as_str().context("a reason")?;
    let high = alerts(&app, "severity=high").await?.len();
    assert_eq!(first.subject, format!("{high} alerts need attention"));
    assert_eq!(first.to, ["ann@example.test"]);
    for text in [&first.text, &first.html] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        ensure!(text.contains(reason), "{text}");
        ensure!(text.contains(&format!("https://mail.example.test/alerts/{id}")), "{text}");
    }
    ensure!(first.html.contains("<bdi>") && first.text.contains("What to do"));
    Ok(())
}

#[tokio::test]
async fn a_report_of_all_mail_begins_with_what_needs_attention() -> Result<()> {
    let app = judged().await?;
    let (id, alert) = stolen(&app).await?;
    let reason = alert["reason"].as_str().context("a reason")?;
    let post = Post::default();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, letter) = mailed(&app, &post, &asked("tls-usage")).await?;
    for text in [words(&letter.text), words(&letter.html)] {
        ensure!(text.contains("2 alerts need attention") && text.contains(reason), "{text}");
        ensure!(text.contains(&format!("/alerts/{id}")), "{text}");
        ensure!(text.find(reason) < text.find("TLS versions"), "at the top: {text}");
    }
    // Whoever gets a part of the mail may not know of the rest.
    let mut narrow = asked("tls-usage");
    narrow["domain"] = json!("harbor.test");
    let (_, letter) = mailed(&app, &post, &narrow).await?;
    ensure!(!letter.text.contains("attention") && !letter.html.contains("attention"));
    let path = format!("{PATH}/{id}/status");
    for other in alerts(&app, "status=open").await? {
        let path = path.replace(&id, other["id"].as_str().context("an id")?);
        let body = json!({"status": "resolved", "resolution": "unclear"});
        app.send("POST", &path, &body).await?.ok()?;
    }
    let (_, letter) = mailed(&app, &post, &asked("sending-volume")).await?;
    ensure!(letter.text.contains("Nothing needs attention"), "{}", letter.text);
    Ok(())
}
