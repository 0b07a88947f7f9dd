//! Syslog headers in their variants: RFC 3164, RFC 5424, and what shippers leave of them.

use std::ops::Range;

use memchr::{memchr, memchr3};

use crate::record::Record;
use crate::text::number;
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// Syslog headers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Syslog {
    last: LastHeader,
}

impl Wrapper for Syslog {
    #[inline]
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        let line = record.message;
        if record.is_named() {
            let inner = whole(record, reference, times);
            return inner.map_or(Unwrapped::Not, Unwrapped::Record);
        }
        let inner = read(line, reference, times);
        self.last.remember(line, reference, &inner);
        if inner.message.len() == line.len() {
            return Unwrapped::Not;
        }
        // A time that only an outer wrapping tells is the line's.
        Unwrapped::Record(Record { time: inner.time.or(record.time), ..inner })
    }

    #[inline]
    fn unwrap_alike<'a>(&self, line: &'a [u8], reference: i64) -> Option<Record<'a>> {
        self.last.read(line, reference)
    }
}

/// The header of the line before: the next mostly begins alike, and need not be read again.
#[derive(Clone, Debug, Default)]
struct LastHeader {
    /// Timestamp and host with the blanks behind them.
    text: Vec<u8>,
    host: Range<usize>,
    time: i64,
    reference: i64,
}

impl LastHeader {
    /// Takes a line apart that begins like the last one.
    #[inline]
    fn read<'a>(&self, line: &'a [u8], reference: i64) -> Option<Record<'a>> {
        if self.text.is_empty() || reference != self.reference {
            return None;
        }
        let rest = line.strip_prefix(self.text.as_slice())?;
        let host = line.get(self.host.clone())?;
        Some(Record { time: Some(self.time), host, ..tag(rest)? })
    }

    /// Remembers the header of a line that was taken apart.
    ///
    /// Only RFC 3164 with a host and a tag with its process is remembered: what begins alike is then
    /// taken apart alike, and its timestamps, of whole seconds, repeat.
    fn remember(&mut self, line: &[u8], reference: i64, inner: &Record<'_>) {
        self.text.clear();
        let (Some(time), Some(b'A'..=b'Z')) = (inner.time, line.first()) else { return };
        let Some(at) = memchr::memmem::find(line, inner.host) else { return };
        let host = at..at + inner.host.len();
        let header = &line[..line.len().min(host.end + 1)];
        let tag = line[header.len()..].strip_prefix(inner.program);
        let is_whole = header.last() == Some(&b' ') && tag.is_some_and(|tag| tag.starts_with(b"["));
        if host.is_empty() || !is_whole {
            return;
        }
        self.text.extend_from_slice(header);
        (self.host, self.time, self.reference) = (host, time, reference);
    }
}

/// Takes a text line apart. Never fails: what has no header is all message.
#[inline]
fn read<'a>(line: &'a [u8], reference: i64, times: &mut Timestamps) -> Record<'a> {
    let text = if line.first() == Some(&b'<') { after_priority(line) } else { line };
    if let Some(rest) = text.strip_prefix(b"1 ")
        && text.len() < line.len()
        && let Some(inner) = rfc5424(rest, times)
    {
        return inner;
    }
    let (time, rest) = timestamp(text, reference, times);
    // Only syslog writes times like `Nov 23 12:00:00`; mail servers' own logs begin in other ways, and what follows
    // there may be a client's.
    let is_by_syslog = time.is_some() && text[0].is_ascii_uppercase();
    match host_and_tag(rest, time.is_some()) {
        Some((host, tag)) if is_by_syslog || (is_name(host) && is_name(tag.program)) => {
            Record { time, host, ..tag }
        }
        _ => Record { time, host: b"", program: b"", pid: None, message: rest },
    }
}

fn after_priority(line: &[u8]) -> &[u8] {
    let digits = line[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    match line.get(1 + digits) {
        Some(b'>') if (1..=3).contains(&digits) => &line[2 + digits..],
        _ => line,
    }
}

#[inline]
fn timestamp<'a>(
    text: &'a [u8],
    reference: i64,
    times: &mut Timestamps,
) -> (Option<i64>, &'a [u8]) {
    let found = match text.first() {
        Some(b'A'..=b'Z') if text.get(15) == Some(&b' ') => {
            times.syslog(text, reference).map(|time| (time, 15))
        }
        Some(b'0'..=b'9') => times.rfc3339(text).or_else(|| times.exim(text)),
        _ => None,
    };
    match found {
        Some((time, end)) => {
            let rest = &text[end..];
            (Some(time), rest.strip_prefix(b" ").unwrap_or(rest))
        }
        None => (None, text),
    }
}

/// `host program[pid]: message`, or without the host, or without the colon.
#[inline]
fn host_and_tag(text: &[u8], dated: bool) -> Option<(&[u8], Record<'_>)> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    // A host name has no bracket and no colon at its end; a tag without host has.
    if text[space - usize::from(space > 0)] != b':'
        && let Some(tag) = tag(&text[space + 1..])
        && (dated || tag.pid.is_some())
    {
        return Some((&text[..space], tag));
    }
    Some((b"", tag(text)?))
}

/// `program[pid]: message`, `program[pid] message` or `program: message`.
#[inline]
fn tag(text: &[u8]) -> Option<Record<'_>> {
    let mut end = memchr3(b'[', b':', b' ', text)?;
    if text[end] == b':' {
        end += address_of_a_service(&text[end..]).unwrap_or(0);
    }
    let program = &text[..end];
    let (pid, rest) = match text[end] {
        b'[' => {
            let digits = text[end + 1..].iter().take(11).position(|byte| *byte == b']')?;
            let close = end + 1 + digits;
            let pid = number(&text[end + 1..close])?;
            (Some(pid), text[close + 1..].strip_prefix(b":").unwrap_or(&text[close + 1..]))
        }
        b':' => (None, &text[end + 1..]),
        _ => return None,
    };
    let message = rest.strip_prefix(b" ").unwrap_or(rest);
    (!program.is_empty()).then_some(Record { time: None, host: b"", program, pid, message })
}

/// The rest of a program's name that has a colon in it: `192.0.2.1:587/smtpd[7]` is one of Postfix's. Its length.
fn address_of_a_service(text: &[u8]) -> Option<usize> {
    let end = memchr3(b'[', b' ', b'(', text).filter(|end| text[*end] == b'[')?;
    (text.get(1) != Some(&b' ') && text[..end].ends_with(b"/smtpd")).then_some(end)
}

/// RFC 5424 after its version: `TIMESTAMP HOST APP PROCID MSGID SD MESSAGE`.
fn rfc5424<'a>(text: &'a [u8], times: &mut Timestamps) -> Option<Record<'a>> {
    let mut rest = text;
    let mut field = || {
        let space = memchr(b' ', rest)?;
        let field = &rest[..space];
        rest = &rest[space + 1..];
        Some(field)
    };
    let (stamp, host, program, pid, _msgid) = (field()?, field()?, field()?, field()?, field()?);
    let time = match stamp {
        b"-" => None,
        stamp => Some(times.rfc3339(stamp)?.0),
    };
    let message = after_structured_data(rest)?;
    let message = message.strip_prefix(b"\xef\xbb\xbf").unwrap_or(message);
    let nil = |field: &'a [u8]| if field == b"-" { &b""[..] } else { field };
    Some(Record { time, host: nil(host), program: nil(program), pid: number(pid), message })
}

/// Skips `-` or `[id name="value"]…`, whose values escape `"`, `\` and `]` with a backslash.
fn after_structured_data(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(b"-") {
        return Some(rest.strip_prefix(b" ").unwrap_or(rest));
    }
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b' ' if !quoted && at > 0 && text[at - 1] == b']' => return Some(&text[at + 1..]),
            _ => {}
        }
        at += 1;
    }
    None
}

/// A whole header behind another one, which named a program: time, and a tag with its process.
///
/// Nothing less is believed here: what a program logs may be of strangers' choice, and must not pass for another
/// program's line because it looks a little like one. For the same reason the outer header must be more than a word
/// with a colon.
fn whole<'a>(record: &Record<'a>, reference: i64, times: &mut Timestamps) -> Option<Record<'a>> {
    let is_header = record.time.is_some() || record.pid.is_some() || record.program.contains(&b'/');
    let begins = |byte: &u8| matches!(byte, b'<' | b'A'..=b'Z' | b'0'..=b'9');
    record.message.first().filter(|byte| is_header && begins(byte))?;
    let inner = read(record.message, reference, times);
    let is_whole = inner.time.is_some() && inner.pid.is_some() && inner.is_named();
    // Processes of two hosts must not be taken for one because a transport left their names to its own header.
    let host = if inner.host.is_empty() { record.host } else { inner.host };
    is_whole.then_some(Record { host, ..inner })
}

/// Whether bytes can be a host's or a program's name: a HELO argument in parentheses, a field, a quoted text or an
/// object, which a client may have put there, is none.
fn is_name(text: &[u8]) -> bool {
    !text.iter().any(|byte| matches!(byte, b'(' | b'=' | b'"' | b'<' | b'{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: i64 = 1_795_435_200; // 2026-11-23T12:00Z

    fn read_line(line: &str) -> (Option<i64>, String, String, Option<u32>, String) {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let inner = read(line.as_bytes(), REFERENCE, &mut times);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Record { time, host, program, pid, message } = inner;
        (time, text(host), text(program), pid, text(message))
    }

    #[test]
    fn every_variant_of_header_gives_the_same_parts() {
        let dated = Some(REFERENCE);
        for (line, time, host) in [
            ("Nov 23 12:00:00 mail postfix/smtpd[12]: hello", dated, "mail"),
            ("<22>Nov 23 12:00:00 mail postfix/smtpd[12]: hello", dated, "mail"),
            ("2026-11-23T13:00:00+01:00 mail postfix/smtpd[12]: hello", dated, "mail"),
            ("2026-11-23T13:00:00.5+01:00 mail postfix/smtpd[12] hello", dated, "mail"),
            ("<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 - - hello", dated, "mail"),
            (
                "<22>1 2026-11-23T12:00:00Z mail postfix/smtpd 12 x [a b=\"\\] \"] hello",
                dated,
                "mail",
            ),
            ("Nov 23 12:00:00 postfix/smtpd[12]: hello", dated, ""),
            ("mail postfix/smtpd[12]: hello", None, "mail"),
            ("postfix/smtpd[12]: hello", None, ""),
        ] {
            let expected = (time, host.into(), "postfix/smtpd".into(), Some(12), "hello".into());
            assert_eq!(read_line(line), expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_header_is_all_message() {
        let line = "4AA091855DA0: client=unknown[192.0.2.1]";
        let (time, host, _, pid, _) = read_line(line);
        assert_eq!((time, host.as_str(), pid), (None, "", None));
        assert_eq!(read_line("").4, "");
        assert_eq!(read_line(" ").4, " ");
        assert_eq!(read_line("<>").4, "<>");
        assert_eq!(read_line("<22>").4, "");
    }
}
