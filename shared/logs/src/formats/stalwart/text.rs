//! The log as text: `2026-11-23T11:00:00Z INFO What happened (area.event) key = value, key = value`.

use memchr::{memchr, memmem};

use super::event::Event;
use crate::record::Record;
use crate::text::number;
use crate::time::Timestamps;

const LEVELS: [&[u8]; 5] = [b"INFO ", b"DEBUG ", b"TRACE ", b"WARN ", b"ERROR "];

/// What events are about.
const AREAS: [&str; 46] = [
    "acme",
    "ai",
    "arc",
    "auth",
    "calendar",
    "cluster",
    "config",
    "dane",
    "delivery",
    "dkim",
    "dmarc",
    "dns",
    "eval",
    "housekeeper",
    "http",
    "imap",
    "incoming-report",
    "iprev",
    "jmap",
    "limit",
    "mail-auth",
    "manage",
    "manage-sieve",
    "message-ingest",
    "milter",
    "mta-hook",
    "mta-sts",
    "network",
    "outgoing-report",
    "pop3",
    "purge",
    "push-subscription",
    "queue",
    "registry",
    "resource",
    "security",
    "server",
    "sieve",
    "smtp",
    "spam",
    "spf",
    "store",
    "task-manager",
    "task-queue",
    "telemetry",
    "tls",
];

/// Reads a line; none if it is something else.
pub(super) fn read<'a>(record: &Record<'a>, times: &mut Timestamps) -> Option<Event<'a>> {
    let line = record.message;
    // A clock that another wrote before the line may have been taken off with the line's own.
    let (time, rest) = match line.first()? {
        b'0'..=b'9' => {
            (line.get(10) == Some(&b'T')).then_some(())?;
            let rest = line.get(19..)?;
            let rest = &rest[memchr(b' ', rest.get(..16)?)? + 1..];
            level(rest)?;
            let (time, end) = times.rfc3339(line)?;
            (line.get(end) == Some(&b' ')).then_some((Some(time), rest))?
        }
        _ => (record.time, line),
    };
    let rest = level(rest)?;
    // Descriptions are the server's own, and none holds a bracket.
    let begins = memchr(b'(', rest)?;
    let ends = begins + memchr(b')', &rest[begins..])?;
    let kind = &rest[begins + 1..ends];
    if begins < 2 || rest[begins - 1] != b' ' || !is_kind(kind) {
        return None;
    }
    let mut event = Event { time, kind: str::from_utf8(kind).ok()?.into(), ..Event::default() };
    keys(&rest[ends + 1..], &mut event);
    Some(event)
}

fn level(text: &[u8]) -> Option<&[u8]> {
    LEVELS.iter().find_map(|level| text.strip_prefix(*level))
}

/// Whether a text names an event of Stalwart's.
pub(super) fn is_kind(text: &[u8]) -> bool {
    let Some(dot) = memchr(b'.', text) else { return false };
    let (area, name) = (&text[..dot], &text[dot + 1..]);
    let is_name = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    !name.is_empty()
        && name.iter().all(is_name)
        && AREAS.iter().any(|known| known.as_bytes() == area)
}

/// Reads keys from the left, up to the first value that does not end beyond doubt: what the server knows by itself stands
/// before what clients have said, and the first of a name counts.
fn keys<'a>(text: &'a [u8], event: &mut Event<'a>) {
    let mut rest = text;
    while let Some(at) = memmem::find(rest.get(..40.min(rest.len())).unwrap_or_default(), b" = ") {
        let key = rest[..at].trim_ascii_start();
        let behind = &rest[at + 3..];
        let (value, end) = match behind.first() {
            Some(b'"') => match memchr(b'"', &behind[1..]) {
                Some(end) => (&behind[1..=end], end + 2),
                None => return,
            },
            Some(b'[' | b'{') | None => return,
            Some(_) => {
                let end = memchr(b',', behind).unwrap_or(behind.len());
                (&behind[..end], end)
            }
        };
        let next = &behind[end..];
        let Ok(value) = str::from_utf8(value) else { return };
        // Older versions escape no quotes: such a text may go on.
        if value.contains('\\') || !(next.is_empty() || next.starts_with(b", ")) {
            return;
        }
        match key {
            b"listenerId" if event.listener.is_empty() => event.listener = value.into(),
            b"localPort" if event.local_port.is_none() => event.local_port = port(value),
            b"remoteIp" if event.client.is_empty() => event.client = value.into(),
            b"remotePort" if event.port.is_none() => event.port = port(value),
            b"accountName" => {
                // Whoever fails to log in may have chosen a name with a quote in it.
                if event.kind == "auth.success" || memchr(b'"', next).is_none() {
                    event.account = value.into();
                }
                return;
            }
            b"version" if event.version.is_empty() => event.version = value.into(),
            b"from" => {
                if is_end_of_sender(next) {
                    event.sender = Some(value.into());
                    event.recipients = recipients(next);
                }
                return;
            }
            _ => {}
        }
        rest = next.strip_prefix(b", ").unwrap_or_default();
    }
}

fn port(text: &str) -> Option<u16> {
    number(text.as_bytes())?.try_into().ok()
}

/// Whether a sender ends before this text, and can end nowhere else: recipients follow it.
fn is_end_of_sender(next: &[u8]) -> bool {
    let Some(recipients) = next.strip_prefix(b", to = [") else { return false };
    memmem::find(recipients, b"\", to = [").is_none()
}

/// The recipients in `, to = ["a@x.test", "b@x.test"], size = 9, …`; 0 if one holds what could be another.
fn recipients(next: &[u8]) -> u64 {
    let list = next.strip_prefix(b", to = [\"").and_then(|list| {
        let end = memmem::find(list, b"\"], size = ")?;
        str::from_utf8(&list[..end]).ok()
    });
    let mut all = list.into_iter().flat_map(|list| list.split("\", \""));
    all.try_fold(0, |sum, one| (!one.contains(['"', '\\'])).then_some(sum + 1)).unwrap_or(0)
}
