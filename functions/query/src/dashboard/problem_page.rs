//! What goes wrong, as a page.

use askama::Template;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use super::frame::{Frame, Part};
use super::wording;
use crate::api::problem::{self, Problem};

/// A problem on the way to a page.
#[derive(Debug)]
pub(crate) struct Failed(pub(super) Problem);

impl<E: Into<Problem>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

#[derive(Template)]
#[template(path = "problem_page.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    told: String,
    status: u16,
    /// Where to go from here.
    on: (&'static str, &'static str),
    /// Whether somebody is signed in, and may rather be somebody else.
    leaves: bool,
}

impl Failed {
    /// The problem in words for somebody who looks at a page.
    fn told(&self) -> String {
        match &self.0 {
            Problem::NotFound { path } => {
                // What the interface has below /v1 has its page at the same path without it.
                let path = path.strip_prefix("/v1").unwrap_or(path);
                format!("There is no page at {path}. It may have been deleted, or the link is damaged.")
            }
            Problem::Unavailable => {
                "The figures cannot be read at the moment. Try again; if it lasts, the service's log tells why."
                    .to_owned()
            }
            Problem::Unauthorized => {
                "Your sign-in has ended. Sign in, then go back and send the form again.".to_owned()
            }
            other => wording::sentence(&other.detail()),
        }
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let title = self.0.title().to_owned();
        let mut frame = Frame::of(Part::Elsewhere, title.clone());
        let leaves = matches!(self.0, Problem::Forbidden { .. } | Problem::Bound);
        if leaves || matches!(self.0, Problem::Unauthorized | Problem::SignIn { .. }) {
            frame.manages = false;
        }
        let status = self.0.status();
        let on = match self.0 {
            Problem::Unauthorized | Problem::SignIn { .. } => ("/sign-in", "Sign in"),
            // A new role is in the next token.
            Problem::Forbidden { .. } | Problem::Bound => ("/sign-in", "Sign in again"),
            _ => ("/", "Go to the overview"),
        };
        let page =
            ProblemPage { frame, title, told: self.told(), status: status.as_u16(), on, leaves };
        match page.render() {
            Ok(text) => (status, Html(text)).into_response(),
            Err(_) => self.0.into_response(),
        }
    }
}

/// Whether whoever asks would rather look at a page than read JSON.
pub(crate) fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    !path.starts_with("/v1/") && accept.is_some_and(|accept| accept.contains("text/html"))
}

/// A problem for whoever asked: for people as a page, for scripts as JSON.
pub(crate) fn shown(problem: Problem, uri: &Uri, headers: &HeaderMap) -> Response {
    if wants_page(uri.path(), headers) {
        Failed(problem).into_response()
    } else {
        problem.into_response()
    }
}

/// That nothing is here: for scripts as JSON, for people as a page.
pub(crate) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    shown(problem::not_found(&uri), &uri, &headers)
}

/// That this cannot be done here, in the same way.
pub(crate) async fn method_not_allowed(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    shown(problem::method_not_allowed(&method), &uri, &headers)
}
