//! What the HTTP interface answers, as tests look at it.

use std::io::Read as _;

use anyhow::{Result, ensure};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::GzDecoder;
use serde_json::Value;

/// An answer of the HTTP interface.
#[derive(Debug)]
pub struct Answer {
    asked: String,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// What came to a question, which errors will name.
    #[must_use]
    pub fn new(asked: String, status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { asked, status, headers, body }
    }

    /// The JSON of a success.
    ///
    /// # Errors
    /// It is none.
    pub fn ok(&self) -> Result<Value> {
        let (asked, status) = (&self.asked, self.status);
        ensure!(status.is_success(), "{asked}: {status} {}", String::from_utf8_lossy(&self.body));
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The text of an answer that is compressed with gzip.
    ///
    /// # Errors
    /// It is not.
    pub fn unzipped(&self) -> Result<String> {
        let (asked, coding) = (&self.asked, self.headers.get("content-encoding"));
        ensure!(coding.is_some_and(|coding| coding == "gzip"), "{asked}: {coding:?}");
        let mut text = String::new();
        GzDecoder::new(self.body.as_slice()).read_to_string(&mut text)?;
        Ok(text)
    }

    /// The problem details of an answer with this status.
    ///
    /// # Errors
    /// It has another status, or no problem details.
    pub fn problem(&self, status: u16) -> Result<Value> {
        let asked = &self.asked;
        ensure!(self.status.as_u16() == status, "{asked}: {}, not {status}", self.status);
        let media_type = self.headers.get("content-type").map(|value| value.as_bytes());
        ensure!(media_type == Some(b"application/problem+json"), "{asked}: {media_type:?}");
        let body: Value = serde_json::from_slice(&self.body)?;
        ensure!(body["status"] == status, "{asked}: {body}");
        Ok(body)
    }

    /// The text of a success.
    ///
    /// # Errors
    /// It is none, or no text.
    pub fn text(&self) -> Result<String> {
        ensure!(self.status.is_success(), "{}: {}", self.asked, self.status);
        Ok(String::from_utf8(self.body.clone())?)
    }
}
