//! Where a page of a table or list ended or began. Opaque to clients; nothing secret in it.
//!
//! A cursor is text: `v`, the number of its form, `-`, and the rest, a table's as base64 of Postcard. The first
//! form was the rest alone. Whatever a stranger makes of one is refused, or is another cursor that could have been
//! handed out.

use std::hash::{Hash, Hasher as _};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use thiserror::Error;

use super::row::Row;
use super::table::Place;
use crate::counting::tls::{TlsCounts, TlsVersion};

/// The present form. Whoever changes what a cursor holds raises it.
const FORM: &str = "2";

/// Why a text is not taken for a cursor, as a sentence about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CursorError {
    /// Its form is another than the present one.
    #[error("it comes from another version of this service: begin without a cursor")]
    OtherVersion,
    /// It was handed out for another question.
    #[error("it belongs to a page with other parameters: begin without a cursor")]
    OtherQuestion,
    /// Nobody handed it out.
    #[error("it must be next of an earlier page")]
    NotOne,
}

/// The text of a cursor that holds `rest`.
#[must_use]
pub fn written(rest: &str) -> String {
    format!("v{FORM}-{rest}")
}

/// What a cursor holds, by what reads the rest of its text.
///
/// # Errors
/// It is of another version, or none.
pub fn held<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, CursorError> {
    let (form, rest) = form(text);
    let is_other_form = match form {
        // The first form held the same.
        None => read(rest).is_some(),
        Some(form) => form != FORM,
    };
    if is_other_form {
        return Err(CursorError::OtherVersion);
    }
    read(rest).filter(|_| form.is_some()).ok_or(CursorError::NotOne)
}

/// Where a page of a table ended or began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Checksum of everything asked but cursor and limit: a cursor fits one question only.
    question: u64,
    /// Which computation of the table the first page showed.
    pub table: u64,
    /// Whether the page lies before the row, not behind it.
    before: bool,
    /// The last row shown, or the first.
    name: String,
    counts: [u64; 6],
}

/// What stands for a question in its cursors: a checksum of the whole of it.
pub fn checksum(question: &impl Hash) -> u64 {
    let mut hasher = SipHasher13::new();
    question.hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    /// The cursor of the page before a row, or behind it.
    #[must_use]
    pub fn at(row: &Row<'_>, before: bool, question: u64, table: u64) -> Self {
        let name = row.name.to_owned();
        let counts = TlsVersion::ALL.map(|version| row.counts.get(version));
        Self { question, table, before, name, counts }
    }

    /// The place of the page that it leads to.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let mut counts = TlsCounts::default();
        for (version, messages) in TlsVersion::ALL.into_iter().zip(self.counts) {
            counts.add(version, messages);
        }
        let row = Row { name: &self.name, counts };
        if self.before { Place::Before(row) } else { Place::After(row) }
    }

    /// Its text.
    #[must_use]
    pub fn write(&self) -> String {
        written(&self.rest())
    }

    fn rest(&self) -> String {
        let bytes = postcard::to_allocvec(self).unwrap_or_default();
        base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
    }

    /// Reads a cursor of this question.
    ///
    /// # Errors
    /// It is none, or of another version or question.
    pub fn read(text: &str, question: u64) -> Result<Self, CursorError> {
        let cursor = held(text, Self::decoded)?;
        if cursor.question == question { Ok(cursor) } else { Err(CursorError::OtherQuestion) }
    }

    /// A number can be written longer than it is, and bytes can follow: one way to write a cursor is enough.
    fn decoded(text: &str) -> Option<Self> {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
        let cursor: Self = postcard::from_bytes(&bytes).ok()?;
        (cursor.rest() == text).then_some(cursor)
    }
}

/// The number of a cursor's form, and what follows it.
fn form(text: &str) -> (Option<&str>, &str) {
    let is_number = |form: &str| !form.is_empty() && form.bytes().all(|b| b.is_ascii_digit());
    match text.strip_prefix('v').and_then(|text| text.split_once('-')) {
        Some((form, rest)) if is_number(form) => (Some(form), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls12, 7);
        Cursor::at(&Row { name: "a@example.test", counts }, false, 1, 2)
    }

    #[test]
    fn a_cursor_fits_its_own_question_and_tells_when_it_is_of_another_version() {
        let text = cursor().write();
        let read = Cursor::read(&text, 1).expect("a cursor");
        assert_eq!(read, cursor());
        let Place::After(found) = read.place() else { panic!("it lies behind the row") };
        assert_eq!((found.name, found.counts.get(TlsVersion::Tls12)), ("a@example.test", 7));
        assert_eq!(Cursor::read(&text, 3), Err(CursorError::OtherQuestion));
        let (_, rest) = form(&text);
        for other in [rest.to_owned(), format!("v1-{rest}"), "v17-x".to_owned()] {
            assert_eq!(Cursor::read(&other, 1), Err(CursorError::OtherVersion));
        }
        for none in ["abc", "-", "v-", "vx-y", "v2-abc", "v2-"] {
            assert_eq!(Cursor::read(none, 1), Err(CursorError::NotOne));
        }
    }

    #[test]
    fn there_is_one_way_to_write_a_cursor() {
        let bytes = postcard::to_allocvec(&cursor()).expect("bytes");
        let text = |bytes: &[u8]| written(&base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes));
        assert_eq!(text(&bytes), cursor().write());
        let longer = [&bytes[..], b"x"].concat();
        // The question 1 in two bytes.
        let wider = [b"\x81\x00", &bytes[1..]].concat();
        for other in [longer, wider] {
            assert_eq!(Cursor::read(&text(&other), 1), Err(CursorError::NotOne));
        }
    }
}
