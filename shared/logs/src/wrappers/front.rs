//! What stands before whole lines: where tools that show or ship logs put a time, a container's name or a file's.

use memchr::memchr;

use super::within::{container, within};
use super::{colours, cri, header};
use crate::record::{OwnedRecord, Record};
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// How many fronts may stand in a row.
const MOST: usize = 4;
/// The longest name in a front.
const LONGEST: usize = 256;

/// Fronts of lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Front;

impl Wrapper for Front {
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        let fronts = Fronts {
            record,
            reference,
            time: None,
            name: b"",
            is_exims: false,
            rest: record.message,
        };
        match fronts.taken_off(times) {
            Unwrapped::Not => plain(record),
            found => found,
        }
    }
}

/// A record whose message has colours, without them.
fn plain<'a>(record: &Record<'_>) -> Unwrapped<'a> {
    let Some(message) = colours::without(record.message) else { return Unwrapped::Not };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (host, program) = (text(record.host), text(record.program));
    let Record { time, pid, .. } = *record;
    Unwrapped::Owned(Box::new(OwnedRecord { time, host, program, pid, message }))
}

/// The fronts of a line, while they are taken off.
struct Fronts<'r, 'a> {
    record: &'r Record<'a>,
    reference: i64,
    /// What the innermost of them told.
    time: Option<i64>,
    name: &'a [u8],
    /// Whether the time is one as Exim begins its lines with.
    is_exims: bool,
    rest: &'a [u8],
}

impl<'a> Fronts<'_, 'a> {
    /// Takes off what fronts there are, and the line's own header behind them.
    fn taken_off(mut self, times: &mut Timestamps) -> Unwrapped<'a> {
        let is_named = self.record.is_named();
        for _ in 0..MOST {
            if !self.step(times) {
                break;
            }
            // Exim's own lines begin with a day, a blank and a clock, and go on with words.
            if !is_named && self.is_exims {
                break;
            }
            if let Some(inner) = self.inner(times) {
                return self.around(inner);
            }
        }
        // An object that a program logs stays that program's, unless it tells another one.
        let is_begun = self.rest.len() < self.record.message.len();
        if !is_begun || (is_named && self.rest.first() != Some(&b'{')) {
            return Unwrapped::Not;
        }
        let host = if self.name.is_empty() { self.record.host } else { self.name };
        let time = self.time.or(self.record.time);
        Unwrapped::Record(Record { time, host, message: self.rest, ..*self.record })
    }

    /// The header behind the fronts. Whoever wrote a message of a program must not pass for another program.
    fn inner(&self, times: &mut Timestamps) -> Option<Record<'a>> {
        let reference = self.time.unwrap_or(self.reference);
        match self.record.is_named() {
            true => header::behind(self.record, self.rest, reference, times),
            false => header::read(self.rest, reference, times),
        }
    }

    fn around(&self, inner: Record<'a>) -> Unwrapped<'a> {
        let time = inner.time.or(self.time).or(self.record.time);
        within(container(self.record, self.name), self.record.host, Record { time, ..inner })
    }

    /// Takes one front off; false if there is none.
    fn step(&mut self, times: &mut Timestamps) -> bool {
        let text = self.rest;
        if text.len() == self.record.message.len()
            && self.record.is_bare()
            && let Some(rest) = file(text, self.reference, times)
        {
            self.rest = rest;
        } else if let Some((name, rest)) = pod(text).or_else(|| service(text)) {
            (self.name, self.rest) = (name, rest);
        } else if let Some(line) = cri::read(text).filter(|line| !line.is_partial)
            && let Some((time, _)) = times.rfc3339(line.time)
        {
            (self.time, self.rest) = (Some(time), line.rest);
        } else if let Some(rest) = priority(text) {
            self.rest = rest;
        } else {
            return self.dated(times);
        }
        true
    }

    /// Takes off a time, and the name of a stream or of a relay between it and a whole line.
    fn dated(&mut self, times: &mut Timestamps) -> bool {
        let text = self.rest;
        let Some((time, end)) = times.any(text, self.reference) else { return false };
        let Some(rest) = text[end..].strip_prefix(b" ") else { return false };
        (self.time, self.rest) = (Some(time), rest.trim_ascii_start());
        let is_iso = matches!(text.get(10), Some(b'T'));
        self.is_exims = !is_iso && text[0].is_ascii_digit();
        if !self.is_exims
            && times.any(self.rest, time).is_none()
            && let Some((name, behind)) = word(self.rest)
            && is_label(name)
            && (!is_iso || name.iter().any(|byte| !byte.is_ascii_alphabetic()))
            && header::whole(behind, time, times).is_some()
        {
            self.rest = behind;
            self.name = if is_iso { name } else { self.name };
        }
        true
    }
}

/// A word, and what follows the blank behind it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr(b' ', &text[..text.len().min(LONGEST)])?;
    Some((&text[..space], text[space + 1..].trim_ascii_start()))
}

/// Whether bytes can be the name of a container, a pod, a file or a stream.
fn is_label(text: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/@:+$[]".contains(byte);
    !text.is_empty() && text.iter().all(fits)
}

/// `[pod/NAME/CONTAINER] `, as kubectl puts before lines of several pods.
fn pod(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_prefix(b"[pod/")?;
    let (name, rest) = word(inner)?;
    let name = name.strip_suffix(b"]")?;
    is_label(name).then_some((name, rest))
}

/// `name-1  | `, as Docker Compose, Docker Swarm and their relatives put before lines of several services.
fn service(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = match text {
        [b'0'..=b'2', _, b':', _, _, b':', _, _, b' ', rest @ ..] => rest,
        _ => text,
    };
    let space = memchr(b' ', &text[..text.len().min(LONGEST)])?;
    let rest = text[space..].trim_ascii_start().strip_prefix(b"|")?;
    let name = text[..space].trim_ascii();
    let name = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
    (is_label(name) && rest.first().is_none_or(|next| *next == b' '))
        .then(|| (name, rest.trim_ascii_start()))
}

/// `<22>`, perhaps behind the number of bytes that follow, as syslog over TCP sends it.
fn priority(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
    let counted = match text.get(digits..) {
        Some([b' ', rest @ ..]) if digits > 0 => rest,
        _ => text,
    };
    let rest =
        if counted.first() == Some(&b'<') { header::after_priority(counted) } else { counted };
    (rest.len() < counted.len()).then_some(if counted.len() < text.len() { counted } else { rest })
}

/// `/var/log/mail.log.1:` or `mail.log:17:` before a line that begins with a time or another front, as grep writes it.
fn file<'a>(text: &'a [u8], reference: i64, times: &mut Timestamps) -> Option<&'a [u8]> {
    let first = text.first().filter(|byte| !matches!(byte, b'{' | b'[' | b'<'))?;
    let name = &text[..memchr(b' ', text).unwrap_or(text.len()).min(LONGEST)];
    let mut from = usize::from(*first == b':');
    for _ in 0..4 {
        let colon = from + memchr(b':', &name[from..])?;
        let (name, rest) = (&text[..colon], &text[colon + 1..]);
        if !is_label(name) {
            return None;
        }
        // Objects of JSON begin like many other things: the name must be that of a log.
        let is_found = match rest.first() {
            Some(b'{') => memchr::memmem::find(name, b".log").is_some(),
            Some(b'[') => pod(rest).is_some(),
            Some(b'<') => priority(rest).is_some(),
            _ => times.any(rest, reference).is_some() || service(rest).is_some(),
        };
        if is_found {
            return Some(rest);
        }
        from = colon + 1;
    }
    None
}
