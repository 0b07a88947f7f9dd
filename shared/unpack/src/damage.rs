//! What is wrong with bytes, in words for a person.

use std::fmt;
use std::io::{self, ErrorKind};

/// Damage that was found, and can be told again: readers do not go on behind it.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    kind: ErrorKind,
    what: String,
}

impl Damage {
    pub(crate) fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into() }
    }

    /// Whether this is what an error tells.
    pub(crate) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }

    /// What a decoder's error means; none if its bytes could not be read, or were damaged themselves: then that says
    /// more.
    pub(crate) fn of(error: &io::Error, what: String) -> Option<Self> {
        let kind = match error.kind() {
            ErrorKind::UnexpectedEof => ErrorKind::UnexpectedEof,
            ErrorKind::InvalidData
            | ErrorKind::InvalidInput
            | ErrorKind::OutOfMemory
            | ErrorKind::Unsupported
            | ErrorKind::Other => ErrorKind::InvalidData,
            _ => return None,
        };
        (!Self::is(error)).then_some(Self { kind, what })
    }

    /// The same of a part of the whole.
    pub(crate) fn within(self, name: &str) -> Self {
        Self { what: format!("{name}: {}", self.what), ..self }
    }
}

/// An error, to be told more than once.
pub(crate) fn again(error: &io::Error) -> Damage {
    Damage::new(error.kind(), error.to_string())
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Damage {}

impl From<Damage> for io::Error {
    fn from(damage: Damage) -> Self {
        Self::new(damage.kind, damage)
    }
}
