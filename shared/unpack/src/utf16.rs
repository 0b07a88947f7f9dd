//! UTF-16 as UTF-8, while it is read.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK: usize = 1 << 15;
/// The byte order mark, which is no text.
const MARK: u16 = 0xfeff;

/// The text of a reader of UTF-16. What is no character becomes U+FFFD.
pub(crate) struct Utf16<R> {
    reader: R,
    is_big: bool,
    /// Bytes that were read and are not a character yet, at the buffer's beginning.
    left: usize,
    buffer: Vec<u8>,
    text: String,
    /// How much of the text was given out.
    given: usize,
    is_begun: bool,
    is_over: bool,
}

impl<R: Read> Utf16<R> {
    pub(crate) fn new(reader: R, is_big: bool) -> Self {
        let (buffer, text) = (vec![0; CHUNK], String::new());
        Self { reader, is_big, left: 0, buffer, text, given: 0, is_begun: false, is_over: false }
    }

    /// Turns what comes next into text.
    fn fill(&mut self) -> io::Result<()> {
        let read = self.reader.read(&mut self.buffer[self.left..])?;
        self.is_over = read == 0;
        let (pairs, odd) = self.buffer[..self.left + read].as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match self.is_big {
            true => u16::from_be_bytes(*pair),
            false => u16::from_le_bytes(*pair),
        };
        // The first half of a character waits for the other.
        let waits = match pairs.last().map(unit) {
            Some(0xd800..=0xdbff) if !self.is_over => 1,
            _ => 0,
        };
        let (now, later) = pairs.split_at(pairs.len() - waits);
        let is_marked = !self.is_begun && now.first().map(unit) == Some(MARK);
        self.is_begun |= !now.is_empty();
        let units = now.iter().map(unit).skip(usize::from(is_marked));
        let characters = char::decode_utf16(units);
        self.text.clear();
        self.given = 0;
        self.text.extend(characters.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)));
        let (used, kept) = (now.len() * 2, later.len() * 2 + odd.len());
        if self.is_over && kept > 0 {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
        self.buffer.copy_within(used..used + kept, 0);
        self.left = kept;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.is_over {
            self.fill()?;
        }
        let mut rest = &self.text.as_bytes()[self.given..];
        let read = rest.read(to)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Slowly;

    fn text(units: &[u16], is_big: bool, odd: &[u8], step: usize) -> String {
        let bytes = units.iter().flat_map(|unit| match is_big {
            true => unit.to_be_bytes(),
            false => unit.to_le_bytes(),
        });
        let bytes: Vec<u8> = bytes.chain(odd.iter().copied()).collect();
        let mut text = String::new();
        Utf16::new(Slowly(&bytes, step), is_big).read_to_string(&mut text).expect("text");
        text
    }

    #[test]
    fn it_is_the_same_text_however_the_bytes_come() {
        let written = "Grüße an 𝒜: Nov 26\r\n".repeat(3000);
        let units: Vec<u16> = std::iter::once(MARK).chain(written.encode_utf16()).collect();
        for is_big in [true, false] {
            for step in [1, 2, 3, 7, 1000, usize::MAX] {
                assert!(text(&units, is_big, b"", step) == written, "{is_big} {step}");
            }
        }
    }

    #[test]
    fn what_is_no_character_is_replaced_and_the_rest_is_kept() {
        for step in [1, 3, usize::MAX] {
            assert_eq!(
                text(&[0xd83d, 0x61, 0xdc00, 0x62, 0], false, b"", step),
                "\u{fffd}a\u{fffd}b\0"
            );
            assert_eq!(text(&[0x61, 0xd83d], false, b"", step), "a\u{fffd}");
            assert_eq!(text(&[0x61, 0xfeff], true, b"x", step), "a\u{feff}\u{fffd}");
        }
    }
}
