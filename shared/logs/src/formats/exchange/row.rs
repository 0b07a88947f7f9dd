//! The rows of a receive log, and what a client's line says.

use crate::address::{quoted, without_port};
use crate::text::number;
use crate::time::Timestamps;
use crate::wrappers::Cells;

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) time: i64,
    pub(super) session: &'a [u8],
    pub(super) number: u32,
    /// The address behind `remote-endpoint`.
    pub(super) client: &'a [u8],
    /// It is of the connector through which front ends hand clients over.
    pub(super) is_proxy: bool,
    pub(super) event: u8,
    pub(super) data: &'a [u8],
    pub(super) context: &'a [u8],
}

/// What stands above the rows.
pub(super) fn is_about(text: &[u8]) -> bool {
    let beginnings: [&[u8]; 5] = [
        b"#Software: Microsoft Exchange",
        b"#Version: ",
        b"#Log-type: SMTP Receive",
        b"#Date: ",
        b"#Fields: date-time,conn",
    ];
    beginnings.iter().any(|beginning| text.starts_with(beginning))
}

impl<'c> Row<'c> {
    /// Reads a row; none if it is something else.
    ///
    /// `date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context`
    pub(super) fn read(text: &[u8], cells: &'c mut Cells, times: &mut Timestamps) -> Option<Self> {
        // `2026-11-23T06:00:01.000Z,`
        if text.get(10) != Some(&b'T') || text.get(23..25) != Some(b"Z,") {
            return None;
        }
        // Empty ones at the end of a line are trimmed off it.
        cells.read(text, b',').filter(|()| (7..=9).contains(&cells.len()))?;
        let cells = &*cells;
        let cell = |number| cells.get(number);
        let session = cell(2)?;
        let is_session = session.len() == 16 && session.iter().all(u8::is_ascii_hexdigit);
        let [event @ (b'+' | b'-' | b'<' | b'>' | b'*')] = *cell(6)? else { return None };
        Some(Self {
            time: times.rfc3339(cell(0)?)?.0,
            session: is_session.then_some(session)?,
            number: number(cell(3)?)?,
            client: without_port(cell(5)?),
            is_proxy: memchr::memmem::find(cell(1)?, b"\\Client Proxy ").is_some(),
            event,
            data: cell(7).unwrap_or_default(),
            context: cell(8).unwrap_or_default(),
        })
    }
}

/// `FROM:<printer@corp.test> SIZE=2048`
pub(super) fn sender(rest: &[u8]) -> Option<&[u8]> {
    let path = rest.get(..5).filter(|from| from.eq_ignore_ascii_case(b"FROM:"));
    let path = path.map(|_| rest[5..].trim_ascii_start())?.strip_prefix(b"<")?;
    // A quoted local part may hold anything but its own end.
    let mut at = 0;
    loop {
        at += match path.get(at)? {
            b'>' => return Some(&path[..at]),
            b'"' => quoted(&path[at..])?,
            b'\\' => 2,
            _ => 1,
        };
    }
}

/// A word and what follows it.
pub(super) fn split(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b' ', text).unwrap_or(text.len());
    (&text[..end], text[end..].trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::sender;

    #[test]
    fn a_sender_ends_outside_of_its_quotes() {
        for (text, expected) in [
            ("FROM:<ann@x.test> SIZE=9", Some("ann@x.test")),
            ("from: <>", Some("")),
            (r#"FROM:<"a>b\">c"@x.test> SIZE=9"#, Some(r#""a>b\">c"@x.test"#)),
            (r"FROM:<a\>b@x.test>", Some(r"a\>b@x.test")),
            (r#"FROM:<"a>"#, None),
            (r"FROM:<a\>", None),
            ("FROM:<a", None),
            ("FROM:a>", None),
        ] {
            assert_eq!(sender(text.as_bytes()), expected.map(str::as_bytes), "{text}");
        }
    }
}
