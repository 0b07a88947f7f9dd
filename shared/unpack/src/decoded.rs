//! What bytes without their packings are.

use std::borrow::Cow;

use crate::cloudwatch::{self, Payload};

/// Why bytes are refused that are neither.
pub(crate) const NO_TEXT: &str = "neither compressed nor text";

/// A decoded record.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// Log events that CloudWatch Logs sent, with the names of their log streams. None are it checking that the
    /// destination is reachable.
    CloudWatch(Vec<Payload<'a>>),
    /// Lines of text, or of JSON.
    Text,
}

/// Tells what inflated bytes hold.
///
/// # Errors
/// Neither text nor a payload, in words for a person.
pub fn decode(text: &[u8]) -> Result<Decoded<'_>, String> {
    if let Some(payloads) = cloudwatch::read(text)? {
        return Ok(Decoded::CloudWatch(payloads));
    }
    if memchr::memchr(0, text).is_some() {
        return Err(NO_TEXT.to_owned());
    }
    Ok(Decoded::Text)
}

/// The bytes of base64 text, as Lambda hands Kinesis records over.
///
/// # Errors
/// Not base64.
pub fn unbase64(text: &str) -> Result<Cow<'static, [u8]>, String> {
    base64_simd::STANDARD
        .decode_to_vec(text)
        .map(Cow::Owned)
        .map_err(|_| "data is no base64".to_owned())
}
