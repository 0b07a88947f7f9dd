//! Syslog headers in their variants: RFC 3164, RFC 5424, and what shippers leave of them.

use std::ops::Range;

use super::header;
use super::within::{container, within};
use crate::record::Record;
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
            let inner = header::behind(record, line, reference, times);
            return inner.map_or(Unwrapped::Not, |inner| {
                within(container(record, b""), record.host, inner)
            });
        }
        let inner = header::read(line, reference, times);
        self.last.remember(line, reference, inner.as_ref());
        let Some(inner) = inner else {
            let Some((time, message)) = header::dated(line, times) else { return Unwrapped::Not };
            return Unwrapped::Record(Record { time: Some(time), message, ..*record });
        };
        // What only an outer wrapping tells is the line's.
        let host = if inner.host.is_empty() { record.host } else { inner.host };
        Unwrapped::Record(Record { time: inner.time.or(record.time), host, ..inner })
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
        Some(Record { time: Some(self.time), host, ..header::tag(rest)? })
    }

    /// Remembers the header of a line that was taken apart.
    ///
    /// Only RFC 3164 with a host and a tag is remembered, and that with its process if more than a timestamp stands before
    /// the host: what begins alike is then taken apart alike, and its timestamps, of whole seconds, repeat.
    fn remember(&mut self, line: &[u8], reference: i64, inner: Option<&Record<'_>>) {
        self.text.clear();
        let Some(inner) = inner else { return };
        let (Some(time), Some(b'A'..=b'Z')) = (inner.time, line.first()) else { return };
        // Mostly it stands right behind the timestamp and a blank.
        let at = match line.get(16..) {
            Some(rest) if rest.starts_with(inner.host) => Some(16),
            _ => memchr::memmem::find(line, inner.host),
        };
        let Some(at) = at else { return };
        let host = at..at + inner.host.len();
        let header = &line[..line.len().min(host.end + 1)];
        let tag = line[header.len()..].strip_prefix(inner.program);
        let is_tag = |tag: &[u8]| match tag {
            [b'[', ..] => true,
            [b':', b' ', ..] => at == 16,
            _ => false,
        };
        let is_whole = header.last() == Some(&b' ') && tag.is_some_and(is_tag);
        if host.is_empty() || !is_whole {
            return;
        }
        self.text.extend_from_slice(header);
        (self.host, self.time, self.reference) = (host, time, reference);
    }
}
