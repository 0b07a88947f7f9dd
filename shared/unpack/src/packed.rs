//! Packings of records: small ones, each in memory as a whole.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

use crate::form::{Form, Packing};
use crate::inflate::Inflated;
use crate::kpl;

/// The most bytes of a record's text that are held at once: a CloudWatch payload is at most a few megabytes, as long as
/// its lines are not all alike.
pub(crate) const INFLATED: usize = 16 << 20;
/// The most memory that inflating a record may ask for, by its power of two.
pub(crate) const WINDOW_LOG: u32 = 24;

/// Why the text of a record is not held.
#[derive(Debug, PartialEq)]
pub(crate) enum Refused {
    /// It is larger than can be held.
    TooLarge(&'static str),
    /// It cannot be read, in words for a person.
    Unreadable(String),
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Unreadable(reason)
    }
}

impl From<&str> for Refused {
    fn from(reason: &str) -> Self {
        Self::Unreadable(reason.to_owned())
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge(what) => too_large(what),
            Refused::Unreadable(reason) => reason,
        }
    }
}

/// Takes the packings of records off, in memory that it uses again.
#[derive(Default)]
pub(crate) struct Packed {
    decompressor: Option<Decompressor>,
    buffer: Vec<u8>,
    joined: Vec<u8>,
}

impl Packed {
    /// What is packed, inflated and unpacked: as [`Inflater::inflate`](crate::record::Inflater::inflate) tells.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn inflate<'a>(&'a mut self, data: &'a [u8]) -> Result<&'a [u8], Refused> {
        let Some(records) = kpl::records(data)? else { return self.inflate_one(data) };
        let mut joined = std::mem::take(&mut self.joined);
        joined.clear();
        let appended = records.into_iter().try_for_each(|record| {
            joined.extend_from_slice(self.inflate_one(record)?);
            if joined.last().is_some_and(|last| *last != b'\n') {
                joined.push(b'\n');
            }
            if joined.len() > INFLATED { Err(Refused::TooLarge("a record")) } else { Ok(()) }
        });
        self.joined = joined;
        appended.map(|()| self.joined.as_slice())
    }

    fn inflate_one<'a>(&'a mut self, data: &'a [u8]) -> Result<&'a [u8], Refused> {
        match packing(data)? {
            None => Ok(data),
            Some(Packing::Gzip) => self.inflate_gzip(data),
            Some(packing) => self.inflate_other(packing, data),
        }
    }

    fn inflate_other(&mut self, packing: Packing, data: &[u8]) -> Result<&[u8], Refused> {
        self.buffer.clear();
        let inflated = Inflated::new(packing, Box::new(data), WINDOW_LOG);
        let read =
            inflated.and_then(|text| text.take(INFLATED as u64 + 1).read_to_end(&mut self.buffer));
        let length = read.map_err(|error| error.to_string())?;
        if length > INFLATED { Err(Refused::TooLarge(packing.name())) } else { Ok(&self.buffer) }
    }

    fn inflate_gzip(&mut self, data: &[u8]) -> Result<&[u8], Refused> {
        let [_, _, .., a, b, c, d] = data else { return Err("damaged gzip data".into()) };
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
                    return Err(Refused::TooLarge(Packing::Gzip.name()));
                }
                Err(DecompressionError::BadData) => return Err("damaged gzip data".into()),
            }
        }
    }

    fn inflate_parts(&mut self, data: &[u8]) -> Result<&[u8], Refused> {
        self.buffer.clear();
        let mut reader = MultiGzDecoder::new(data).take(INFLATED as u64 + 1);
        let read = reader.read_to_end(&mut self.buffer);
        let length = read.map_err(|error| format!("damaged gzip data: {error}"))?;
        if length > INFLATED {
            Err(Refused::TooLarge(Packing::Gzip.name()))
        } else {
            Ok(&self.buffer)
        }
    }
}

/// How the bytes of a record, or of one of those that were packed together, are compressed, if they are.
///
/// # Errors
/// They are nothing that is read from a stream.
pub(crate) fn packing(data: &[u8]) -> Result<Option<Packing>, &'static str> {
    match Form::of(data) {
        Form::Text => Ok(None),
        Form::Packed(packing) => Ok(Some(packing)),
        Form::Utf16 { .. } => Err("a record in UTF-16: send UTF-8"),
        Form::Tar | Form::Zip => Err("a record that is an archive: send lines"),
        Form::Unread(what) => Err(what),
    }
}

pub(crate) fn too_large(what: &str) -> String {
    format!("{what} inflates to more than {INFLATED} bytes")
}

/// Whether gzip data may have several parts: in one part, these bytes can stand by chance only.
fn has_parts(data: &[u8]) -> bool {
    memchr::memmem::find(&data[3..], b"\x1f\x8b\x08").is_some()
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed").field("room", &self.buffer.len()).finish_non_exhaustive()
    }
}
