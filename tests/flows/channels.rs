//! Channels of alerts, told by real servers on loopback: who gets what, once, signed, and what happens if nobody answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use channels::Channels;
use detect::Case;
use detector::{Detector, Settings};
use ring::hmac;
use serde_json::{Value, json};
use store::Store;
use tests::app::{App, NOW};
use tests::issuer::Issuer;
use tests::process::built;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio::process::Command;

use crate::alerts::{STOLEN, forget_notices, today, unjudged};

const SECRET: &str = "0123456789abcdef0123";
/// How long something that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request that came.
#[derive(Clone, Debug)]
struct Posted {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Posted {
    fn json(&self) -> Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// A web server that takes everything, or answers with another status.
#[derive(Clone)]
struct Receiver {
    url: String,
    posted: Arc<Mutex<Vec<Posted>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let receiver =
            Self { url, posted: Arc::default(), status: Arc::new(Mutex::new(StatusCode::OK)) };
        let own = receiver.clone();
        let take = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let path = format!("{method} {uri}");
            let posted = Posted { path, headers, body };
            own.posted.lock().unwrap_or_else(PoisonError::into_inner).push(posted);
            let status = *own.status.lock().unwrap_or_else(PoisonError::into_inner);
            (status, [("location", "/elsewhere")])
        };
        let router = axum::Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(receiver)
    }

    fn answer(&self, status: StatusCode) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// What came since it was asked last.
    fn taken(&self) -> Vec<Posted> {
        std::mem::take(&mut *self.posted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn channel(name: &str, form: &str, rest: &str) -> String {
    format!("[[channel]]\nname = {name:?}\nform = {form:?}\n{rest}\n")
}

fn here(receiver: &Receiver, path: &str) -> String {
    format!("url = \"{}{path}\"\nprivate = true", receiver.url)
}

fn read(text: &str) -> Result<Channels> {
    let dashboard = Some("https://mail.example.test".to_owned());
    Ok(Channels { all: channels::read(text)?, dashboard })
}

fn telling(app: &App, store: &Store, channels: &Channels) -> Detector {
    let settings = Settings { channels: Some(channels.clone()), ..Settings::default() };
    Detector::new(store, app.history.clone(), settings)
}

/// An alert that is not sure: the demo has none.
async fn mild(app: &App) -> Result<()> {
    let day = today();
    let case = json!({
        "id": "mild", "kind": "volume", "account": "mild@harbor.test", "domain": "harbor.test",
        "severity": "medium", "score": -1.0, "day": day, "last_day": day, "raised_day": day,
        "reason": "mild@harbor.test sent.", "signals": [], "evidence": {}, "status": "open",
        "resolution": null, "raised_at": NOW, "news_at": NOW, "decision": null,
    });
    let case: Case = serde_json::from_value(case)?;
    app.store.alerts().decide(|_| vec![case.clone()]).await?;
    Ok(())
}

async fn health(app: &App) -> Result<Value> {
    app.get("/healthz").await?.ok()
}

#[tokio::test]
async fn each_channel_is_told_once_in_its_own_form() -> Result<()> {
    let app = unjudged().await?;
    mild(&app).await?;
    let receiver = Receiver::start().await?;
    let signed = format!("{}\nsecret = {SECRET:?}\ntoken = \"t0ken\"", here(&receiver, "/soc"));
    let text = [
        channel("soc", "webhook", &signed),
        channel("sure", "webhook", &format!("{}\nleast = \"high\"", here(&receiver, "/sure"))),
        channel("chat", "slack", &here(&receiver, "/chat")),
        channel("team", "teams", &here(&receiver, "/team")),
        channel("phones", "ntfy", &here(&receiver, "/mail-alerts")),
        channel(
            "on-call",
            "pagerduty",
            &format!("{}\nrouting_key = \"R0\"", here(&receiver, "/v2")),
        ),
    ];
    let channels = read(&text.concat())?;
    let summary = telling(&app, &app.store, &channels).run(today(), NOW).await?;
    ensure!(summary.told > 0 && summary.failing_channels == 0, "{summary:?}");
    let posted = receiver.taken();
    let of = |path: &str| {
        posted.iter().filter(|one| one.path == format!("POST {path}")).collect::<Vec<_>>()
    };

    let alerts = app.get("/v1/alerts").await?.ok()?;
    let alerts = alerts["alerts"].as_array().context("alerts")?;
    let soc = of("/soc");
    assert_eq!(soc.len(), alerts.len(), "each by itself");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    for one in &soc {
        let signature = one.header("x-signature").strip_prefix("sha256=").context("a signature")?;
        let signature = (0..signature.len() / 2)
            .map(|at| u8::from_str_radix(&signature[at * 2..at * 2 + 2], 16))
            .collect::<Result<Vec<_>, _>>()?;
        ensure!(hmac::verify(&key, &one.body, &signature).is_ok(), "signed");
        assert_eq!(one.header("authorization"), "Bearer t0ken");
        let body = one.json()?;
        assert_eq!(one.header("idempotency-key"), body["key"].to_string(), "in quotes");
        let id = body["alert"]["id"].as_str().context("an id")?;
        assert_eq!(body["link"], format!("https://mail.example.test/alerts/{id}"));
        // As the interface names it.
        let answer = app.get(&format!("/v1/alerts/{id}")).await?.ok()?;
        for (name, value) in body["alert"].as_object().context("an alert")? {
            assert_eq!(value, &answer[name], "{name}");
        }
    }
    let high = alerts.iter().filter(|alert| alert["severity"] == "high").count();
    assert_eq!((of("/sure").len(), of("/v2").len()), (high, high));
    ensure!(high > 0 && high < alerts.len(), "of both kinds");
    for path in ["/chat", "/team", "/"] {
        let [first] = of(path)[..] else { anyhow::bail!("{path}: {posted:?}") };
        let text = first.json()?.to_string();
        ensure!(text.contains(STOLEN) && !text.contains("mail-alerts/"), "{text}");
    }
    assert_eq!(of("/")[0].json()?["topic"], "mail-alerts");
    assert_eq!(of("/v2")[0].json()?["routing_key"], "R0");

    // Nobody is told again: not by the same process, not by the next, not in the morning.
    let mut again = telling(&app, &app.store, &channels);
    for minute in 0..3 {
        again.run(today(), NOW + minute * 60).await?;
    }
    let morning = receiver.taken();
    ensure!(
        morning.iter().all(|one| one.path != "POST /soc" && one.path != "POST /v2"),
        "{morning:?}"
    );
    let stolen = app.get(&format!("/v1/alerts?account={STOLEN}")).await?.ok()?;
    let told = stolen["alerts"][0]["told"].as_array().context("told")?;
    let told: BTreeSet<_> = told.iter().filter_map(|one| one["channel"].as_str()).collect();
    assert_eq!(told, BTreeSet::from(["soc", "sure", "chat", "team", "phones", "on-call"]));
    Ok(())
}

#[tokio::test]
async fn what_was_told_and_not_noted_is_told_again_under_the_same_key() -> Result<()> {
    let app = unjudged().await?;
    let receiver = Receiver::start().await?;
    let channels = read(&channel("soc", "webhook", &here(&receiver, "/")))?;
    let mut keys = Vec::new();
    telling(&app, &app.store, &channels).run(today(), NOW).await?;
    forget_notices(&app).await?;
    for _ in 0..2 {
        telling(&app, &app.store, &channels).run(today(), NOW + 60).await?;
        let posted = receiver.taken();
        keys.push(
            posted.iter().map(|one| one.header("idempotency-key").to_owned()).collect::<Vec<_>>(),
        );
    }
    let (first, second) = (keys[0].len() / 2, &keys[1]);
    ensure!(first > 0 && second.is_empty(), "{keys:?}");
    assert_eq!(keys[0][..first], keys[0][first..]);
    Ok(())
}

#[tokio::test]
async fn a_channel_that_fails_is_shown_and_tried_again_for_a_day() -> Result<()> {
    let app = unjudged().await?;
    let receiver = Receiver::start().await?;
    let text = channel("soc", "webhook", &here(&receiver, "/s3cret"));
    let channels = read(&(text + &channel("chat", "slack", &here(&receiver, "/chat"))))?;
    let app = app.telling(channels.clone());
    let mut detector = telling(&app, &app.store, &channels);
    for (status, told) in [
        (StatusCode::INTERNAL_SERVER_ERROR, "refused: HTTP status 500 Internal Server Error"),
        (StatusCode::FOUND, "which leads elsewhere: give the final address"),
    ] {
        receiver.answer(status);
        let summary = detector.run(today(), NOW).await?;
        assert_eq!((summary.told, summary.failing_channels), (0, 2));
        let posted = receiver.taken();
        ensure!(posted.iter().all(|one| !one.path.contains("elsewhere")), "{posted:?}");
        assert_eq!(posted.len(), 2, "one try each");
        let page = crate::alerts::page(&app, "/alerts").await?;
        ensure!(page.contains("Where alerts go") && page.contains(told), "{page}");
        ensure!(page.contains("Fails") && !page.contains("s3cret"), "{page}");
    }
    let degraded = json!({"status": "degraded", "failing_channels": ["chat", "soc"]});
    assert_eq!(health(&app).await?, degraded);
    let states = app.get("/v1/channels").await?.ok()?;
    ensure!(states["channels"][0]["failing_since"].is_string(), "{states}");

    // A test shows that it works again, and what waits is told with the next run.
    let test = "/v1/channels/soc/test";
    let failing = app.send("POST", test, &json!({})).await?.ok()?;
    ensure!(failing["error"].is_string(), "{failing}");
    receiver.taken();
    receiver.answer(StatusCode::NO_CONTENT);
    let works = app.send("POST", test, &json!({})).await?.ok()?;
    assert_eq!((&works["error"], &works["failing_since"]), (&Value::Null, &Value::Null));
    let [one] = &receiver.taken()[..] else { anyhow::bail!("one test") };
    assert_eq!(one.json()?["event"], "test");
    assert_eq!(health(&app).await?["failing_channels"], json!(["chat"]));
    let summary = detector.run(today(), NOW + 3600).await?;
    ensure!(summary.told > 1 && summary.failing_channels == 0, "{summary:?}");
    assert_eq!(health(&app).await?, json!({"status": "ok"}));
    assert_eq!(
        app.send("POST", "/v1/channels/nobody/test", &json!({})).await?.status,
        StatusCode::NOT_FOUND
    );

    // What a machine did not take within a day is old news to it; people are told of it as long as it is open.
    let app = unjudged().await?;
    let mut detector = telling(&app, &app.store, &channels);
    receiver.answer(StatusCode::BAD_GATEWAY);
    detector.run(today(), NOW).await?;
    receiver.answer(StatusCode::OK);
    receiver.taken();
    detector.run(today(), NOW + 86_401).await?;
    let paths: Vec<_> = receiver.taken().into_iter().map(|one| one.path).collect();
    ensure!(!paths.is_empty() && paths.iter().all(|path| path == "POST /chat"), "{paths:?}");
    Ok(())
}

#[tokio::test]
async fn the_page_sends_a_test_for_those_who_may() -> Result<()> {
    let app = unjudged().await?;
    let receiver = Receiver::start().await?;
    let channels = read(&channel("soc", "webhook", &here(&receiver, "/")))?;
    let app = app.telling(channels.clone());
    telling(&app, &app.store, &channels).run(today(), NOW).await?;
    receiver.taken();
    let sent = crate::alerts::send(&app, "/channels/soc/test", &[]).await?;
    let to = sent.headers.get("location").and_then(|to| to.to_str().ok()).context("a place")?;
    assert_eq!(to, "/alerts?told=soc#channels");
    let page = crate::alerts::page(&app, to.trim_end_matches("#channels")).await?;
    ensure!(page.contains("soc took the test") && page.contains("Send a test"), "{page}");
    assert_eq!(receiver.taken().len(), 1);
    let unknown = crate::alerts::page(&app, "/alerts?told=nobody").await?;
    ensure!(!unknown.contains("took the test"), "{unknown}");
    // Pages of others send nothing.
    for (path, media_type) in [
        ("/channels/soc/test", "application/x-www-form-urlencoded"),
        ("/v1/channels/soc/test", "text/plain"),
    ] {
        let request = Request::post(path).header("sec-fetch-site", "cross-site");
        let request = request.header("content-type", media_type).body(Body::empty())?;
        ensure!(app.ask(request).await?.status.is_client_error(), "{path}");
    }
    assert_eq!(receiver.taken().len(), 0);

    let issuer = Issuer::start(NOW).await?;
    let app = app.behind_with(&issuer, &["domains"])?;
    let ask = async |method: &str, path: &str, claims: &Value| {
        let token = format!("Bearer {}", issuer.token(claims));
        let request = Request::builder().method(method).uri(path).header("authorization", token);
        let request = request.header("content-type", "application/json");
        app.ask(request.body(Body::from("{}"))?).await
    };
    let (mut reader, mut manager) = (issuer.claims(&["readers"]), issuer.claims(&["managers"]));
    reader["domains"] = json!("*");
    ask("POST", "/v1/channels/soc/test", &reader).await?.problem(403)?;
    assert_eq!(ask("GET", "/v1/channels", &reader).await?.ok()?["channels"][0]["name"], "soc");
    // Whoever is bound to some domains neither sees channels nor tells them anything.
    manager["domains"] = json!(["harbor.test"]);
    ask("POST", "/v1/channels/soc/test", &manager).await?.problem(404)?;
    assert_eq!(ask("GET", "/v1/channels", &manager).await?.ok()?, json!({"channels": []}));
    assert_eq!(receiver.taken().len(), 0);
    Ok(())
}

#[tokio::test]
async fn syslog_servers_get_whole_messages_by_udp_and_tcp() -> Result<()> {
    let app = unjudged().await?;
    let udp = UdpSocket::bind("127.0.0.1:0").await?;
    let tcp = TcpListener::bind("127.0.0.1:0").await?;
    let text = channel("siem", "syslog", &format!("to = \"tcp://{}\"", tcp.local_addr()?));
    let to = format!("to = \"udp://{}\"\nleast = \"high\"", udp.local_addr()?);
    let channels = read(&(text + &channel("arc", "cef", &to)))?;
    let framed = Arc::new(Mutex::new(Vec::new()));
    let own = Arc::clone(&framed);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let mut all = Vec::new();
            let _ = stream.read_to_end(&mut all).await;
            own.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
            let _ = stream.shutdown().await;
        }
    });
    let summary = telling(&app, &app.store, &channels).run(today(), NOW).await?;
    ensure!(summary.told > 0 && summary.failing_channels == 0, "{summary:?}");
    // Whoever told has waited until it was read.
    let taken = framed.lock().unwrap_or_else(PoisonError::into_inner).clone();
    // Octets are counted, so that a message's end is where it says.
    let mut rest = &taken[..];
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').context("a length")?;
        let length: usize = std::str::from_utf8(&rest[..space])?.parse()?;
        messages.push(String::from_utf8(rest[space + 1..space + 1 + length].to_vec())?);
        rest = &rest[space + 1 + length..];
    }
    let stolen = messages.iter().find(|one| one.contains(STOLEN)).context("told")?;
    ensure!(stolen.starts_with("<81>1 20") && stolen.contains("[alert@32473 id=\""), "{stolen}");
    let mut datagram = [0; 4096];
    let length = tokio::time::timeout(PATIENCE, udp.recv(&mut datagram)).await??;
    let event = std::str::from_utf8(&datagram[..length])?;
    ensure!(event.contains(" alert - CEF:0|smtp-auth-report|"), "{event}");
    Ok(())
}

async fn run(arguments: &[&str]) -> Result<std::process::Output> {
    Ok(Command::new(built("smtp-auth-report")?).args(arguments).output().await?)
}

#[tokio::test]
#[ignore = "needs the program"]
async fn the_command_tells_each_channel_a_test() -> Result<()> {
    let receiver = Receiver::start().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("alerts.toml");
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let dead = format!("url = \"http://{closed}/s3cret\"\nprivate = true");
    let good = channel("soc", "webhook", &here(&receiver, "/soc"));
    std::fs::write(&file, good.clone() + &channel("chat", "slack", &dead))?;
    let told = run(&["channels", &file.display().to_string()]).await?;
    assert_eq!(told.status.code(), Some(1));
    let (out, err) = (String::from_utf8(told.stdout)?, String::from_utf8(told.stderr)?);
    ensure!(out.contains("soc (webhook): told\nchat (slack): cannot be reached: "), "{out}");
    ensure!(err.contains("1 of the channels took no test"), "{err}");
    ensure!(!format!("{out}{err}").contains("s3cret"), "{out}{err}");
    let told = run(&["channels", &file.display().to_string(), "soc"]).await?;
    ensure!(told.status.success(), "{told:?}");
    assert_eq!(receiver.taken().len(), 2);
    let told = run(&["channels", &file.display().to_string(), "sock"]).await?;
    let err = String::from_utf8(told.stderr)?;
    ensure!(err.contains("there is no channel sock") && err.contains("it has soc, chat"), "{err}");
    std::fs::write(
        &file,
        "[[channel]]\nname = \"soc\"\nform = \"slack\"\nurl = \"http://x.test/s3cret\"",
    )?;
    let told = run(&["serve", "--alert-channels", &file.display().to_string()]).await?;
    let err = String::from_utf8(told.stderr)?;
    ensure!(
        err.contains("channel soc: url must begin with https://") && !err.contains("s3cret"),
        "{err}"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs rsyslog"]
async fn rsyslog_reads_what_it_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "module(load=\"imtcp\") module(load=\"imudp\") module(load=\"mmpstrucdata\")\n\
         global(workDirectory=\"{}\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{port}\")\n\
         action(type=\"mmpstrucdata\")\n\
         template(name=\"t\" type=\"string\" string=\"%syslogfacility-text%|%syslogseverity-text%|%app-name%|%msgid%|%$!rfc5424-sd%|%msg%\\n\")\n\
         action(type=\"omfile\" file=\"{}\" template=\"t\")\n",
        folder.path().display(),
        at("told")
    );
    std::fs::write(at("config"), config)?;
    let mut server = Command::new("rsyslogd")
        .args(["-n", "-iNONE", "-f", &at("config")])
        .kill_on_drop(true)
        .spawn()
        .context("rsyslogd is missing")?;
    tokio::time::timeout(PATIENCE, async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    let app = unjudged().await?;
    let to = |over: &str| format!("to = \"{over}://127.0.0.1:{port}\"");
    let text = channel("siem", "syslog", &to("tcp")) + &channel("arc", "cef", &to("udp"));
    let summary = telling(&app, &app.store, &read(&text)?).run(today(), NOW).await?;
    ensure!(summary.failing_channels == 0, "{summary:?}");
    let wanted = usize::try_from(summary.told)?;
    let told = tokio::time::timeout(PATIENCE, async {
        loop {
            let told = std::fs::read_to_string(at("told")).unwrap_or_default();
            if told.lines().count() >= wanted {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await?;
    let stolen: Vec<_> = told.lines().filter(|line| line.contains(STOLEN)).collect();
    let [one, other] = stolen[..] else { anyhow::bail!("two: {told}") };
    let (structured, cef) = if one.contains("CEF:") { (other, one) } else { (one, other) };
    ensure!(
        structured.starts_with("authpriv|alert|smtp-auth-report|alert|{ \"alert@32473\": {"),
        "{structured}"
    );
    ensure!(structured.contains(&format!("\"account\": \"{STOLEN}\"")), "{structured}");
    ensure!(cef.contains("CEF:0|smtp-auth-report|"), "{cef}");
    server.kill().await?;
    Ok(())
}
