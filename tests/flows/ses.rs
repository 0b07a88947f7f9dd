//! SES: the real client against an independent implementation of its interface, over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse as _;
use mailer::{Ses, Transport as _};
use serde_json::{Value, json};
use tests::mail::{Letter, sdk_config};
use tests::moto::{self, Moto};
use tokio::sync::Mutex;

use crate::reports::{app_with_mail, ask, asked, inserted, request};

/// Stands before moto, which never throttles: answers so many requests as SES does when too much is asked, and
/// hands the others on.
struct Gate {
    moto: SocketAddr,
    throttled: AtomicUsize,
    /// What moto was asked and how it answered.
    passed: Mutex<Vec<(Value, StatusCode)>>,
}

async fn gate(State(gate): State<Arc<Gate>>, request: Request<Body>) -> Response<Body> {
    let throttles =
        gate.throttled.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    if throttles.is_ok() {
        let headers = [
            ("x-amzn-errortype", "TooManyRequestsException"),
            ("content-type", "application/json"),
        ];
        let body = json!({"message": "Maximum sending rate exceeded."}).to_string();
        return (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response();
    }
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
    let asked = serde_json::from_slice(&body).unwrap_or_default();
    match moto::post(gate.moto, &path, body).await {
        Ok((status, answer)) => {
            gate.passed.lock().await.push((asked, status));
            // moto puts the error's name into the body alone.
            let name = serde_json::from_slice::<Value>(&answer).unwrap_or_default();
            let name = name["__type"].as_str().unwrap_or("none").to_owned();
            (status, [("x-amzn-errortype", name)], answer).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn ses(moto: &Moto, throttled: usize) -> Result<(Ses, Arc<Gate>)> {
    let gate_ = Arc::new(Gate {
        moto: moto.address,
        throttled: throttled.into(),
        passed: Mutex::default(),
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let router = Router::new().fallback(gate).with_state(Arc::clone(&gate_));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let config = sdk_config();
    Ok((Ses::new(&config, Some(endpoint), None, 40_000_000), gate_))
}

#[tokio::test]
#[ignore = "needs MOTO_PYTHON"]
async fn reports_go_through_ses() -> Result<()> {
    let moto = Moto::start().await?;
    moto.verify("reports@example.test").await?;
    let app = app_with_mail().await?;
    // That passes quickly.
    let (ses, gate) = ses(&moto, 2).await?;
    let reporter = app.reporter(Arc::new(ses))?;
    let mut body = asked("tls-usage");
    body["recipients"] = json!(["ann@example.test", "bob@corp.test"]);
    let id = ask(&app, &body).await?;
    assert_eq!(reporter.handle(&inserted(&id)).await?.sent, 1);
    let sent = request(&app, &id).await?;
    assert_eq!(sent["status"], "sent");
    assert!(sent["message_id"].as_str().is_some_and(|id| id.len() > 20), "{sent}");

    let passed = gate.passed.lock().await;
    assert_eq!(passed.len(), 1);
    let (asked, status) = &passed[0];
    assert_eq!(*status, StatusCode::OK);
    assert_eq!(asked["FromEmailAddress"], "reports@example.test");
    assert_eq!(asked["Destination"]["ToAddresses"], json!(["ann@example.test", "bob@corp.test"]));
    let raw = asked["Content"]["Raw"]["Data"].as_str().context("a raw message")?;
    let letter = Letter::read(&base64_simd::STANDARD.decode_to_vec(raw)?)?;
    assert_eq!(letter.to, ["ann@example.test", "bob@corp.test"]);
    assert_eq!(letter.messages("tls-usage")?, letter.messages("detailed")?);
    assert_eq!(sent["messages"], letter.messages("detailed")?);
    assert!(letter.chart.is_some());
    Ok(())
}

#[tokio::test]
#[ignore = "needs MOTO_PYTHON"]
async fn lasting_throttling_puts_off_and_refusal_ends() -> Result<()> {
    let moto = Moto::start().await?;
    let app = app_with_mail().await?;
    let (ses, gate) = ses(&moto, usize::MAX).await?;
    let reporter = app.reporter(Arc::new(ses))?;
    let id = ask(&app, &asked("tls-usage")).await?;
    assert_eq!(reporter.handle(&inserted(&id)).await?.put_off, 1);
    let pending = request(&app, &id).await?;
    let told = "SES answered TooManyRequestsException: Maximum sending rate exceeded.";
    assert_eq!((&pending["status"], &pending["reason"]), (&json!("pending"), &json!(told)));

    // Nobody has verified the sender.
    gate.throttled.store(0, Ordering::SeqCst);
    app.clock().set(tests::app::NOW + 60);
    assert_eq!(reporter.tick().await?.failed, 1);
    let failed = request(&app, &id).await?;
    assert_eq!(failed["status"], "failed");
    let reason = failed["reason"].as_str().unwrap_or_default();
    assert!(reason.starts_with("SES answered MessageRejected"), "{reason}");
    assert!(reason.contains("authority to send from email reports@example.test"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn no_answer_is_worth_another_try() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    drop(listener);
    let config = sdk_config();
    let ses = Ses::new(&config, Some(endpoint), None, 1 << 20);
    let message = mailer::Message {
        id: "1".into(),
        from: "reports@example.test".into(),
        recipients: vec!["ann@example.test".into()],
        bytes: b"Subject: x\r\n\r\nx".to_vec(),
    };
    let error = ses.send(message).await;
    ensure!(matches!(error, Err(mailer::SendError::Temporary(_))), "{error:?}");
    Ok(())
}
