//! The way in and out for browsers: OAuth 2.0's authorization code with PKCE (RFC 6749, RFC 7636), and OpenID
//! Connect's ID token at its end.
//!
//! What must be known again when the browser comes back is in a cookie of its own, for ten minutes: so nobody can
//! finish in one browser what was begun in another.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use cookie::{Cookie, SameSite};
use oauth2::basic::{BasicErrorResponse, BasicTokenType};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::provider::Known;
use super::visitors::{Inner, SignIn};
use crate::api::problem::Problem;
use crate::dashboard::frame::html;
use crate::dashboard::problem_page::Failed;
use crate::dashboard::signed_out::{SignedOut, WayIn};
use crate::visitor::Role;

pub(super) const SIGN_IN: &str = "/sign-in";
/// Where the provider sends browsers back to.
pub(super) const SIGNED_IN: &str = "/signed-in";
pub(super) const SIGN_OUT: &str = "/sign-out";
pub(super) const SIGNED_OUT: &str = "/signed-out";

/// The cookies. The prefix makes browsers refuse them without TLS, and from other hosts.
const SESSION: &str = "__Host-session";
const BEGUN: &str = "__Host-sign-in";
/// How long a sign-in may take, in seconds.
const TAKES: i64 = 600;
/// The most bytes of a cookie that browsers keep, with its name and attributes.
const COOKIE: usize = 4000;
/// The most bytes of an address that is come back to.
const ADDRESS: usize = 1500;

type Client = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdToken, BasicTokenType>,
    oauth2::basic::BasicTokenIntrospectionResponse,
    oauth2::StandardRevocableToken,
    oauth2::basic::BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What OpenID Connect adds to the answer of the token endpoint.
#[derive(Serialize, Deserialize)]
struct IdToken {
    id_token: String,
}

impl std::fmt::Debug for IdToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdToken")
    }
}

impl oauth2::ExtraTokenFields for IdToken {}

/// The token in the session cookie.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    cookie_of(headers, SESSION)
}

fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(|line| Cookie::split_parse(line).flatten());
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}

fn set(name: &str, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build((name.to_owned(), value))
        .path("/")
        .secure(true)
        .http_only(true)
        // A link in a mail leads to a page at once; no form of another site takes the cookie along.
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(seconds))
        .build()
}

fn with_cookies<const N: usize>(cookies: [Cookie<'_>; N], answer: impl IntoResponse) -> Response {
    let set = cookies.map(|cookie| (header::SET_COOKIE, cookie.to_string()));
    (AppendHeaders(set), answer).into_response()
}

/// Leads to the provider, and then back to an address: by a page, not by a redirect, because where a form was
/// sent, browsers let no redirect lead to another site (`form-action` among the headers).
pub(super) fn way_in(to: &Uri) -> Response {
    match html(&WayIn::new(beginning(to))) {
        Ok(page) => (StatusCode::UNAUTHORIZED, page).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Where a sign-in begins that comes back to an address.
fn beginning(to: &Uri) -> String {
    let to = to.path_and_query().map_or("/", |to| to.as_str());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish();
    format!("{SIGN_IN}?{query}")
}

/// An address of this service's own; the front page if it is none.
fn own_address(to: &str) -> &str {
    let own = to.starts_with('/')
        && !to.starts_with("//")
        && !to.contains(|c: char| c == '\\' || c.is_control())
        && to.len() <= ADDRESS;
    if own { to } else { "/" }
}

fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

impl SignIn {
    async fn known(&self) -> Result<std::sync::Arc<Known>, Problem> {
        self.inner().provider.known().await.map_err(|error| {
            tracing::error!(%error, "nobody can sign in");
            Problem::Unavailable
        })
    }

    fn client(&self, known: &Known) -> Result<Client, Problem> {
        let Inner { oidc, base, .. } = self.inner();
        let back = RedirectUrl::new(format!("{base}{SIGNED_IN}")).map_err(|error| {
            tracing::error!(%error, "the dashboard's own address is none");
            Problem::Unavailable
        })?;
        let client = oauth2::Client::new(ClientId::new(oidc.client_id.clone()))
            .set_auth_uri(AuthUrl::from_url(known.endpoints.authorization_endpoint.clone()))
            .set_token_uri(TokenUrl::from_url(known.endpoints.token_endpoint.clone()))
            .set_redirect_uri(back);
        Ok(match &oidc.client_secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
            None => client,
        })
    }
}

/// Leads to the provider.
pub(super) async fn begin(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failed> {
    let to = parameter(query.as_deref(), "to").unwrap_or_default();
    let known = sign_in.known().await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let nonce = CsrfToken::new_random();
    let (there, state) = sign_in
        .client(&known)?
        .authorize_url(CsrfToken::new_random)
        .add_scopes(["openid", "email", "profile"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .add_extra_param("nonce", nonce.secret())
        .url();
    let to = base64_simd::URL_SAFE_NO_PAD.encode_to_string(own_address(&to));
    let begun =
        [state.secret(), nonce.secret(), verifier.secret(), &to].map(String::as_str).join(".");
    Ok(with_cookies([set(BEGUN, begun, TAKES)], Redirect::to(there.as_str())))
}

/// Where the provider sends browsers back to, with a code for tokens.
pub(super) async fn end(
    State(sign_in): State<SignIn>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    match finish(&sign_in, query.as_deref(), &headers).await {
        Ok(response) => response,
        Err(problem) => with_cookies([set(BEGUN, String::new(), 0)], Failed::from(problem)),
    }
}

async fn finish(
    sign_in: &SignIn,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    const AGAIN: Problem = Problem::SignIn {
        told: "it was begun in another browser or more than ten minutes ago, or another one was begun \
               meanwhile: sign in again",
    };
    let begun = cookie_of(headers, BEGUN).ok_or(AGAIN)?;
    let parts: Vec<&str> = begun.split('.').collect();
    let [state, nonce, verifier, to] = parts[..] else { return Err(AGAIN) };
    if parameter(query, "state").as_deref() != Some(state) {
        return Err(AGAIN);
    }
    let Some(code) = parameter(query, "code") else {
        let error = parameter(query, "error").unwrap_or_default();
        let error: String = error.chars().filter(char::is_ascii_graphic).take(50).collect();
        tracing::warn!(error, "the provider let nobody in");
        let told = "the provider let nobody in: sign in again, or ask whoever manages its users";
        return Err(Problem::SignIn { told });
    };
    let known = sign_in.known().await?;
    let ask = |request| {
        let sign_in = sign_in.clone();
        async move { sign_in.inner().provider.ask(request).await }
    };
    let answer = sign_in
        .client(&known)?
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
        .request_async(&ask)
        .await
        .map_err(|error| {
            // Its own words only: the rest can quote the answer.
            let error = match &error {
                oauth2::RequestTokenError::ServerResponse(told) => told.error().to_string(),
                oauth2::RequestTokenError::Request(error) => error.to_string(),
                _ => "an answer that cannot be read".to_owned(),
            };
            tracing::warn!(error, "the provider gave no token");
            Problem::SignIn { told: "the provider gave no token: sign in again" }
        })?;
    let token = &answer.extra_fields().id_token;
    let accepted = sign_in.accepted(token).await.map_err(|problem| match problem {
        Problem::Unauthorized => {
            let told = "the provider's token cannot be used: this service's log tells why";
            Problem::SignIn { told }
        }
        other => other,
    })?;
    if accepted.nonce.as_deref() != Some(nonce) {
        tracing::warn!("the provider's token answers another sign-in");
        return Err(AGAIN);
    }
    if token.len() > COOKIE {
        tracing::error!(bytes = token.len(), "the provider's token does not fit into a cookie");
        let told = "the provider's token does not fit into a cookie: whoever manages it should put fewer \
                    claims into ID tokens of this service";
        return Err(Problem::SignIn { told });
    }
    let left = accepted.expires - sign_in.now();
    tracing::info!(
        target: "audit",
        action = "signed in",
        subject = accepted.subject,
        name = accepted.name,
        role = accepted.role.map_or("none", Role::name),
        domains = accepted.scope.domains().map(tracing::field::debug),
    );
    let to = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(to).ok();
    let to = to.and_then(|to| String::from_utf8(to).ok()).unwrap_or_default();
    let cookies = [set(SESSION, token.clone(), left), set(BEGUN, String::new(), 0)];
    Ok(with_cookies(cookies, Redirect::to(own_address(&to))))
}

/// Ends the session of this browser here.
pub(super) async fn leave() -> Response {
    with_cookies([set(SESSION, String::new(), 0)], Redirect::to(SIGNED_OUT))
}

/// That it has ended. The provider's own session goes on until it is ended too.
pub(super) async fn left(State(sign_in): State<SignIn>) -> Result<Response, Failed> {
    let Inner { oidc, base, .. } = sign_in.inner();
    // Signing out works without the provider, too.
    let known = sign_in.known().await.ok();
    let there = known.and_then(|known| known.endpoints.end_session_endpoint.clone());
    let there = there.map(|mut there| {
        let back = format!("{base}{SIGNED_OUT}");
        there
            .query_pairs_mut()
            .append_pair("client_id", &oidc.client_id)
            .append_pair("post_logout_redirect_uri", &back)
            // What Cognito calls it.
            .append_pair("logout_uri", &back);
        there.to_string()
    });
    Ok(html(&SignedOut::new(there))?.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_addresses_are_come_back_to() {
        for own in ["/", "/reports/tls-usage?start=2026-11-01&domain=a.test", "/schedules/new"] {
            assert_eq!(own_address(own), own);
        }
        for other in [
            "",
            "https://evil.test/",
            "//evil.test",
            "/\\evil.test",
            "/a\r\nb",
            "evil",
            "javascript:x",
        ] {
            assert_eq!(own_address(other), "/", "{other}");
        }
        assert_eq!(own_address(&format!("/{}", "x".repeat(ADDRESS))), "/");
        let uri: Uri = "/reports/tls-usage?start=2026-11-01&x=%26".parse().expect("a path");
        let query = beginning(&uri).split_once('?').map(|(_, query)| query.to_owned());
        let to = parameter(query.as_deref(), "to");
        assert_eq!(to.as_deref(), Some("/reports/tls-usage?start=2026-11-01&x=%26"));
    }

    #[test]
    fn cookies_stay_with_this_host_and_away_from_scripts() {
        let cookie = set(SESSION, "token".to_owned(), 60).to_string();
        for part in
            ["__Host-session=token", "HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=60"]
        {
            assert!(cookie.contains(part), "{cookie} has no {part}");
        }
        assert!(!cookie.contains("Domain"));
    }
}
