//! The records of a batch that are read at once.

use std::collections::BTreeMap;

use unpack::cloudwatch::Payload;
use unpack::record::{self, Decoded, Inflater, Large};

use crate::collect::Collected;
use crate::kinesis::Batch;

/// Bytes of text that are held at once, but for the last record's.
const HELD: usize = 32 << 20;

/// Some records of a batch, one behind the other, inflated once for all attempts.
pub(crate) struct Window {
    /// The mark of the first.
    first: u64,
    texts: Vec<Result<Text, String>>,
}

/// The text of a record.
enum Text {
    Held(Vec<u8>),
    /// It is read piece by piece, alone.
    Large(Large),
}

/// What a record holds of one log, or of all logs if it is large.
pub(crate) struct DecodedRecord<'a> {
    pub(crate) mark: u64,
    /// When it arrived, in seconds since 1970.
    pub(crate) arrived: i64,
    pub(crate) content: Content<'a>,
}

/// Logs, each with the earliest time of its events.
pub(crate) type LogStreams = BTreeMap<String, Option<i64>>;

pub(crate) enum Content<'a> {
    /// CloudWatch Logs checking that the stream is reachable.
    Control,
    Payload(Payload<'a>),
    Text(&'a [u8]),
    Large(&'a Large),
}

impl Window {
    /// The records of a batch from a mark on, as many as fit.
    pub(crate) fn of(batch: &Batch<'_>, first: u64, inflater: &mut Inflater) -> Self {
        let (mut texts, mut held) = (Vec::new(), 0);
        for mark in first..batch.end() {
            if held >= HELD {
                break;
            }
            let inflated = batch.bytes(mark).and_then(|data| match inflater.inflate(&data)? {
                Some(text) => Ok(Ok(text.to_vec())),
                None => Ok(Err(data)),
            });
            match inflated {
                Ok(Ok(text)) => {
                    held += text.len();
                    texts.push(Ok(Text::Held(text)));
                }
                Ok(Err(data)) => {
                    if texts.is_empty() {
                        texts.push(Large::survey(&data).map(Text::Large));
                    }
                    break;
                }
                Err(reason) => texts.push(Err(reason)),
            }
        }
        Self { first, texts }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.texts.len() as u64
    }

    /// The mark of the record behind the last.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.count()
    }

    /// Decodes every record; what cannot be decoded is rejected.
    pub(crate) fn decode<'a>(
        &'a self,
        batch: &Batch<'_>,
        to: &mut Collected,
    ) -> Vec<DecodedRecord<'a>> {
        let mut decoded = Vec::with_capacity(self.texts.len());
        for (mark, text) in (self.first..).zip(&self.texts) {
            let content = text.as_ref().map_err(String::clone).and_then(contents);
            match content {
                Ok(contents) => {
                    let arrived = batch.arrival(mark).unwrap_or(0);
                    let record = |content| DecodedRecord { mark, arrived, content };
                    decoded.extend(contents.into_iter().map(record));
                }
                Err(reason) => {
                    // Of what was compressed, secrets can be taken out only of its text.
                    let raw = match text {
                        Ok(Text::Held(text)) => text.into(),
                        _ => batch.raw(mark),
                    };
                    logs::reject(to, mark, &raw, &reason);
                }
            }
        }
        decoded
    }
}

/// What a record holds, of each log apart if it is held.
fn contents(text: &Text) -> Result<Vec<Content<'_>>, String> {
    let text = match text {
        Text::Held(text) => text,
        Text::Large(large) => return Ok(vec![Content::Large(large)]),
    };
    Ok(match record::decode(text)? {
        Decoded::Text => vec![Content::Text(text)],
        Decoded::CloudWatch(payloads) if payloads.is_empty() => vec![Content::Control],
        Decoded::CloudWatch(payloads) => payloads.into_iter().map(Content::Payload).collect(),
    })
}

impl DecodedRecord<'_> {
    /// Adds the logs whose lines these are, with the earliest time of their events in milliseconds since 1970. Plain
    /// lines are ordered within their shard, and have no events.
    pub(crate) fn name_log_streams(&self, shard: &str, to: &mut LogStreams) {
        let mut name = |log_stream: &str, first: Option<i64>| match to.get_mut(log_stream) {
            Some(known) => *known = [*known, first].into_iter().flatten().min(),
            None => {
                to.insert(log_stream.to_owned(), first);
            }
        };
        match &self.content {
            Content::Control => {}
            Content::Payload(payload) => {
                name(&payload.log_stream, payload.events.iter().map(|one| one.timestamp).min());
            }
            Content::Text(_) => name(shard, None),
            Content::Large(large) => match large.payloads() {
                None => name(shard, None),
                Some(payloads) => {
                    for payload in payloads {
                        if let Some(log_stream) = &payload.log_stream {
                            name(log_stream, payload.first_time);
                        }
                    }
                }
            },
        }
    }

    /// How long ago it arrived, in milliseconds.
    pub(crate) fn age(&self, now: i64) -> u64 {
        u64::try_from(now.saturating_sub(self.arrived)).unwrap_or(0).saturating_mul(1000)
    }
}
