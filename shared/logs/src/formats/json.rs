//! JSON events: submissions and failed authentications, told by whoever knows of them.
//!
//! The schema of events is `shared/logs/event.schema.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;
use report::{TlsVersion, client_address, host_name};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::client_name::Name;
use crate::format::LogFormat;
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::recipients::Told;
use crate::record::Record;
use crate::time::{Timestamps, seconds};

/// The most messages that one event may stand for.
const MOST_MESSAGES: u64 = 1_000_000_000;

/// JSON events.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events;

impl LogFormat for Events {
    const NAME: &'static str = "json";
    const ABOUT: &'static str = "JSON events, and lines of other servers in JSON";
    const PROGRAMS_BEGIN: &'static [u8] = b"";
    const MESSAGES_BEGIN: &'static [u8] = b"{";
    const CARRIES_OTHERS: bool = true;

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if record.message.first() != Some(&b'{') {
            return false;
        }
        let Some(event) = Event::read(record) else { return false };
        let told = event.and_then(|event| match event.kind {
            Kind::Submission => submission(&event.fields, recipients(record.message), proofs),
            Kind::AuthFailure => auth_failure(&event.fields, proofs),
        });
        if let Err(reason) = told {
            proofs.rejected(record.message, &reason);
        }
        true
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        event_time(Event::read(record)?.ok()?.fields.time.as_ref(), times).ok()
    }

    fn refuses(line: &[u8]) -> Option<&'static str> {
        // What `journalctl -o json-seq` and `json-sse` put before their objects.
        let line = line.strip_prefix(b"\x1e").unwrap_or(line);
        let line = line.strip_prefix(b"data: ").unwrap_or(line);
        let is_json = matches!(line, [b'{', ..] | [b'[' | b']'])
            || matches!(line, [b'[', next, ..] if b"{ ]".contains(next));
        // An object behind what a shipper puts in front of it.
        let may_hold_one = || line.ends_with(b"}") && memchr(b'{', line).is_some();
        (!is_json && !may_hold_one()).then_some("not a JSON object")
    }
}

/// The fields of an event. Others are ignored.
#[derive(Deserialize)]
struct Fields {
    event: Option<Value>,
    time: Option<Value>,
    sender: Option<Value>,
    account: Option<Value>,
    mechanism: Option<Value>,
    tls: Option<Value>,
    client: Option<Value>,
    client_name: Option<Value>,
    messages: Option<Value>,
}

/// The names of these fields.
const FIELDS: [&str; 9] =
    ["event", "time", "sender", "account", "mechanism", "tls", "client", "client_name", "messages"];

/// An object that is an event by its own mark.
struct Event {
    kind: Kind,
    fields: Fields,
}

enum Kind {
    Submission,
    AuthFailure,
}

/// The mark of an event alone: it tells an event that is damaged elsewhere from another program's object.
#[derive(Deserialize)]
struct Mark {
    event: Option<Value>,
}

impl Event {
    /// Reads an event; none if a record's message is something else.
    ///
    /// Many programs log objects with a `sender`, an `account` or an `event` of their own. One of ours says which
    /// event it is. One that does not must have the form of a submission to the letter: a time, a sender or an
    /// account, and nothing that the schema does not name. Behind a header that names a program it must say it.
    ///
    /// # Errors
    /// It is marked as an event and is damaged, in words for a person.
    fn read(record: &Record<'_>) -> Option<Result<Self, String>> {
        let text = record.message;
        if text.first() != Some(&b'{') || !may_be_event(text) {
            return None;
        }
        let fields: Fields = match serde_json::from_slice(text) {
            Ok(fields) => fields,
            Err(error) => {
                return is_meant(text).then(|| Err(format!("not a JSON object: {error}")));
            }
        };
        let kind = match &fields.event {
            event @ Some(Value::String(_)) => Kind::of(event.as_ref())?,
            None | Some(Value::Null) if record.is_named() => return None,
            None | Some(Value::Null) => has_form(text).then_some(Kind::Submission)?,
            Some(_) => return None,
        };
        Some(Ok(Self { kind, fields }))
    }
}

impl Kind {
    fn of(event: Option<&Value>) -> Option<Self> {
        match event?.as_str()? {
            "submission" => Some(Self::Submission),
            "auth_failure" => Some(Self::AuthFailure),
            _ => None,
        }
    }
}

/// Whether an object has a time, a sender or an account, and nothing that the schema does not name.
fn has_form(text: &[u8]) -> bool {
    let names = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(text);
    names.is_ok_and(|names| {
        let has = |name: &str| names.contains_key(name);
        has("time")
            && (has("sender") || has("account"))
            && names.keys().all(|name| FIELDS.contains(&name.as_str()))
    })
}

/// Whether a text that cannot be read is meant as an event all the same: a client's bytes in it must not make it
/// vanish.
fn is_meant(text: &[u8]) -> bool {
    // What is no UTF-8, or half of a pair, stands in the values: the rest can be read without it.
    let readable = String::from_utf8_lossy(text).replace("\\ud", "?").replace("\\uD", "?");
    let mark = serde_json::from_str::<Mark>(&readable);
    mark.is_ok_and(|mark| Kind::of(mark.event.as_ref()).is_some()) || has_form(readable.as_bytes())
}

/// Whether an object has a field by which it could be an event: most log lines in JSON have none, and need not be
/// read for it.
fn may_be_event(text: &[u8]) -> bool {
    static MARKS: LazyLock<[Finder<'static>; 3]> =
        LazyLock::new(|| ["\"event\"", "\"sender\"", "\"account\""].map(Finder::new));
    MARKS.iter().any(|mark| mark.find(text).is_some())
}

/// How many recipients the messages of an event have together. They are read for themselves: before they were known, an
/// event might hold anything by this name.
fn recipients(text: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct Recipients {
        recipients: Told,
    }
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"recipients\""));
    let told = NAME.find(text).and_then(|_| serde_json::from_slice::<Recipients>(text).ok());
    told.map_or(0, |told| told.recipients.0)
}

fn submission<S: Sink>(
    fields: &Fields,
    recipients: u64,
    proofs: &mut Proofs<'_, S>,
) -> Result<(), String> {
    let time = event_time(fields.time.as_ref(), proofs.times)?;
    let account = text("account", fields.account.as_ref())?;
    let client = event_client(fields.client.as_ref())?;
    let name = text("client_name", fields.client_name.as_ref())?.unwrap_or_default().as_bytes();
    let mechanism = text("mechanism", fields.mechanism.as_ref())?;
    let sender = text("sender", fields.sender.as_ref())?;
    let tls = event_tls(text("tls", fields.tls.as_ref())?.unwrap_or_default())?;
    let messages = event_messages(fields.messages.as_ref())?;
    let sender = match sender {
        Some(sender) => Sender::Logged(sender.as_bytes()),
        None if account.is_some() => Sender::Unknown,
        None => return Err("neither sender nor account is given".to_owned()),
    };
    let account = account.unwrap_or_default().as_bytes();
    let mechanism = mechanism.unwrap_or_default().as_bytes();
    // What is no host's name was not looked up.
    let is_host = !host_name(name).is_empty();
    let name = if is_host { Name::Confirmed(name) } else { Name::Claimed(name) };
    let login = Login::Logged { account, mechanism, client, name };
    proofs.submission(&Proof { time, sender, login, tls, messages, recipients });
    Ok(())
}

fn auth_failure<S: Sink>(fields: &Fields, proofs: &mut Proofs<'_, S>) -> Result<(), String> {
    let time = event_time(fields.time.as_ref(), proofs.times)?;
    let account = text("account", fields.account.as_ref())?.unwrap_or_default();
    let client = event_client(fields.client.as_ref())?;
    // What does not matter for a failure must be right all the same: the sender means something by it.
    text("client_name", fields.client_name.as_ref())?;
    text("mechanism", fields.mechanism.as_ref())?;
    text("sender", fields.sender.as_ref())?;
    event_tls(text("tls", fields.tls.as_ref())?.unwrap_or_default())?;
    event_messages(fields.messages.as_ref())?;
    proofs.auth_failure(time, account.as_bytes(), client);
    Ok(())
}

fn event_client(value: Option<&Value>) -> Result<&[u8], String> {
    match text("client", value)?.unwrap_or_default() {
        given if given.is_empty() || !client_address(given.as_bytes()).is_empty() => {
            Ok(given.as_bytes())
        }
        given => Err(format!("client {given:?} is no IP address")),
    }
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

fn text<'v>(name: &str, value: Option<&'v Value>) -> Result<Option<&'v str>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("{name} {other} is no text")),
    }
}
