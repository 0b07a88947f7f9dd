//! API Gateway's HTTP API before a function: requests become events of payload format 2.0, and answers responses.
//!
//! As the real one, it decodes a path, and cuts it at a question mark that comes out; the query stays as it was sent.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::app::Answer;
use crate::lambda::{Function, Outcome};

/// The event of a request.
///
/// # Errors
/// Its body broke off.
pub async fn event(request: Request) -> Result<Value> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10 << 20).await?;
    let decoded = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
    let path = decoded.split('?').next().unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let mut headers = Map::new();
    for name in parts.headers.keys().filter(|name| *name != header::COOKIE) {
        let values = parts.headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.to_string(), values.join(",").into());
    }
    let cookies = parts.headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let cookies: Vec<_> = cookies.flat_map(|line| line.split("; ")).collect();
    let host = headers.get("host").cloned().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": host,
            "domainPrefix": "api",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "24/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1_795_521_600_000_u64,
        },
        "isBase64Encoded": true,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !body.is_empty() {
        event["body"] = base64_simd::STANDARD.encode_to_string(&body).into();
    }
    Ok(event)
}

/// The response that a function's answer stands for.
///
/// # Errors
/// It stands for none: API Gateway would say 500.
pub fn response(answer: &Value) -> Result<Response<Body>> {
    let status = answer["statusCode"].as_u64().context("a status")?;
    let mut response = Response::builder().status(u16::try_from(status)?);
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        response = response.header(name, value.as_str().context("a header")?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        response = response.header(header::SET_COOKIE, cookie.as_str().context("a cookie")?);
    }
    let text = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => base64_simd::STANDARD.decode_to_vec(text)?,
        _ => text.as_bytes().to_vec(),
    };
    Ok(response.body(Body::from(body))?)
}

/// Asks a function as API Gateway does.
///
/// # Errors
/// It did not answer.
pub async fn ask(function: &Function, request: Request) -> Result<Answer> {
    let asked = format!("{} {}", request.method(), request.uri());
    let answer = function.invoke(&event(request).await?).await?.answer()?;
    shown(asked, &answer).await
}

/// Hands an event to the interface in this process, as the function would.
///
/// # Errors
/// It is no event, or there is no answer.
pub async fn hand_in(router: &Router, event: Value) -> Result<Answer> {
    let asked = format!("{} {}", event["rawPath"], event["rawQueryString"]);
    let written = query::gateway::answer(router, serde_json::value::to_raw_value(&event)?).await?;
    ensure!(written.get().len() <= query::gateway::MOST, "{asked}: Lambda would say 500");
    shown(asked, &serde_json::from_str(written.get())?).await
}

async fn shown(asked: String, answer: &Value) -> Result<Answer> {
    let (parts, body) = response(answer)?.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await?.to_vec();
    Ok(Answer::new(asked, parts.status, parts.headers, body))
}

/// A listener, and its address as a URL that browsers take for as good as TLS.
///
/// # Errors
/// There is no port.
pub async fn listen() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let base = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, base))
}

/// Puts a function behind a socket.
pub fn serve(listener: TcpListener, function: Arc<Function>) {
    let router = Router::new().fallback(hand_over).with_state(function);
    tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
}

async fn hand_over(State(function): State<Arc<Function>>, request: Request) -> Response<Body> {
    let handed = async { function.invoke(&event(request).await?).await };
    match handed.await {
        Ok(Outcome::Answered(answer)) => response(&answer).unwrap_or_else(|error| {
            (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
        }),
        other => (StatusCode::BAD_GATEWAY, HeaderMap::new(), format!("{other:?}")).into_response(),
    }
}
