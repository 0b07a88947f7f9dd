//! CloudWatch Logs subscription payloads.

use std::borrow::Cow;

use serde::Deserialize;

/// Why a payload is refused behind which something else stands.
pub(crate) const MIXED: &str = "a CloudWatch Logs payload, and then something else";
/// The field that only payloads have.
const NAME: &[u8] = b"\"messageType\"";

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
    #[serde(borrow, default)]
    message_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    owner: Cow<'a, str>,
    #[serde(borrow, default)]
    log_group: Cow<'a, str>,
    #[serde(borrow, default)]
    log_stream: Cow<'a, str>,
    #[serde(borrow, default)]
    log_events: Option<Vec<LogEvent<'a>>>,
}

/// Reads the payloads of a text: one, or several with nothing between them, as Firehose joins them. None if the text is
/// something else.
///
/// A check that the destination is there (`CONTROL_MESSAGE`) is left out.
///
/// # Errors
/// It is meant as a payload and is none, in words for a person.
pub fn read(text: &[u8]) -> Result<Option<Vec<Payload<'_>>>, String> {
    let text = text.trim_ascii_start();
    // Where a string quotes such a name, a backslash stands before each quotation mark.
    if text.first() != Some(&b'{') || memchr::memmem::find(text, NAME).is_none() {
        return Ok(None);
    }
    // It is what payloads begin with, and what they are about.
    let is_meant = memchr::memmem::find(&text[..text.len().min(40)], NAME).is_some()
        || memchr::memmem::find(text, b"\"logEvents\"").is_some();
    let mut payloads = Vec::new();
    for (number, object) in serde_json::Deserializer::from_slice(text).into_iter().enumerate() {
        match object {
            Ok(Fields {
                message_type: Some(kind),
                owner,
                log_group,
                log_stream,
                log_events: Some(events),
            }) => {
                let source = source(&kind, [&owner, &log_group, &log_stream])?;
                payloads.extend(source.map(|log_stream| Payload { log_stream, events }));
            }
            Ok(_) if number == 0 => return Ok(None),
            Err(_) if number == 0 && !is_meant => return Ok(None),
            Ok(_) => return Err(MIXED.to_owned()),
            Err(error) => return Err(broken(&error)),
        }
    }
    Ok(Some(payloads))
}

/// What the log stream of a payload of this type is called: owner, log group and log stream. None if the payload only checks
/// that the destination is there.
///
/// # Errors
/// There is no such type.
pub(crate) fn source(kind: &str, names: [&str; 3]) -> Result<Option<String>, String> {
    let [owner, log_group, log_stream] = names;
    match kind {
        "CONTROL_MESSAGE" => Ok(None),
        "DATA_MESSAGE" => Ok(Some(format!("cw:{owner}:{log_group}:{log_stream}"))),
        other => Err(format!("CloudWatch Logs payload of unknown type {other:?}")),
    }
}

/// Why a payload is refused that is none.
pub(crate) fn broken(error: &serde_json::Error) -> String {
    format!("no CloudWatch Logs payload: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{"messageType":"DATA_MESSAGE","owner":"123456789012","logGroup":"mail","logStream":"mx1","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":1795435200000,"message":"a\tb"},{"id":"2","timestamp":1795435200001,"message":"c"}]}"#;
    const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1510109208016,"message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#;
    /// As a program writes it that sorts the names.
    const SORTED: &str = r#"{"logEvents":[{"id":"3","message":"d","timestamp":5}],"logGroup":"mail","logStream":"mx2","messageType":"DATA_MESSAGE","owner":"123456789012"}"#;

    fn streams(text: &str) -> Vec<String> {
        let payloads = read(text.as_bytes()).expect("payloads").expect("payloads");
        payloads.into_iter().map(|payload| payload.log_stream).collect()
    }

    #[test]
    fn a_payload_is_read() {
        let payloads = read(DATA.as_bytes()).expect("a payload").expect("a payload");
        let [payload] = payloads.as_slice() else { panic!("one payload") };
        assert_eq!(payload.log_stream, "cw:123456789012:mail:mx1");
        assert_eq!(payload.events[0].message, "a\tb");
        assert_eq!(payload.events[1].timestamp, 1_795_435_200_001);
    }

    #[test]
    fn payloads_are_read_that_stand_one_behind_the_other() {
        let mx = ["cw:123456789012:mail:mx1", "cw:123456789012:mail:mx2"];
        for between in ["", "\n", "\r\n  "] {
            let joined = [DATA, CONTROL, SORTED, ""].join(between);
            assert_eq!(streams(&joined), mx, "{between:?}");
        }
        assert!(read(format!("{DATA}{{\"a\":1}}").as_bytes()).is_err());
        assert!(read(format!("{DATA}Nov 23").as_bytes()).is_err());
        assert!(read(&DATA.repeat(2).as_bytes()[..DATA.len() + 100]).is_err());
    }

    #[test]
    fn a_check_of_the_destination_is_no_data() {
        assert_eq!(streams(CONTROL), [""; 0]);
    }

    #[test]
    fn other_json_is_no_payload_and_a_broken_payload_is_an_error() {
        assert_eq!(read(br#"{"time":1,"sender":"a@x.test"}"#), Ok(None));
        assert_eq!(read(br#"{"time":1,"sender":"\"messageType\",\"logEvents\""}"#), Ok(None));
        assert_eq!(read(br#"{"a":{"messageType":"DATA_MESSAGE","logEvents":[]}}"#), Ok(None));
        assert_eq!(read(br#"{"messageType":"login","account":"a"}"#), Ok(None));
        let late = format!("{{\"text\":\"{}\",\"owner\":5,\"messageType\":1}}", "x".repeat(50));
        assert_eq!(read(late.as_bytes()), Ok(None));
        assert!(read(br#"{"messageType":"DATA_MESSAGE","#).is_err());
        assert_eq!(read(b"Nov 23 plain"), Ok(None));
        assert!(read(br#"{"messageType":"DATA_MESSAGE","logEvents":[{"#).is_err());
        assert!(read(br#"{"messageType":"OTHER","logEvents":[]}"#).is_err());
    }
}
