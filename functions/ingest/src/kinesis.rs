//! Kinesis events, as Lambda hands them over.

use std::collections::{BTreeMap, HashMap};

use futures_util::FutureExt as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use logs::{Arrival, LogStream, NotUnderstood, Understanding};
use serde::Deserialize;
use store::{CarryOver, Positions, Rejected, Source, Written};
use unpack::cloudwatch::Payload;
use unpack::record::{self, Decoded, Inflater};

use crate::collect::Collected;
use crate::service::{ATTEMPTS, Ingest, IngestError};
use crate::state::{self, Restored, StreamState};
use crate::summary::{Summary, batch_read, understood};

/// States read or written at once.
const CONCURRENCY: usize = 16;
/// Characters of a log stream's name that are logged.
const SHOWN: usize = 300;

/// An event with records of one shard, in order.
#[derive(Clone, Debug, Deserialize)]
pub struct KinesisEvent {
    /// The records.
    #[serde(rename = "Records")]
    pub records: Vec<EventRecord>,
}

/// One record of an event.
#[derive(Clone, Debug, Deserialize)]
pub struct EventRecord {
    /// `shardId-000000000006:49545115243490985018280067714973144582180062593244200961`.
    #[serde(rename = "eventID", default)]
    pub event_id: String,
    /// The stream.
    #[serde(rename = "eventSourceARN", default)]
    pub event_source_arn: String,
    /// What was put into the stream.
    pub kinesis: KinesisRecord,
}

/// A record of a Kinesis data stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KinesisRecord {
    /// Grows along the shard; up to 129 digits.
    pub sequence_number: String,
    /// The bytes, in base64.
    pub data: String,
    /// When the record arrived, in seconds since 1970, with a fraction.
    #[serde(default)]
    pub approximate_arrival_timestamp: f64,
}

/// Records of one shard, with the positions that say which were counted before.
struct Batch<'e> {
    source: Source,
    positions: Positions,
    records: Vec<&'e EventRecord>,
}

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
        for batch in batches(event) {
            summary.add(&self.batch(&batch, now).await?);
        }
        Ok(summary)
    }

    async fn batch(&self, batch: &Batch<'_>, now: i64) -> Result<Summary, IngestError> {
        let decoded = Inflated::of(batch);
        for _ in 0..ATTEMPTS {
            if let Some(summary) = self.attempt(batch, &decoded, now).await? {
                return Ok(summary);
            }
        }
        Err(IngestError::Contended(batch.source.name().to_owned()))
    }

    /// Reads and counts a batch; none if another reader of its log streams was faster.
    async fn attempt(
        &self,
        batch: &Batch<'_>,
        inflated: &Inflated,
        now: i64,
    ) -> Result<Option<Summary>, IngestError> {
        let mut collected = Collected::new(self.settings.tally(now));
        let mut summary = Summary { records: batch.records.len() as u64, ..Summary::default() };
        let records = inflated.decode(batch, &mut collected);
        let names = records.iter().filter_map(|record| record.log_stream(batch));
        let mut readers = self.readers(batch, names.collect(), now).await?;
        for record in &records {
            summary.oldest_record_ms = summary.oldest_record_ms.max(record.age(now));
            if let Some(name) = record.log_stream(batch)
                && let Some(reader) = readers.get_mut(&name)
            {
                reader.read(record, &mut collected, &mut summary);
            }
        }
        for (name, reader) in &mut readers {
            reader.tell(name, &mut summary);
        }
        summary.add_tally(&collected.tally);
        let outcome =
            self.counting.count(&mut collected.tally, &batch.source, &batch.positions).await?;
        summary.add_outcome(&outcome);
        let mut clock = report::Days::new(self.settings.zone);
        let day_of =
            |rejected: &Rejected| clock.day_of(batch.arrival(rejected.mark).unwrap_or(now));
        let (rejected, positions) = (&collected.rejected, &batch.positions);
        summary.left_out =
            self.ingestion.quarantine(rejected, &batch.source, positions, day_of).await?;
        summary.quarantined = collected.rejected.len() as u64;
        summary.temporary_failures = collected.temporary_failures;
        // Last: everything that these states stand for is stored now.
        let writes = readers
            .into_iter()
            .map(|(name, reader)| self.write_state(batch, name, reader, now).boxed());
        let writes: Vec<_> = writes.collect();
        let written: Vec<_> =
            stream::iter(writes).buffer_unordered(CONCURRENCY).try_collect().await?;
        for (_, part) in &written {
            summary.quarantined += part.quarantined;
            summary.state_bytes += part.state_bytes;
            summary.evicted += part.evicted;
            summary.write_units += part.write_units;
        }
        Ok(written.into_iter().all(|(done, _)| done).then_some(summary))
    }

    async fn readers(
        &self,
        batch: &Batch<'_>,
        names: std::collections::BTreeSet<String>,
        now: i64,
    ) -> Result<BTreeMap<String, Reader>, IngestError> {
        let reads = names.into_iter().map(|name| {
            async move {
                let reader = self.reader(batch, &name, now).await?;
                Ok((name, reader))
            }
            .boxed()
        });
        let reads: Vec<_> = reads.collect();
        stream::iter(reads).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn reader(&self, batch: &Batch<'_>, name: &str, now: i64) -> Result<Reader, IngestError> {
        let carried = self.ingestion.carry_over(name).await?;
        let next = carried.next_mark(&batch.source, &batch.positions);
        let Restored { state, stream, unreadable } = state::restore(self.settings.logs, &carried);
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
        name: String,
        reader: Reader,
        now: i64,
    ) -> Result<(bool, Summary), IngestError> {
        let last = batch.records.len() as u64 - 1;
        let mut part = Summary { quarantined: reader.put_aside, ..Summary::default() };
        if reader.next > last {
            part.write_units = self.ingestion.list_again(&reader.carried, now).await?;
            return Ok((true, part));
        }
        part.evicted = reader.stream.load().evicted.saturating_sub(reader.evicted_before);
        let state = StreamState { log: reader.stream.save(), ..reader.state }.write();
        part.state_bytes = state.len() as u64;
        let mut next = reader.carried.next(state, &batch.source, &batch.positions, last);
        let read = batch_read(&reader.understanding, reader.messages);
        let day = report::Days::new(self.settings.zone).day_of(now);
        next.tell(&name, (&name, true), &read, (now, day));
        self.ingestion.find_place(&mut next, now).await?;
        match self.ingestion.put_carry_over(&name, &next, now).await? {
            Written::Done(units) => {
                part.write_units = units;
                Ok((true, part))
            }
            Written::Overtaken => Ok((false, part)),
        }
    }
}

impl Reader {
    /// Adds what the lines were, and shows the first that nothing here reads.
    fn tell(&mut self, log_stream: &str, summary: &mut Summary) {
        self.understanding = understood(&mut self.stream, &self.carried);
        summary.add_understanding(&self.understanding);
        if let Some(NotUnderstood { text, nearest }) = &self.understanding.first {
            let lines = self.understanding.not_understood;
            let log_stream = report::displayed(log_stream, SHOWN);
            tracing::warn!(log_stream, lines, first = text, nearest, "lines are not understood");
        }
    }

    fn read(&mut self, record: &DecodedRecord<'_>, to: &mut Collected, summary: &mut Summary) {
        if record.mark < self.next {
            return;
        }
        let counted_before = to.tally.counted().messages;
        self.read_content(record, to, summary);
        self.messages += to.tally.counted().messages - counted_before;
    }

    fn read_content(
        &mut self,
        record: &DecodedRecord<'_>,
        to: &mut Collected,
        summary: &mut Summary,
    ) {
        let mark = record.mark;
        let mut line = |text: &[u8], reference: i64| {
            summary.lines += 1;
            self.stream.line(text, Arrival::in_record(mark, reference), to);
        };
        match &record.content {
            Content::Control => {}
            Content::Payload(payload) => {
                if state::checksum(payload).is_some_and(|checksum| !self.state.is_new(checksum)) {
                    summary.repeated_payloads += 1;
                    return;
                }
                for event in &payload.events {
                    for text in record::lines(event.message.as_bytes()) {
                        line(text, event.timestamp.div_euclid(1000));
                    }
                }
            }
            Content::Text(text) => {
                for text in record::whole_or_lines(text) {
                    line(text, record.arrived);
                }
            }
        }
    }
}

/// The records' bytes, inflated once for all attempts.
struct Inflated(Vec<Result<Vec<u8>, String>>);

/// What a record holds of one log.
struct DecodedRecord<'a> {
    mark: u64,
    arrived: i64,
    content: Content<'a>,
}

enum Content<'a> {
    /// CloudWatch Logs checking that the stream is reachable.
    Control,
    Payload(Payload<'a>),
    Text(&'a [u8]),
}

impl Inflated {
    fn of(batch: &Batch<'_>) -> Self {
        let mut inflater = Inflater::default();
        let inflate = |record: &&EventRecord| {
            let data = record::unbase64(&record.kinesis.data)?;
            inflater.inflate(&data).map(<[u8]>::to_vec)
        };
        Self(batch.records.iter().map(inflate).collect())
    }

    /// Decodes every record; what cannot be decoded is rejected.
    fn decode<'a>(&'a self, batch: &Batch<'_>, to: &mut Collected) -> Vec<DecodedRecord<'a>> {
        let mut decoded = Vec::with_capacity(self.0.len());
        for (number, text) in self.0.iter().enumerate() {
            let mark = number as u64;
            let content = text.as_ref().map_err(String::clone).and_then(|text| contents(text));
            match content {
                Ok(contents) => {
                    let arrived = batch.arrival(mark).unwrap_or(0);
                    let record = |content| DecodedRecord { mark, arrived, content };
                    decoded.extend(contents.into_iter().map(record));
                }
                Err(reason) => {
                    let data = &batch.records[number].kinesis.data;
                    let raw = || {
                        let raw = record::unbase64(data);
                        raw.unwrap_or_else(|_| data.as_bytes().to_vec().into())
                    };
                    // Of what was compressed, secrets can be taken out only of its text.
                    let raw = text.as_ref().map_or_else(|_| raw(), Into::into);
                    logs::reject(to, mark, &raw, &reason);
                }
            }
        }
        decoded
    }
}

/// What a record holds, of each log apart.
fn contents(text: &[u8]) -> Result<Vec<Content<'_>>, String> {
    Ok(match record::decode(text)? {
        Decoded::Text => vec![Content::Text(text)],
        Decoded::CloudWatch(payloads) if payloads.is_empty() => vec![Content::Control],
        Decoded::CloudWatch(payloads) => payloads.into_iter().map(Content::Payload).collect(),
    })
}

impl DecodedRecord<'_> {
    /// The log whose lines these are; plain lines are ordered within their shard.
    fn log_stream(&self, batch: &Batch<'_>) -> Option<String> {
        match &self.content {
            Content::Control => None,
            Content::Payload(payload) => Some(payload.log_stream.clone()),
            Content::Text(_) => Some(batch.source.name().to_owned()),
        }
    }

    fn age(&self, now: i64) -> u64 {
        u64::try_from(now.saturating_sub(self.arrived)).unwrap_or(0).saturating_mul(1000)
    }
}

impl Batch<'_> {
    fn arrival(&self, mark: u64) -> Option<i64> {
        let record = self.records.get(usize::try_from(mark).ok()?)?;
        let seconds = record.kinesis.approximate_arrival_timestamp;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium")]
        (seconds > 0.0).then_some(seconds as i64)
    }
}

/// Sorts records by shard; within a shard by sequence number, which the event has them in already.
fn batches(event: &KinesisEvent) -> Vec<Batch<'_>> {
    let mut shards: HashMap<String, Vec<(Vec<u8>, &EventRecord)>> = HashMap::new();
    for record in &event.records {
        let shard = record.event_id.split(':').next().unwrap_or_default();
        let name = format!("{}/{shard}", record.event_source_arn);
        // A sequence number that is none cannot be ordered: it comes first, and counts once.
        let position = Positions::of_sequence_number(&record.kinesis.sequence_number);
        let position = position.unwrap_or_else(|| vec![0]);
        shards.entry(name).or_default().push((position, record));
    }
    let mut batches = Vec::with_capacity(shards.len());
    for (name, mut records) in shards {
        records.sort_by(|(one, _), (other, _)| one.cmp(other));
        records.dedup_by(|(later, _), (earlier, _)| later == earlier);
        let (positions, records) = records.into_iter().unzip();
        let positions = Positions::Records(positions);
        batches.push(Batch { source: Source::new(name), positions, records });
    }
    batches
}

#[cfg(test)]
mod tests {
    use report::{Days, LongNames, Range, Tally, Window};

    use super::*;

    /// What one record of a stream comes to.
    fn collected(data: &[u8]) -> Collected {
        let mut clock = Days::new(chrono_tz::UTC);
        let days = Range::kept(clock.day_of(1_795_435_200));
        let window = Window { days, default_domain: "(none)".into() };
        let tally = Tally::new(clock, window).with_long_names(LongNames::default());
        let event = format!(
            r#"{{"Records":[{{"kinesis":{{"sequenceNumber":"1","data":"{}"}}}}]}}"#,
            base64_simd::STANDARD.encode_to_string(data)
        );
        let event: KinesisEvent = serde_json::from_str(&event).expect("an event");
        let mut to = Collected::new(tally);
        for batch in &batches(&event) {
            Inflated::of(batch).decode(batch, &mut to);
        }
        to
    }

    #[test]
    fn what_cannot_be_decoded_is_put_aside_without_its_secrets() {
        let line =
            "2026-11-23T11:00:00Z [INFO] [1] [core] C: AUTH PLAIN AGFubgBzZWNyZXQtb2YtYW5u\n";
        let wide: Vec<u8> = line.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for data in [
            [line.as_bytes(), b"a\0b"].concat(),
            [&b"\xff\xfe"[..], &wide].concat(),
            [br#"{"messageType":"DATA_MESSAGE","logEvents":[{"message":""#, line.as_bytes()]
                .concat(),
        ] {
            let rejected = collected(&data).rejected;
            let [one] = rejected.as_slice() else { panic!("{rejected:?}") };
            let without_nul: Vec<u8> = one.raw.iter().copied().filter(|byte| *byte != 0).collect();
            let kept = String::from_utf8_lossy(&without_nul);
            assert!(
                kept.contains("AUTH PLAIN") && !kept.contains("AGFubgBzZWNyZXQtb2YtYW5u"),
                "{kept}"
            );
        }
    }
}
