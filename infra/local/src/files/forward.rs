//! Text that can only be read forwards, and what to do to read it once more.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use store::FINGERPRINT;
use unpack::Text;

use super::pipe::{Piped, Tap};

/// A file read from a place of its own, whoever else reads it through the same handle.
#[derive(Debug)]
pub(super) struct At {
    pub(super) file: File,
    pub(super) offset: u64,
}

impl Read for At {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(to, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}

/// Compressed text, or what comes through a pipe.
pub(super) struct Forward {
    reader: Box<dyn Read + Send>,
    /// Offset of what is read next.
    at: u64,
    again: Again,
}

/// How text is read once more.
enum Again {
    /// From the compressed file.
    File(File),
    /// From what was kept of it: a pipe gives everything once.
    Kept(Kept),
    /// Never.
    Not,
}

/// What came through a pipe, in a file without a name.
struct Kept {
    file: Option<File>,
    /// NULs before what is in the file.
    hole: u64,
    /// Bytes that came, the NULs included.
    length: u64,
    /// Whether what comes next is kept as well.
    more: bool,
}

impl Forward {
    /// No text at all.
    pub(super) fn none() -> Self {
        Self { reader: Box::new(io::empty()), at: 0, again: Again::Not }
    }

    /// The text of a compressed file, which was just opened.
    pub(super) fn file(text: Text, file: File) -> Self {
        Self { reader: text.reader, at: 0, again: Again::File(file) }
    }

    /// Text that comes only once, behind a hole.
    pub(super) fn pipe(reader: Piped, hole: u64) -> Self {
        let kept = Kept { file: None, hole, length: hole, more: true };
        Self { reader: Box::new(reader), at: 0, again: Again::Kept(kept) }
    }

    /// How the text behind a hole begins: so many bytes, or as many as come before the first pause behind a line end.
    pub(super) fn head(&mut self, hole: u64, length: usize, tap: &Tap) -> io::Result<Vec<u8>> {
        let mut head = vec![0; length];
        let mut got = 0;
        self.skip_to(hole)?;
        while got < length {
            tap.give_way(head[..got].contains(&b'\n'));
            match self.read(&mut head[got..])? {
                0 => break,
                read => got += read,
            }
        }
        tap.give_way(false);
        head.truncate(got);
        Ok(head)
    }

    /// The text once more from its beginning, if it is a file's.
    pub(super) fn again(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        match &self.again {
            Again::File(file) => {
                let file = At { file: file.try_clone()?, offset: 0 };
                Ok(Some(Text::open(file, FINGERPRINT)?.reader))
            }
            Again::Kept(_) | Again::Not => Ok(None),
        }
    }

    /// How much of what came is at hand, and need not be waited for.
    pub(super) fn kept(&self) -> Option<u64> {
        match &self.again {
            Again::Kept(kept) => Some(kept.length),
            Again::File(_) | Again::Not => None,
        }
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        if self.at == 0 {
            return Ok(());
        }
        self.at = 0;
        if let Some(reader) = self.again()? {
            self.reader = reader;
        }
        Ok(())
    }

    /// Goes on at an offset, or at the end, if that comes first.
    pub(super) fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        if offset < self.at {
            self.rewind()?;
        }
        let behind = offset - self.at;
        io::copy(&mut self.take(behind), &mut io::sink())?;
        Ok(())
    }

    /// Says that what is read from here on is read once only.
    pub(super) fn keep_nothing_more(&mut self) {
        if let Again::Kept(kept) = &mut self.again {
            kept.more = false;
        }
    }

    /// The bytes at an offset; false if the text ends or is damaged before their end.
    pub(super) fn bytes_at(&mut self, offset: u64, to: &mut [u8]) -> io::Result<bool> {
        if let Err(error) = self.skip_to(offset) {
            return damaged(error);
        }
        match self.read_exact(to) {
            Ok(()) => Ok(true),
            Err(error) => damaged(error),
        }
    }
}

/// Damage is an end of what can be compared; whoever reads on tells of it.
fn damaged(error: io::Error) -> io::Result<bool> {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        UnexpectedEof | InvalidData | InvalidInput => Ok(false),
        _ => Err(error),
    }
}

impl Kept {
    fn read(&self, at: u64, to: &mut [u8]) -> io::Result<usize> {
        let until = if at < self.hole { self.hole } else { self.length };
        let left = usize::try_from(until.saturating_sub(at)).unwrap_or(usize::MAX);
        let length = to.len().min(left);
        match &self.file {
            _ if at < self.hole => {
                to[..length].fill(0);
                Ok(length)
            }
            Some(file) => file.read_at(&mut to[..length], at - self.hole),
            None => Ok(0),
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        file.write_all_at(bytes, self.length - self.hole)?;
        self.length += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }
}

impl Read for Forward {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.again {
            Again::Kept(kept) if self.at < kept.length => kept.read(self.at, to)?,
            Again::Kept(kept) if kept.more => {
                let read = self.reader.read(to)?;
                kept.keep(&to[..read])?;
                read
            }
            _ => self.reader.read(to)?,
        };
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use super::*;
    use crate::files::stop::Stop;

    fn opened(text: &[u8]) -> [Forward; 2] {
        let (pipe, hole) = Piped::open(Cursor::new(text.to_vec()), &Stop::default()).expect("text");
        let file = tempfile::tempfile().expect("a file");
        let mut gzip = flate2::write::GzEncoder::new(&file, flate2::Compression::fast());
        gzip.write_all(text).and_then(|()| gzip.finish().map(drop)).expect("written");
        let raw = At { file: file.try_clone().expect("the file"), offset: 0 };
        [Forward::pipe(pipe, hole), Forward::file(Text::open(raw, 4).expect("text"), file)]
    }

    #[test]
    fn it_is_read_from_anywhere_and_again_until_it_is_read_for_good() {
        let lines = (0..200_000u32).flat_map(|n| format!("{n}\n").into_bytes());
        let text: Vec<u8> = [0; 11].into_iter().chain(lines).collect();
        for mut forward in opened(&text) {
            let mut bytes = [0; 9];
            for offset in [5, 13, 100_000, 100_008, 7, 900_000] {
                assert!(forward.bytes_at(offset, &mut bytes).expect("read"), "{offset}");
                let from = usize::try_from(offset).expect("small");
                assert_eq!(bytes, text[from..from + 9], "{offset}");
            }
            assert!(!forward.bytes_at(text.len() as u64 - 8, &mut bytes).expect("read"), "the end");
            forward.skip_to(70).expect("back");
            forward.keep_nothing_more();
            let mut rest = Vec::new();
            forward.read_to_end(&mut rest).expect("read");
            assert_eq!(rest, text[70..]);
        }
    }
}
