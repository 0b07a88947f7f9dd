//! Lines of a reader with their offsets, in bounded memory.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// The most bytes of a line that are looked at; no mail server writes such lines.
const LONGEST: usize = 1 << 16;

/// Cuts a reader into lines.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer was not given out yet.
    from: usize,
    to: usize,
    /// Offset of `buffer[from]`.
    offset: u64,
    /// Bytes of an overlong line that were left out behind its beginning.
    dropped: u64,
}

/// A line, without its end.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its bytes; of one longer than 64 KiB, the beginning. NULs before it are a hole, and none of it.
    pub text: &'a [u8],
    /// Offset of its first byte.
    pub begins: u64,
    /// Offset behind its last byte, the line end included.
    pub ends: u64,
}

impl<R: Read> Lines<R> {
    /// The reader.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Lines from the reader's place, which is `offset`.
    #[must_use]
    pub fn new(reader: R, offset: u64) -> Self {
        Self { reader, buffer: vec![0; CHUNK], from: 0, to: 0, offset, dropped: 0 }
    }

    /// Reads more and hands every line that is complete to `each`; false at the end of the file.
    ///
    /// Of a line longer than 64 KiB, only its beginning is handed on.
    ///
    /// # Errors
    /// The reader failed.
    pub fn read(&mut self, mut each: impl FnMut(Line<'_>)) -> io::Result<bool> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        if self.to == self.buffer.len() {
            // A line that does not fit: its beginning is enough. A hole is not its beginning.
            let hole = hole(&self.buffer);
            if hole > 0 {
                self.buffer.copy_within(hole.., 0);
                self.dropped += hole as u64;
                self.to -= hole;
            } else {
                self.dropped += (self.to - LONGEST) as u64;
                self.to = LONGEST;
            }
        }
        let fresh = self.to;
        let read = self.reader.read(&mut self.buffer[self.to..])?;
        self.to += read;
        let mut searched = fresh;
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[searched..self.to]) {
            let end = searched + found;
            let text = &self.buffer[self.from..end];
            let ends =
                self.offset + (end + 1 - self.from) as u64 + std::mem::take(&mut self.dropped);
            each(Line { text: beginning(text), begins: self.offset, ends });
            self.offset = ends;
            self.from = end + 1;
            searched = self.from;
        }
        Ok(read > 0)
    }

    /// What stands behind the last line end, as a line.
    pub fn rest(&mut self) -> Option<Line<'_>> {
        let text = &self.buffer[self.from..self.to];
        let begins = self.offset;
        let ends = begins + text.len() as u64 + self.dropped;
        (ends > begins).then_some(Line { text: beginning(text), begins, ends })
    }
}

/// How many NULs a text begins with.
fn hole(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte != 0).unwrap_or(text.len())
}

/// What of a line is looked at.
#[inline]
fn beginning(text: &[u8]) -> &[u8] {
    let text = if text.first() == Some(&0) { &text[hole(text)..] } else { text };
    &text[..text.len().min(LONGEST)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, as a pipe does.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(self.1).min(to.len());
            to[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn lines_and_offsets_do_not_depend_on_how_the_bytes_come() {
        let endless = vec![b'x'; 3 * CHUNK];
        let text = [&b"one\n\nthree\n"[..], &endless, b"\nlast"].concat();
        for step in [7, 1000, usize::MAX] {
            let mut lines = Lines::new(Slowly(&text, step), 100);
            let mut found = Vec::new();
            while lines
                .read(|line| found.push((line.text.len(), line.begins, line.ends)))
                .expect("ok")
            {}
            let long = (LONGEST, 111, 111 + endless.len() as u64 + 1);
            assert!(lines.buffer.len() <= CHUNK);
            assert_eq!(found, [(3, 100, 104), (0, 104, 105), (5, 105, 111), long], "{step}");
            let rest = lines.rest().expect("a rest");
            assert_eq!((rest.text, rest.ends), (&b"last"[..], 100 + text.len() as u64));
        }
    }

    #[test]
    fn a_hole_is_no_text_of_the_line_behind_it() {
        for hole in [1, 9, LONGEST + 1, CHUNK - 3, CHUNK, 3 * CHUNK + 5] {
            let text = [&vec![0; hole][..], b"one\nt\0o\n", &vec![0; hole], b"rest"].concat();
            for step in [999, usize::MAX] {
                let mut lines = Lines::new(Slowly(&text, step), 0);
                let mut found = Vec::new();
                while lines
                    .read(|line| found.push((line.text.to_vec(), line.begins, line.ends)))
                    .expect("ok")
                {}
                let behind = hole as u64 + 4;
                let expected =
                    [(b"one".to_vec(), 0, behind), (b"t\0o".to_vec(), behind, behind + 4)];
                assert_eq!(found, expected, "{hole}");
                let rest = lines.rest().expect("a rest");
                assert_eq!((rest.text, rest.begins), (&b"rest"[..], behind + 4), "{hole}");
                assert_eq!(rest.ends, text.len() as u64);
            }
        }
    }
}
