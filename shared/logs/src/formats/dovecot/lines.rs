//! Single lines of Dovecot's.

use memchr::{memchr, memchr_iter, memmem};
use report::TlsVersion;

use crate::text::number;
use crate::time::Timestamps;

const LOGIN: &[u8] = b"submission-login: ";
const RELAYED: &[u8] = b"Successfully relayed message: from=<";

/// A line behind its time, host and tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A client has logged in.
    Login(Fields<'a>),
    /// A session ended without a login: so many were tried in vain.
    Failed { tried: u32, temporary: bool, fields: Fields<'a> },
    /// A message was taken over by the server behind; no prefix or sender where a name of the client's may imitate one.
    Relayed {
        prefix: Option<Prefix<'a>>,
        sender: Option<&'a [u8]>,
        recipients: u64,
        queue_id: Option<&'a [u8]>,
    },
    /// A session that had logged in is over.
    Ended(Prefix<'a>),
    /// Nothing that is looked for.
    Other,
}

/// `submission(USER)<PID><SESSION>`, of which the last two may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix<'a> {
    pub(super) user: &'a [u8],
    pub(super) pid: &'a [u8],
    pub(super) session: &'a [u8],
}

/// What the login service tells of a session: `user=<…>, method=…, rip=…`, with or without commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    /// Empty if it is not told, as all the others, or where a name of the client's can imitate it.
    pub(super) user: &'a [u8],
    pub(super) mechanism: &'a [u8],
    pub(super) client: &'a [u8],
    pub(super) pid: &'a [u8],
    pub(super) session: &'a [u8],
    pub(super) tls: TlsVersion,
}

/// Whether a program, as a header names it, is the submission service itself, as where Dovecot writes the log without syslog.
pub(super) fn is_service(program: &[u8]) -> bool {
    let Some(rest) = program.strip_prefix(b"submission") else { return false };
    rest == b"-login" || (rest.first() == Some(&b'(') && matches!(rest.last(), Some(b')' | b'>')))
}

/// A line that Dovecot itself has given a time, without host and tag: `Nov 23 11:00:00 submission-login: Info: …`.
#[inline]
pub(super) fn headed<'a>(
    text: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> Option<(i64, &'a [u8])> {
    // The cheap question first: it is asked of every line.
    let behind = match text {
        [b'A'..=b'Z', ..] => 15,
        [b'0'..=b'9', ..] => 19,
        _ => return None,
    };
    let rest = text.get(behind..)?.strip_prefix(b" submission")?;
    matches!(rest.first(), Some(b'-' | b'(')).then_some(())?;
    // Its own log tells the level of each line.
    memmem::find(rest, b": Info: ")?;
    let (time, end) = times.any(text, reference)?;
    (end == behind).then(|| (time, &text[end + 1..]))
}

/// Reads a message of Dovecot's.
pub(super) fn line(message: &[u8]) -> Line<'_> {
    if let Some(rest) = message.strip_prefix(LOGIN) {
        return of_login(without_level(rest));
    }
    if message.starts_with(b"submission(") {
        return of_session(message);
    }
    Line::Other
}

/// Reads a message whose header names the service and the session.
pub(super) fn line_of<'a>(service: &'a [u8], message: &'a [u8]) -> Line<'a> {
    let message = without_level(message);
    if service == b"submission-login" {
        return of_login(message);
    }
    if let Some(rest) = message.strip_prefix(RELAYED) {
        return relayed(prefix(service), rest);
    }
    match prefix(service) {
        Some(prefix) if message.starts_with(b"Disconnected: ") => Line::Ended(prefix),
        _ => Line::Other,
    }
}

fn without_level(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"Info: ").unwrap_or(text)
}

fn of_login(text: &[u8]) -> Line<'_> {
    if let Some(rest) = text.strip_prefix(b"Login: ").or_else(|| text.strip_prefix(b"Logged in: "))
    {
        return Line::Login(fields(rest));
    }
    // Dovecot has changed these words often, and what tells how often a password was judged never.
    let ended = [&b"Disconnected"[..], b"Aborted login", b"Login aborted"];
    if !ended.iter().any(|words| text.starts_with(words)) {
        return Line::Other;
    }
    failed(text).unwrap_or(Line::Other)
}

/// `… (auth failed, 3 attempts in 1 secs): user=<…>, …`.
fn failed(text: &[u8]) -> Option<Line<'_>> {
    // Before the user's name, nothing is the client's.
    let told = &text[..memmem::find(text, b"user=<").unwrap_or(text.len())];
    let (reason, temporary) =
        [(&b"(auth failed, "[..], false), (b"(temporary auth failure, ", true)]
            .into_iter()
            .find_map(|(words, temporary)| {
                Some((memmem::find(told, words)? + words.len(), temporary))
            })?;
    let rest = &text[reason..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let tried = number(&rest[..digits])?;
    let fields = fields(&rest[memmem::find(&told[reason..], b" secs)")? + 6..]);
    rest[digits..].starts_with(b" attempts in ").then_some(Line::Failed {
        tried,
        temporary,
        fields,
    })
}

fn of_session(message: &[u8]) -> Line<'_> {
    let Some(at) = memmem::find(message, RELAYED) else {
        let ended = memmem::find(message, b": Disconnected: ");
        let ended = ended
            .and_then(|at| prefix(message[..at].strip_suffix(b": Info").unwrap_or(&message[..at])));
        return ended.map_or(Line::Other, Line::Ended);
    };
    let before = &message[..at];
    let before = before.strip_suffix(b"Info: ").unwrap_or(before);
    relayed(before.strip_suffix(b": ").and_then(prefix), &message[at + RELAYED.len()..])
}

/// What follows `from=<`: `SENDER>, size=…, id=…, nrcpt=…, reply=`250 2.0.0 Ok: queued as QUEUEID'`.
fn relayed<'a>(prefix: Option<Prefix<'a>>, rest: &'a [u8]) -> Line<'a> {
    // A user's name or a quoted sender may hold the same words: then nothing tells which are Dovecot's.
    let is_clear = memmem::find(rest, RELAYED).is_none();
    let Some(end) = memmem::rfind(rest, b">, size=") else { return Line::Other };
    let (prefix, sender) = (prefix.filter(|_| is_clear), is_clear.then_some(&rest[..end]));
    let (recipients, queue_id) = (recipients(&rest[end..]), queue_id(&rest[end..]));
    Line::Relayed { prefix, sender, recipients, queue_id }
}

/// The number in `>, size=…, id=…, nrcpt=…, reply=`: before the reply, all of it is Dovecot's.
fn recipients(rest: &[u8]) -> u64 {
    const NAME: &[u8] = b", nrcpt=";
    let told = memmem::find(rest, NAME).and_then(|at| {
        let value = &rest[at + NAME.len()..];
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        number(&value[..digits])
    });
    told.map_or(0, u64::from)
}

/// The id that the server behind gave, in its reply.
fn queue_id(rest: &[u8]) -> Option<&[u8]> {
    let at = memmem::rfind(rest, b" queued as ")? + 11;
    let end = rest[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (5..=24).contains(&end).then(|| &rest[at..at + end])
}

/// Reads a session's prefix, from its end.
fn prefix(text: &[u8]) -> Option<Prefix<'_>> {
    let rest = text.strip_prefix(b"submission(")?;
    let (rest, last) = bracketed(rest);
    let (rest, first) = bracketed(rest);
    let (pid, session) = match (first, last) {
        (Some(pid), Some(session)) => (pid, session),
        (None, Some(pid)) if number(pid).is_some() => (pid, &b""[..]),
        (None, session) => (&b""[..], session.unwrap_or_default()),
        (Some(_), None) => return None,
    };
    Some(Prefix { user: rest.strip_suffix(b")")?, pid, session })
}

/// `text<inner>`.
fn bracketed(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(inner) = text.strip_suffix(b">") else { return (text, None) };
    match memchr::memrchr(b'<', inner) {
        Some(open) => (&text[..open], Some(&inner[open + 1..])),
        None => (text, None),
    }
}

/// Reads what the login service tells of a session, in whatever order.
fn fields(text: &[u8]) -> Fields<'_> {
    let mut fields = Fields {
        user: b"",
        mechanism: b"",
        client: b"",
        pid: b"",
        session: b"",
        tls: TlsVersion::Unknown,
    };
    let Some((before, user, rest)) = around_user(text) else {
        fields.client = only(text, b"rip=").unwrap_or_default();
        return fields;
    };
    fields.user = user;
    let mut secured = false;
    let words = before.split(|byte| *byte == b' ').chain(rest.split(|byte| *byte == b' '));
    for word in words {
        let word = word.strip_suffix(b",").unwrap_or(word);
        if let Some(mechanism) = word.strip_prefix(b"method=") {
            fields.mechanism = mechanism;
        } else if let Some(client) = word.strip_prefix(b"rip=") {
            fields.client = client;
        } else if let Some(pid) = word.strip_prefix(b"mpid=") {
            fields.pid = pid;
        } else if let Some(session) = word.strip_prefix(b"session=<") {
            fields.session = session.strip_suffix(b">").unwrap_or_default();
        } else if word.starts_with(b"TLSv") || word.starts_with(b"SSLv") {
            fields.tls = TlsVersion::from_label(word);
            secured = true;
        } else if word == b"TLS" || word == b"TLS:" {
            secured = true;
        }
    }
    if !secured {
        fields.tls = TlsVersion::None;
    }
    fields
}

/// What stands before the user's name, the name, and what stands behind it; none if something in the name may not be
/// of the name.
fn around_user(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let at = memmem::find(text, b"user=<")?;
    let (before, rest) = (&text[..at], &text[at + 6..]);
    let (user, rest) = rest.split_at(memchr(b'>', rest)?);
    let sessions = memmem::find_iter(rest, b"session=<").count();
    let brackets = memchr_iter(b'>', rest).count() - 1;
    (sessions < 2 && brackets == sessions && memmem::find(rest, b"user=<").is_none())
        .then(|| (before, user, &rest[1..]))
}

/// The value of a field that stands nowhere else in a text.
fn only<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = memmem::find(text, name)?;
    let value = &text[at + name.len()..];
    memmem::find(value, name).is_none().then_some(())?;
    let end = value.iter().position(|byte| matches!(byte, b' ' | b',')).unwrap_or(value.len());
    Some(&value[..end])
}
