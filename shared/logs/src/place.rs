//! Places in a log, where what its lines prove is counted.
//!
//! A mark is a number that grows along a source. In a file, marks are offsets doubled, so that there is a place for
//! what happens between two lines: a line that ends at offset `e` is counted at `2e`, and what has expired by the
//! time the next line comes at `2e + 1`. In a batch of records, a mark is a record's number.

/// Where and when a line arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The line's own place; what it proves is counted there.
    pub mark: u64,
    /// The place just before the line, behind the previous one: what has expired by the time the
    /// line arrives is counted there.
    pub before: u64,
    /// When the line arrived, in seconds since 1970: settles years that are not written, and stands
    /// in for a missing timestamp.
    pub reference: i64,
}

/// A line so far ahead of its arrival does not move a log's clock, in seconds: one from the future must not end everything.
pub(crate) const AHEAD: i64 = 86_400;

impl Arrival {
    /// A line of a file, from the offset of its first byte to that behind its last, the line end included.
    #[must_use]
    pub fn in_file(begins: u64, ends: u64, reference: i64) -> Self {
        Self { mark: mark_at(ends), before: mark_behind(begins), reference }
    }

    /// A line of the record with this number in its batch.
    #[must_use]
    pub fn in_record(number: u64, reference: i64) -> Self {
        Self { mark: number, before: number, reference }
    }

    /// Where what has expired by the time of the line is counted, if a record of the line with the mark `read` was read last.
    #[inline]
    pub(crate) fn behind(self, read: u64) -> u64 {
        // Marks grow: behind another record of the same line, there is no place before the line any more.
        if read == self.mark { self.mark } else { self.before }
    }

    /// Whether a time is too far ahead of the arrival to be believed.
    #[inline]
    pub(crate) fn is_outrun(self, time: i64) -> bool {
        time > self.reference.saturating_add(AHEAD)
    }
}

/// The mark of a line that ends at this offset of a file.
#[must_use]
pub fn mark_at(offset: u64) -> u64 {
    offset * 2
}

/// The mark of what happens between the line that ends at this offset of a file and the next.
#[must_use]
pub fn mark_behind(offset: u64) -> u64 {
    offset * 2 + 1
}

/// The offset from which a file is to be read on, when `next` is the first mark that was not counted.
#[must_use]
pub fn offset_of(next: u64) -> u64 {
    next.saturating_sub(1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_on_behind_the_last_line_that_was_counted() {
        let line = Arrival::in_file(10, 25, 0);
        assert!(mark_at(10) < line.before && line.before < line.mark);
        for counted in [line.mark, mark_behind(25)] {
            assert_eq!(offset_of(counted + 1), 25, "{counted}");
        }
        assert_eq!(offset_of(0), 0);
    }
}
