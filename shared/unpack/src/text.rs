//! The text of a log, whatever it came in.

use std::io::{self, Cursor, Read};

use crate::joined::Bytes;
use crate::peel::{self, Peeled};

/// Bytes of a hole that are read at once.
const CHUNK: usize = 1 << 16;

/// The text of a log, whatever it came in.
///
/// Compressed data is inflated (gzip, bzip2, xz, zstd, LZ4 frames: one member or several); the files of an archive (tar,
/// zip) stand one behind the other, folder by folder and log by log, the oldest of each first, as their names tell; UTF-16
/// becomes UTF-8. All this is told by the first bytes, in any order, up to four deep.
pub struct Text {
    /// Its first bytes, behind a hole at its beginning.
    pub head: Vec<u8>,
    /// How many NULs stand before them: a writer went on at its place in a file that was cut to nothing.
    pub hole: u64,
    /// All of it, from the first byte on. What is damaged gives the text before the damage, then an error that says what
    /// it is and where.
    pub reader: Bytes,
    /// Whether its bytes are not the ones that were opened: it was compressed, archived or encoded.
    pub is_unpacked: bool,
    /// What of an archive is not in it, and why: a line for each file.
    pub left_out: Vec<String>,
}

impl Text {
    /// Opens a text, and reads its first `head` bytes.
    ///
    /// An archive is read to its end, for its last file can be the oldest: its files are kept in a temporary file, compressed.
    ///
    /// # Errors
    /// The reader failed, or what was opened begins like something that is not read: in words for a person.
    pub fn open(raw: impl Read + Send + 'static, head: usize) -> io::Result<Self> {
        let Peeled { mut text, is_unpacked, left_out } = peel::peel(Box::new(raw))?;
        let (hole, begin) = behind_hole(&mut text)?;
        let mut first = begin;
        let more = read_up_to(&mut text, head.saturating_sub(first.len()))?;
        first.extend_from_slice(&more);
        let reader =
            Box::new(io::repeat(0).take(hole).chain(Cursor::new(first.clone())).chain(text));
        first.truncate(head);
        Ok(Self { head: first, hole, reader, is_unpacked, left_out })
    }
}

/// How many NULs a text begins with, and what was read behind them.
fn behind_hole(text: &mut impl Read) -> io::Result<(u64, Vec<u8>)> {
    let mut hole = 0;
    let mut first = read_some(text, 1)?;
    while first.iter().all(|byte| *byte == 0) && !first.is_empty() {
        hole += first.len() as u64;
        first = read_some(text, CHUNK)?;
    }
    let nulls = first.iter().take_while(|byte| **byte == 0).count();
    first.drain(..nulls);
    Ok((hole + nulls as u64, first))
}

/// What has come, at most so many bytes; nothing at the end. Who waits for more of a pipe keeps what came waiting.
fn read_some(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    loop {
        match reader.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => {
                bytes.truncate(read?);
                return Ok(bytes);
            }
        }
    }
}

fn read_up_to(reader: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(count);
    reader.by_ref().take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("is_unpacked", &self.is_unpacked).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
