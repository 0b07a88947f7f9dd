//! Where a page of a table or list ended or began. Opaque to clients; nothing secret in it.
//!
//! A cursor is text: `v`, the number of its form, `-`, and the rest, a table's as base64 of Postcard.
//! Whatever a stranger makes of one is refused, or is another cursor that could have been handed out.

use std::hash::{Hash, Hasher as _};

use chrono::Datelike as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use thiserror::Error;

use super::row::{Past, Row};
use super::table::Place;
use crate::counting::day::Day;
use crate::counting::tls::{TlsCounts, TlsVersion};

/// The present form. Whoever changes what a cursor holds raises it.
const FORM: &str = "3";

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
    match form(text) {
        Some((form, _)) if form != FORM => Err(CursorError::OtherVersion),
        Some((_, rest)) => read(rest).ok_or(CursorError::NotOne),
        None => Err(CursorError::NotOne),
    }
}

/// Where a page of a table ended or began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Checksum of everything asked but cursor and limit: a cursor fits one question only.
    question: u64,
    /// Which computation of the table the first page showed.
    pub table: u64,
    /// Whether the page lies before the row, not behind it.
    leads_back: bool,
    /// The last row shown, or the first.
    name: String,
    counts: [u64; 6],
    before: Option<u64>,
    /// The first and the last day, as numbers of days since year 1.
    days: (i32, i32),
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
    pub fn at(row: &Row<'_>, leads_back: bool, question: u64, table: u64) -> Self {
        let name = row.name.to_owned();
        let counts = TlsVersion::ALL.map(|version| row.counts.get(version));
        let Past { before, first, last } = row.past;
        let days = (first.num_days_from_ce(), last.num_days_from_ce());
        Self { question, table, leads_back, name, counts, before, days }
    }

    /// The place of the page that it leads to.
    #[must_use]
    pub fn place(&self) -> Place<'_> {
        let mut counts = TlsCounts::default();
        for (version, messages) in TlsVersion::ALL.into_iter().zip(self.counts) {
            counts.add(version, messages);
        }
        let day = |number| Day::from_num_days_from_ce_opt(number).unwrap_or_default();
        let past = Past { before: self.before, first: day(self.days.0), last: day(self.days.1) };
        let row = Row { name: &self.name, counts, past };
        if self.leads_back { Place::Before(row) } else { Place::After(row) }
    }

    /// Its text.
    #[must_use]
    pub fn write(&self) -> String {
        written(&rest(self))
    }

    /// Reads a cursor of this question.
    ///
    /// # Errors
    /// It is none, or of another version or question.
    pub fn read(text: &str, question: u64) -> Result<Self, CursorError> {
        let cursor: Self = held(text, decoded)?;
        if cursor.question == question { Ok(cursor) } else { Err(CursorError::OtherQuestion) }
    }
}

/// Where a page of failed logins ended: behind the row with these, in the order of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCursor {
    /// As a table's.
    question: u64,
    /// Whether somebody was let in afterwards.
    pub(super) succeeded: bool,
    pub(super) failures: u64,
    pub(super) name: String,
}

impl FailedCursor {
    /// The cursor of the page behind the row with these.
    pub(super) fn behind(succeeded: bool, failures: u64, name: &str, question: u64) -> Self {
        Self { question, succeeded, failures, name: name.to_owned() }
    }

    /// Its text.
    #[must_use]
    pub fn write(&self) -> String {
        written(&rest(self))
    }

    /// Reads a cursor of this question.
    ///
    /// # Errors
    /// It is none, or of another version or question.
    pub fn read(text: &str, question: u64) -> Result<Self, CursorError> {
        let cursor: Self = held(text, decoded)?;
        if cursor.question == question { Ok(cursor) } else { Err(CursorError::OtherQuestion) }
    }
}

fn rest(cursor: &impl Serialize) -> String {
    let bytes = postcard::to_allocvec(cursor).unwrap_or_default();
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// A number can be written longer than it is, and bytes can follow: one way to write a cursor is enough.
fn decoded<C: Serialize + DeserializeOwned>(text: &str) -> Option<C> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    let cursor: C = postcard::from_bytes(&bytes).ok()?;
    (rest(&cursor) == text).then_some(cursor)
}

/// The number of a cursor's form, and what follows it.
fn form(text: &str) -> Option<(&str, &str)> {
    let is_number = |form: &str| !form.is_empty() && form.bytes().all(|b| b.is_ascii_digit());
    let parts = text.strip_prefix('v')?.split_once('-')?;
    Some(parts).filter(|(form, _)| is_number(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls12, 7);
        let day = Day::from_ymd_opt(2026, 11, 20).expect("a date");
        let past = Past { before: Some(3), first: day, last: day };
        Cursor::at(&Row { name: "a@example.test", counts, past }, false, 1, 2)
    }

    #[test]
    fn a_cursor_fits_its_own_question_and_tells_when_it_is_of_another_version() {
        let text = cursor().write();
        let read = Cursor::read(&text, 1).expect("a cursor");
        assert_eq!(read, cursor());
        let Place::After(found) = read.place() else { panic!("it lies behind the row") };
        assert_eq!((found.name, found.counts.get(TlsVersion::Tls12)), ("a@example.test", 7));
        assert_eq!(
            (found.past.before, found.past.last.to_string()),
            (Some(3), "2026-11-20".to_owned())
        );
        assert_eq!(Cursor::read(&text, 3), Err(CursorError::OtherQuestion));
        let (_, rest) = form(&text).expect("a form");
        for other in [format!("v2-{rest}"), "v17-x".to_owned()] {
            assert_eq!(Cursor::read(&other, 1), Err(CursorError::OtherVersion));
        }
        for none in ["abc", rest, "-", "v-", "vx-y", "v3-abc", "v3-"] {
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
