//! Stands before the whole interface, and lets only visitors through.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use super::flow;
use super::visitors::SignIn;
use crate::api::body::is_own;
use crate::api::problem::Problem;
use crate::dashboard::problem_page::{self, wants_page};

/// Where the files that go with pages are.
const ASSETS: &str = "/assets/";
/// Paths that nobody has to sign in for, beside those files.
const OPEN: [&str; 4] = ["/healthz", flow::SIGN_IN, flow::SIGNED_IN, flow::SIGNED_OUT];

/// Lets only visitors through to `router`.
pub(crate) fn guarded(sign_in: SignIn, router: Router) -> Router {
    let ways = Router::new()
        .route(flow::SIGN_IN, get(flow::begin))
        .route(flow::SIGNED_IN, get(flow::end))
        .route(flow::SIGN_OUT, post(flow::leave))
        .route(flow::SIGNED_OUT, get(flow::left))
        .with_state(sign_in.clone());
    router
        .merge(ways)
        .layer(middleware::from_fn_with_state(sign_in, check))
        .layer(middleware::map_response(demand_tls))
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
        Err(problem) => problem_page::shown(problem, request.uri(), request.headers()),
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
