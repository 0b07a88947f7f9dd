//! One line, put together from what fields tell of it.

use std::borrow::Cow;

use super::moment::Moments;
use super::names::Part;
use super::parts::{Parts, Value};
use crate::record::{OwnedRecord, Record};
use crate::text::{number, trimmed};
use crate::time::Timestamps;
use crate::wrapper::Unwrapped;

/// How far into a message its own header reaches.
const HEADER: usize = 256;

/// A log line with what fields beside it have told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line<'a> {
    time: Option<i64>,
    host: Cow<'a, [u8]>,
    program: Cow<'a, [u8]>,
    pid: Option<u32>,
    message: Cow<'a, [u8]>,
}

impl<'a> Line<'a> {
    /// Puts a line together; none if no field holds one.
    pub(crate) fn of(
        parts: &Parts<'a>,
        reference: i64,
        times: &mut Timestamps,
        moments: &mut Moments,
    ) -> Option<Self> {
        let what = match parts.get(Part::Message) {
            None if parts.log().is_some() => Part::Attributed,
            None if is_envelope(parts) => Part::Enclosed,
            _ => Part::Message,
        };
        let (message, original) = (parts.text(what), parts.text(Part::Original));
        if message.is_none() && original.is_none() {
            return None;
        }
        let time = parts.times().find_map(|(text, utc)| moments.read(&text, utc, reference, times));
        let (program, pid) = program(parts);
        let mut repeats = |text: &[u8]| repeats_header(text, &program, pid, reference, times);
        let is_cut = !program.is_empty() && !program.contains(&b'/');
        let is_object = parts.get(what).is_some_and(Value::is_object);
        let message = match (message, original) {
            // An object beside the line as it came tells about the line.
            (Some(message), Some(original)) => {
                let better = is_object || (is_cut && repeats(&original));
                if better { original } else { message }
            }
            (message, original) => message.or(original)?,
        };
        let own_header = repeats(&message);
        let (program, pid) = if own_header { (Cow::default(), None) } else { (program, pid) };
        let host = parts.text(Part::Host).filter(|host| is_host(host)).unwrap_or_default();
        Some(Self { time, host, program, pid, message })
    }

    /// The same, of its own.
    pub(crate) fn into_owned<'b>(self) -> Line<'b> {
        let owned = |bytes: Cow<'_, [u8]>| Cow::Owned(bytes.into_owned());
        let (host, program) = (owned(self.host), owned(self.program));
        Line { time: self.time, host, program, pid: self.pid, message: owned(self.message) }
    }

    /// The line as a record within another.
    ///
    /// What the record around it tells holds for what it does not tell itself. So an object that a program logged stays
    /// that program's, unless it says beyond doubt which other one logged what it holds, and when.
    pub(crate) fn behind(self, outer: &Record<'a>) -> Unwrapped<'a> {
        let mut inner = self;
        let is_whole = !inner.program.is_empty() && inner.time.is_some() && inner.pid.is_some();
        inner.time = inner.time.or(outer.time);
        if outer.is_named() && !is_whole {
            (inner.host, inner.program) = (outer.host.into(), outer.program.into());
            inner.pid = outer.pid;
        } else if inner.host.is_empty() {
            inner.host = outer.host.into();
        }
        inner.into()
    }
}

impl<'a> From<Line<'a>> for Unwrapped<'a> {
    fn from(line: Line<'a>) -> Self {
        let Line { time, host, program, pid, message } = line;
        match (host, program, message) {
            (Cow::Borrowed(host), Cow::Borrowed(program), Cow::Borrowed(message)) => {
                Self::Record(Record { time, host, program, pid, message: trimmed(message) })
            }
            (host, program, message) => {
                let text = |bytes: Cow<'_, [u8]>| String::from_utf8_lossy(&bytes).into_owned();
                let (host, program) = (text(host), text(program));
                let message = message.into_owned();
                Self::Owned(Box::new(OwnedRecord { time, host, program, pid, message }))
            }
        }
    }
}

/// Whether fields are those of a store or a shipper, and not of a program that logs what it likes.
fn is_envelope(parts: &Parts<'_>) -> bool {
    let tells = |part| parts.get(part).is_some();
    tells(Part::Envelope) || (tells(Part::Host) && parts.times().next().is_some())
}

/// The program that logged a line, and its process; none if it is the container that fields name.
fn program<'a>(parts: &Parts<'a>) -> (Cow<'a, [u8]>, Option<u32>) {
    if parts.get(Part::Container).is_some() {
        return (Cow::default(), None);
    }
    // A shipper cuts programs at their slash where it writes them apart from the tag.
    if let Some(tag) = parts.text(Part::Tag)
        && let Some((end, pid)) = tag_end(&tag)
    {
        let program = match tag {
            Cow::Borrowed(tag) => Cow::Borrowed(&tag[..end]),
            Cow::Owned(tag) => Cow::Owned(tag[..end].to_vec()),
        };
        return (program, Some(pid));
    }
    let pid = parts.text(Part::Pid).and_then(|pid| number(&pid));
    // What administrators call a program is a syslog tag only if it looks like one.
    let label = || parts.text(Part::Label).filter(|label| label.contains(&b'/'));
    let program = parts.text(Part::Program).filter(|program| **program != b"-"[..]);
    (program.or_else(label).unwrap_or_default(), pid)
}

/// Where the program ends in `program[pid]:`, and the process.
fn tag_end(tag: &[u8]) -> Option<(usize, u32)> {
    let tag = tag.trim_ascii_end();
    let tag = tag.strip_suffix(b":").unwrap_or(tag).strip_suffix(b"]")?;
    let end = memchr::memrchr(b'[', tag)?;
    (end > 0 && !tag[..end].contains(&b' ')).then_some((end, number(&tag[end + 1..])?))
}

/// Whether a text can be a host's name: paths, and what a container writes to, stand in fields of the same name.
fn is_host(text: &[u8]) -> bool {
    !text.contains(&b'/') && !matches!(text, b"stdout" | b"stderr" | b"-")
}

/// Whether a message begins with a whole header that tells the same program and process as the fields: a time and a
/// tag, which no client can put there.
fn repeats_header(
    message: &[u8],
    program: &[u8],
    pid: Option<u32>,
    reference: i64,
    times: &mut Timestamps,
) -> bool {
    if program.is_empty()
        || !message
            .first()
            .is_some_and(|byte| b"<123456789".contains(byte) || byte.is_ascii_uppercase())
    {
        return false;
    }
    let text = &message[..message.len().min(HEADER)];
    let text = match memchr::memchr(b'>', &text[..text.len().min(5)]) {
        Some(end) if text[0] == b'<' => &text[end + 1..],
        _ => text,
    };
    let text = text.strip_prefix(b"1 ").unwrap_or(text);
    let end = match text {
        [b'A'..=b'Z', ..] if text.get(15) == Some(&b' ') => {
            times.syslog(text, reference).map(|_| 15)
        }
        _ => times.rfc3339(text).or_else(|| times.exim(text)).map(|(_, end)| end),
    };
    let Some(rest) = end.and_then(|end| text[end..].strip_prefix(b" ")) else { return false };
    // The tag stands first, or behind the host.
    let mut words = rest.split(|byte| *byte == b' ').take(3).peekable();
    while let Some(word) = words.next() {
        if !word.starts_with(program) {
            continue;
        }
        let logged = tag_end(word).map(|(_, pid)| pid);
        let logged = logged.or_else(|| words.peek().and_then(|next| number(next)));
        return logged.is_some() && (pid.is_none() || pid == logged);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_in_a_message_repeats_the_fields_only_if_it_is_whole() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let mut repeats = |message: &str, program: &str| {
            repeats_header(
                message.as_bytes(),
                program.as_bytes(),
                Some(7),
                1_795_435_200,
                &mut times,
            )
        };
        for message in [
            "Nov 23 11:00:00 mail postfix/smtpd[7]: x",
            "<22>Nov 23 11:00:00 postfix/smtpd[7]: x",
            "2026-11-23T11:00:00Z mail postfix/smtpd[7]: x",
            "<22>1 2026-11-23T11:00:00Z mail postfix/smtpd 7 - - x",
        ] {
            assert!(repeats(message, "postfix/smtpd") && repeats(message, "postfix"), "{message}");
            assert!(!repeats(message, "exim") && !repeats(message, ""), "{message}");
        }
        for message in [
            "",
            "<",
            "Nov 23 11:00:00",
            "Nov 23 11:00:00 mail postfix/smtpd[8]: x",
            "Nov 23 11:00:00 mail postfix/smtpd: x",
            "NOQUEUE: reject: postfix/smtpd[7]: x",
            "postfix/smtpd[7]: x",
            "warning: Nov 23 11:00:00 mail postfix/smtpd[7]: x",
        ] {
            assert!(!repeats(message, "postfix/smtpd"), "{message}");
        }
    }
}
