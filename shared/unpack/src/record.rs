//! What a record's bytes hold.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

use crate::cloudwatch::{self, Payload};

/// The most bytes that a record may inflate to: a CloudWatch payload is at most a few megabytes.
const INFLATED: usize = 16 << 20;
/// Records that the Kinesis Producer Library has packed together begin with these bytes.
const KPL: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// A decoded record.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// Log events that CloudWatch Logs sent, with the name of their log stream.
    CloudWatch(Payload<'a>),
    /// CloudWatch Logs checking that the destination is reachable.
    Control,
    /// Lines of text, or of JSON.
    Text,
}

/// Inflates records, in memory that it uses again.
#[derive(Default)]
pub struct Inflater {
    decompressor: Option<Decompressor>,
    buffer: Vec<u8>,
}

impl Inflater {
    /// The bytes of a record, inflated if they are gzip.
    ///
    /// # Errors
    /// Damaged or too large, in words for a person.
    pub fn inflate<'a>(&'a mut self, data: &'a [u8]) -> Result<&'a [u8], String> {
        if data.starts_with(&KPL) {
            return Err("records packed by the Kinesis Producer Library are not read: \
                        turn aggregation off"
                .to_owned());
        }
        let [0x1f, 0x8b, .., a, b, c, d] = data else { return Ok(data) };
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
                    return Err(format!("gzip data inflates to more than {INFLATED} bytes"));
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
        if length > INFLATED {
            return Err(format!("gzip data inflates to more than {INFLATED} bytes"));
        }
        Ok(&self.buffer)
    }
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
    if let Some(payload) = cloudwatch::read(text)? {
        return Ok(match payload {
            cloudwatch::Message::Control => Decoded::Control,
            cloudwatch::Message::Data(payload) => Decoded::CloudWatch(payload),
        });
    }
    if memchr::memchr(0, text).is_some() {
        return Err("neither gzip nor text".to_owned());
    }
    Ok(Decoded::Text)
}

/// The lines of a text, without their ends; blank ones are left out.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
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
    let trimmed = text.trim_ascii();
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
    use std::io::Write as _;

    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).expect("in memory");
        encoder.finish().expect("in memory")
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
    fn blank_lines_are_no_lines() {
        let text: Vec<_> = lines(b"\n a\r\n\nb\n   \nc").collect();
        assert_eq!(text, [&b" a\r"[..], b"b", b"c"]);
    }
}
