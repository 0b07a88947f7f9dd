//! What is remembered from line to line besides what the formats remember.

use serde::{Deserialize, Serialize};

use crate::framing::Frames;
use crate::repeats::LastFailure;
use crate::saved::{Section, StateError, Unreadable};

/// The version of its section: 2 if a row of CSV waits, so that what reads no such row goes on reading all others.
const VERSION: u8 = 2;

/// What waits for a later line.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) frames: Frames,
    /// The failed login that the last unit told of.
    pub(crate) last_failure: Option<Box<LastFailure>>,
}

impl Carried {
    /// The name of its section in a saved state, among those of formats.
    pub(crate) const NAME: &'static str = "lines";

    /// Its section; none if there is nothing to remember.
    pub(crate) fn save(&self) -> Option<Section> {
        // Writing to memory cannot fail.
        let bytes = || postcard::to_allocvec(self).unwrap_or_default();
        let version = if self.frames.row().is_some() { VERSION } else { 1 };
        let section = || Section { format: Self::NAME.to_owned(), version, bytes: bytes() };
        (*self != Self::default()).then(section)
    }

    /// Goes on from its section.
    ///
    /// # Errors
    /// A later version wrote it, or it is damaged.
    pub(crate) fn restore(section: Section) -> Result<Self, Unreadable> {
        let Section { format, version, bytes } = section;
        let reason = if version > VERSION {
            StateError::Version { found: version, known: VERSION }
        } else {
            match postcard::from_bytes(&bytes) {
                Ok(carried) => return Ok(carried),
                Err(_) => StateError::Damaged,
            }
        };
        Err(Unreadable { section: Some(format), reason, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_handed_back() {
        let bytes = vec![9, 9];
        for version in [VERSION, VERSION + 1] {
            let section =
                Section { format: Carried::NAME.to_owned(), version, bytes: bytes.clone() };
            let lost = Carried::restore(section).expect_err("unreadable");
            assert_eq!((lost.section.as_deref(), &lost.bytes), (Some(Carried::NAME), &bytes));
        }
        assert_eq!(Carried::default().save(), None);
    }
}
