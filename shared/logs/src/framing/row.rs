//! Rows of CSV whose cells have line ends in them.

use serde::{Deserialize, Serialize};

/// The most bytes of a row that are kept.
const LONGEST: usize = 1 << 15;
/// The most lines of a row.
const LINES: usize = 100;

/// A row of which a cell in quotes has begun and is not over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    separator: u8,
    /// When it began to arrive, in seconds since 1970.
    reference: i64,
    text: Vec<u8>,
}

/// What became of a row with its next line.
pub(super) enum Read {
    /// More follows.
    Part,
    /// It is over.
    Whole,
    /// It goes on for longer than rows do: no cell had begun.
    None,
}

impl Row {
    /// Begins with its first line.
    pub(super) fn new(line: &[u8], separator: u8, reference: i64) -> Self {
        Self { separator, reference, text: line.to_vec() }
    }

    /// When it began to arrive, in seconds since 1970.
    pub(super) fn reference(&self) -> i64 {
        self.reference
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        self.text.len()
    }

    /// All lines so far.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Reads the next line.
    pub(super) fn read(&mut self, line: &[u8]) -> Read {
        self.text.push(b'\n');
        self.text.extend_from_slice(line);
        let is_over = line.contains(&b'"') && !is_open(&self.text, self.separator);
        let lines = || memchr::memchr_iter(b'\n', &self.text).count();
        match self.text.len() {
            ..=LONGEST if is_over => Read::Whole,
            ..=LONGEST if lines() < LINES => Read::Part,
            _ => Read::None,
        }
    }
}

/// Whether a cell in quotes has begun in a row and is not over.
pub(crate) fn is_open(row: &[u8], separator: u8) -> bool {
    let (mut at, mut begins) = (0, true);
    while let Some(byte) = row.get(at) {
        at += 1;
        if !begins || *byte != b'"' {
            begins = *byte == separator;
            continue;
        }
        loop {
            let Some(end) = memchr::memchr(b'"', &row[at..]) else { return true };
            at += end + 1;
            if row.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        begins = false;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_open_until_its_own_quotation_mark() {
        for row in ["\"a", "a,\"b", "\"a\",\"b\"\"", "\"a,\"\",b", "\"a\nb"] {
            assert!(is_open(row.as_bytes(), b','), "{row}");
        }
        for row in ["", "a", "a\"b", "\"a\"", "\"a\",b", "\"a\"\"\"", "a;\"b", "\"a\nb\",c"] {
            assert!(!is_open(row.as_bytes(), b','), "{row}");
        }
    }
}
