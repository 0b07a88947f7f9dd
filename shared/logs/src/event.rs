//! JSON lines: submissions as events, and log lines that a shipper has wrapped.
//!
//! The schema of events is `shared/logs/event.schema.json`.

use std::borrow::Cow;

use report::{
    ACCOUNT_LIMIT, AuthFailure, MECHANISM_LIMIT, NULL_SENDER, SENDER_LIMIT, Submission, TlsVersion,
    UNKNOWN_SENDER, client_address, lowered, uppered,
};
use serde::Deserialize;
use serde_json::Value;

use crate::Sink;
use crate::time::Timestamps;

/// The most messages that one event may stand for.
const MOST_MESSAGES: u64 = 1_000_000_000;

/// What one JSON object holds.
pub(crate) enum Object<'a> {
    /// A log line with what its shipper tells about it.
    Wrapped(Wrapped<'a>),
    /// A submission or failed authentication, already handed on.
    Event,
    /// Something else: JSON, but nothing that is counted.
    Other,
}

/// A log line from journald, Docker or a shipper that writes JSON.
pub(crate) struct Wrapped<'a> {
    pub(crate) time: Option<i64>,
    pub(crate) host: Cow<'a, str>,
    pub(crate) program: Cow<'a, str>,
    pub(crate) pid: Option<u32>,
    pub(crate) message: Vec<u8>,
}

type Text<'a> = Option<Cow<'a, str>>;

/// Every field that any of the known kinds of object uses.
#[derive(Deserialize)]
struct Fields<'a> {
    event: Option<Value>,
    time: Option<Value>,
    sender: Option<Value>,
    account: Option<Value>,
    mechanism: Option<Value>,
    tls: Option<Value>,
    client: Option<Value>,
    messages: Option<Value>,

    #[serde(rename = "MESSAGE")]
    journal_message: Option<Value>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    journal_time: Option<Value>,
    #[serde(borrow, rename = "_HOSTNAME")]
    journal_host: Text<'a>,
    #[serde(borrow, rename = "SYSLOG_IDENTIFIER")]
    journal_program: Text<'a>,
    #[serde(rename = "SYSLOG_PID")]
    journal_syslog_pid: Option<Value>,
    #[serde(rename = "_PID")]
    journal_pid: Option<Value>,

    message: Option<Value>,
    log: Option<Value>,
    program: Option<Value>,
    pid: Option<Value>,
    host: Option<Value>,
    hostname: Option<Value>,
    timestamp: Option<Value>,
    #[serde(rename = "@timestamp")]
    at_timestamp: Option<Value>,
}

/// Reads one object and hands an event on.
///
/// # Errors
/// What is wrong with it, in words for a person.
pub(crate) fn read<'a>(
    text: &'a [u8],
    mark: u64,
    times: &mut Timestamps,
    sink: &mut impl Sink,
) -> Result<Object<'a>, String> {
    let fields: Fields<'a> =
        serde_json::from_slice(text).map_err(|error| format!("not a JSON object: {error}"))?;
    if let Some(message) = fields.journal_message {
        let pid = fields.journal_syslog_pid.or(fields.journal_pid);
        return Ok(Object::Wrapped(Wrapped {
            time: fields.journal_time.and_then(|time| instant(&time, times)),
            host: fields.journal_host.unwrap_or_default(),
            program: fields.journal_program.unwrap_or_default(),
            pid: pid.as_ref().and_then(process),
            message: bytes(message).ok_or("MESSAGE is neither text nor bytes")?,
        }));
    }
    let is_event = matches!(fields.event, Some(Value::String(_)));
    if is_event || fields.sender.is_some() || fields.account.is_some() {
        return event(&fields, mark, times, sink).map(|()| Object::Event);
    }
    let Some(message) = fields.message.or(fields.log).and_then(bytes) else {
        return Ok(Object::Other);
    };
    let own = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(Cow::Owned(text)),
        _ => None,
    };
    let time = [fields.time, fields.timestamp, fields.at_timestamp, fields.journal_time];
    let host = own(fields.host).or(own(fields.hostname)).or(fields.journal_host);
    let pid = fields.pid.or(fields.journal_syslog_pid).or(fields.journal_pid);
    Ok(Object::Wrapped(Wrapped {
        time: time.into_iter().flatten().find_map(|time| instant(&time, times)),
        host: host.unwrap_or_default(),
        program: own(fields.program).or(fields.journal_program).unwrap_or_default(),
        pid: pid.as_ref().and_then(process),
        message,
    }))
}

fn event(
    fields: &Fields<'_>,
    mark: u64,
    times: &mut Timestamps,
    sink: &mut impl Sink,
) -> Result<(), String> {
    let time = event_time(fields.time.as_ref(), times)?;
    let account = lowered_field("account", fields.account.as_ref(), ACCOUNT_LIMIT)?;
    let client = match text("client", fields.client.as_ref())? {
        "" => Cow::Borrowed(""),
        given => match client_address(given.as_bytes()) {
            address if address.is_empty() => {
                return Err(format!("client {given:?} is no IP address"));
            }
            address => address,
        },
    };
    let mechanism = text("mechanism", fields.mechanism.as_ref())?;
    let sender = lowered_field("sender", fields.sender.as_ref(), SENDER_LIMIT)?;
    let tls = event_tls(text("tls", fields.tls.as_ref())?)?;
    let messages = event_messages(fields.messages.as_ref())?;
    match text("event", fields.event.as_ref())? {
        "" | "submission" => {}
        "auth_failure" => {
            let account = account.unwrap_or_default();
            sink.auth_failure(mark, &AuthFailure { time, account: &account, client: &client });
            return Ok(());
        }
        other => {
            return Err(format!("event {other:?} is neither \"submission\" nor \"auth_failure\""));
        }
    }
    let sender = match sender {
        Some(sender) if sender.is_empty() => NULL_SENDER.into(),
        Some(sender) => sender,
        None if account.is_some() => UNKNOWN_SENDER.into(),
        None => return Err("neither sender nor account is given".to_owned()),
    };
    sink.submission(
        mark,
        &Submission {
            time,
            sender: &sender,
            account: &account.unwrap_or_default(),
            mechanism: &uppered(mechanism.as_bytes(), MECHANISM_LIMIT),
            tls,
            client: &client,
            messages,
        },
    );
    Ok(())
}

fn event_time(value: Option<&Value>, times: &mut Timestamps) -> Result<i64, String> {
    let value = value.filter(|value| !value.is_null()).ok_or("time is missing")?;
    let time = match value {
        Value::String(text) => times
            .rfc3339(text.as_bytes())
            .filter(|(_, end)| *end == text.len() && text[19..].contains(['Z', 'z', '+', '-']))
            .map(|(time, _)| time),
        Value::Number(number) => seconds(number.as_f64().unwrap_or(f64::NAN)),
        _ => None,
    };
    time.ok_or_else(|| {
        format!("time {value} is neither RFC 3339 with an offset nor seconds since 1970")
    })
}

fn event_tls(label: &str) -> Result<TlsVersion, String> {
    match label.to_ascii_lowercase().as_str() {
        "" | "unknown" => Ok(TlsVersion::Unknown),
        "none" => Ok(TlsVersion::None),
        lower if lower.starts_with("ssl") => Ok(TlsVersion::Unknown),
        lower => {
            let label = lower.replacen("tls", "TLS", 1);
            match TlsVersion::from_label(label.as_bytes()) {
                TlsVersion::Unknown => Err(format!(
                    "tls {lower:?} is none of TLS1.0, TLS1.1, TLS1.2, TLS1.3, none, unknown"
                )),
                version => Ok(version),
            }
        }
    }
}

fn event_messages(value: Option<&Value>) -> Result<u64, String> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(1) };
    value
        .as_u64()
        .filter(|messages| (1..=MOST_MESSAGES).contains(messages))
        .ok_or_else(|| format!("messages {value} is no whole number from 1 to {MOST_MESSAGES}"))
}

fn text<'v>(name: &str, value: Option<&'v Value>) -> Result<&'v str, String> {
    match value {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("{name} {other} is no text")),
    }
}

fn lowered_field<'v>(
    name: &str,
    value: Option<&'v Value>,
    limit: usize,
) -> Result<Option<Cow<'v, str>>, String> {
    let given = value.is_some_and(|value| !value.is_null());
    let text = text(name, value)?;
    Ok(given.then(|| lowered(text.as_bytes(), limit)))
}

/// A shipper's idea of time: RFC 3339, or a number of seconds, milliseconds or microseconds.
fn instant(value: &Value, times: &mut Timestamps) -> Option<i64> {
    match value {
        Value::Number(number) => seconds(number.as_f64()?),
        Value::String(text) => match text.parse::<f64>() {
            Ok(number) => seconds(number),
            Err(_) => times.rfc3339(text.as_bytes()).map(|(time, _)| time),
        },
        _ => None,
    }
}

fn seconds(number: f64) -> Option<i64> {
    let seconds = match number {
        n if n >= 1e14 => n / 1e6,
        n if n >= 1e11 => n / 1e3,
        n => n,
    };
    #[expect(clippy::cast_possible_truncation, reason = "far within range")]
    (seconds.is_finite() && (0.0..1e11).contains(&seconds)).then_some(seconds as i64)
}

fn process(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Text, or an array of bytes as journald writes what is no UTF-8.
fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.into_bytes()),
        Value::Array(items) => items.iter().map(|item| u8::try_from(item.as_u64()?).ok()).collect(),
        _ => None,
    }
}
