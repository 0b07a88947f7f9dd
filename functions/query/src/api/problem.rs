//! What goes wrong, as RFC 9457 problem details. This is the closed list of types.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use history::HistoryError;
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::visitor::Role;

/// The media type of [`ProblemDetails`].
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

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
    /// Other methods are possible here.
    MethodNotAllowed {
        /// As asked.
        method: String,
    },
    /// The body is not JSON, or does not say that it is.
    MediaType {
        /// As given.
        given: String,
    },
    /// The body is not CSV, or does not say that it is.
    NoSheet {
        /// As given.
        given: String,
    },
    /// The body is too large.
    TooLarge {
        /// The most bytes that it may have.
        most: usize,
    },
    /// The answer is longer than one can be here.
    AnswerTooLarge {
        /// Whether it is too long although it is compressed.
        compressed: bool,
    },
    /// The body did not arrive in time.
    TooSlow {
        /// How long it may take.
        seconds: u64,
    },
    /// A page of another site sent the form.
    CrossSite,
    /// Something else was asked with the same idempotency key.
    KeyReused,
    /// The day has had all its report requests.
    NoMoreToday {
        /// How many that are.
        limit: u32,
        /// Seconds until the next day.
        retry_after: u64,
    },
    /// There are as many schedules as there may be.
    TooManySchedules {
        /// How many that are.
        most: usize,
    },
    /// There are as many notes as there may be.
    TooManyNotes {
        /// How many that are.
        most: usize,
    },
    /// There are as many mutes as there may be.
    TooManyMutes {
        /// How many that are.
        most: usize,
    },
    /// Nobody signed in, or the token is wrong.
    Unauthorized,
    /// A sign-in did not come to its end.
    SignIn {
        /// What happened, and what to do.
        told: &'static str,
    },
    /// Whoever signed in may not do this.
    Forbidden {
        /// Who may.
        needed: Role,
    },
    /// Whoever signed in is bound to some sender domains, and this is of all.
    Bound,
    /// The request was meant for another host.
    WrongHost,
    /// Too many long reports are being written.
    Busy,
    /// The store does not answer. The detail is logged, not sent.
    Unavailable,
}

/// The body of an answer that is no success (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
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
        let parameter = parameter.chars().take(100).collect();
        Self::InvalidParameter { parameter, value, allowed: allowed.into() }
    }

    /// That there is nothing with this name in this place.
    pub(crate) fn not_found(place: &str, name: &str) -> Self {
        let name: String = name.chars().take(100).collect();
        Self::NotFound { path: format!("{place}/{name}") }
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
            Self::MediaType { .. } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be JSON",
            ),
            Self::NoSheet { .. } => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body must be CSV",
            ),
            Self::CrossSite => {
                (StatusCode::FORBIDDEN, "cross-site", "The form comes from another site")
            }
            Self::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large")
            }
            Self::AnswerTooLarge { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "answer-too-large", "The answer is too large")
            }
            Self::TooSlow { .. } => {
                (StatusCode::REQUEST_TIMEOUT, "too-slow", "The body did not arrive in time")
            }
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key belongs to another request",
            ),
            Self::NoMoreToday { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "no-more-today",
                "No more reports can be asked for today",
            ),
            Self::TooManySchedules { .. } => {
                (StatusCode::CONFLICT, "too-many-schedules", "There are too many schedules")
            }
            Self::TooManyNotes { .. } => {
                (StatusCode::CONFLICT, "too-many-notes", "There are too many notes")
            }
            Self::TooManyMutes { .. } => {
                (StatusCode::CONFLICT, "too-many-mutes", "There are too many mutes")
            }
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "A sign-in is needed"),
            Self::SignIn { .. } => {
                (StatusCode::BAD_REQUEST, "sign-in", "The sign-in did not come to its end")
            }
            Self::Forbidden { .. } | Self::Bound => {
                (StatusCode::FORBIDDEN, "forbidden", "Your role does not allow this")
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

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind().0
    }

    /// What the type means.
    pub(crate) fn title(&self) -> &'static str {
        self.kind().2
    }

    /// What is wrong here, and how to mend it.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::InvalidParameter { parameter, value, allowed } => {
                format!("{parameter}={value} cannot be used: {allowed}")
            }
            Self::NotFound { path } => {
                format!("there is nothing at {path}; /openapi.json lists what there is")
            }
            Self::MethodNotAllowed { method } => {
                format!("{method} is not possible here; /openapi.json lists what is")
            }
            Self::MediaType { given } => {
                format!("Content-Type is '{given}': send a JSON object as application/json")
            }
            Self::NoSheet { given } => {
                format!("Content-Type is '{given}': send a CSV file as text/csv")
            }
            Self::CrossSite => {
                "only forms on the pages of this service are taken: open the page here and send its form; \
                 scripts send JSON to /v1"
                    .to_owned()
            }
            Self::TooLarge { most } => format!("a body may have {most} bytes at most"),
            Self::AnswerTooLarge { compressed } => {
                let way = if *compressed {
                    "ask"
                } else {
                    "ask with Accept-Encoding: gzip (curl --compressed), or"
                };
                format!(
                    "an answer may have 6 MB here: {way} for fewer days (start, end), with more filters, or for a table page \
                     by page (limit, cursor); /v1/report-requests sends the whole report by mail"
                )
            }
            Self::TooSlow { seconds } => format!("a body must arrive within {seconds} seconds"),
            Self::KeyReused => {
                "something else was asked with this Idempotency-Key in the last 24 hours: use a new key \
                 for a new request"
                    .to_owned()
            }
            Self::NoMoreToday { limit, retry_after } => format!(
                "{limit} reports were asked for today, and that is the most: ask again in {retry_after} \
                 seconds, or make a schedule"
            ),
            Self::TooManySchedules { most }
            | Self::TooManyNotes { most }
            | Self::TooManyMutes { most } => {
                format!("there may be {most} at most: delete one first")
            }
            Self::Unauthorized => {
                "send the header Authorization: Bearer with a valid token for this service; in a browser, sign \
                 in (if it asks for a password: that is the token, with any user name)"
                    .to_owned()
            }
            Self::SignIn { told } => (*told).to_owned(),
            Self::Forbidden { needed } => format!(
                "this needs the role {}: whoever manages the users of this service can give it",
                needed.name()
            ),
            Self::Bound => {
                "this is about all sender domains: only those see it who are bound to none".to_owned()
            }
            Self::WrongHost => {
                "without a token, this service answers only to localhost and loopback addresses"
                    .to_owned()
            }
            Self::Busy => "wait until another report is written as CSV, then ask again".to_owned(),
            Self::Unavailable => "try again later; the service's log tells why".to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind();
        let detail = self.detail();
        let unauthorized = self == Self::Unauthorized;
        let retry_after = match self {
            Self::NoMoreToday { retry_after, .. } => Some(retry_after),
            _ => None,
        };
        let (parameter, value) = match self {
            Self::InvalidParameter { parameter, value, .. } => (Some(parameter), Some(value)),
            _ => (None, None),
        };
        let r#type = format!("urn:smtp-auth-report:problem:{name}");
        let body =
            ProblemDetails { r#type, title, status: status.as_u16(), detail, parameter, value };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
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

pub(crate) fn not_found(uri: &Uri) -> Problem {
    Problem::NotFound { path: uri.path().chars().take(200).collect() }
}

pub(crate) fn method_not_allowed(method: &Method) -> Problem {
    Problem::MethodNotAllowed { method: method.to_string() }
}
