//! A client for servers on this machine.

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Sends a request, and gives the whole answer.
///
/// # Errors
/// There is none.
pub async fn send(request: Request<Body>) -> Result<(StatusCode, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = client.request(request).await?;
    let status = answer.status();
    Ok((status, axum::body::to_bytes(Body::new(answer.into_body()), usize::MAX).await?))
}
