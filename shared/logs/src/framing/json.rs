//! JSON that does not stand one object a line: laid out over several lines, in one array, or one value behind the
//! other.
//!
//! Bytes are checked as they come, so that a line of another kind ends a value that was broken off instead of
//! vanishing in it.

use memchr::memchr2;
use serde::{Deserialize, Serialize};

use crate::fields::{Name, Units, name};

/// The most bytes of a unit that are kept, blanks between its parts left out.
pub(super) const LONGEST: usize = 1 << 16;
/// How deep containers may stand in each other.
const DEEPEST: usize = 64;
/// The most bytes of the names of the objects that are open; names of stores' lists are short.
const LONGEST_PATH: usize = 64;

/// What a value is made of, as far as it has come.
///
/// A unit is a whole value; or, if it is an array of containers, each of these; or, if it is an object and its names
/// say that it is what a store answered, each element of the array in which the store's lines stand: an export of a
/// thousand events is a thousand units. Any other array in an object may be a client's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Splitter {
    /// The containers that are open, the outermost first.
    open: Vec<Container>,
    next: Next,
    /// The names by which the present value is reached, joined by dots; each open object's is as long as told.
    path: String,
    lengths: Vec<usize>,
    /// How many containers are open around the units of a list.
    list: Option<usize>,
    /// Whether the present value had a list: what is left of it is no unit.
    had_list: bool,
    unit: Vec<u8>,
    /// The unit is longer than what is kept of it.
    is_cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Container {
    Object,
    Array,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Next {
    /// A value; between two, any of what separates them.
    #[default]
    Value,
    /// The first element of an array, or its end.
    ElementOrEnd,
    /// The first name of an object, or its end.
    NameOrEnd,
    Name,
    Colon,
    CommaOrEnd,
    /// The rest of a string, which may be a name.
    Text {
        is_name: bool,
    },
    /// The byte behind a backslash.
    Escape {
        is_name: bool,
    },
    /// The rest of a number, `true`, `false` or `null`.
    Word,
}

/// A unit that is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit<'a> {
    /// A whole value.
    Value(&'a [u8]),
    /// An element of a list.
    Element(&'a [u8]),
    /// Longer than is looked at: its beginning.
    TooLong(&'a [u8]),
}

/// These bytes cannot follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Splitter {
    /// Whether a value has begun and is not over.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// What was kept of a unit that is not over.
    pub(super) fn rest(&self) -> &[u8] {
        &self.unit
    }

    /// Bytes that it takes.
    pub(super) fn weight(&self) -> usize {
        self.unit.len() + self.open.len()
    }

    /// Reads a piece of a line, and the line's end if `ends`; hands over each unit that is whole.
    ///
    /// # Errors
    /// These bytes cannot follow. What was handed over stays so.
    pub(super) fn read(
        &mut self,
        piece: &[u8],
        ends: bool,
        mut each: impl FnMut(Unit<'_>),
    ) -> Result<(), Malformed> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            at += match self.next {
                Next::Text { is_name } => self.text(&piece[at..], is_name)?,
                Next::Word if is_word(byte) => self.keep(&[byte]),
                _ => self.structure(byte, &mut each)?,
            };
        }
        match self.next {
            // A string does not go on behind a line's end.
            Next::Text { .. } | Next::Escape { .. } if ends => Err(Malformed),
            Next::Word if ends => {
                self.next = Next::CommaOrEnd;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Reads on in a string, up to its end or the end of the piece; how many bytes that took.
    fn text(&mut self, piece: &[u8], is_name: bool) -> Result<usize, Malformed> {
        let end = memchr2(b'"', b'\\', piece).unwrap_or(piece.len());
        if piece[..end].iter().any(|byte| *byte < b' ') {
            return Err(Malformed);
        }
        let Some(last) = piece.get(end) else {
            if is_name {
                self.called(&piece[..end]);
            }
            return Ok(self.keep(&piece[..end]));
        };
        self.keep(&piece[..=end]);
        if is_name {
            self.called(&piece[..end]);
        }
        self.next = match last {
            b'\\' => Next::Escape { is_name },
            _ if is_name => Next::Colon,
            _ => Next::CommaOrEnd,
        };
        Ok(end + 1)
    }

    /// Reads a byte outside of strings and words; how many bytes were read, which may be none.
    fn structure(&mut self, byte: u8, each: &mut impl FnMut(Unit<'_>)) -> Result<usize, Malformed> {
        if let Next::Escape { is_name } = self.next {
            // What an escape may be is for whoever reads the unit.
            self.next = Next::Text { is_name };
            return if byte < b' ' { Err(Malformed) } else { Ok(self.keep(&[byte])) };
        }
        if self.next == Next::Word {
            self.next = Next::CommaOrEnd;
            return Ok(0);
        }
        if byte.is_ascii_whitespace() || (!self.is_open() && is_separator(byte)) {
            return Ok(1);
        }
        match (self.next, byte) {
            (Next::Value | Next::ElementOrEnd, b'{') => self.begin(Container::Object)?,
            (Next::Value | Next::ElementOrEnd, b'[') => self.begin(Container::Array)?,
            (Next::ElementOrEnd | Next::CommaOrEnd, b']') => self.end(Container::Array, each)?,
            (Next::NameOrEnd | Next::CommaOrEnd, b'}') => self.end(Container::Object, each)?,
            // Only containers hold log lines.
            _ if !self.is_open() => return Err(Malformed),
            (Next::Value | Next::ElementOrEnd, b'"') => {
                self.next = Next::Text { is_name: false };
                self.keep(b"\"");
            }
            (Next::Value | Next::ElementOrEnd, word) if is_word(word) => {
                self.next = Next::Word;
                self.keep(&[word]);
            }
            (Next::Name | Next::NameOrEnd, b'"') => {
                self.path.truncate(self.lengths.last().copied().unwrap_or_default());
                if !self.path.is_empty() {
                    self.path.push('.');
                }
                self.next = Next::Text { is_name: true };
                self.keep(b"\"");
            }
            (Next::Colon, b':') => {
                self.next = Next::Value;
                self.keep(b":");
            }
            (Next::CommaOrEnd, b',') => {
                let is_object = self.open.last() == Some(&Container::Object);
                self.next = if is_object { Next::Name } else { Next::Value };
                self.keep(b",");
            }
            _ => return Err(Malformed),
        }
        Ok(1)
    }

    fn begin(&mut self, container: Container) -> Result<(), Malformed> {
        if self.open.len() == DEEPEST {
            return Err(Malformed);
        }
        if self.list.is_none() && self.open.last() == Some(&Container::Array) && self.is_list() {
            (self.list, self.had_list) = (Some(self.open.len()), true);
        }
        if self.list == Some(self.open.len()) {
            // What stood before the unit frames it, or separates it from the one before.
            self.unit.clear();
            self.is_cut = false;
        }
        self.open.push(container);
        self.lengths.push(self.path.len());
        let (next, opening) = match container {
            Container::Object => (Next::NameOrEnd, b"{"),
            Container::Array => (Next::ElementOrEnd, b"["),
        };
        self.next = next;
        self.keep(opening);
        Ok(())
    }

    fn end(
        &mut self,
        container: Container,
        each: &mut impl FnMut(Unit<'_>),
    ) -> Result<(), Malformed> {
        if self.open.pop() != Some(container) {
            return Err(Malformed);
        }
        self.path.truncate(self.lengths.pop().unwrap_or_default());
        self.keep(if container == Container::Object { b"}" } else { b"]" });
        self.next = if self.is_open() { Next::CommaOrEnd } else { Next::Value };
        let is_unit =
            self.list.map_or(!self.is_open() && !self.had_list, |depth| self.open.len() == depth);
        if is_unit {
            each(match self.list {
                _ if self.is_cut => Unit::TooLong(&self.unit),
                Some(_) => Unit::Element(&self.unit),
                None => Unit::Value(&self.unit),
            });
            self.unit.clear();
            self.is_cut = false;
        }
        if self.list.is_some_and(|depth| self.open.len() < depth) {
            self.list = None;
        }
        if !self.is_open() {
            *self = Self::default();
        }
        Ok(())
    }

    /// Whether the innermost array holds units.
    fn is_list(&self) -> bool {
        let is_outermost = !self.open.contains(&Container::Object);
        let is_list = |name: &Name| matches!(name.units, Units::One | Units::Nested);
        is_outermost || name(&self.path).is_some_and(is_list)
    }

    /// Adds bytes to the name that is being read.
    fn called(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.path.len() + text.len() <= LONGEST_PATH => self.path.push_str(text),
            // So that it is not taken for a shorter name.
            _ => self.path.push('\0'),
        }
    }

    /// Keeps bytes of the unit, if there is room; how many there were.
    fn keep(&mut self, bytes: &[u8]) -> usize {
        self.is_cut |= self.unit.len() + bytes.len() > LONGEST;
        if !self.is_cut {
            self.unit.extend_from_slice(bytes);
        }
        bytes.len()
    }
}

/// What numbers, `true`, `false` and `null` are made of.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

/// What may stand between values: commas, the end of an array whose beginning was read before, and RFC 7464's record
/// separator.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b',' | b']' | 0x1e)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units, and what is left open, of a text that comes in pieces of a length.
    fn units(text: &str, length: usize) -> (Vec<String>, Result<bool, Malformed>) {
        let (mut splitter, mut units) = (Splitter::default(), Vec::new());
        for line in text.split('\n') {
            let pieces: Vec<&[u8]> = line.as_bytes().chunks(length).collect();
            for (number, piece) in pieces.iter().enumerate() {
                let ends = number + 1 == pieces.len();
                let read = splitter.read(piece, ends, |unit| match unit {
                    Unit::Value(text) | Unit::Element(text) => {
                        units.push(String::from_utf8_lossy(text).into_owned());
                    }
                    Unit::TooLong(text) => units.push(format!("{} bytes", text.len())),
                });
                if read.is_err() {
                    return (units, Err(Malformed));
                }
                let saved = postcard::to_allocvec(&splitter).expect("saved");
                assert_eq!(postcard::from_bytes(&saved), Ok(splitter.clone()));
            }
        }
        (units, Ok(splitter.is_open()))
    }

    #[test]
    fn values_and_elements_of_lists_are_units_however_they_are_laid_out() {
        for (text, expected) in [
            (
                r#"{"a":1}{"a": "}{\""}  {"a":[1,2]}"#,
                vec![r#"{"a":1}"#, r#"{"a":"}{\""}"#, r#"{"a":[1,2]}"#],
            ),
            (
                "{\n  \"a\" : 1,\n  \"b\" : [\n    72,\n    105\n  ]\n}\n{\n\"a\":true}",
                vec![r#"{"a":1,"b":[72,105]}"#, r#"{"a":true}"#],
            ),
            (
                "[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]",
                vec![r#"{"a":1}"#, r#"{"a":2}"#],
            ),
            (
                "{\n \"events\": [\n {\"a\": {\"b\": [{}]}},\n {\"c\": 1}\n ],\n \"next\": \"x\"\n}",
                vec![r#"{"a":{"b":[{}]}}"#, r#"{"c":1}"#],
            ),
            (
                r#"{"took":1,"hits":{"total":{"value":2},"hits":[{"s":{}},{"s":1}]}}"#,
                vec![r#"{"s":{}}"#, r#"{"s":1}"#],
            ),
            (
                r#"{"results":[[{"f":1},{"f":2}],[{"f":3}]],"status":"Complete"}"#,
                vec![r#"[{"f":1},{"f":2}]"#, r#"[{"f":3}]"#],
            ),
            (
                "{\"a\":1},\n{\"a\":2}]\n\u{1e}{\"a\":3}",
                vec![r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#],
            ),
            ("{}[]", vec!["{}", "[]"]),
        ] {
            for length in [1, 7, 1000] {
                let (found, end) = units(text, length);
                assert_eq!(
                    (found, end),
                    (expected.iter().map(|unit| (*unit).to_owned()).collect(), Ok(false)),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn an_array_that_may_be_a_clients_is_no_list() {
        for text in [
            r#"{"request":{"items":[{"event":"submission"}]}}"#,
            r#"{"request":{"events":[{"event":"submission"}]}}"#,
            r#"{"level":"info","items":[[{"event":"submission"}]]}"#,
        ] {
            assert_eq!(units(text, 1000), (vec![text.to_owned()], Ok(false)));
        }
    }

    #[test]
    fn a_line_of_another_kind_ends_what_was_broken_off() {
        for text in [
            "{\nNov 23 11:00:00 mail postfix/smtpd[7]: connect from unknown[192.0.2.1]",
            "{\"a\":\n2026-11-23 11:00:00 1xVWoN-0001PO-2u <= a@example.org",
            "{\"a\": \"text\nthat goes on\"}",
            "{\"a\" 1}",
            "[1 2]",
            "{]",
            "x",
            "\"text\"",
            "{\"a\":\"\u{1}\"}",
        ] {
            let (_, end) = units(text, 1000);
            assert_eq!(end, Err(Malformed), "{text}");
        }
        let deep = "[".repeat(DEEPEST + 1);
        assert_eq!(units(&deep, 1000).1, Err(Malformed));
        assert_eq!(units("{\"a\": {", 1000), (vec![], Ok(true)));
    }

    #[test]
    fn a_unit_that_is_too_long_is_told_and_the_next_is_read() {
        let text = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(LONGEST));
        let (found, end) = units(&text, 1000);
        assert!(found[0].ends_with(" bytes") && end == Ok(false), "{found:?}");
        assert_eq!(found[1], "{\"b\":1}");
    }
}
