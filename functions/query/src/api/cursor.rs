//! Where a page of a table or list ended or began. Opaque to clients; nothing secret in it.
//!
//! A cursor is text: `v`, the number of its form, `-`, and the rest, a table's as base64 of Postcard. The first
//! form was the rest alone.

use std::hash::{Hash, Hasher as _};

use report::{Place, Row, TlsCounts, TlsVersion};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use super::problem::Problem;

/// The present form. Whoever changes what a cursor holds raises it.
const FORM: &str = "2";

/// The text of a cursor that holds `rest`.
pub(super) fn written(rest: &str) -> String {
    format!("v{FORM}-{rest}")
}

/// What a cursor holds, by what reads the rest of its text.
pub(super) fn held<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
    let (form, rest) = form(text);
    let is_other_form = match form {
        // The first form held the same.
        None => read(rest).is_some(),
        Some(form) => form != FORM,
    };
    let error = |allowed| Problem::parameter("cursor", text, allowed);
    if is_other_form {
        return Err(error("it comes from another version of this service: begin without a cursor"));
    }
    read(rest).filter(|_| form.is_some()).ok_or_else(|| error("it must be next of an earlier page"))
}

/// Where a page of a table ended or began.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Checksum of everything asked but cursor and limit: a cursor fits one question only.
    question: u64,
    /// Which computation of the table the first page showed.
    pub(super) table: u64,
    /// Whether the page lies before the row, not behind it.
    before: bool,
    /// The last row shown, or the first.
    name: String,
    counts: [u64; 6],
}

/// What stands for a question in its cursors: a checksum of the whole of it.
pub(super) fn checksum(question: &impl Hash) -> u64 {
    let mut hasher = SipHasher13::new();
    question.hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    /// The cursor of the page before a row, or behind it.
    pub(super) fn at(row: &Row<'_>, before: bool, question: u64, table: u64) -> Self {
        let name = row.name.to_owned();
        let counts = TlsVersion::ALL.map(|version| row.counts.get(version));
        Self { question, table, before, name, counts }
    }

    pub(super) fn place(&self) -> Place<'_> {
        let mut counts = TlsCounts::default();
        for (version, messages) in TlsVersion::ALL.into_iter().zip(self.counts) {
            counts.add(version, messages);
        }
        let row = Row { name: &self.name, counts };
        if self.before { Place::Before(row) } else { Place::After(row) }
    }

    pub(super) fn write(&self) -> String {
        let bytes = postcard::to_allocvec(self).unwrap_or_default();
        written(&base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes))
    }

    /// Reads a cursor of this question.
    pub(super) fn read(text: &str, question: u64) -> Result<Self, Problem> {
        let cursor = held(text, Self::decoded)?;
        if cursor.question == question {
            return Ok(cursor);
        }
        let allowed = "it belongs to a page with other parameters: begin without a cursor";
        Err(Problem::parameter("cursor", text, allowed))
    }

    fn decoded(text: &str) -> Option<Self> {
        let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
        postcard::from_bytes(&bytes).ok()
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

    fn allowed(text: &str, question: u64) -> Option<String> {
        match Cursor::read(text, question) {
            Err(Problem::InvalidParameter { allowed, .. }) => Some(allowed),
            _ => None,
        }
    }

    #[test]
    fn a_cursor_fits_its_own_question_and_tells_when_it_is_of_another_version() {
        let mut counts = TlsCounts::default();
        counts.add(TlsVersion::Tls12, 7);
        let row = Row { name: "a@example.test", counts };
        let text = Cursor::at(&row, false, 1, 2).write();
        let read = Cursor::read(&text, 1).expect("a cursor");
        assert_eq!(read.table, 2);
        assert!(matches!(read.place(), Place::After(found) if found == row));
        assert!(allowed(&text, 3).is_some_and(|told| told.contains("other parameters")));
        let (_, rest) = form(&text);
        for other in [rest.to_owned(), format!("v1-{rest}"), "v17-x".to_owned()] {
            assert!(allowed(&other, 1).is_some_and(|told| told.contains("another version")));
        }
        for none in ["abc", "-", "v-", "vx-y", "v2-abc", "v2-"] {
            assert_eq!(allowed(none, 1).as_deref(), Some("it must be next of an earlier page"));
        }
    }
}
