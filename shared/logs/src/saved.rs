//! What a log stream remembers between batches, as bytes: sections, each of one format and with its own version.
//!
//! A later version of this program may have formats that this one does not know: their sections are kept and written
//! again, so that a program can be put back for a day without losing them. What a later version of a format that is
//! known has written cannot be read, and is handed back.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Bytes that all sections may take together: a DynamoDB item holds 400 KB, and is billed by its size.
pub(crate) const BUDGET: usize = 300_000;
/// The part of it that known formats may use even if sections of unknown ones take all the rest.
pub(crate) const OWN: usize = BUDGET / 4;

/// Sections.
const VERSION: u8 = 2;
/// Postfix's first section alone, as it was before there were sections.
const POSTFIX_ALONE: u8 = 1;

/// A part of a saved state that cannot be used.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StateError {
    /// Written by a version of this program that is not known here.
    #[error("it has version {found}, and this program reads up to {known}")]
    Version {
        /// The version found.
        found: u8,
        /// The latest that is known.
        known: u8,
    },
    /// Not what this program writes.
    #[error("it is damaged")]
    Damaged,
}

/// A part of a saved state that could not be used, and was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The format whose part it was; none if it is not known whose.
    pub section: Option<String>,
    /// Why.
    pub reason: StateError,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whose = self.section.as_deref().unwrap_or("all formats");
        write!(f, "what was remembered of {whose} cannot be used: {}", self.reason)
    }
}

/// What one format remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Section {
    /// The format's name.
    pub(crate) format: String,
    /// The version of its bytes.
    pub(crate) version: u8,
    pub(crate) bytes: Vec<u8>,
}

/// Writes sections; nothing if there are none, as nothing is stored for a log stream that is new.
pub(crate) fn write(sections: &[Section]) -> Vec<u8> {
    if sections.is_empty() {
        return Vec::new();
    }
    // Writing to memory cannot fail; an empty state would begin anew.
    postcard::to_extend(sections, vec![VERSION]).unwrap_or_default()
}

/// Reads what any version of this program up to now has written.
pub(crate) fn read(state: &[u8]) -> Result<Vec<Section>, StateError> {
    match state {
        [] => Ok(Vec::new()),
        [POSTFIX_ALONE, bytes @ ..] => {
            let bytes = bytes.to_vec();
            Ok(vec![Section { format: "postfix".to_owned(), version: 1, bytes }])
        }
        [VERSION, sections @ ..] => postcard::from_bytes(sections).map_err(|_| StateError::Damaged),
        [version, ..] => Err(StateError::Version { found: *version, known: VERSION }),
    }
}

/// Bytes that known formats may use beside sections that are only kept.
pub(crate) fn budget_beside(kept: &[Section]) -> usize {
    let kept = kept.iter().map(|section| section.bytes.len()).sum();
    BUDGET.saturating_sub(kept).max(OWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_round_trip_and_damage_is_told() {
        let section = Section { format: "later".to_owned(), version: 7, bytes: vec![1, 2, 3] };
        let state = write(std::slice::from_ref(&section));
        assert_eq!(read(&state), Ok(vec![section.clone()]));
        assert_eq!(read(&write(&[])), Ok(Vec::new()));
        assert_eq!(read(&state[..3]), Err(StateError::Damaged));
        assert_eq!(read(&[9, 9]), Err(StateError::Version { found: 9, known: VERSION }));
    }

    #[test]
    fn what_is_only_kept_takes_of_the_budget() {
        let section =
            |length| Section { format: "later".to_owned(), version: 1, bytes: vec![0; length] };
        assert_eq!(budget_beside(&[]), BUDGET);
        assert_eq!(budget_beside(&[section(1000), section(500)]), BUDGET - 1500);
        assert_eq!(budget_beside(&[section(BUDGET)]), OWN);
    }
}
