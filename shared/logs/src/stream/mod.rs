//! The reader of one log: framing, unwrapping, formats, and what they remember.

mod room;
mod times;

use chrono_tz::Tz;

use crate::carried::Carried;
use crate::formats::{Format, Formats};
use crate::framing::{Framed, Frames, Offered};
use crate::load::Load;
use crate::place::Arrival;
use crate::proofs::{Sink, reject};
use crate::reading::Proofs;
use crate::record::Record;
use crate::relayed::Relayed;
use crate::repeats;
use crate::saved::{self, Section, Unreadable};
use crate::text::{self, trimmed};
use crate::time::Timestamps;
use crate::understanding::{Seen, Understanding};
use crate::wrapper::Unwrapped;
use crate::wrappers::Wrappers;

/// How deep wrappings are followed into each other.
const DEEPEST: usize = 6;

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
    relayed: Relayed,
    carried: Carried,
    understanding: Understanding,
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
            relayed: Relayed::default(),
            carried: Carried::default(),
            understanding: Understanding::default(),
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
                    if new.wrappers.restore(&section) {
                        continue;
                    }
                    let restored = match section.format.as_str() {
                        Carried::NAME => Carried::restore(section).map(|carried| {
                            new.carried = carried;
                            None
                        }),
                        Relayed::NAME => Relayed::restore(section).map(|relayed| {
                            new.relayed = relayed;
                            None
                        }),
                        _ => new.formats.restore(section),
                    };
                    match restored {
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
        sections.extend(self.relayed.save());
        sections.extend(self.carried.save());
        sections.extend(self.wrappers.save());
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
        let mut load = self.formats.load();
        let (messages, evicted) = self.relayed.load();
        load.messages += messages;
        load.evicted += evicted;
        load
    }

    /// What the lines were that were read since this was last asked.
    pub fn understanding(&mut self) -> Understanding {
        std::mem::take(&mut self.understanding)
    }

    /// Reads one line, without its line end.
    #[inline]
    pub fn line<S: Sink>(&mut self, line: &[u8], arrival: Arrival, sink: &mut S) {
        self.piece(line, true, arrival, sink);
    }

    /// Reads the next piece of a line, the last if it `ends` here. A line is in pieces only if it is too long to be
    /// held; mostly its beginning is enough.
    pub fn piece<S: Sink>(&mut self, piece: &[u8], ends: bool, arrival: Arrival, sink: &mut S) {
        if (!ends || self.carried.frames.are_open() || Frames::may_begin(piece))
            && self.framed(piece, ends, arrival, sink) == Offered::Taken
        {
            return self.make_room(arrival.mark, sink);
        }
        let line = trimmed(piece);
        if line.is_empty() {
            return;
        }
        if let Some(reason) = self.format.refuses(line) {
            self.understanding.add(line, &Seen { is_rejected: true, ..Seen::default() });
            return reject(sink, arrival.mark, line, reason);
        }
        let mut seen = Seen { may_wait: ends, ..Seen::default() };
        let (record, depth) = match self.wrappers.unwrap_alike(line, arrival.reference) {
            Some((inner, wrapper)) => {
                self.understanding.wrapped(wrapper);
                (inner, 1)
            }
            None => (Record::of(line), 0),
        };
        let broken = self.record(&record, arrival, depth, &mut seen, sink);
        if let Some(separator) = seen.waits {
            return self.carried.frames.begin_row(piece, separator, arrival.reference);
        }
        if let Err(Broken(reason)) = broken {
            if matches!(line, [b'{' | b'[', ..])
                && self.framed_json(piece, ends, arrival, sink) == Offered::Taken
            {
                return self.make_room(arrival.mark, sink);
            }
            if self.format.within() == Format::Auto {
                seen.is_rejected = true;
                reject(sink, arrival.mark, line, &reason);
            }
        }
        self.understanding.add(line, &seen);
        self.make_room(arrival.mark, sink);
    }

    /// Offers a piece of a line to what frames units that are not lines.
    #[cold]
    fn framed<S: Sink>(
        &mut self,
        piece: &[u8],
        ends: bool,
        arrival: Arrival,
        sink: &mut S,
    ) -> Offered {
        let mut frames = std::mem::take(&mut self.carried.frames);
        let offered = frames.offer(piece, ends, |unit| self.unit(unit, arrival, sink));
        self.carried.frames = frames;
        offered
    }

    #[cold]
    fn framed_json<S: Sink>(
        &mut self,
        line: &[u8],
        ends: bool,
        arrival: Arrival,
        sink: &mut S,
    ) -> Offered {
        let mut frames = std::mem::take(&mut self.carried.frames);
        let offered = frames.begin_json(line, ends, |unit| self.unit(unit, arrival, sink));
        self.carried.frames = frames;
        offered
    }

    fn unit<S: Sink>(&mut self, unit: Framed<'_>, arrival: Arrival, sink: &mut S) {
        let mut seen = Seen::default();
        let record = match &unit {
            Framed::Text(text) => Record::of(trimmed(text)),
            Framed::Broken(text, reason) => {
                seen.is_rejected = true;
                reject(sink, arrival.mark, text, reason);
                return self.understanding.add(text, &seen);
            }
        };
        if let Err(Broken(reason)) = self.record(&record, arrival, 0, &mut seen, sink) {
            seen.is_rejected = true;
            reject(sink, arrival.mark, record.message, &reason);
        }
        self.understanding.add(record.message, &seen);
    }

    /// Whether a line that has no end yet needs none: nothing can follow that makes something else of it. Others may go
    /// on.
    #[must_use]
    pub fn is_whole(&self, rest: &[u8]) -> bool {
        self.carried.frames.is_whole(rest)
    }

    /// Says that the log is over: nothing that is still open will be settled by a later line.
    ///
    /// Accepted messages that waited for the end of their session are counted at `mark`.
    pub fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        let mut frames = std::mem::take(&mut self.carried.frames);
        // What a unit that waits tells has no later line to arrive with.
        let reference = frames.row().unwrap_or_else(|| self.clock());
        let arrival = Arrival { mark, before: mark, reference };
        frames.close(|unit| self.unit(unit, arrival, sink));
        self.carried = Carried::default();
        self.formats.close(mark, sink);
        self.relayed.close(mark, sink);
    }

    /// Whether [`close`](Self::close) would count or end anything.
    #[must_use]
    pub fn waits_for_end(&self) -> bool {
        self.formats.waits() || self.relayed.load().0 > 0
    }

    /// Offers a record to the formats, and what it wraps if none takes it.
    // Mostly the one record of a line: what is seen of it then stays in registers.
    #[inline(always)]
    fn record<S: Sink>(
        &mut self,
        record: &Record<'_>,
        arrival: Arrival,
        depth: usize,
        seen: &mut Seen,
        sink: &mut S,
    ) -> Result<(), Broken> {
        if record.is_named()
            && let Some((message, times)) = repeats::folded(record.message)
        {
            let one = Record { message, ..*record };
            return self.unfolded(&one, times, arrival, depth, seen, sink);
        }
        let Self { formats, times, format, relayed, .. } = self;
        let only = format.within();
        seen.is_named |= record.is_named();
        seen.time = record.time.or(seen.time);
        let mut proofs =
            Proofs { arrival, times, sink, time: None, failure: None, relayed, relayed_as: None };
        if let Some(server) = formats.line(only, record, &mut proofs) {
            if proofs.failure.is_some() || self.carried.last_failure.is_some() {
                self.carried.last_failure = proofs.failure;
            }
            seen.server = Some(server);
            seen.time = seen.time.or(proofs.time);
            return Ok(());
        }
        self.inside(record, arrival, depth, seen, sink)
    }

    /// Offers a record as often as syslog says that it came.
    #[cold]
    fn unfolded<S: Sink>(
        &mut self,
        record: &Record<'_>,
        times: u32,
        arrival: Arrival,
        depth: usize,
        seen: &mut Seen,
        sink: &mut S,
    ) -> Result<(), Broken> {
        (0..times).try_for_each(|_| self.record(record, arrival, depth, seen, sink))
    }

    /// Takes out what a record wraps that no format takes, and offers that.
    #[inline(never)]
    fn inside<S: Sink>(
        &mut self,
        record: &Record<'_>,
        arrival: Arrival,
        depth: usize,
        seen: &mut Seen,
        sink: &mut S,
    ) -> Result<(), Broken> {
        if depth == DEEPEST {
            return Ok(());
        }
        let arrival = Arrival { reference: record.time.unwrap_or(arrival.reference), ..arrival };
        let depth = depth + 1;
        if record.is_done() {
            self.repeated(record, arrival, seen, sink);
            return Ok(());
        }
        let (unwrapped, wrapper) = self.wrappers.unwrap(record, arrival.reference, &mut self.times);
        if let Unwrapped::Unfinished(separator, _) = unwrapped
            && seen.may_wait
        {
            seen.waits = Some(separator);
            return Ok(());
        }
        if !matches!(unwrapped, Unwrapped::Not) {
            self.understanding.wrapped(wrapper);
        }
        match unwrapped {
            Unwrapped::Not | Unwrapped::Unfinished(_, None) => {
                self.repeated(record, arrival, seen, sink);
            }
            Unwrapped::Record(inner) => return self.record(&inner, arrival, depth, seen, sink),
            Unwrapped::Owned(inner) | Unwrapped::Unfinished(_, Some(inner)) => {
                let mut inner = inner.as_record();
                // What follows the first may be a client's text as well as lines that a shipper has joined.
                let several = text::first_of_several(inner.message);
                let (first, more) = several.unwrap_or((inner.message, b""));
                inner.message = first;
                seen.has_more |= several.is_some();
                let read = self.record(&inner, arrival, depth, seen, sink);
                if text::tells_of_sessions(more) {
                    self.formats.lines_are_missing();
                }
                return read;
            }
            Unwrapped::Several(records) => {
                // The names of columns, brackets, or a check whether anybody listens.
                seen.is_frame = records.is_empty();
                for inner in records {
                    if matches!(inner.message.first(), Some(b'{' | b'[')) {
                        self.record(&inner, arrival, depth, seen, sink)?;
                    } else if record.is_bare() {
                        seen.is_rejected = true;
                        reject(sink, arrival.mark, inner.message, "not a JSON object");
                    }
                }
            }
            Unwrapped::Broken(reason) if record.is_bare() => return Err(Broken(reason.into())),
            Unwrapped::Broken(_) => {}
        }
        Ok(())
    }

    /// A failed login that syslog tells again by number only.
    fn repeated<S: Sink>(
        &mut self,
        record: &Record<'_>,
        arrival: Arrival,
        seen: &mut Seen,
        sink: &mut S,
    ) {
        // Any other line is the last message now.
        let Some(last) = self.carried.last_failure.take() else { return };
        let Some(times) = repeats::last_repeated(record.message).filter(|_| !record.is_named())
        else {
            return;
        };
        let time = record.time.unwrap_or(arrival.reference);
        for _ in 0..times {
            sink.auth_failure(arrival.mark, &last.again(time));
        }
        seen.is_named = true;
        self.carried.last_failure = Some(last);
    }
}

/// What begins like JSON and is damaged, or is not all of it, in words for a person.
struct Broken(Box<str>);
