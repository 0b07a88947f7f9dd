//! What goes wrong, as RFC 9457 problem details. This is the closed list of types.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use history::HistoryError;
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A parameter of the request cannot be used.
    InvalidParameter {
        /// Its name.
        parameter: String,
        /// As given.
        value: String,
        /// What could stand there, as a sentence.
        allowed: String,
    },
    /// There is nothing at this path.
    NotFound {
        /// The path.
        path: String,
    },
    /// Only reading is possible here.
    MethodNotAllowed {
        /// As asked.
        method: String,
    },
    /// The bearer token is missing or wrong.
    Unauthorized,
    /// The request was meant for another host.
    WrongHost,
    /// Too many long reports are being written.
    Busy,
    /// The store does not answer. The detail is logged, not sent.
    Unavailable,
}

/// The body of an answer that is no success.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Body {
    /// One of a closed list of URNs.
    r#type: String,
    /// What the type means.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here, and how to mend it.
    detail: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// Its value, as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl Problem {
    pub(crate) fn parameter(parameter: &str, value: &str, allowed: impl Into<String>) -> Self {
        let value = value.chars().take(200).collect();
        Self::InvalidParameter { parameter: parameter.to_owned(), value, allowed: allowed.into() }
    }

    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::InvalidParameter { .. } => {
                (StatusCode::BAD_REQUEST, "invalid-parameter", "A parameter cannot be used")
            }
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found", "Nothing is here"),
            Self::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The method is not allowed")
            }
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "A bearer token is needed")
            }
            Self::WrongHost => {
                (StatusCode::MISDIRECTED_REQUEST, "wrong-host", "The request names another host")
            }
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much is asked at once"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The store does not answer")
            }
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::InvalidParameter { parameter, value, allowed } => {
                format!("{parameter}={value} cannot be used: {allowed}")
            }
            Self::NotFound { path } => {
                format!("there is nothing at {path}; /openapi.json lists what there is")
            }
            Self::MethodNotAllowed { method } => format!("{method} is not possible here, GET is"),
            Self::Unauthorized => {
                "send the header Authorization: Bearer with the token of this service".to_owned()
            }
            Self::WrongHost => {
                "without a token, this service answers only to localhost and loopback addresses"
                    .to_owned()
            }
            Self::Busy => "wait until another detailed report is done, then ask again".to_owned(),
            Self::Unavailable => "try again later; the service's log tells why".to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind();
        let detail = self.detail();
        let unauthorized = self == Self::Unauthorized;
        let (parameter, value) = match self {
            Self::InvalidParameter { parameter, value, .. } => (Some(parameter), Some(value)),
            _ => (None, None),
        };
        let r#type = format!("urn:smtp-auth-report:problem:{name}");
        let body = Body { r#type, title, status: status.as_u16(), detail, parameter, value };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        let media_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, media_type);
        if unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        tracing::error!(%error, "query failed");
        Self::Unavailable
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "query failed");
        Self::Unavailable
    }
}

pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::NotFound { path: uri.path().chars().take(200).collect() }
}

pub(crate) async fn method_not_allowed(method: Method) -> Problem {
    Problem::MethodNotAllowed { method: method.to_string() }
}
