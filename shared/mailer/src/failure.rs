//! Mail that was not accepted.

use thiserror::Error;

/// Why a mail was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// It may be accepted later: throttled, no connection, no answer in time. The mail may have been accepted
    /// all the same if the answer got lost.
    #[error("{0}")]
    Temporary(String),
    /// It never will be, unless somebody changes something.
    #[error("{0}")]
    Permanent(String),
}

/// An error and its causes in one line; a cause that is told already is left out.
#[cfg(any(feature = "ses", feature = "smtp"))]
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let (mut told, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        source = cause.source();
    }
    told
}
