//! Log lines in JSON objects, as journald, Docker and shippers write them, and arrays of objects.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::record::{OwnedRecord, Record};
use crate::time::{Timestamps, seconds};
use crate::wrapper::{Unwrapped, Wrapper};

/// JSON objects with a log line in them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Json;

impl Wrapper for Json {
    #[inline]
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        _reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        match record.message {
            [b'{', .., b']'] if record.is_bare() => array(record),
            [b'{', ..] => object(record, times),
            [b'[', next, ..] if b"{ ]".contains(next) => array(record),
            [b'['] if record.is_bare() => Unwrapped::Several(Vec::new()),
            _ => Unwrapped::Not,
        }
    }
}

/// A whole array, or a line of one that stands one object a line.
fn array<'a>(record: &Record<'a>) -> Unwrapped<'a> {
    let text = record.message;
    if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(text) {
        return Unwrapped::Several(items.into_iter().map(|item| item.get().as_bytes()).collect());
    }
    if !record.is_bare() {
        return Unwrapped::Not;
    }
    let inner = text.strip_prefix(b"[").unwrap_or(text).trim_ascii();
    let inner = inner.strip_suffix(b"]").unwrap_or(inner).trim_ascii();
    Unwrapped::Several(if inner.is_empty() { Vec::new() } else { vec![inner] })
}

type Text<'a> = Option<Cow<'a, str>>;

/// The fields in which shippers put a line and what they know about it.
#[derive(Deserialize)]
struct Fields<'a> {
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
    time: Option<Value>,
    timestamp: Option<Value>,
    #[serde(rename = "@timestamp")]
    at_timestamp: Option<Value>,
}

fn object<'a>(record: &Record<'_>, times: &mut Timestamps) -> Unwrapped<'a> {
    let fields: Fields<'_> = match serde_json::from_slice(record.message) {
        Ok(fields) => fields,
        Err(error) => return Unwrapped::Broken(format!("not a JSON object: {error}")),
    };
    let pid = fields.pid.as_ref();
    let journal_pid = fields.journal_syslog_pid.as_ref().or(fields.journal_pid.as_ref());
    let inner = if let Some(message) = fields.journal_message {
        let Some(message) = bytes(message) else {
            return Unwrapped::Broken("MESSAGE is neither text nor bytes".to_owned());
        };
        OwnedRecord {
            time: fields.journal_time.and_then(|time| instant(&time, times)),
            host: fields.journal_host.unwrap_or_default().into_owned(),
            program: fields.journal_program.unwrap_or_default().into_owned(),
            pid: journal_pid.and_then(process),
            message,
        }
    } else if let Some(message) = fields.message.or(fields.log).and_then(bytes) {
        let time = [fields.time, fields.timestamp, fields.at_timestamp, fields.journal_time];
        let host = text(fields.host).or(text(fields.hostname));
        let journal = |name: Text<'_>| name.map(Cow::into_owned);
        OwnedRecord {
            time: time.into_iter().flatten().find_map(|time| instant(&time, times)),
            host: host.or_else(|| journal(fields.journal_host)).unwrap_or_default(),
            program: text(fields.program)
                .or_else(|| journal(fields.journal_program))
                .unwrap_or_default(),
            pid: pid.or(journal_pid).and_then(process),
            message,
        }
    } else {
        return Unwrapped::Not;
    };
    Unwrapped::Owned(Box::new(behind(record, inner)))
}

/// What the record around an object tells holds for what it does not tell itself.
///
/// So an object that a program logged stays that program's, unless it says beyond doubt which other one logged what
/// it holds, and when.
fn behind(outer: &Record<'_>, inner: OwnedRecord) -> OwnedRecord {
    let time = inner.time.or(outer.time);
    if !outer.is_named() {
        return OwnedRecord { time, ..inner };
    }
    let owned = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !inner.program.is_empty() && inner.time.is_some() && inner.pid.is_some() {
        let host = if inner.host.is_empty() { owned(outer.host) } else { inner.host };
        return OwnedRecord { host, ..inner };
    }
    OwnedRecord {
        time,
        host: owned(outer.host),
        program: owned(outer.program),
        pid: outer.pid,
        message: inner.message,
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
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
