//! What a record's bytes hold.

use std::io::{Cursor, Read as _};

pub use crate::decoded::{Decoded, decode, unbase64};
use crate::events::{self, Events};
pub use crate::large::{Large, Part, Payload};
use crate::lines::without_mark;
use crate::packed::{INFLATED, Packed, Refused};

/// Inflates records, in memory that it uses again.
#[derive(Default)]
pub struct Inflater {
    packed: Packed,
    expanded: Vec<u8>,
}

impl Inflater {
    /// The bytes of a record, inflated if they are compressed; of several records that the Kinesis Producer Library has
    /// packed together, or that stand in an event of a function, one behind the other, each from a line's beginning on.
    /// None if there are more than 16 MiB of them: that is read as a [`Large`] record.
    ///
    /// # Errors
    /// Damaged, or nothing that can be read, in words for a person.
    pub fn inflate<'a>(&'a mut self, data: &'a [u8]) -> Result<Option<&'a [u8]>, String> {
        let Self { packed, expanded } = self;
        let text = match packed.inflate(data) {
            Ok(text) => text,
            Err(Refused::TooLarge(_)) => return Ok(None),
            Err(Refused::Unreadable(reason)) => return Err(reason),
        };
        if events::meant(text) != Some(true) {
            return Ok(Some(text));
        }
        expanded.clear();
        let events = Events::new(Box::new(Cursor::new(text.to_vec())));
        let read = events.take(INFLATED as u64 + 1).read_to_end(expanded);
        let length = read.map_err(|error| error.to_string())?;
        Ok((length <= INFLATED).then_some(expanded))
    }
}

/// The lines of a text, without their ends; blank ones are left out.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = without_mark(text);
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            rest = rest.get(end + 1..).unwrap_or_default();
            if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Some(line);
            }
        }
    })
}

/// The lines of a record of text; an array of JSON objects is one line, however it is laid out.
pub fn whole_or_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let trimmed = without_mark(text).trim_ascii();
    let is_array = trimmed.first() == Some(&b'[')
        && serde_json::from_slice::<Vec<serde::de::IgnoredAny>>(trimmed).is_ok();
    let (whole, rest) = if is_array { (Some(trimmed), &b""[..]) } else { (None, text) };
    whole.into_iter().chain(lines(rest))
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("packed", &self.packed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Packing;
    use crate::kpl;
    use crate::testing::packed;

    fn gzip(text: &[u8]) -> Vec<u8> {
        packed(Packing::Gzip, text)
    }

    #[test]
    fn gzip_in_one_part_or_several_and_plain_text() {
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(b"plain"), Ok(Some(&b"plain"[..])));
        assert_eq!(inflater.inflate(&gzip(b"one\n")), Ok(Some(&b"one\n"[..])));
        let parts = [gzip(b"one\n"), gzip(b"three\n")].concat();
        assert_eq!(inflater.inflate(&parts), Ok(Some(&b"one\nthree\n"[..])));
        let alike = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(inflater.inflate(&alike), Ok(Some(&b"one\ntwo\n"[..])));
        let large = vec![b'x'; 1_000_000];
        assert_eq!(inflater.inflate(&gzip(&large)), Ok(Some(&large[..])));
    }

    #[test]
    fn damaged_and_oversized_data_is_refused() {
        let mut inflater = Inflater::default();
        let mut damaged = gzip(b"some text that is long enough to be damaged");
        let cut = inflater.inflate(&damaged[..20]);
        assert!(cut.is_err());
        damaged[15] ^= 0xff;
        assert!(inflater.inflate(&damaged).is_err());
        let bomb = gzip(&vec![0; INFLATED + 1]);
        assert_eq!(inflater.inflate(&bomb), Ok(None));
        assert!(inflater.inflate(&[0xf3, 0x89, 0x9a, 0xc2, 1]).is_err());
    }

    #[test]
    fn other_compressions_are_inflated_and_the_rest_is_told() {
        let mut inflater = Inflater::default();
        let large = vec![b'x'; 1_000_000];
        for packing in [Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4] {
            assert_eq!(
                inflater.inflate(&packed(packing, &large)),
                Ok(Some(&large[..])),
                "{packing:?}"
            );
            let bomb = packed(packing, &vec![b'x'; INFLATED + 1]);
            assert_eq!(inflater.inflate(&bomb), Ok(None));
            match inflater.inflate(&bomb[..bomb.len() - 6]) {
                Ok(None) => {}
                cut => assert!(cut.expect_err("cut").contains(packing.name())),
            }
        }
        assert_eq!(inflater.inflate(b"plain"), Ok(Some(&b"plain"[..])));
        assert!(inflater.inflate(b"PAR1\x15\0").expect_err("Parquet").contains("Parquet"));
        assert!(inflater.inflate(b"\x1f\x8b").is_err());
    }

    #[test]
    fn records_that_were_packed_together_are_read_in_their_order() {
        let (first, second) = (gzip(b"one\ntwo"), packed(Packing::Zstd, b"three\n"));
        let together = kpl::tests::packed(&[&first, b"", &second, b"four"]);
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(&together), Ok(Some(&b"one\ntwo\nthree\nfour\n"[..])));
        let part = gzip(&vec![b'x'; INFLATED / 2]);
        let together = kpl::tests::packed(&[&part, &part, &part]);
        assert_eq!(inflater.inflate(&together), Ok(None));
        let payload = br#"{"messageType":"DATA_MESSAGE","logStream":"a","logEvents":[]}"#;
        let together = kpl::tests::packed(&[payload, &gzip(payload)]);
        let Ok(Decoded::CloudWatch(payloads)) =
            decode(inflater.inflate(&together).expect("text").expect("held"))
        else {
            panic!("no payloads")
        };
        assert_eq!(payloads.len(), 2);
    }

    #[test]
    fn blank_lines_are_no_lines() {
        let text: Vec<_> = lines(b"\xef\xbb\xbf\n a\r\n\nb\n   \nc").collect();
        assert_eq!(text, [&b" a\r"[..], b"b", b"c"]);
    }
}
