//! Kinesis events as Lambda hands them over.

use std::ops::Range;

use libdeflater::{CompressionLvl, Compressor};
use serde_json::{Value, json};

/// A record's bytes, with the number of its place in the shard.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its place.
    pub sequence: u64,
    /// What was put into the stream.
    pub data: Vec<u8>,
}

/// An event with records of one shard.
#[must_use]
pub fn event(shard: &str, records: &[Record], arrived: i64) -> Value {
    let records = records.iter().map(|record| {
        // Real sequence numbers have 56 digits, and begin alike.
        let sequence = format!("4954511524349098501828006771497314{:022}", record.sequence);
        json!({
            "eventID": format!("{shard}:{sequence}"),
            "eventSource": "aws:kinesis",
            "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/mail",
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "mx1",
                "sequenceNumber": sequence,
                "data": base64_simd::STANDARD.encode_to_string(&record.data),
                "approximateArrivalTimestamp": arrived,
            },
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// A CloudWatch Logs subscription payload; event ids are numbered from `first`.
#[must_use]
pub fn cloudwatch<'a>(
    log_stream: &str,
    lines: impl IntoIterator<Item = &'a str>,
    first: usize,
    arrived: i64,
) -> Vec<u8> {
    let numbers = first..;
    payload(log_stream, numbers.map(|number| format!("3755{number:052}")).zip(lines), arrived)
}

/// Lines that were put into a log stream so many at a time.
#[derive(Clone, Copy, Debug)]
pub struct Puts<'a> {
    /// The log stream.
    pub log_stream: &'a str,
    /// All its lines.
    pub lines: &'a [String],
    /// How many a put has.
    pub size: usize,
}

impl Puts<'_> {
    /// A payload with some of the lines, whatever put they are of.
    ///
    /// An id is the time in milliseconds and 144 bits, of the put and of the place in it.
    #[must_use]
    pub fn payload(self, lines: Range<usize>, arrived: i64) -> Vec<u8> {
        let ids = lines.clone().map(|line| {
            let (put, place) = (line / self.size, line % self.size);
            let time = u64::try_from(arrived).unwrap_or(0) * 1000;
            // Decimal digits of such a number, as far as they matter: what is left of it modulo 2 to the power of 64.
            let tail = (put as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16 << 16;
            format!("{time:013}{:023}{:020}", put, tail.wrapping_add(place as u64))
        });
        payload(self.log_stream, ids.zip(self.lines[lines].iter().map(String::as_str)), arrived)
    }
}

fn payload<'a>(
    log_stream: &str,
    events: impl Iterator<Item = (String, &'a str)>,
    arrived: i64,
) -> Vec<u8> {
    let events =
        events.map(|(id, line)| json!({ "id": id, "timestamp": arrived * 1000, "message": line }));
    let events: Vec<_> = events.collect();
    // The order of fields is CloudWatch's.
    let text = format!(
        "{{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\",\"logGroup\":\"mail\",\
         \"logStream\":{},\"subscriptionFilters\":[\"all\"],\"logEvents\":{}}}",
        json!(log_stream),
        json!(events)
    );
    gzip(text.as_bytes())
}

/// Gzip, as CloudWatch Logs compresses.
#[must_use]
pub fn gzip(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut gzip = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut gzip).unwrap_or(0);
    gzip.truncate(length);
    gzip
}
