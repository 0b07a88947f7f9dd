//! What a record's bytes hold.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

use crate::cloudwatch::{self, Payload};
use crate::form::{Form, Packing};
use crate::inflate::Inflated;
use crate::kpl;
use crate::lines::without_mark;

/// The most bytes that a record may inflate to: a CloudWatch payload is at most a few megabytes.
const INFLATED: usize = 16 << 20;
/// The most memory that inflating a record may ask for, by its power of two.
const WINDOW_LOG: u32 = 24;

/// A decoded record.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// Log events that CloudWatch Logs sent, with the names of their log streams. None are it checking that the
    /// destination is reachable.
    CloudWatch(Vec<Payload<'a>>),
    /// Lines of text, or of JSON.
    Text,
}

/// Inflates records, in memory that it uses again.
#[derive(Default)]
pub struct Inflater {
    decompressor: Option<Decompressor>,
    buffer: Vec<u8>,
    joined: Vec<u8>,
}

impl Inflater {
    /// The bytes of a record, inflated if they are compressed; of several records that the Kinesis Producer Library has
    /// packed together, one behind the other, each from a line's beginning on.
    ///
    /// # Errors
    /// Damaged, too large, or nothing that can be read, in words for a person.
    pub fn inflate<'a>(&'a mut self, data: &'a [u8]) -> Result<&'a [u8], String> {
        let Some(records) = kpl::records(data)? else { return self.inflate_one(data) };
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let appended = records.into_iter().try_for_each(|record| {
            joined.extend_from_slice(self.inflate_one(record)?);
            if joined.last().is_some_and(|last| *last != b'\n') {
                joined.push(b'\n');
            }
            if joined.len() > INFLATED { Err(too_large("a record")) } else { Ok(()) }
        });
        self.joined = joined;
        appended.map(|()| self.joined.as_slice())
    }

    fn inflate_one<'a>(&'a mut self, data: &'a [u8]) -> Result<&'a [u8], String> {
        match Form::of(data) {
            Form::Text => Ok(data),
            Form::Packed(Packing::Gzip) => self.inflate_gzip(data),
            Form::Packed(packing) => self.inflate_other(packing, data),
            Form::Utf16 { .. } => Err("a record in UTF-16: send UTF-8".to_owned()),
            Form::Tar | Form::Zip => Err("a record that is an archive: send lines".to_owned()),
            Form::Unread(what) => Err(what.to_owned()),
        }
    }

    fn inflate_other(&mut self, packing: Packing, data: &[u8]) -> Result<&[u8], String> {
        self.buffer.clear();
        let inflated = Inflated::new(packing, Box::new(data), WINDOW_LOG);
        let read =
            inflated.and_then(|text| text.take(INFLATED as u64 + 1).read_to_end(&mut self.buffer));
        let length = read.map_err(|error| error.to_string())?;
        if length > INFLATED {
            Err(too_large(&format!("{} data", packing.name())))
        } else {
            Ok(&self.buffer)
        }
    }

    fn inflate_gzip(&mut self, data: &[u8]) -> Result<&[u8], String> {
        let [_, _, .., a, b, c, d] = data else { return Err("damaged gzip data".to_owned()) };
        let told = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let decompressor = self.decompressor.get_or_insert_default();
        let mut room = told.max(data.len()).clamp(1 << 16, INFLATED);
        loop {
            if self.buffer.len() < room {
                self.buffer.resize(room, 0);
            }
            match decompressor.gzip_decompress(data, &mut self.buffer) {
                // The length at the end is not the first part's, or another part seems to begin.
                Ok(length) if length != told || has_parts(data) => return self.inflate_parts(data),
                Ok(length) => return Ok(&self.buffer[..length]),
                Err(DecompressionError::InsufficientSpace) if room < INFLATED => {
                    room = (room * 2).min(INFLATED);
                }
                Err(DecompressionError::InsufficientSpace) => {
                    return Err(too_large("gzip data"));
                }
                Err(DecompressionError::BadData) => return Err("damaged gzip data".to_owned()),
            }
        }
    }

    fn inflate_parts(&mut self, data: &[u8]) -> Result<&[u8], String> {
        self.buffer.clear();
        let mut reader = MultiGzDecoder::new(data).take(INFLATED as u64 + 1);
        let read = reader.read_to_end(&mut self.buffer);
        let length = read.map_err(|error| format!("damaged gzip data: {error}"))?;
        if length > INFLATED { Err(too_large("gzip data")) } else { Ok(&self.buffer) }
    }
}

fn too_large(what: &str) -> String {
    format!("{what} inflates to more than {INFLATED} bytes")
}

/// Whether gzip data may have several parts: in one part, these bytes can stand by chance only.
fn has_parts(data: &[u8]) -> bool {
    memchr::memmem::find(&data[3..], b"\x1f\x8b\x08").is_some()
}

/// Tells what inflated bytes hold.
///
/// # Errors
/// Neither text nor a payload, in words for a person.
pub fn decode(text: &[u8]) -> Result<Decoded<'_>, String> {
    if let Some(payloads) = cloudwatch::read(text)? {
        return Ok(Decoded::CloudWatch(payloads));
    }
    if memchr::memchr(0, text).is_some() {
        return Err("neither compressed nor text".to_owned());
    }
    Ok(Decoded::Text)
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

/// The bytes of base64 text, as Lambda hands Kinesis records over.
///
/// # Errors
/// Not base64.
pub fn unbase64(text: &str) -> Result<Cow<'static, [u8]>, String> {
    base64_simd::STANDARD
        .decode_to_vec(text)
        .map(Cow::Owned)
        .map_err(|_| "data is no base64".to_owned())
}

impl std::fmt::Debug for Inflater {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater").field("room", &self.buffer.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::packed;

    fn gzip(text: &[u8]) -> Vec<u8> {
        packed(Packing::Gzip, text)
    }

    #[test]
    fn gzip_in_one_part_or_several_and_plain_text() {
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(b"plain"), Ok(&b"plain"[..]));
        assert_eq!(inflater.inflate(&gzip(b"one\n")), Ok(&b"one\n"[..]));
        let parts = [gzip(b"one\n"), gzip(b"three\n")].concat();
        assert_eq!(inflater.inflate(&parts), Ok(&b"one\nthree\n"[..]));
        let alike = [gzip(b"one\n"), gzip(b"two\n")].concat();
        assert_eq!(inflater.inflate(&alike), Ok(&b"one\ntwo\n"[..]));
        let large = vec![b'x'; 1_000_000];
        assert_eq!(inflater.inflate(&gzip(&large)), Ok(&large[..]));
    }

    #[test]
    fn damaged_and_oversized_data_is_refused() {
        let mut inflater = Inflater::default();
        let mut damaged = gzip(b"some text that is long enough to be damaged");
        let cut = inflater.inflate(&damaged[..20]).map(<[u8]>::len);
        assert!(cut.is_err());
        damaged[15] ^= 0xff;
        assert!(inflater.inflate(&damaged).is_err());
        let bomb = gzip(&vec![0; INFLATED + 1]);
        let error = inflater.inflate(&bomb).expect_err("a bomb");
        assert!(error.contains("more than"), "{error}");
        assert!(inflater.inflate(&[0xf3, 0x89, 0x9a, 0xc2, 1]).is_err());
    }

    #[test]
    fn other_compressions_are_inflated_and_the_rest_is_told() {
        let mut inflater = Inflater::default();
        let large = vec![b'x'; 1_000_000];
        for packing in [Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Lz4] {
            assert_eq!(inflater.inflate(&packed(packing, &large)), Ok(&large[..]), "{packing:?}");
            let bomb = packed(packing, &vec![b'x'; INFLATED + 1]);
            let error = inflater.inflate(&bomb).expect_err("a bomb");
            assert!(error.contains("more than"), "{error}");
            let error = inflater.inflate(&bomb[..bomb.len() - 6]).expect_err("cut or a bomb");
            assert!(error.contains(packing.name()), "{error}");
        }
        assert_eq!(inflater.inflate(b"plain"), Ok(&b"plain"[..]));
        assert!(inflater.inflate(b"PAR1\x15\0").expect_err("Parquet").contains("Parquet"));
        assert!(inflater.inflate(b"\x1f\x8b").is_err());
    }

    #[test]
    fn records_that_were_packed_together_are_read_in_their_order() {
        let (first, second) = (gzip(b"one\ntwo"), packed(Packing::Zstd, b"three\n"));
        let together = kpl::tests::packed(&[&first, b"", &second, b"four"]);
        let mut inflater = Inflater::default();
        assert_eq!(inflater.inflate(&together), Ok(&b"one\ntwo\nthree\nfour\n"[..]));
        let part = gzip(&vec![b'x'; INFLATED / 2]);
        let together = kpl::tests::packed(&[&part, &part, &part]);
        assert!(inflater.inflate(&together).expect_err("a bomb").contains("more than"));
        let payload = br#"{"messageType":"DATA_MESSAGE","logStream":"a","logEvents":[]}"#;
        let together = kpl::tests::packed(&[payload, &gzip(payload)]);
        let Ok(Decoded::CloudWatch(payloads)) = decode(inflater.inflate(&together).expect("text"))
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
