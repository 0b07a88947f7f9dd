//! Who may ask the HTTP interface.

use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use query::Problem;

/// Who may ask.
#[derive(Clone)]
pub enum Access {
    /// Whoever sits at this machine: nothing beyond loopback can connect.
    Loopback,
    /// Whoever sends this bearer token.
    Token(Arc<str>),
}

impl Access {
    /// Who may ask at this address.
    ///
    /// # Errors
    /// The address is not loopback and there is no token, or the token file cannot be used.
    pub fn at(listen: SocketAddr, token_file: Option<&Path>) -> Result<Self> {
        let Some(file) = token_file else {
            if !listen.ip().is_loopback() {
                bail!(
                    "--listen {listen} is reachable from other machines: give a --token-file too, or \
                     listen on 127.0.0.1"
                );
            }
            return Ok(Self::Loopback);
        };
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read the token file {}", file.display()))?;
        let token = text.trim();
        if token.len() < 16 || token.contains(char::is_whitespace) {
            bail!(
                "the token in {} must be one word of at least 16 characters: make one with \
                 `openssl rand -hex 32`",
                file.display()
            );
        }
        Ok(Self::Token(token.into()))
    }
}

/// The interface, for those who may ask.
pub fn guarded(router: Router, access: Access) -> Router {
    router.layer(middleware::from_fn_with_state(access, check))
}

async fn check(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access {
        Access::Loopback if !names_loopback(&request) => Problem::WrongHost.into_response(),
        Access::Token(token) if !has_token(&request, &token) => unauthorized(&request),
        Access::Loopback | Access::Token(_) => next.run(request).await,
    }
}

/// That a token is needed. Browsers are told in a way that makes them ask for it.
fn unauthorized(request: &Request) -> Response {
    let mut response = Problem::Unauthorized.into_response();
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        let password =
            HeaderValue::from_static("Basic realm=\"smtp-auth-report\", charset=\"UTF-8\"");
        response.headers_mut().append(header::WWW_AUTHENTICATE, password);
    }
    response
}

/// Whether a request names this machine, and nothing else. A page of another site can reach loopback under a name
/// of its own; that name gives it away.
fn names_loopback(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, more) = (hosts.next().map(|host| host.to_str().unwrap_or_default()), hosts.next());
    // Where the target has a name, that one is meant (RFC 9112, section 3.2.2), but none may be another's.
    let target = request.uri().authority().map(|authority| authority.as_str());
    let named = [host, target].into_iter().flatten();
    more.is_none() && (host.is_some() || target.is_some()) && named.into_iter().all(is_loopback)
}

/// Whether `host`, or `host:port`, is loopback's: in a form that there is just one way to read.
fn is_loopback(authority: &str) -> bool {
    let (name, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => {
            return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        }
        Some(None) => return false,
        None => match authority.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (authority, None),
        },
    };
    let here = name.eq_ignore_ascii_case("localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    here && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Whether the token is there: as a bearer token (RFC 6750), or as the password (RFC 7617) that a browser
/// asked for.
fn has_token(request: &Request, token: &str) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = given.and_then(|value| value.split_once(' ')) else { return false };
    let given = given.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return same(given.as_bytes(), token.as_bytes());
    }
    let pair = base64_simd::STANDARD.decode_to_vec(given).unwrap_or_default();
    let password = pair.iter().position(|byte| *byte == b':').map(|colon| &pair[colon + 1..]);
    scheme.eq_ignore_ascii_case("basic")
        && password.is_some_and(|password| same(password, token.as_bytes()))
}

/// Compares in a time that does not tell how much of the token was right.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0
}
