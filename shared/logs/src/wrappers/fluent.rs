//! Records as Fluent Bit and Fluentd write them to files unless told otherwise: a time, a tag and an object of JSON.

use memchr::memchr;

use crate::record::Record;
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// The longest tag.
const LONGEST: usize = 256;

/// What stands around the objects in such files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fluent;

impl Wrapper for Fluent {
    /// Only whole lines are such: what a program logs may be of strangers' choice.
    #[inline]
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        _reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        // The cheap question first, as it is asked of every line.
        let found = match record.message {
            [.., b'}', b']'] if record.is_bare() => fluent_bit(record.message),
            [b'0'..=b'9', .., b'}'] if record.is_bare() => fluentd(record.message, times),
            _ => None,
        };
        found.map_or(Unwrapped::Not, |(time, message)| {
            Unwrapped::Record(Record { time: Some(time), message, ..Record::default() })
        })
    }
}

/// `TAG: [1795431600.000000000, {…}]`: the time, and the object.
fn fluent_bit(line: &[u8]) -> Option<(i64, &[u8])> {
    let colon = memchr(b':', &line[..line.len().min(LONGEST)])?;
    is_tag(&line[..colon]).then_some(())?;
    let inner = line[colon + 1..].strip_prefix(b" [")?.strip_suffix(b"]")?;
    let end = inner.iter().take(24).position(|byte| *byte == b',')?;
    let (stamp, rest) = inner.split_at(end);
    let object = rest[1..].trim_ascii_start();
    let (seconds, fraction) = match memchr(b'.', stamp) {
        Some(point) => (&stamp[..point], &stamp[point + 1..]),
        None => (stamp, &b""[..]),
    };
    let is_time = (9..=11).contains(&seconds.len())
        && seconds.iter().chain(fraction).all(u8::is_ascii_digit)
        && object.first() == Some(&b'{');
    let time = is_time.then(|| std::str::from_utf8(seconds).ok()?.parse().ok()).flatten()?;
    Some((time, object))
}

/// `2026-11-23T11:00:00+00:00`, a tab, the tag, a tab and an object: the time, and the object.
fn fluentd<'a>(line: &'a [u8], times: &mut Timestamps) -> Option<(i64, &'a [u8])> {
    let tab = memchr(b'\t', &line[..line.len().min(40)])?;
    let rest = &line[tab + 1..];
    let second = memchr(b'\t', &rest[..rest.len().min(LONGEST)])?;
    let object = &rest[second + 1..];
    (is_tag(&rest[..second]) && object.first() == Some(&b'{')).then_some(())?;
    let (time, end) = times.rfc3339(&line[..tab])?;
    (end == tab).then_some((time, object))
}

/// Whether a word is a tag of theirs: with brackets or a slash, it would be a program's.
fn is_tag(word: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-*@".contains(byte);
    !word.is_empty() && word.iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &[u8] = b"{\"log\":\"x\"}";

    fn read(line: &str, outer: Record<'_>) -> Option<(Option<i64>, Vec<u8>)> {
        let mut times = Timestamps::new(chrono_tz::UTC);
        let record = Record { message: line.as_bytes(), ..outer };
        match Fluent.unwrap(&record, 1_795_435_200, &mut times) {
            Unwrapped::Record(inner) => Some((inner.time, inner.message.to_vec())),
            _ => None,
        }
    }

    #[test]
    fn both_are_a_time_and_an_object() {
        for line in [
            "mail: [1795431600.0, {\"log\":\"x\"}]",
            "mail: [1795431600.000000000, {\"log\":\"x\"}]",
            "kube.var.log.containers.mail-1_mail: [1795431600.123456789, {\"log\":\"x\"}]",
            "tail.0: [1795431600, {\"log\":\"x\"}]",
            "2026-11-23T11:00:00+00:00\tmail\t{\"log\":\"x\"}",
            "2026-11-23T12:00:00.5+01:00\tmail.mx1\t{\"log\":\"x\"}",
        ] {
            let expected = Some((Some(1_795_431_600), OBJECT.to_vec()));
            assert_eq!(read(line, Record::default()), expected, "{line}");
            let program = Record { program: b"app", ..Record::default() };
            assert_eq!(read(line, program), None, "a program's: {line}");
            let dated = Record { time: Some(0), ..Record::default() };
            assert_eq!(read(line, dated), None, "not the whole line: {line}");
        }
    }

    #[test]
    fn what_is_a_little_like_them_is_not_read_so() {
        for line in [
            "",
            "}]",
            "mail: }]",
            "mail: [{\"log\":\"x\"}]",
            "mail: [1795431600.0, [{\"log\":\"x\"}]",
            "mail: [1795431600.x, {\"log\":\"x\"}]",
            "mail: [17954316000000, {\"log\":\"x\"}]",
            "mail: [-795431600, {\"log\":\"x\"}]",
            "mail:[1795431600, {\"log\":\"x\"}]",
            "postfix/smtpd[7]: [1795431600, {\"log\":\"x\"}]",
            "postfix/smtpd: [1795431600, {\"log\":\"x\"}]",
            "Nov 23 11:00:00 mail app: [1795431600, {\"log\":\"x\"}]",
            "mail app: [1795431600, {\"log\":\"x\"}]",
            ": [1795431600, {\"log\":\"x\"}]",
            "2026-11-23T11:00:00+00:00 x\tmail\t{\"log\":\"x\"}",
            "2026-11-23T11:00:00+00:00\tmail\tx {\"log\":\"x\"}",
            "2026-11-23T11:00:00+00:00\tpostfix/smtpd[7]:\t{\"log\":\"x\"}",
            "2026-11-23T11:00:00+00:00\t{\"log\":\"x\"}",
            "2026-11-23\tmail\t{\"log\":\"x\"}",
        ] {
            assert_eq!(read(line, Record::default()), None, "{line}");
        }
    }
}
