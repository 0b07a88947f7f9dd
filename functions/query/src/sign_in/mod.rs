//! Who may come in: people by OpenID Connect, scripts by bearer token.
//!
//! [`SignIn::guard`] stands before the whole interface. Every path demands a visitor but these: `/healthz`; the
//! pages' style sheet and script; and the way in and out itself. A visitor is shown by a token of the
//! [provider], which [`token`] checks:
//!
//! - scripts send it as `Authorization: Bearer` (RFC 6750);
//! - browsers are led to the provider ([`flow`]: authorization code with PKCE) and bring back an ID token, which
//!   becomes their session cookie. So there is no session to store, and none outlasts its token.
//!
//! What a cookie lets in must come from a page of this service if it changes something; other sites can make a
//! browser send cookies, but cannot say that they are this site.

mod flow;
mod provider;
mod signatures;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use bootstrap::Oidc;

use crate::api::body::is_own;
use crate::api::problem::Problem;
use crate::dashboard::{shown_problem, wants_page};
use crate::{Clock, Visitor};

use provider::Provider;
use token::Accepted;

/// The way in.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

struct Inner {
    oidc: Oidc,
    /// Where people find the dashboard, without a slash at the end.
    base: String,
    provider: Provider,
    clock: Clock,
}

/// Where the files that go with pages are.
const ASSETS: &str = "/assets/";
/// Paths that nobody has to sign in for, beside those files.
const OPEN: [&str; 4] = ["/healthz", flow::SIGN_IN, flow::SIGNED_IN, flow::SIGNED_OUT];

impl SignIn {
    /// A way in by the provider that `oidc` names, which is asked through `http`, to a dashboard at `base`.
    #[must_use]
    pub fn new(oidc: Oidc, base: &str, http: reqwest::Client, clock: Clock) -> Self {
        signatures::install();
        let provider = Provider::new(oidc.issuer.clone(), http, Arc::clone(&clock));
        let base = base.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { oidc, base, provider, clock }))
    }

    /// Fetches the provider's keys, so that the first visitor does not wait for them.
    ///
    /// # Errors
    /// The provider does not answer, or not as OpenID Connect has it. The next visitor makes it try again.
    pub async fn prepare(&self) -> Result<(), String> {
        self.0.provider.known().await.map(drop).map_err(|error| error.to_string())
    }

    /// Lets only visitors through to `router`.
    pub(crate) fn guard(&self, router: Router) -> Router {
        let ways = Router::new()
            .route(flow::SIGN_IN, get(flow::begin))
            .route(flow::SIGNED_IN, get(flow::end))
            .route(flow::SIGN_OUT, post(flow::leave))
            .route(flow::SIGNED_OUT, get(flow::left))
            .with_state(self.clone());
        router
            .merge(ways)
            .layer(middleware::from_fn_with_state(self.clone(), check))
            .layer(middleware::map_response(demand_tls))
    }

    fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// The visitor that a token shows.
    async fn visitor(&self, text: &str) -> Result<Visitor, Problem> {
        let Accepted { subject, name, role, .. } = self.accepted(text).await?;
        let role = role.ok_or(Problem::Forbidden { needed: crate::Role::Reader })?;
        Ok(Visitor { subject, name, role })
    }

    /// What a token says, if it can be believed.
    async fn accepted(&self, text: &str) -> Result<Accepted, Problem> {
        token::check(text, &self.0.oidc, &self.0.provider, self.now()).await
    }
}

/// Tells browsers never to come without TLS.
async fn demand_tls(mut response: Response) -> Response {
    let year = HeaderValue::from_static("max-age=31536000");
    response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    response
}

async fn check(State(sign_in): State<SignIn>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if OPEN.contains(&path) || path.starts_with(ASSETS) {
        return next.run(request).await;
    }
    let headers = request.headers();
    // Whoever may do nothing, or not any more, can still leave.
    if path == flow::SIGN_OUT && is_own(headers) {
        return next.run(request).await;
    }
    let visitor = match (bearer(headers), flow::session(headers)) {
        (Some(token), _) => sign_in.visitor(token).await,
        (None, Some(token)) => match sign_in.visitor(&token).await {
            Ok(_) if !request.method().is_safe() && !is_own(headers) => Err(Problem::CrossSite),
            visitor => visitor,
        },
        (None, None) => Err(Problem::Unauthorized),
    };
    match visitor {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(Problem::Unauthorized) if can_be_led(&request) => flow::way_in(request.uri()),
        Err(problem) => shown_problem(problem, request.uri(), request.headers()),
    }
}

/// What stands in `Authorization`: whoever sends that is judged by it alone.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, token) = given.split_once(' ').unwrap_or_default();
    Some(if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" })
}

/// Whether it is somebody who opens a page, and can be led to the provider and back.
fn can_be_led(request: &Request) -> bool {
    let headers = request.headers();
    let navigates = headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    request.method() == Method::GET
        && navigates
        && !headers.contains_key(header::AUTHORIZATION)
        && wants_page(request.uri().path(), headers)
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("issuer", &self.0.oidc.issuer).finish_non_exhaustive()
    }
}
