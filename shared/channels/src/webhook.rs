//! Webhooks: posts JSON over HTTPS, to where it was told to and nowhere else.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use ring::hmac;
use serde_json::Value;

use crate::channel::{Untold, Way};
use crate::letter::Letter;
use crate::public::Public;
use crate::services::Service;

/// How long an answer is waited for.
const WAIT: Duration = Duration::from_secs(10);
/// The header with the signature of the body.
const SIGNATURE: &str = "x-signature";
/// The header with the key of what is told, in quotes as a draft of the IETF's has it.
const KEY: &str = "idempotency-key";

/// Something on the web that takes alerts.
pub(crate) struct Webhook {
    pub(crate) service: Service,
    /// May hold a secret, as all that follows.
    pub(crate) url: Url,
    /// The topic or the routing key, where the service has one.
    pub(crate) to: String,
    /// What the body is signed with, by HMAC-SHA256.
    pub(crate) secret: Option<hmac::Key>,
    /// What is sent as a bearer token.
    pub(crate) token: Option<HeaderValue>,
    pub(crate) http: Client,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("service", &self.service).finish_non_exhaustive()
    }
}

/// What asks: over TLS and at public addresses only, unless it is private.
///
/// # Errors
/// This machine has no certificates to check others by.
pub(crate) fn http(is_private: bool) -> Result<Client, reqwest::Error> {
    // Somebody else having chosen before is as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().redirect(Policy::none()).timeout(WAIT);
    if is_private {
        return builder.build();
    }
    // A proxy would find the address itself.
    builder.https_only(true).no_proxy().dns_resolver(Arc::new(Public)).build()
}

#[async_trait]
impl Way for Webhook {
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold> {
        for (key, body) in self.service.bodies(letter, &self.to) {
            self.post(key, &body).await?;
        }
        Ok(())
    }
}

impl Webhook {
    async fn post(&self, key: String, body: &Value) -> Result<(), Untold> {
        let body = body.to_string();
        let mut request = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(KEY, format!("\"{key}\""));
        if let Some(secret) = &self.secret {
            let signature = hmac::sign(secret, body.as_bytes());
            let hex: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            request = request.header(SIGNATURE, format!("sha256={hex}"));
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        let answer = request.body(body).send().await.map_err(unreached)?;
        if answer.status().is_success() { Ok(()) } else { Err(refused(&answer)) }
    }
}

fn refused(answer: &Response) -> Untold {
    let status = answer.status();
    let hint = if status.is_redirection() {
        ", which leads elsewhere: give the final address"
    } else {
        ""
    };
    Untold::Refused(format!("HTTP status {status}{hint}"))
}

/// The address may be the secret.
fn unreached(error: reqwest::Error) -> Untold {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    Untold::Unreached(report::displayed(&text, 200))
}
