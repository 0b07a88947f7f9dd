//! Kinesis events, as Lambda hands them over.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use store::{Positions, Source};
use unpack::record;

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
pub(crate) struct Batch<'e> {
    pub(crate) source: Source,
    pub(crate) positions: Positions,
    records: Vec<&'e EventRecord>,
}

impl Batch<'_> {
    /// The mark of the record behind the last: they are numbered from 0.
    pub(crate) fn end(&self) -> u64 {
        self.records.len() as u64
    }

    fn record(&self, mark: u64) -> Option<&EventRecord> {
        self.records.get(usize::try_from(mark).ok()?).copied()
    }

    fn data(&self, mark: u64) -> &str {
        self.record(mark).map_or("", |record| &record.kinesis.data)
    }

    /// The bytes of a record.
    pub(crate) fn bytes(&self, mark: u64) -> Result<Cow<'static, [u8]>, String> {
        record::unbase64(self.data(mark))
    }

    /// The bytes of a record, or what stands for them and is no base64.
    pub(crate) fn raw(&self, mark: u64) -> Cow<'static, [u8]> {
        self.bytes(mark).unwrap_or_else(|_| self.data(mark).as_bytes().to_vec().into())
    }

    /// When a record arrived, in seconds since 1970, if that is known.
    pub(crate) fn arrival(&self, mark: u64) -> Option<i64> {
        let seconds = self.record(mark)?.kinesis.approximate_arrival_timestamp;
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this millennium")]
        (seconds > 0.0).then_some(seconds as i64)
    }
}

/// Sorts records by shard; within a shard by sequence number, which the event has them in already.
pub(crate) fn batches(event: &KinesisEvent) -> Vec<Batch<'_>> {
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
    use report::{Days, LongNames, Range, Tally};
    use unpack::record::Inflater;

    use super::*;
    use crate::collect::Collected;
    use crate::window::Window;

    /// What one record of a stream comes to.
    fn collected(data: &[u8]) -> Collected {
        let mut clock = Days::new(chrono_tz::UTC);
        let days = Range::kept(clock.day_of(1_795_435_200));
        let window = report::Window { days, default_domain: "(none)".into() };
        let tally = Tally::new(clock, window).with_long_names(LongNames::default());
        let event = format!(
            r#"{{"Records":[{{"kinesis":{{"sequenceNumber":"1","data":"{}"}}}}]}}"#,
            base64_simd::STANDARD.encode_to_string(data)
        );
        let event: KinesisEvent = serde_json::from_str(&event).expect("an event");
        let mut to = Collected::new(tally);
        for batch in &batches(&event) {
            Window::of(batch, 0, &mut Inflater::default()).decode(batch, &mut to);
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
