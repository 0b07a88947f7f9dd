//! Texts, one behind the other.

use std::io::{self, Read};

/// A reader that owns what it reads.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Texts, one behind the other, each from a line's beginning on. The next one is opened when the one before it has ended.
pub(crate) struct Joined<I> {
    texts: I,
    open: Option<Bytes>,
    /// Whether the text so far has its line end.
    is_ended: bool,
}

impl<I> Joined<I> {
    pub(crate) fn new(texts: I) -> Self {
        Self { texts, open: None, is_ended: true }
    }
}

impl<I: Iterator<Item = io::Result<Bytes>>> Read for Joined<I> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while !to.is_empty() {
            let Some(text) = &mut self.open else {
                let Some(text) = self.texts.next() else { return Ok(0) };
                self.open = Some(text?);
                continue;
            };
            let read = text.read(to)?;
            if let Some(last) = to[..read].last() {
                self.is_ended = *last == b'\n';
                return Ok(read);
            }
            self.open = None;
            if !self.is_ended {
                self.is_ended = true;
                to[0] = b'\n';
                return Ok(1);
            }
        }
        Ok(0)
    }
}
