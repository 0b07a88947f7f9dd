//! Lines of a reader with their offsets, in bounded memory.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 20;
/// The longest piece of a line: no mail server writes longer lines, but what wraps them may.
const LONGEST: usize = 1 << 16;

/// Cuts a reader into lines.
#[derive(Debug)]
pub struct Lines<R> {
    pieces: Pieces<R>,
    /// The first piece of a line whose end is not read yet, and the line's offset.
    long: Option<(Vec<u8>, u64)>,
}

/// Cuts a reader into lines, and long lines into pieces of 64 KiB.
///
/// Where a piece ends is told by the text alone, counted from its line's beginning: not by how the bytes come, and not by
/// where reading began, if that was at a line's beginning or behind a piece.
#[derive(Debug)]
pub struct Pieces<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer was not given out yet.
    from: usize,
    to: usize,
    /// Offset of the piece that stands at `buffer[from]`, the hole before it included.
    offset: u64,
    /// Bytes of that hole that are not in the buffer any more.
    dropped: u64,
}

/// A line, or a piece of one, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its bytes, 64 KiB at most. NULs before it are a hole, and none of it.
    pub text: &'a [u8],
    /// Offset of its first byte.
    pub begins: u64,
    /// Offset behind its last byte, the line end included. From there reading can go on.
    pub ends: u64,
    /// Whether more of the same line follows: it has no line end then.
    pub is_continued: bool,
}

impl<R: Read> Lines<R> {
    /// The reader.
    pub fn reader(&self) -> &R {
        &self.pieces.reader
    }

    /// Lines from the reader's place, which is `offset`.
    #[must_use]
    pub fn new(reader: R, offset: u64) -> Self {
        Self { pieces: Pieces::new(reader, offset), long: None }
    }

    /// Reads more and hands every line that is complete to `each`; false at the end of the file.
    ///
    /// Of a line longer than 64 KiB, only its beginning is handed on.
    ///
    /// # Errors
    /// The reader failed.
    pub fn read(&mut self, mut each: impl FnMut(Line<'_>)) -> io::Result<bool> {
        let Self { pieces, long } = self;
        pieces.read(|piece| {
            if !piece.is_continued && long.is_none() {
                return each(piece);
            }
            let (text, begins) = long.get_or_insert_with(|| (piece.text.to_vec(), piece.begins));
            if !piece.is_continued {
                each(Line { text, begins: *begins, ..piece });
                *long = None;
            }
        })
    }

    /// What stands behind the last line end, as a line.
    pub fn rest(&mut self) -> Option<Line<'_>> {
        let Self { pieces, long } = self;
        let Some((text, begins)) = long else { return pieces.rest() };
        let behind = pieces.offset;
        let ends = pieces.rest().map_or(behind, |rest| rest.ends);
        Some(Line { text, begins: *begins, ends, is_continued: false })
    }
}

impl<R: Read> Pieces<R> {
    /// The reader.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// Lines from the reader's place, which is `offset`: a line's beginning, or the end of a piece.
    #[must_use]
    pub fn new(reader: R, offset: u64) -> Self {
        Self { reader, buffer: vec![0; CHUNK], from: 0, to: 0, offset, dropped: 0 }
    }

    /// Reads more and hands every line that is complete to `each`, and every piece behind which its line goes on; false at
    /// the end of the file.
    ///
    /// # Errors
    /// The reader failed.
    pub fn read(&mut self, mut each: impl FnMut(Line<'_>)) -> io::Result<bool> {
        if self.from > 0 {
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        let fresh = self.to;
        let read = self.reader.read(&mut self.buffer[self.to..])?;
        self.to += read;
        let mut searched = fresh;
        while let Some(found) = memchr::memchr(b'\n', &self.buffer[searched..self.to]) {
            let end = searched + found;
            if end - self.from > LONGEST {
                self.cut(end, &mut each);
            }
            let text = behind_hole(&self.buffer[self.from..end]);
            let ends =
                self.offset + (end + 1 - self.from) as u64 + std::mem::take(&mut self.dropped);
            each(Line { text, begins: self.offset, ends, is_continued: false });
            self.offset = ends;
            self.from = end + 1;
            searched = self.from;
        }
        if self.to - self.from > LONGEST {
            self.cut(self.to, &mut each);
        }
        Ok(read > 0)
    }

    /// Hands on all pieces before this place in the buffer but the last; what is left is at most one piece long.
    #[cold]
    fn cut(&mut self, end: usize, each: &mut impl FnMut(Line<'_>)) {
        loop {
            // Every piece may begin with a hole, or else where reading was resumed would make a difference.
            let hole = hole(&self.buffer[self.from..end]);
            self.from += hole;
            self.dropped += hole as u64;
            if end - self.from <= LONGEST {
                return;
            }
            let text = &self.buffer[self.from..self.from + LONGEST];
            let ends = self.offset + LONGEST as u64 + std::mem::take(&mut self.dropped);
            each(Line { text, begins: self.offset, ends, is_continued: true });
            self.offset = ends;
            self.from += LONGEST;
        }
    }

    /// Reads to the end, and hands on what stands behind the last line end as well.
    ///
    /// # Errors
    /// The reader failed.
    pub fn read_to_end(mut self, mut each: impl FnMut(Line<'_>)) -> io::Result<()> {
        while self.read(&mut each)? {}
        self.rest().into_iter().for_each(each);
        Ok(())
    }

    /// What stands behind the last line end or piece, as a line.
    pub fn rest(&mut self) -> Option<Line<'_>> {
        let text = &self.buffer[self.from..self.to];
        let begins = self.offset;
        let ends = begins + text.len() as u64 + self.dropped;
        let rest = Line { text: behind_hole(text), begins, ends, is_continued: false };
        (ends > begins).then_some(rest)
    }
}

/// A line without the byte order mark that some programs begin a text in UTF-8 with.
#[must_use]
#[inline]
pub fn without_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
}

/// How many NULs a text begins with.
fn hole(text: &[u8]) -> usize {
    text.iter().position(|byte| *byte != 0).unwrap_or(text.len())
}

/// A line without the hole before it.
#[inline]
fn behind_hole(text: &[u8]) -> &[u8] {
    if text.first() == Some(&0) { &text[hole(text)..] } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Slowly;

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
            assert!(lines.pieces.buffer.len() <= CHUNK);
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

    /// The pieces of a text with the offsets behind them, read from an offset on.
    fn pieces(text: &[u8], step: usize, offset: usize) -> Vec<(Vec<u8>, u64, u64, bool)> {
        let mut pieces = Pieces::new(Slowly(&text[offset..], step), offset as u64);
        let mut found = Vec::new();
        let own = |line: Line<'_>| (line.text.to_vec(), line.begins, line.ends, line.is_continued);
        while pieces.read(|line| found.push(own(line))).expect("ok") {
            assert_eq!(pieces.buffer.len(), CHUNK);
        }
        found.extend(pieces.rest().map(own));
        found
    }

    #[test]
    fn a_long_line_comes_in_pieces_wherever_reading_begins() {
        let line =
            |length: usize| -> Vec<u8> { (0..length).map(|at| b"abcdefghijk"[at % 11]).collect() };
        let mut texts = vec![b"\n".to_vec(), line(LONGEST), line(3 * LONGEST), line(CHUNK + 1)];
        for length in [LONGEST - 1, LONGEST, LONGEST + 1, 2 * LONGEST, 2 * LONGEST + 7, 3 * CHUNK] {
            texts.push([line(length), b"\nshort\n".to_vec(), line(length)].concat());
            let hole = vec![0; length];
            texts.push([&hole[..], &line(length), &hole, b"\n", &hole, b"\n", &hole].concat());
        }
        for text in texts {
            let all = pieces(&text, usize::MAX, 0);
            for (number, (piece, begins, ends, is_continued)) in all.iter().enumerate() {
                assert!(piece.len() <= LONGEST);
                assert!(!is_continued || piece.len() == LONGEST);
                assert_eq!(*begins, number.checked_sub(1).map_or(0, |before| all[before].2));
                let from = usize::try_from(*ends).expect("small");
                assert_eq!(pieces(&text, 70_001, from), all[number + 1..], "from {from}");
            }
            assert_eq!(all.last().map_or(0, |last| last.2), text.len() as u64);
            for step in [997, LONGEST + 1] {
                assert!(pieces(&text, step, 0) == all, "{step}");
            }
        }
    }

    #[test]
    fn a_line_of_64_kib_is_one_piece_and_one_byte_more_makes_two() {
        let text = [vec![b'x'; LONGEST], b"\n".to_vec(), vec![b'y'; LONGEST + 1], b"\n".to_vec()];
        let told: Vec<_> = pieces(&text.concat(), 4096, 0)
            .into_iter()
            .map(|(text, _, ends, is_continued)| (text.len(), ends, is_continued))
            .collect();
        let one = LONGEST as u64;
        assert_eq!(
            told,
            [(LONGEST, one + 1, false), (LONGEST, 2 * one + 1, true), (1, 2 * one + 3, false)]
        );
    }

    #[test]
    fn of_a_long_line_that_ends_with_the_file_the_beginning_is_its_rest() {
        let text = vec![b'x'; 5 * LONGEST + 3];
        let mut lines = Lines::new(Slowly(&text, 10_000), 7);
        while lines.read(|_| panic!("no line has ended")).expect("ok") {}
        let rest = lines.rest().expect("a rest");
        assert_eq!((rest.text.len(), rest.begins), (LONGEST, 7));
        assert_eq!((rest.ends, rest.is_continued), (7 + text.len() as u64, false));
    }
}
