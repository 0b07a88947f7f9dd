//! The real Lambda functions, as Lambda runs them: events in, answers out, over the Runtime API.

mod deployed;
mod engines;
mod faults;
mod gateway;
mod people;

use bootstrap::now;
use serde_json::{Value, json};
use tests::kinesis::{self, Record};

/// A payload with one message of each sender, each on a line of its own, accepted a moment ago.
fn payload(number: u64, senders: u64) -> Vec<u8> {
    let lines: Vec<_> = (0..senders)
        .map(|sender| {
            json!({
                "time": chrono::DateTime::from_timestamp(now(), 0),
                "sender": format!("s{number}-{sender}@example.test"),
                "account": "ann",
                "tls": "TLS1.2",
            })
            .to_string()
        })
        .collect();
    let first = usize::try_from(number * 1000).unwrap_or(0);
    kinesis::cloudwatch("mx1", lines.iter().map(String::as_str), first, now())
}

/// An event with payloads of so many messages each, numbered from `first`.
fn event(first: u64, payloads: u64, senders: u64) -> Value {
    let records: Vec<_> = (first..first + payloads)
        .map(|number| Record { sequence: number, data: payload(number, senders) })
        .collect();
    kinesis::event("shardId-000000000000", &records, now())
}
