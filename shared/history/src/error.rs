//! What can go wrong.

use std::fmt;

use report::Day;
use store::StoreError;
use thiserror::Error;

/// Why an archive cannot be used, in words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unusable(pub(crate) String);

impl Unusable {
    pub(crate) fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Why the history of a range cannot be told, or not be archived.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// The table did not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An archive cannot be written or removed.
    #[error("cannot archive: {0}")]
    Archive(String),
    /// The archives cannot be listed.
    #[error("cannot list the archives: {0}")]
    Unreadable(String),
    /// There is nothing to rebuild a store from.
    #[error(
        "there is no archive of a day that is kept: name the folder that holds usage, senders and failures"
    )]
    NoArchives,
    /// The store that is to be rebuilt has counts of its own.
    #[error(
        "the store is not empty: it has counts of {days} days, the first of them {first}. Only an empty store is rebuilt: move \
         this one away first"
    )]
    NotEmpty {
        /// The first day.
        first: Day,
        /// How many there are.
        days: usize,
    },
    /// An archive broke off after a part of it was handed out.
    #[error("the archive of {0} broke off: ask again")]
    BrokeOff(Day),
}

impl HistoryError {
    pub(crate) fn archive(error: impl fmt::Display) -> Self {
        Self::Archive(error.to_string())
    }
}
