//! Bytes that must be read in another order than they come in, in a temporary file without a name.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use crate::damage::Damage;

/// The most bytes that are kept, compressed: logs of fifty gigabytes take so many.
const ROOM: u64 = 4 << 30;
/// Bytes that go into it at once.
const CHUNK: usize = 1 << 16;
/// As fast as it can: an archive of logs then takes about as much as it does as `.tar.gz`.
const LEVEL: i32 = 1;

/// A temporary file, and what stands in it.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Arc<File>,
    length: u64,
    room: u64,
}

/// Bytes that stand in a spool.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    file: Arc<File>,
    at: Range<u64>,
}

impl Spool {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { file: Arc::new(tempfile::tempfile()?), length: 0, room: ROOM })
    }

    /// Keeps what a reader gives, and says how it ended.
    ///
    /// # Errors
    /// They cannot be kept.
    pub(crate) fn keep(&mut self, from: &mut impl Read) -> io::Result<(Spooled, io::Result<()>)> {
        let begins = self.length;
        let mut encoder = zstd::Encoder::new(Writer(self), LEVEL)?;
        let mut buffer = vec![0; CHUNK];
        let ended = loop {
            match from.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(read) => encoder.write_all(&buffer[..read])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        encoder.finish()?;
        Ok((Spooled { file: self.file.clone(), at: begins..self.length }, ended))
    }

    /// Keeps a reader's bytes as they are: they are read from anywhere.
    ///
    /// # Errors
    /// They cannot be read or kept.
    pub(crate) fn keep_plain(mut self, mut from: impl Read) -> io::Result<File> {
        io::copy(&mut from, &mut Writer(&mut self))?;
        self.file.try_clone()
    }
}

impl Spooled {
    /// What was kept.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn read(&self) -> io::Result<impl Read + Send + 'static> {
        zstd::Decoder::new(At { file: self.file.clone(), at: self.at.clone() })
    }
}

/// Writes at a spool's end.
struct Writer<'a>(&'a mut Spool);

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.length + bytes.len() as u64 > self.0.room {
            let what = format!("an archive of more than {} GiB: unpack it first", ROOM >> 30);
            return Err(Damage::new(ErrorKind::InvalidData, what).into());
        }
        let written = self.0.file.write_at(bytes, self.0.length)?;
        self.0.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a part of a file, whoever else reads it.
struct At {
    file: Arc<File>,
    at: Range<u64>,
}

impl Read for At {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.at.end - self.at.start).unwrap_or(usize::MAX);
        let length = to.len().min(left);
        let read = self.file.read_at(&mut to[..length], self.at.start)?;
        self.at.start += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spooled: &Spooled) -> Vec<u8> {
        let mut bytes = Vec::new();
        spooled.read().expect("a reader").read_to_end(&mut bytes).expect("read");
        bytes
    }

    #[test]
    fn what_was_kept_is_read_in_any_order_and_again() {
        let mut spool = Spool::new().expect("a file");
        let texts = ["one\n".repeat(100_000), String::new(), "three".to_owned()];
        let kept: Vec<_> =
            texts.iter().map(|text| spool.keep(&mut text.as_bytes()).expect("kept").0).collect();
        for (text, spooled) in texts.iter().zip(&kept).rev().chain(texts.iter().zip(&kept)) {
            assert!(all(spooled) == text.as_bytes());
        }
        assert!(spool.length < 1000, "it is compressed");
    }

    #[test]
    fn it_takes_no_more_than_it_may() {
        let mut spool = Spool { room: 1000, ..Spool::new().expect("a file") };
        let mut noise = (0..u32::MAX).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes());
        let noise: Vec<u8> = noise.by_ref().take(100_000).flatten().collect();
        let told = spool.keep(&mut noise.as_slice()).expect_err("full").to_string();
        assert!(told.contains("unpack it first"), "{told}");
    }
}
