//! The reader of one log: unwrapping, formats, and what both remember.

use chrono_tz::Tz;

use crate::format::Load;
use crate::formats::{Format, Formats};
use crate::place::Arrival;
use crate::proofs::{Proofs, Sink};
use crate::record::Record;
use crate::saved::{self, Section, Unreadable};
use crate::text::trimmed;
use crate::time::Timestamps;
use crate::wrapper::Unwrapped;
use crate::wrappers::Wrappers;

/// How deep wrappings are followed into each other.
const DEEPEST: usize = 4;

/// How to read a log.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The format, or that it is to be found out.
    pub format: Format,
    /// The zone of timestamps that name none.
    pub zone: Tz,
}

/// The reader of one log.
#[derive(Debug)]
pub struct LogStream {
    format: Format,
    times: Timestamps,
    wrappers: Wrappers,
    formats: Formats,
    /// Sections of formats that only another version of this program knows.
    kept: Vec<Section>,
    /// Bytes that the formats may remember together.
    budget: usize,
}

impl LogStream {
    /// Begins a log.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            format: options.format,
            times: Timestamps::new(options.zone),
            wrappers: Wrappers::default(),
            formats: Formats::default(),
            kept: Vec::new(),
            budget: saved::BUDGET,
        }
    }

    /// Goes on where [`save`](Self::save) left off; nothing saved begins anew.
    ///
    /// What cannot be used of the state is handed back, to be put aside and told: the log is read on without it.
    #[must_use]
    pub fn restore(options: Options, state: &[u8]) -> (Self, Vec<Unreadable>) {
        let mut new = Self::new(options);
        let mut unreadable = Vec::new();
        match saved::read(state) {
            Ok(sections) => {
                for section in sections {
                    match new.formats.restore(section) {
                        Ok(kept) => new.kept.extend(kept),
                        Err(lost) => unreadable.push(lost),
                    }
                }
            }
            Err(reason) => {
                unreadable.push(Unreadable { section: None, reason, bytes: state.to_vec() });
            }
        }
        new.budget = saved::budget_beside(&new.kept);
        (new, unreadable)
    }

    /// What must be remembered between batches: at most about 300 KB.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut sections = self.formats.save();
        sections.extend_from_slice(&self.kept);
        saved::write(&sections)
    }

    /// The latest time among the lines that were joined into sessions; 0 if there was none.
    #[must_use]
    pub fn clock(&self) -> i64 {
        self.formats.clock()
    }

    /// What is held at present.
    #[must_use]
    pub fn load(&self) -> Load {
        self.formats.load()
    }

    /// The time that a line tells, as its format reads it, if it tells one.
    pub fn time_of(&mut self, line: &[u8], reference: i64) -> Option<i64> {
        self.record_time(&Record::of(trimmed(line)), reference, 0)
    }

    /// Reads one line, without its line end.
    pub fn line<S: Sink>(&mut self, line: &[u8], arrival: Arrival, sink: &mut S) {
        let line = trimmed(line);
        if line.is_empty() {
            return;
        }
        if let Some(reason) = self.format.refuses(line) {
            return sink.rejected(arrival.mark, line, reason);
        }
        match self.wrappers.unwrap_alike(line, arrival.reference) {
            Some(inner) => self.record(&inner, arrival, 1, sink),
            None => self.record(&Record::of(line), arrival, 0, sink),
        }
        if self.formats.weight() > self.budget {
            // More than must be: so room is not made again for every line that follows.
            self.formats.evict(self.budget / 4 * 3, arrival.mark, sink);
        }
    }

    /// Says that the log is over: nothing that is still open will be settled by a later line.
    ///
    /// Accepted messages that waited for the end of their session are counted at `mark`.
    pub fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        self.formats.close(mark, sink);
    }

    /// Offers a record to the formats, and what it wraps if none takes it.
    fn record<S: Sink>(
        &mut self,
        record: &Record<'_>,
        arrival: Arrival,
        depth: usize,
        sink: &mut S,
    ) {
        let Self { formats, wrappers, times, format, .. } = self;
        let only = format.within();
        if formats.line(only, record, &mut Proofs { arrival, times, sink }) || depth == DEEPEST {
            return;
        }
        let arrival = Arrival { reference: record.time.unwrap_or(arrival.reference), ..arrival };
        let depth = depth + 1;
        match wrappers.unwrap(record, arrival.reference, times) {
            Unwrapped::Not => {}
            Unwrapped::Record(inner) => self.record(&inner, arrival, depth, sink),
            Unwrapped::Owned(inner) => {
                let inner = inner.as_record();
                let inner = Record { message: trimmed(inner.message), ..inner };
                self.record(&inner, arrival, depth, sink);
            }
            Unwrapped::Several(messages) => {
                for message in messages {
                    if message.first() == Some(&b'{') {
                        self.record(&Record { message, ..*record }, arrival, depth, sink);
                    } else if record.is_bare() {
                        sink.rejected(arrival.mark, message, "not a JSON object");
                    }
                }
            }
            Unwrapped::Broken(reason) => {
                if record.is_bare() && only == Format::Auto {
                    sink.rejected(arrival.mark, record.message, &reason);
                }
            }
        }
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
        let inner = match self.wrappers.unwrap(record, reference, &mut self.times) {
            Unwrapped::Not | Unwrapped::Broken(_) => None,
            Unwrapped::Record(inner) => self.record_time(&inner, reference, depth),
            Unwrapped::Owned(inner) => {
                let inner = inner.as_record();
                let inner = Record { message: trimmed(inner.message), ..inner };
                self.record_time(&inner, reference, depth)
            }
            Unwrapped::Several(messages) => messages.into_iter().find_map(|message| {
                self.record_time(&Record { message, ..*record }, reference, depth)
            }),
        };
        inner.or(record.time)
    }
}
