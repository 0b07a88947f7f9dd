//! An issuer of tokens whose every word a test chooses: discovery, keys, and tokens good and bad.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::locked;

/// The client that tokens are for.
pub const CLIENT: &str = "dashboard";

/// An issuer.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    /// When its claims are made.
    now: i64,
    key: Mutex<Key>,
    /// How often the keys were asked for.
    asked: Mutex<usize>,
    /// How often it was asked where they are, answer or not.
    visited: Mutex<usize>,
    away: Mutex<bool>,
    /// What the next code is exchanged for.
    granted: Mutex<Value>,
    /// The forms that came to the token endpoint.
    exchanged: Mutex<Vec<String>>,
}

struct Key {
    id: String,
    pair: Ed25519KeyPair,
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes.as_ref())
}

impl Key {
    fn new(id: &str) -> Result<Self> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let document = document.ok().context("no randomness")?;
        let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).ok().context("no key")?;
        Ok(Self { id: id.to_owned(), pair })
    }
}

impl Issuer {
    /// Starts one whose claims are made at `now` (seconds since 1970).
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(now: i64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let issuer = Self(Arc::new(Inner {
            address,
            now,
            key: Mutex::new(Key::new("first")?),
            asked: Mutex::default(),
            visited: Mutex::default(),
            away: Mutex::default(),
            granted: Mutex::default(),
            exchanged: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(issuer.clone());
        tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(issuer)
    }

    /// Its identifier.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// What `query` needs in its environment to believe it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let pairs = [("OIDC_ISSUER", self.url()), ("OIDC_CLIENT_ID", CLIENT.to_owned())];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Signs with another key from now on.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn rotate(&self, id: &str) -> Result<()> {
        *locked(&self.0.key) = Key::new(id)?;
        Ok(())
    }

    /// Does not answer any more, or answers again.
    pub fn go_away(&self, away: bool) {
        *locked(&self.0.away) = away;
    }

    /// Exchanges the next code for an ID token with these claims.
    pub fn grant(&self, claims: Value) {
        *locked(&self.0.granted) = claims;
    }

    /// The forms that came to the token endpoint.
    #[must_use]
    pub fn exchanged(&self) -> Vec<String> {
        locked(&self.0.exchanged).clone()
    }

    /// How often it was asked for anything, whether it answered or not.
    #[must_use]
    pub fn visited(&self) -> usize {
        *locked(&self.0.visited)
    }

    /// How often its keys were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        *locked(&self.0.asked)
    }

    /// Claims of somebody in these groups that are all right for an hour.
    #[must_use]
    pub fn claims(&self, groups: &[&str]) -> Value {
        json!({
            "iss": self.url(), "aud": CLIENT, "sub": "7f3c", "email": "ann@example.test",
            "iat": self.0.now, "exp": self.0.now + 3600, "cognito:groups": groups,
        })
    }

    /// A token with these claims, signed.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": locked(&self.0.key).id});
        self.token_with(&header, claims)
    }

    /// A token with this header, signed by the issuer's key whatever the header says.
    #[must_use]
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        let signature = locked(&self.0.key).pair.sign(signed.as_bytes());
        format!("{signed}.{}", base64(signature))
    }
}

async fn discovery(State(issuer): State<Issuer>) -> axum::response::Response {
    *locked(&issuer.0.visited) += 1;
    if *locked(&issuer.0.away) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let url = issuer.url();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "end_session_endpoint": format!("{url}/logout"),
    }))
    .into_response()
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    *locked(&issuer.0.asked) += 1;
    let key = locked(&issuer.0.key);
    let x = base64(key.pair.public_key());
    Json(json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.id, "x": x},
    ]}))
}

async fn token(State(issuer): State<Issuer>, form: String) -> Json<Value> {
    locked(&issuer.0.exchanged).push(form);
    let token = issuer.token(&locked(&issuer.0.granted));
    Json(json!({"access_token": "opaque", "token_type": "Bearer", "id_token": token}))
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer").field("address", &self.0.address).finish_non_exhaustive()
    }
}
