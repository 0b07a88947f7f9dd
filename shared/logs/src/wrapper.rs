//! What a wrapper is.

use crate::record::{OwnedRecord, Record};
use crate::time::Timestamps;

/// One way in which log lines are wrapped.
pub(crate) trait Wrapper: Default {
    /// Takes out what a record's message wraps.
    ///
    /// `reference` is when it arrived, in seconds since 1970. A record that names its program already was believed
    /// to be that program's: what it wraps must be beyond doubt.
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a>;

    /// What a line as it came wraps, if it begins exactly as the one before: as [`unwrap`](Self::unwrap), at once.
    fn unwrap_alike<'a>(&self, _line: &'a [u8], _reference: i64) -> Option<Record<'a>> {
        None
    }

    /// Whether it must remember something from line to line.
    const REMEMBERS: bool = false;

    /// What must be remembered between batches, in at most 4 KiB; nothing if that is nothing.
    fn save(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Goes on from what was saved; what is none is passed over.
    fn restore(&mut self, _bytes: &[u8]) {}
}

/// What a wrapper finds in a message.
pub(crate) enum Unwrapped<'a> {
    /// Nothing that it knows.
    Not,
    /// One record, as it stands there.
    Record(Record<'a>),
    /// One record that had to be written anew.
    Owned(Box<OwnedRecord>),
    /// The beginning of one that goes on in the next line, what its columns are separated by, and what there is of it.
    Unfinished(u8, Option<Box<OwnedRecord>>),
    /// Several records, each an object or an array that is to be taken out of JSON again.
    Several(Vec<Record<'a>>),
    /// It begins like one of its own and is damaged, in words for a person. Told only of a line as it came: behind a
    /// header it is a message like any other.
    Broken(String),
}
