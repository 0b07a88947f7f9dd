//! JSON bodies, read strictly: each field that is misspelt or makes no sense is named, with its value.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use super::problem::Problem;

/// The most bytes of a body.
pub(crate) const MOST: usize = 64 << 10;
/// How long a body may take to arrive.
const ARRIVES: Duration = Duration::from_secs(20);

/// The fields of a JSON object as they came.
pub(crate) struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Pages of other sites can send forms and text without being asked for leave, but no JSON.
        let media_type = request.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::MediaType { given: media_type.chars().take(200).collect() });
        }
        let bytes = whole(request, state, "body", MOST).await?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(other) => Err(wrong("body", &other, "it must be a JSON object")),
            Err(error) => {
                let text = String::from_utf8_lossy(&bytes);
                let allowed = format!("it must be a JSON object: {error}");
                Err(Problem::parameter("body", &text, allowed))
            }
        }
    }
}

/// The bytes of a body that is called `name` and may have so many.
pub(crate) async fn whole<S: Send + Sync>(
    request: Request,
    state: &S,
    name: &str,
    most: usize,
) -> Result<Bytes, Problem> {
    let arrives = tokio::time::timeout(ARRIVES, Bytes::from_request(request, state)).await;
    let arrived = arrives.map_err(|_| Problem::TooSlow { seconds: ARRIVES.as_secs() })?;
    arrived.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge { most },
        _ => Problem::parameter(name, "", "it must arrive whole"),
    })
}

/// Whether a page of this service sent the request, as the browser tells: pages of other sites can send forms
/// too, with whatever lets the user in.
pub(crate) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => {
            let origin = text(header::ORIGIN.as_str()).and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, host)| text(header::HOST.as_str()) == Some(host))
        }
    }
}

pub(crate) fn wrong(name: &str, value: &Value, allowed: impl Into<String>) -> Problem {
    let shown = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Problem::parameter(name, &shown, allowed)
}

impl Fields {
    /// Fields that came another way than as JSON.
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// Refuses fields with other names.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, value)) => {
                let allowed = format!("the fields here are {}", names.join(", "));
                Err(wrong(name, value, allowed))
            }
        }
    }

    /// A field; null is the same as none.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text field.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(name, other, "it must be a text")),
        }
    }

    /// A text field that must be there.
    pub(crate) fn needed(&self, name: &str, allowed: &str) -> Result<&str, Problem> {
        self.text(name)?.ok_or_else(|| Problem::parameter(name, "", allowed))
    }

    /// A yes or no.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(name, other, "it must be true or false")),
        }
    }

    /// A list of texts; empty if it is not there.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<&str>, Problem> {
        let error = |value: &Value| wrong(name, value, "it must be a list of texts");
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                values.iter().map(|value| value.as_str().ok_or_else(|| error(value))).collect()
            }
            Some(other) => Err(error(other)),
        }
    }

    /// The fields as one text, the same in whatever order they came.
    pub(crate) fn canonical(&self) -> String {
        let mut fields: Vec<_> = self.0.iter().collect();
        fields.sort_by_key(|(name, _)| *name);
        serde_json::to_string(&fields).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_of_this_service_can_send_forms() {
        let sent = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("127.0.0.1:8025"));
            for (name, value) in pairs {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            is_own(&headers)
        };
        assert!(sent(&[("sec-fetch-site", "same-origin")]));
        assert!(sent(&[("origin", "http://127.0.0.1:8025")]));
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "none"),
            ("origin", "http://127.0.0.1:9"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("accept", "text/html"),
        ] {
            assert!(!sent(&[(name, value)]), "{name}: {value}");
        }
        assert!(!sent(&[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:8025")]));
    }
}
