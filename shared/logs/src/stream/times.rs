//! Which time a line tells.

use super::{DEEPEST, LogStream};
use crate::formats::Formats;
use crate::record::Record;
use crate::text::trimmed;
use crate::wrapper::Unwrapped;

impl LogStream {
    /// The time that a line tells, as its format reads it, if it tells one.
    pub fn time_of(&mut self, line: &[u8], reference: i64) -> Option<i64> {
        self.record_time(&Record::of(trimmed(line)), reference, 0)
    }

    /// The innermost time: the one outside of it is a shipper's.
    fn record_time(&mut self, record: &Record<'_>, reference: i64, depth: usize) -> Option<i64> {
        let only = self.format.within();
        if let Some(time) = Formats::time_of(only, record, &mut self.times) {
            return Some(time);
        }
        if depth == DEEPEST {
            return record.time;
        }
        let reference = record.time.unwrap_or(reference);
        let depth = depth + 1;
        let inner = match self.wrappers.unwrap(record, reference, &mut self.times).0 {
            Unwrapped::Not | Unwrapped::Broken(_) | Unwrapped::Unfinished(_, None) => None,
            Unwrapped::Record(inner) => self.record_time(&inner, reference, depth),
            Unwrapped::Owned(inner) | Unwrapped::Unfinished(_, Some(inner)) => {
                self.record_time(&inner.as_record(), reference, depth)
            }
            Unwrapped::Several(records) => {
                records.into_iter().find_map(|inner| self.record_time(&inner, reference, depth))
            }
        };
        inner.or(record.time)
    }
}
