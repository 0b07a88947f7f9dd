//! Kinesis events as Lambda hands them over.

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
    let events = lines.into_iter().enumerate().map(|(number, line)| {
        let id = format!("3755{:052}", first + number);
        json!({ "id": id, "timestamp": arrived * 1000, "message": line })
    });
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
