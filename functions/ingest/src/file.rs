//! Lines of a file, counted in batches of the reader's choice.

use std::collections::{BTreeSet, HashSet};

use logs::{Arrival, LogStream, Understanding, mark_at, mark_behind, offset_of};
use report::{Day, IdentityKind};
use store::{CarryOver, KnownFile, Positions, Source, Written};

use crate::collect::Collected;
use crate::landmarks::Landmarks;
use crate::sampled::{Sampled, Shared};
use crate::service::{Ingest, IngestError};
use crate::state::{self, Restored, StreamState};
use crate::summary::{Summary, batch_read, understood};

/// Bytes of counts and of what could not be read that are held before they are written; writing them takes a few times as much.
const HELD: usize = 10 << 20;

/// Where a line stands in its file.
#[derive(Clone, Copy, Debug)]
pub struct IngestedLine {
    /// Offset of its first byte.
    pub begins: u64,
    /// Offset behind its last byte, the line end included.
    pub ends: u64,
    /// When it arrived, in seconds since 1970.
    pub reference: i64,
    /// Whether it has its line end. The last line of a file that is over may lack it.
    pub is_ended: bool,
    /// Whether it is a piece behind which its line goes on.
    pub is_continued: bool,
}

/// Whom and what the lines of a file named, those counted before included.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Sender addresses.
    pub senders: HashSet<Box<str>>,
    /// Days with messages.
    pub days: BTreeSet<Day>,
}

/// A file that is being ingested.
#[derive(Debug)]
pub struct FileIngest {
    ingest: Ingest,
    source: Source,
    carried: CarryOver,
    state: StreamState,
    stream: LogStream,
    collected: Collected,
    /// How far the lines were read.
    offset: u64,
    found: Found,
    understanding: Understanding,
    sampled: Option<Sampled>,
    /// What people call it, and whether it is read as it grows; nothing is told of what has no name.
    called: Option<(String, bool)>,
    lines: u64,
    evicted: u64,
    /// Parts of the file's state that could not be used, until they are told.
    put_aside: u64,
    now: i64,
}

impl FileIngest {
    /// Goes on with a file where it was left off, at any earlier time.
    ///
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The store failed.
    pub async fn resume(ingest: &Ingest, file: &KnownFile, now: i64) -> Result<Self, IngestError> {
        let source = Source::new(file.source.clone());
        let carried = ingest.ingestion.carry_over(source.name()).await?;
        let Restored { state, stream, unreadable } = state::restore(ingest.settings.logs, &carried);
        let day = report::Days::new(ingest.settings.zone).day_of(now);
        let put_aside =
            state::put_aside(&ingest.ingestion, source.name(), &carried, &unreadable, day).await?;
        let offset = offset_of(carried.next_mark(&source, &Positions::Offsets));
        let collected = Collected::new(ingest.settings.tally(now));
        let closing = state.closing;
        let evicted = stream.load().evicted;
        let ingest = ingest.clone();
        let mut file = Self {
            ingest,
            source,
            carried,
            state,
            stream,
            collected,
            offset,
            found: Found::default(),
            understanding: Understanding::default(),
            sampled: None,
            called: None,
            lines: 0,
            evicted,
            put_aside,
            now,
        };
        if closing {
            file.finish_closing().await?;
        }
        Ok(file)
    }

    /// Remembers lines from which it is counted, under a name for people, so that another log that holds the same
    /// ones is found.
    pub fn sample_as(&mut self, name: &str) {
        self.sampled = Some(Sampled::new(self.ingest.samples.clone(), name.to_owned()));
    }

    /// Says what people call it, and whether it is read as it grows: from now on, the list of logs tells of it.
    pub fn call(&mut self, name: &str, is_followed: bool) {
        self.called = Some((name.to_owned(), is_followed));
    }

    /// How much of what was read since [`resume`](Self::resume) was counted from other logs, if it is sampled.
    ///
    /// # Errors
    /// The store failed.
    pub async fn shared(&self) -> Result<Shared, IngestError> {
        match &self.sampled {
            Some(sampled) => Ok(sampled.shared(self.source.name()).await?),
            None => Ok(Shared::default()),
        }
    }

    /// Says what time it is now, in seconds since 1970: a file may be read for days.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// Where the next line begins.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The name under which the file is counted.
    #[must_use]
    pub fn source(&self) -> &str {
        self.source.name()
    }

    /// Whom and what was stored since [`resume`](Self::resume).
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// What the lines were that were stored since [`resume`](Self::resume).
    #[must_use]
    pub fn understanding(&self) -> &Understanding {
        &self.understanding
    }

    /// Forgets what was found and understood so far: a log may be followed for months.
    pub fn forget_found(&mut self) {
        self.found = Found::default();
        self.understanding = Understanding::default();
    }

    /// The log's own time: see [`LogStream::clock`].
    #[must_use]
    pub fn clock(&self) -> i64 {
        self.stream.clock()
    }

    /// Whether something of the file was read before, or handed over to it.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.carried.version() > 0 || self.carried.damaged().is_some()
    }

    /// Lines of what was read, by which the file is known again.
    #[must_use]
    pub fn landmarks(&self) -> &Landmarks {
        &self.state.landmarks
    }

    /// Sessions and messages whose fate a later line must tell.
    #[must_use]
    pub fn load(&self) -> logs::Load {
        self.stream.load()
    }

    /// Whether [`close`](Self::close) would settle anything.
    #[must_use]
    pub fn waits_for_end(&self) -> bool {
        self.stream.waits_for_end()
    }

    /// Reads the next line. Nothing is stored before [`flush`](Self::flush).
    pub fn line(&mut self, line: &[u8], place: IngestedLine) {
        let IngestedLine { begins, ends, reference, is_ended, is_continued } = place;
        let arrival = Arrival::in_file(begins, ends, reference);
        self.lines += u64::from(!is_continued);
        self.offset = ends;
        if is_ended {
            self.state.landmarks.note(line, ends);
        }
        let line = unpack::without_mark(line);
        self.stream.piece(line, !is_continued, arrival, &mut self.collected);
        // What only its time has told is none of the line's.
        if let Some(proved) = self.collected.proved.take()
            && let Some(sampled) = self.sampled.as_mut().filter(|_| proved.mark == arrival.mark)
        {
            sampled.note(line, proved, self.now);
        }
    }

    /// Reads the next entry of a journal: entries are numbered, for want of offsets. Nothing is stored before
    /// [`flush`](Self::flush), and then the cursor is too.
    pub fn entry(&mut self, entry: &[u8], cursor: &str, reference: i64) {
        let begins = self.offset;
        let ends = begins + 1;
        let (is_ended, is_continued) = (false, false);
        self.line(entry, IngestedLine { begins, ends, reference, is_ended, is_continued });
        self.state.cursor.clear();
        self.state.cursor.push_str(cursor);
    }

    /// The journal entry behind which it goes on.
    #[must_use]
    pub fn cursor(&self) -> Option<&str> {
        Some(self.state.cursor.as_str()).filter(|cursor| !cursor.is_empty())
    }

    /// Leaves room for so many entries that are gone.
    pub fn skip(&mut self, entries: u64) {
        self.offset += entries;
    }

    /// Whether a line that has no end yet needs none: see [`LogStream::is_whole`].
    #[must_use]
    pub fn is_whole(&self, rest: &[u8]) -> bool {
        self.stream.is_whole(rest)
    }

    /// Whether so much is held that it should be flushed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.collected.bytes() >= HELD || self.collected.rejected.len() >= 1000
    }

    /// How much of what was read since the last flush could not be read.
    #[must_use]
    pub fn rejected(&self) -> usize {
        self.collected.rejected.len()
    }

    /// Stores what was read since the last flush.
    ///
    /// # Errors
    /// The store failed, or another process reads the same file. After either, resume.
    pub async fn flush(&mut self) -> Result<Summary, IngestError> {
        self.store(mark_at(self.offset), false).await
    }

    /// Settles what is open: the log is over, or goes on in another file without a link to this.
    ///
    /// Decided first and done then, so that a crash in between cannot settle it otherwise.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn close(&mut self) -> Result<Summary, IngestError> {
        let mut summary = self.store(mark_at(self.offset), true).await?;
        summary.add(&self.finish_closing().await?);
        Ok(summary)
    }

    async fn finish_closing(&mut self) -> Result<Summary, IngestError> {
        let mark = mark_behind(self.offset);
        self.stream.close(mark, &mut self.collected);
        self.store(mark, false).await
    }

    /// Lets `file`, of which nothing was ever read, go on from this log's state: a log was rotated.
    ///
    /// # Errors
    /// As [`flush`](Self::flush).
    pub async fn hand_over(&mut self, file: &KnownFile) -> Result<(), IngestError> {
        self.flush().await?;
        let next = Source::new(file.source.clone());
        if next == self.source {
            return Ok(());
        }
        let theirs = StreamState { log: self.stream.save(), ..StreamState::default() }.write();
        let landmarks = self.state.landmarks.clone();
        let empty = StreamState { landmarks, ..StreamState::default() }.write();
        let mark = mark_at(self.offset);
        let mut mine = self.carried.next(empty, &self.source, &Positions::Offsets, mark);
        let mut theirs = CarryOver::default().next(theirs, &next, &Positions::Offsets, 0);
        mine.hand_over_listing(&mut theirs);
        let both = [(self.source.name(), &mine), (next.name(), &theirs)];
        // Overtaken: the new file was read before, and has a state of its own.
        self.ingest.ingestion.put_carry_overs(both, self.now).await?;
        Ok(())
    }

    /// Decides that nothing is handed over to this file any more, before anything of it is counted: whoever reads it once
    /// more after a crash has to settle the same at the same places.
    async fn begin(&mut self) -> Result<f64, IngestError> {
        let state = StreamState::default().write();
        self.go_on_as(self.carried.next(state, &self.source, &Positions::Offsets, 0)).await
    }

    /// Writes the next state, and goes on from it. Gives the write units.
    async fn go_on_as(&mut self, next: CarryOver) -> Result<f64, IngestError> {
        let (ingestion, name) = (&self.ingest.ingestion, self.source.name());
        match ingestion.put_carry_over(name, &next, self.now).await? {
            Written::Done(units) => {
                self.carried = next;
                Ok(units)
            }
            Written::Overtaken => Err(IngestError::Contended(name.to_owned())),
        }
    }

    async fn store(&mut self, mark: u64, closing: bool) -> Result<Summary, IngestError> {
        let fresh = Collected::new(self.ingest.settings.tally(self.now));
        let mut collected = std::mem::replace(&mut self.collected, fresh);
        let mut summary = Summary { lines: std::mem::take(&mut self.lines), ..Summary::default() };
        // First: between the counts and the state, as little as can be.
        if let Some(sampled) = &mut self.sampled {
            sampled.store(self.source.name()).await?;
        }
        if !self.is_begun() {
            summary.write_units += self.begin().await?;
        }
        let (Ingest { counting, ingestion, .. }, positions) = (&self.ingest, Positions::Offsets);
        summary.add_tally(&collected.tally);
        let understanding = understood(&mut self.stream, &self.carried);
        summary.add_understanding(&understanding);
        self.understanding.merge(&understanding);
        summary.add_outcome(&counting.count(&mut collected.tally, &self.source, &positions).await?);
        for (day, who) in collected.tally.identities() {
            if who.kind == IdentityKind::Sender {
                self.found.days.insert(day);
                if !self.found.senders.contains(who.name) {
                    self.found.senders.insert(who.name.into());
                }
            }
        }
        let day = report::Days::new(self.ingest.settings.zone).day_of(self.now);
        let rejected = &collected.rejected;
        summary.left_out =
            ingestion.quarantine(rejected, &self.source, &positions, |_| day).await?;
        summary.temporary_failures = collected.temporary_failures;
        summary.quarantined = collected.rejected.len() as u64 + std::mem::take(&mut self.put_aside);
        let evicted = self.stream.load().evicted;
        summary.evicted = evicted.saturating_sub(self.evicted);
        self.evicted = evicted;

        (self.state.closing, self.state.log) = (closing, self.stream.save());
        let state = self.state.write();
        summary.state_bytes = state.len() as u64;
        let mut next = self.carried.next(state, &self.source, &positions, mark);
        if let Some((name, is_followed)) = &self.called {
            let read = batch_read(&understanding, summary.submissions);
            next.tell(self.source.name(), (name, *is_followed), &read, (self.now, day));
            ingestion.find_place(&mut next, self.now).await?;
        }
        summary.write_units += self.go_on_as(next).await?;
        Ok(summary)
    }
}
