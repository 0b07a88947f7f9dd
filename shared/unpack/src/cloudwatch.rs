//! CloudWatch Logs subscription payloads.

use std::borrow::Cow;

use serde::Deserialize;

/// A payload, or a check that the destination is there.
#[derive(Debug)]
pub enum Message<'a> {
    /// `CONTROL_MESSAGE`.
    Control,
    /// `DATA_MESSAGE`.
    Data(Payload<'a>),
}

/// The log events of one payload.
#[derive(Debug, PartialEq)]
pub struct Payload<'a> {
    /// Account, log group and log stream: what the lines' order holds within.
    pub log_stream: String,
    /// The events, in order.
    pub events: Vec<LogEvent<'a>>,
}

/// One log event: one line, or several if the agent joins them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LogEvent<'a> {
    /// CloudWatch's own id, unique for each event.
    #[serde(borrow, default)]
    pub id: Cow<'a, str>,
    /// When the line was logged or received, in milliseconds since 1970.
    pub timestamp: i64,
    /// The text.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(borrow)]
    message_type: Cow<'a, str>,
    #[serde(borrow, default)]
    owner: Cow<'a, str>,
    #[serde(borrow, default)]
    log_group: Cow<'a, str>,
    #[serde(borrow, default)]
    log_stream: Cow<'a, str>,
    #[serde(borrow)]
    log_events: Vec<LogEvent<'a>>,
}

/// Reads a payload; none if the text is something else.
///
/// # Errors
/// It begins like a payload and is none, in words for a person.
pub fn read(text: &[u8]) -> Result<Option<Message<'_>>, String> {
    if text.first() != Some(&b'{') || memchr::memmem::find(head(text), b"\"messageType\"").is_none()
    {
        return Ok(None);
    }
    let fields: Fields<'_> = serde_json::from_slice(text)
        .map_err(|error| format!("no CloudWatch Logs payload: {error}"))?;
    match &*fields.message_type {
        "CONTROL_MESSAGE" => Ok(Some(Message::Control)),
        "DATA_MESSAGE" => {
            let Fields { owner, log_group, log_stream, log_events: events, .. } = fields;
            let log_stream = format!("cw:{owner}:{log_group}:{log_stream}");
            Ok(Some(Message::Data(Payload { log_stream, events })))
        }
        other => Err(format!("CloudWatch Logs payload of unknown type {other:?}")),
    }
}

/// `messageType` stands first; a line of JSON that merely quotes it does not.
fn head(text: &[u8]) -> &[u8] {
    &text[..text.len().min(40)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read() {
        let text = br#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"mail","logStream":"mx1","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1795435200000,"message":"a\tb"},{"id":"2","timestamp":1795435200001,"message":"c"}]}"#;
        let Ok(Some(Message::Data(payload))) = read(text) else { panic!("no payload") };
        assert_eq!(payload.log_stream, "cw:123456789012:mail:mx1");
        assert_eq!(payload.events[0].message, "a\tb");
        assert_eq!(payload.events[1].timestamp, 1_795_435_200_001);
    }

    #[test]
    fn a_check_of_the_destination_is_no_data() {
        let text = br#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1510109208016,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#;
        assert!(matches!(read(text), Ok(Some(Message::Control))));
    }

    #[test]
    fn other_json_is_no_payload_and_a_broken_payload_is_an_error() {
        assert!(matches!(read(br#"{"time":1,"sender":"a@x.test"}"#), Ok(None)));
        assert!(matches!(read(b"Nov 23 plain"), Ok(None)));
        assert!(read(br#"{"messageType":"DATA_MESSAGE","logEvents":[{"#).is_err());
        assert!(read(br#"{"messageType":"OTHER","logEvents":[]}"#).is_err());
    }
}
