//! The text of a log, whether it is compressed or not.

use std::io::{self, BufReader, Cursor, Read};

use flate2::bufread::MultiGzDecoder;

/// The text of a log, inflated if it came as gzip.
pub struct Text {
    /// Its first bytes.
    pub head: Vec<u8>,
    /// All of it, from the first byte on.
    pub reader: Box<dyn Read + Send>,
    /// Whether it came as gzip.
    pub compressed: bool,
}

impl Text {
    /// Opens a text, and reads its first `head` bytes.
    ///
    /// # Errors
    /// The reader failed, or what begins like gzip is none.
    pub fn open(mut raw: impl Read + Send + 'static, head: usize) -> io::Result<Self> {
        let magic = read_up_to(&mut raw, 2)?;
        let compressed = magic == [0x1f, 0x8b];
        let raw = Cursor::new(magic).chain(raw);
        let mut text: Box<dyn Read + Send> = if compressed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(1 << 16, raw)))
        } else {
            Box::new(raw)
        };
        let head = read_up_to(&mut text, head)?;
        let reader = Box::new(Cursor::new(head.clone()).chain(text));
        Ok(Self { head, reader, compressed })
    }
}

fn read_up_to(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("compressed", &self.compressed).finish_non_exhaustive()
    }
}
