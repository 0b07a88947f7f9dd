//! One line of Haraka's log, in the three forms that it has.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::logfmt;
use crate::record::Record;
use crate::time::Timestamps;

/// A line, whichever its form.
pub(super) struct Line<'a> {
    /// When it was logged, if it says so itself.
    pub(super) time: Option<i64>,
    /// Whether its level is one that only a log with details has.
    pub(super) is_detail: bool,
    /// The connection, without the number of its transaction.
    pub(super) connection: &'a [u8],
    /// The transaction that is the connection's last one; 0 before the first.
    pub(super) transaction: u32,
    /// Who logged it: a plugin, or `core`.
    pub(super) origin: Cow<'a, [u8]>,
    /// What it says. In the default form the fields stand behind it.
    pub(super) message: Cow<'a, [u8]>,
    fields: Fields<'a>,
}

/// The fields of a line.
enum Fields<'a> {
    /// `key=value key="value"`.
    Pairs(&'a [u8]),
    Json(Box<Object<'a>>),
}

/// An object, as far as anything in it matters.
#[derive(Deserialize)]
struct Object<'a> {
    level: &'a str,
    uuid: &'a str,
    #[serde(borrow)]
    origin: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    ip: Option<&'a RawValue>,
    #[serde(borrow)]
    rdns: Option<&'a RawValue>,
    #[serde(borrow)]
    helo: Option<&'a RawValue>,
    #[serde(borrow)]
    relay: Option<&'a RawValue>,
    #[serde(borrow)]
    tls: Option<&'a RawValue>,
    #[serde(borrow)]
    lr: Option<&'a RawValue>,
    #[serde(borrow)]
    hook: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    retval: Option<&'a RawValue>,
    #[serde(borrow)]
    rcpts: Option<&'a RawValue>,
}

/// Whose a record is.
pub(super) enum Whose<'a> {
    /// A line of a connection.
    Line(Line<'a>),
    /// Haraka's, and nothing about a connection of a client.
    Other,
}

/// Whether a header says that Haraka logged a record.
pub(super) fn is_harakas(record: &Record<'_>) -> bool {
    record.program.eq_ignore_ascii_case(b"haraka")
}

/// Reads a record; none if it is not Haraka's.
pub(super) fn read<'a>(record: &Record<'a>, times: &mut Timestamps) -> Option<Whose<'a>> {
    // systemd names what it starts: the interpreter, if it is told so.
    let may_be = !record.is_named() || is_harakas(record) || record.program == b"node";
    may_be.then_some(())?;
    let text = record.message;
    // Before a time is read: does anything of Haraka's stand where it can stand?
    let (begin, is_timed) = match text.first()? {
        b'0'..=b'9' => {
            (text.get(10) == Some(&b'T')).then_some(())?;
            (memchr(b' ', &text[..text.len().min(40)]).filter(|at| text[at - 1] == b'Z')? + 1, true)
        }
        _ => (0, false),
    };
    let own = &text[begin..];
    let read = match own.first()? {
        b'[' => bracketed(own),
        b'l' if own.starts_with(b"level=") => pairs(own),
        b'{' if own.starts_with(b"{\"level\":\"") => object(own),
        _ => None,
    };
    match read.and_then(Parts::whose) {
        Some(Whose::Line(line)) => {
            let time = if is_timed { times.rfc3339(text).map(|(time, _)| time) } else { None };
            Some(Whose::Line(Line { time, ..line }))
        }
        Some(Whose::Other) => Some(Whose::Other),
        None => (is_harakas(record) || (is_timed && is_of_start(own))).then_some(Whose::Other),
    }
}

/// When a record was logged, as Haraka's line says itself.
pub(super) fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
    match read(record, times)? {
        Whose::Line(line) => line.time,
        Whose::Other => None,
    }
}

/// What Haraka says of itself when it starts.
fn is_of_start(text: &[u8]) -> bool {
    [&b"loglevel: "[..], b"log format: ", b"Starting up Haraka "]
        .iter()
        .any(|t| text.starts_with(t))
}

const LEVELS: &[&[u8]] = &[
    b"DATA",
    b"PROTOCOL",
    b"DEBUG",
    b"INFO",
    b"NOTICE",
    b"WARN",
    b"ERROR",
    b"CRIT",
    b"ALERT",
    b"EMERG",
];

/// Levels of which a log that begins with notices has none.
fn is_detail(level: &[u8]) -> bool {
    LEVELS[..4].contains(&level)
}

/// What each form of a line holds.
struct Parts<'a> {
    level: Cow<'a, [u8]>,
    id: &'a [u8],
    origin: Cow<'a, [u8]>,
    message: Cow<'a, [u8]>,
    fields: Fields<'a>,
}

impl<'a> Parts<'a> {
    /// Whose they are; none if they are not Haraka's.
    fn whose(self) -> Option<Whose<'a>> {
        LEVELS.contains(&&*self.level).then_some(())?;
        let Some((connection, transaction)) = connection(self.id)? else {
            return Some(Whose::Other);
        };
        Some(Whose::Line(Line {
            time: None,
            is_detail: is_detail(&self.level),
            connection,
            transaction,
            origin: self.origin,
            message: trimmed(self.message),
            fields: self.fields,
        }))
    }
}

/// `[NOTICE] [UUID.1] [core] queue code=OK msg="…"`.
fn bracketed(text: &[u8]) -> Option<Parts<'_>> {
    let (level, rest) = within_brackets(text)?;
    let (id, rest) = within_brackets(rest.strip_prefix(b" ")?)?;
    let (origin, rest) = within_brackets(rest.strip_prefix(b" ")?)?;
    let message = rest.trim_ascii();
    let fields = Fields::Pairs(behind_words(message));
    Some(Parts { level: level.into(), id, origin: origin.into(), message: message.into(), fields })
}

fn within_brackets(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"[")?;
    let end = memchr(b']', &text[..text.len().min(128)])?;
    Some((&text[..end], &text[end + 1..]))
}

/// The fields behind the one word that tells what happened, if it is one of those whose fields matter.
fn behind_words(message: &[u8]) -> &[u8] {
    for word in [&b"queue "[..], b"message ", b"connect ", b"disconnect "] {
        if let Some(rest) = message.strip_prefix(word) {
            return rest;
        }
    }
    if message.starts_with(b"hook=") { message } else { b"" }
}

/// `level=NOTICE uuid=UUID.1 origin=core message=queue code=OK msg="…"`.
fn pairs(text: &[u8]) -> Option<Parts<'_>> {
    let mut rest = text;
    let mut next = |name: &[u8]| {
        let (pair, behind) = logfmt::pair(rest)?;
        rest = behind;
        (pair.key == name).then(|| pair.text())
    };
    let (level, id) = (next(b"level")?, next(b"uuid")?);
    let (origin, message) = (next(b"origin")?, next(b"message")?);
    let Cow::Borrowed(id) = id else { return None };
    Some(Parts { level, id, origin, message, fields: Fields::Pairs(rest) })
}

/// The same as an object.
fn object(text: &[u8]) -> Option<Parts<'_>> {
    memmem::find(text, b"\"origin\":")?;
    let object: Object<'_> = serde_json::from_slice(text).ok()?;
    let text = |raw| value(raw).unwrap_or_default();
    Some(Parts {
        level: object.level.as_bytes().into(),
        id: object.uuid.as_bytes(),
        origin: text(object.origin),
        message: text(object.message),
        fields: Fields::Json(Box::new(object)),
    })
}

fn trimmed(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => text.trim_ascii().into(),
        Cow::Owned(text) => text.trim_ascii().to_vec().into(),
    }
}

/// The text of a field of an object; none if it is not there, or no text.
fn value(raw: Option<&RawValue>) -> Option<Cow<'_, [u8]>> {
    let raw = raw?.get();
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(inner.as_bytes().into());
    }
    serde_json::from_str::<String>(raw).ok().map(|text| text.into_bytes().into())
}

/// A connection's id and the number of its transaction; nothing if it is of no client's connection, such as of a
/// delivery.
///
/// None if it is no id.
#[expect(clippy::option_option, reason = "no id, no connection's, and a connection's")]
fn connection(id: &[u8]) -> Option<Option<(&[u8], u32)>> {
    if id == b"-" {
        return Some(None);
    }
    let (uuid, rest) = id.split_at_checked(36)?;
    let is_uuid = uuid.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    is_uuid.then_some(())?;
    let Some(number) = rest.strip_prefix(b".") else {
        return rest.is_empty().then_some(Some((uuid, 0)));
    };
    Some(crate::text::number(number).map(|number| (uuid, number)))
}

impl Line<'_> {
    /// A field's text.
    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        match &self.fields {
            Fields::Pairs(text) => logfmt::Pairs::of(text)
                .find(|pair| pair.key == name.as_bytes())
                .map(|pair| pair.text()),
            Fields::Json(object) => value(match name {
                "code" => object.code,
                "ip" => object.ip,
                "rdns" => object.rdns,
                "helo" => object.helo,
                "relay" => object.relay,
                "tls" => object.tls,
                "lr" => object.lr,
                "hook" => object.hook,
                "params" => object.params,
                "retval" => object.retval,
                "rcpts" => object.rcpts,
                _ => None,
            }),
        }
    }

    /// Whether it is the core's, and says this word.
    pub(super) fn says(&self, word: &[u8]) -> bool {
        let behind = self.message.strip_prefix(word);
        *self.origin == *b"core" && behind.is_some_and(|rest| rest.is_empty() || rest[0] == b' ')
    }

    /// The address in `sender <…>`, which a client chose as it liked.
    pub(super) fn sender(&self) -> Option<&[u8]> {
        let text = self.message.strip_prefix(b"sender <").filter(|_| *self.origin == *b"core")?;
        match &self.fields {
            // The server's own fields end the line.
            Fields::Pairs(b"") => Some(
                &text[..memmem::rfind(text, b"> code=").or_else(|| text.len().checked_sub(1))?],
            ),
            _ => text.strip_suffix(b">"),
        }
    }
}
