//! The OpenID Connect provider: where it is asked, and the keys that it signs with.

use std::error::Error as _;
use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use oauth2::http;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::service::Clock;

/// How long what is known is used before it is asked for again, in seconds: what the provider withdrew is
/// believed no longer.
const FRESH: i64 = 3600;
/// How long it is used while the provider does not answer.
const USABLE: i64 = 86_400;
/// The shortest time between two questions: strangers can send tokens that name keys which nobody has.
const PAUSE: i64 = 60;
/// The same while nothing is known that could be used: nobody can sign in, but a provider that fails is not asked
/// for everybody who tries.
const RETRY: i64 = 10;
/// The most bytes of an answer.
const ANSWER: usize = 1 << 20;

/// A provider, with what is known of it.
pub(super) struct Provider {
    issuer: String,
    http: reqwest::Client,
    clock: Clock,
    known: RwLock<Option<Arc<Known>>>,
    /// Whoever holds it asks.
    asked: Mutex<Asked>,
}

/// How it went when a provider was asked last.
#[derive(Default)]
struct Asked {
    at: Option<i64>,
    failed: Option<ProviderError>,
}

/// What a provider tells about itself.
pub(super) struct Known {
    pub(super) endpoints: Endpoints,
    keys: JwkSet,
    at: i64,
}

/// A part of OpenID Connect Discovery's document.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoints {
    issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    jwks_uri: Url,
    pub(super) end_session_endpoint: Option<Url>,
}

/// Why a provider cannot be used.
#[derive(Clone, Debug, Error)]
pub(super) enum ProviderError {
    #[error("the provider at {0} was not reached: {1}")]
    Unreached(String, String),
    #[error("the provider was asked a moment ago, and has not answered")]
    Unanswered,
    #[error("the provider's answer at {0} cannot be used: {1}")]
    Answer(String, String),
}

impl Known {
    /// When it was fetched, in seconds since 1970.
    pub(super) fn at(&self) -> i64 {
        self.at
    }

    /// The key with this id; without an id, the only one that there is.
    pub(super) fn key(&self, id: Option<&str>) -> Option<&Jwk> {
        match (id, self.keys.keys.as_slice()) {
            (Some(id), _) => self.keys.find(id),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

impl Provider {
    pub(super) fn new(issuer: String, http: reqwest::Client, clock: Clock) -> Self {
        Self { issuer, http, clock, known: RwLock::default(), asked: Mutex::default() }
    }

    fn remembered(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known, fetched if it has to be.
    pub(super) async fn known(&self) -> Result<Arc<Known>, ProviderError> {
        let now = (self.clock)();
        match self.remembered() {
            Some(known) if now - known.at < FRESH => Ok(known),
            _ => self.newer_than(i64::MIN).await,
        }
    }

    /// What is known when a key is missing in what was known at `at`: keys are exchanged now and then.
    pub(super) async fn newer_than(&self, at: i64) -> Result<Arc<Known>, ProviderError> {
        let mut asked = self.asked.lock().await;
        let now = (self.clock)();
        let remembered = self.remembered();
        let since = asked.at.map_or(i64::MAX, |at| now.saturating_sub(at));
        let usable = remembered.filter(|known| now - known.at < USABLE);
        // Somebody else asked while this one waited, or a moment ago.
        match (&usable, &asked.failed) {
            (Some(known), _) if known.at > at && now - known.at < FRESH => {
                return Ok(Arc::clone(known));
            }
            (Some(known), _) if since < PAUSE => return Ok(Arc::clone(known)),
            (None, Some(error)) if since < RETRY => return Err(error.clone()),
            _ => {}
        }
        // Before it answers, too: who asks may go away meanwhile, and come again.
        *asked = Asked { at: Some(now), failed: Some(ProviderError::Unanswered) };
        let fetched = self.fetch(now).await;
        asked.failed = fetched.as_ref().err().cloned();
        match (fetched, usable) {
            (Ok(known), _) => {
                let known = Arc::new(known);
                let mut slot = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *slot = Some(Arc::clone(&known));
                Ok(known)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "the keys of before are used");
                Ok(known)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self, at: i64) -> Result<Known, ProviderError> {
        let place =
            format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let unusable = |told: &str| ProviderError::Answer(place.clone(), told.to_owned());
        let url = Url::parse(&place).map_err(|error| unusable(&error.to_string()))?;
        if !is_private(&url) {
            return Err(unusable("it is no https URL: whoever is on the way could put in keys"));
        }
        let endpoints: Endpoints = self.json(&url).await?;
        if endpoints.issuer != self.issuer {
            return Err(unusable(&format!("it is that of the issuer {}", endpoints.issuer)));
        }
        let all = [&endpoints.authorization_endpoint, &endpoints.token_endpoint];
        let all =
            all.into_iter().chain([&endpoints.jwks_uri]).chain(&endpoints.end_session_endpoint);
        if let Some(open) = all.into_iter().find(|endpoint| !is_private(endpoint)) {
            return Err(unusable(&format!("{open} is no https URL")));
        }
        let keys = self.json(&endpoints.jwks_uri).await?;
        Ok(Known { endpoints, keys, at })
    }

    async fn json<T: DeserializeOwned>(&self, url: &Url) -> Result<T, ProviderError> {
        let request = http::Request::get(url.as_str()).body(Vec::new());
        let unusable = |told: String| ProviderError::Answer(url.to_string(), told);
        let answer = self.ask(request.map_err(|error| unusable(error.to_string()))?).await?;
        if !answer.status().is_success() {
            return Err(unusable(format!("status {}", answer.status())));
        }
        serde_json::from_slice(answer.body()).map_err(|error| unusable(error.to_string()))
    }

    /// Sends a request, and gives the whole answer.
    pub(super) async fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, ProviderError> {
        let place = request.uri().to_string();
        let unreached = |error: reqwest::Error| {
            let mut told = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                told = format!("{told}: {cause}");
                source = cause.source();
            }
            ProviderError::Unreached(place.clone(), told)
        };
        let request = reqwest::Request::try_from(request).map_err(unreached)?;
        let mut answer = self.http.execute(request).await.map_err(unreached)?;
        let mut whole = http::Response::builder().status(answer.status());
        if let Some(kind) = answer.headers().get(http::header::CONTENT_TYPE) {
            whole = whole.header(http::header::CONTENT_TYPE, kind);
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreached)? {
            if body.len() + part.len() > ANSWER {
                return Err(ProviderError::Answer(place, format!("more than {ANSWER} bytes")));
            }
            body.extend_from_slice(&part);
        }
        whole.body(body).map_err(|error| ProviderError::Answer(place, error.to_string()))
    }
}

/// Whether nobody on the way can listen: TLS, or this machine.
pub(super) fn is_private(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && here)
}
