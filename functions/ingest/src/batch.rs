//! Batches of records: read, counted, and remembered how far.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use logs::{Arrival, LogStream, NotUnderstood, Understanding};
use store::{CarryOver, Rejected, Written};
use unpack::cloudwatch::LogEvent;
use unpack::record::{self, Inflater, Large, Part};

use crate::collect::Collected;
use crate::kinesis::{Batch, KinesisEvent, batches};
use crate::repeats::Moved;
use crate::service::{ATTEMPTS, Ingest, IngestError};
use crate::state::{self, Restored, StreamState};
use crate::summary::{Summary, batch_read, understood};
use crate::window::{Content, DecodedRecord, LogStreams, Window};

/// States read or written at once.
const CONCURRENCY: usize = 16;
/// Characters of a log stream's name that are logged.
const SHOWN: usize = 300;

/// A log stream while a batch is read.
struct Reader {
    carried: CarryOver,
    state: StreamState,
    stream: LogStream,
    /// Records before this mark are in the state already.
    next: u64,
    evicted_before: u64,
    /// What its lines were, and the messages that were counted from them.
    understanding: Understanding,
    messages: u64,
    /// Parts of the state that could not be used.
    put_aside: u64,
}

impl Ingest {
    /// Ingests an event: safe to call again with the same records, in whatever batches.
    ///
    /// `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The store failed. Nothing is lost: the records must be delivered again.
    pub async fn event(&self, event: &KinesisEvent, now: i64) -> Result<Summary, IngestError> {
        let mut summary = Summary::default();
        self.event_into(event, now, &mut summary).await.map(|()| summary)
    }

    /// The same; of what fails, `summary` tells what went into quarantine.
    ///
    /// # Errors
    /// As [`event`](Self::event).
    pub async fn event_into(
        &self,
        event: &KinesisEvent,
        now: i64,
        summary: &mut Summary,
    ) -> Result<(), IngestError> {
        for batch in batches(event) {
            let (mut inflater, mut next) = (Inflater::default(), 0);
            while next < batch.end() {
                let window = Window::of(&batch, next, &mut inflater);
                self.window(&batch, &window, now, summary).await?;
                next = window.end();
            }
        }
        Ok(())
    }

    async fn window(
        &self,
        batch: &Batch<'_>,
        window: &Window,
        now: i64,
        summary: &mut Summary,
    ) -> Result<(), IngestError> {
        for _ in 0..ATTEMPTS {
            let mut attempted = Summary::default();
            match self.attempt(batch, window, now, &mut attempted).await {
                Ok(true) => {
                    summary.add(&attempted);
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) => {
                    // The rest is told once it is counted. This may not come again: log streams whose states are written go on
                    // behind it.
                    summary.quarantined += attempted.quarantined;
                    return Err(error);
                }
            }
        }
        Err(IngestError::Contended(batch.source.name().to_owned()))
    }

    /// Reads and counts some of a batch; false if another reader of its log streams was faster.
    async fn attempt(
        &self,
        batch: &Batch<'_>,
        window: &Window,
        now: i64,
        summary: &mut Summary,
    ) -> Result<bool, IngestError> {
        let mut collected = Collected::new(self.settings.tally(now));
        summary.records = window.count();
        let records = window.decode(batch, &mut collected);
        let (shard, mut names) = (batch.source.name(), LogStreams::new());
        records.iter().for_each(|record| record.name_log_streams(shard, &mut names));
        let mut readers = Readers(self.readers(batch, names, now).await?);
        summary.quarantined = readers.0.values().map(|reader| reader.put_aside).sum();
        for record in &records {
            summary.oldest_record_ms = summary.oldest_record_ms.max(record.age(now));
            readers.read(record, shard, &mut collected, summary);
        }
        let Readers(mut readers) = readers;
        for (name, reader) in &mut readers {
            reader.tell(name, summary);
        }
        summary.add_tally(&collected.tally);
        let outcome =
            self.counting.count(&mut collected.tally, &batch.source, &batch.positions).await?;
        summary.add_outcome(&outcome);
        let mut clock = report::Days::new(self.settings.zone);
        let day_of =
            |rejected: &Rejected| clock.day_of(batch.arrival(rejected.mark).unwrap_or(now));
        let (rejected, positions) = (&collected.rejected, &batch.positions);
        summary.quarantined += rejected.len() as u64;
        summary.left_out =
            self.ingestion.quarantine(rejected, &batch.source, positions, day_of).await?;
        summary.temporary_failures = collected.temporary_failures;
        // Last: everything that these states stand for is stored now.
        let writes = readers
            .into_iter()
            .map(|(name, reader)| self.write_state(batch, window.end(), name, reader, now).boxed());
        let writes: Vec<_> = writes.collect();
        let written: Vec<_> =
            stream::iter(writes).buffer_unordered(CONCURRENCY).try_collect().await?;
        for (_, part) in &written {
            summary.state_bytes += part.state_bytes;
            summary.evicted += part.evicted;
            summary.repeats_forgotten += part.repeats_forgotten;
            summary.write_units += part.write_units;
        }
        Ok(written.into_iter().all(|(done, _)| done))
    }

    async fn readers(
        &self,
        batch: &Batch<'_>,
        names: LogStreams,
        now: i64,
    ) -> Result<BTreeMap<String, Reader>, IngestError> {
        let reads = names.into_iter().map(|(name, first)| {
            async move {
                let reader = self.reader(batch, &name, first, now).await?;
                Ok((name, reader))
            }
            .boxed()
        });
        let reads: Vec<_> = reads.collect();
        stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await
    }

    /// The reader of a log stream whose events are of `first` (milliseconds since 1970) or later.
    async fn reader(
        &self,
        batch: &Batch<'_>,
        name: &str,
        first: Option<i64>,
        now: i64,
    ) -> Result<Reader, IngestError> {
        let carried = self.ingestion.carry_over(name).await?;
        let next = carried.next_mark(&batch.source, &batch.positions);
        let restored = state::restore(self.settings.logs, &carried);
        let Restored { mut state, stream, unreadable } = restored;
        if let Some(first) = first.filter(|first| state.repeats.may_be_moved(*first)) {
            for moved in self.ingestion.repeats(name, first).await? {
                if !state.repeats.know(&moved) {
                    tracing::warn!(
                        log_stream = name,
                        "of what came before, repeats may count again"
                    );
                }
            }
        }
        let day = report::Days::new(self.settings.zone).day_of(now);
        let put_aside = state::put_aside(&self.ingestion, name, &carried, &unreadable, day).await?;
        let evicted_before = stream.load().evicted;
        let understanding = Understanding::default();
        Ok(Reader {
            carried,
            state,
            stream,
            next,
            evicted_before,
            understanding,
            messages: 0,
            put_aside,
        })
    }

    async fn write_state(
        &self,
        batch: &Batch<'_>,
        end: u64,
        name: String,
        mut reader: Reader,
        now: i64,
    ) -> Result<(bool, Summary), IngestError> {
        let mut part = Summary::default();
        if reader.next >= end {
            part.write_units = self.ingestion.list_again(&reader.carried, now).await?;
            return Ok((true, part));
        }
        part.evicted = reader.stream.load().evicted.saturating_sub(reader.evicted_before);
        let (moved, forgotten) = reader.state.repeats.shrink();
        part.repeats_forgotten = forgotten;
        let mut units = 0.0;
        if let Some(Moved { until, runs, bytes }) = moved {
            // Before the state that has them no more. What another reader moves meanwhile is the same.
            let id = format!("{} {runs}", reader.carried.version());
            units += self.ingestion.keep_repeats(&name, until, &id, bytes, now).await?;
        }
        let state = StreamState { log: reader.stream.save(), ..reader.state }.write();
        part.state_bytes = state.len() as u64;
        let mut next = reader.carried.next(state, &batch.source, &batch.positions, end - 1);
        let read = batch_read(&reader.understanding, reader.messages);
        let day = report::Days::new(self.settings.zone).day_of(now);
        next.tell(&name, (&name, true), &read, (now, day));
        self.ingestion.find_place(&mut next, now).await?;
        match self.ingestion.put_carry_over(&name, &next, now).await? {
            Written::Done(more) => {
                part.write_units = units + more;
                Ok((true, part))
            }
            Written::Overtaken => Ok((false, part)),
        }
    }
}

/// The log streams of a window.
struct Readers(BTreeMap<String, Reader>);

impl Readers {
    /// The reader of a log stream's lines in a record; none if they are in its state already.
    fn of(&mut self, log_stream: &str, mark: u64) -> Option<&mut Reader> {
        self.0.get_mut(log_stream).filter(|reader| reader.next <= mark)
    }

    fn read(
        &mut self,
        record: &DecodedRecord<'_>,
        shard: &str,
        to: &mut Collected,
        summary: &mut Summary,
    ) {
        let mark = record.mark;
        match &record.content {
            Content::Control => {}
            Content::Payload(payload) => {
                let Some(reader) = self.of(&payload.log_stream, mark) else { return };
                if reader.state.has_payload(payload) {
                    summary.repeated_events += payload.events.len() as u64;
                    return;
                }
                payload.events.iter().for_each(|event| reader.event(mark, event, to, summary));
                reader.state.repeats.end_payload();
            }
            Content::Text(text) => {
                let Some(reader) = self.of(shard, mark) else { return };
                for line in record::whole_or_lines(text) {
                    reader.piece(line, true, Arrival::in_record(mark, record.arrived), to, summary);
                }
            }
            Content::Large(large) => self.read_large(large, record, shard, to, summary),
        }
    }

    fn read_large(
        &mut self,
        large: &Large,
        record: &DecodedRecord<'_>,
        shard: &str,
        to: &mut Collected,
        summary: &mut Summary,
    ) {
        let DecodedRecord { mark, arrived, .. } = *record;
        let mut current: Option<usize> = None;
        let read = large.read(|part| {
            let (number, log_stream) = match &part {
                Part::Line(_) => (0, Some(shard)),
                Part::Event(number, _) => {
                    let payload = large.payloads().and_then(|payloads| payloads.get(*number));
                    (*number, payload.and_then(|payload| payload.log_stream.as_deref()))
                }
            };
            let reader = log_stream.and_then(|log_stream| self.of(log_stream, mark));
            let Some(reader) = reader else { return };
            match part {
                Part::Event(_, event) => {
                    if current.replace(number) != Some(number) {
                        reader.state.repeats.end_payload();
                    }
                    reader.event(mark, &event, to, summary);
                }
                Part::Line(line) => {
                    let arrival = Arrival::in_record(mark, arrived);
                    reader.piece(line.text, !line.is_continued, arrival, to, summary);
                }
            }
        });
        if let Err(error) = read {
            tracing::error!(shard, error, "a record was read before, and cannot be read again");
        }
    }
}

impl Reader {
    /// Adds what the lines were, and shows the first that nothing here reads.
    fn tell(&mut self, log_stream: &str, summary: &mut Summary) {
        self.understanding = understood(&mut self.stream, &self.carried);
        summary.add_log_stream(&self.understanding);
        if let Some(NotUnderstood { text, nearest }) = &self.understanding.first {
            let lines = self.understanding.not_understood;
            let log_stream = report::displayed(log_stream, SHOWN);
            tracing::warn!(log_stream, lines, first = text, nearest, "lines are not understood");
        }
    }

    /// Reads an event, unless it was read before.
    fn event(
        &mut self,
        mark: u64,
        event: &LogEvent<'_>,
        to: &mut Collected,
        summary: &mut Summary,
    ) {
        if !self.state.repeats.is_new(&event.id, event.timestamp) {
            summary.repeated_events += 1;
            return;
        }
        let arrival = Arrival::in_record(mark, event.timestamp.div_euclid(1000));
        for line in record::lines(event.message.as_bytes()) {
            self.piece(line, true, arrival, to, summary);
        }
    }

    fn piece(
        &mut self,
        piece: &[u8],
        ends: bool,
        arrival: Arrival,
        to: &mut Collected,
        summary: &mut Summary,
    ) {
        summary.lines += u64::from(ends);
        let counted_before = to.tally.counted().messages;
        self.stream.piece(piece, ends, arrival, to);
        self.messages += to.tally.counted().messages - counted_before;
    }
}
