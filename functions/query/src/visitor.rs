//! Who asks, and what they may do.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::Query;
use crate::api::problem::Problem;
use crate::dashboard::shown_problem;

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at views.
    Reader,
    /// Ask for reports by mail, and see and change schedules.
    Manager,
}

impl Role {
    /// As answers name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Manager => "manager",
        }
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The provider's lasting name for them: the `sub` claim.
    pub subject: String,
    /// What they are called: a mail address, a user name, or a script's client id.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

impl FromRequestParts<Query> for Query {
    type Rejection = std::convert::Infallible;

    /// The queries, as whoever sent the request may make them.
    async fn from_request_parts(parts: &mut Parts, query: &Query) -> Result<Self, Self::Rejection> {
        Ok(Self { visitor: parts.extensions.get().cloned(), ..query.clone() })
    }
}

impl Query {
    /// Whether reports by mail may be asked for. Where nobody signs in, whoever is let in may do everything.
    pub(crate) fn may_manage(&self) -> bool {
        self.visitor.as_ref().is_none_or(|visitor| visitor.role >= Role::Manager)
    }

    /// Logs who changed what, for those who look into it later.
    pub(crate) fn audit(&self, action: &'static str, id: &str) {
        let (subject, name) = match &self.visitor {
            Some(visitor) => (visitor.subject.as_str(), visitor.name.as_str()),
            None => ("", "not signed in"),
        };
        tracing::info!(target: "audit", action, id, subject, name);
    }
}

/// Lets nobody on who signed in and may not do this.
pub(crate) async fn managers_only(request: Request, next: Next) -> Response {
    match request.extensions().get::<Visitor>() {
        Some(visitor) if visitor.role < Role::Manager => {
            let problem = Problem::Forbidden { needed: Role::Manager };
            shown_problem(problem, request.uri(), request.headers())
        }
        _ => next.run(request).await,
    }
}
