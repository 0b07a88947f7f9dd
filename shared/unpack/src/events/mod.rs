//! What AWS calls functions with, and answers: JSON in which records stand as base64.
//!
//! Read are the events of CloudWatch Logs (`awslogs.data`), of Kinesis (`Records[].kinesis.data`), of Firehose
//! (`records[].data`), and what `aws kinesis get-records` prints (`Records[].Data`): one or several, one a line, laid out over
//! lines, or in an array. Each record becomes what it holds, read as the ingest function reads records; anything else is
//! left as it stands.

mod told;
mod units;

use std::borrow::Cow;
use std::io::{self, Cursor, ErrorKind, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::told::meant;
use self::units::{Found, Units};
use crate::damage::{self, Damage};
use crate::decoded::{decode, unbase64};
use crate::packed::{INFLATED, Packed, too_large};

/// Bytes that are read or written at once.
const CHUNK: usize = 1 << 16;
/// So deep events may stand in others.
const DEEPEST: u32 = 3;
/// The most bytes of a line that gets a time: lines of mail servers are shorter by far.
const LINE: usize = 60_000;
/// The most characters of what a record is called that are told.
const ID: usize = 200;

/// The text of events, while they are read.
///
/// What one record of an event holds, with all that stands in it, is bounded as a record of a stream is. One that cannot be
/// read becomes an object that tells why, which whoever reads lines puts into quarantine: the others are read all the same.
pub(crate) struct Events {
    reader: Box<dyn Read + Send>,
    packed: Packed,
    units: Units,
    chunk: Vec<u8>,
    /// What of the chunk was read.
    read: usize,
    record: Option<Content>,
    /// How deep events may still stand in this one, and how much a record of them may hold.
    depth: u32,
    room: Option<usize>,
    out: Vec<u8>,
    /// What of it was given out, and how much was in all.
    given: usize,
    written: u64,
    failed: Option<Damage>,
}

/// What a record holds, and has not been written out yet.
enum Content {
    /// Text, and how much of it was written. Its lines came at this time, as the event wrote it.
    Text { text: Vec<u8>, at: usize, time: Option<Box<str>> },
    /// More events.
    Events(Box<Events>, Box<str>),
}

/// An event, or a record of one, as far as it is looked at.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    awslogs: Option<Inner<'a>>,
    #[serde(borrow)]
    kinesis: Option<Inner<'a>>,
    // Firehose's.
    data: Option<Cow<'a, str>>,
    #[serde(rename = "recordId")]
    id: Option<Cow<'a, str>>,
    #[serde(rename = "approximateArrivalTimestamp", borrow)]
    arrival: Option<&'a RawValue>,
    // As Kinesis answers.
    #[serde(rename = "Data")]
    answered: Option<Cow<'a, str>>,
    #[serde(rename = "SequenceNumber")]
    number: Option<Cow<'a, str>>,
    #[serde(rename = "ApproximateArrivalTimestamp", borrow)]
    arrived: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    data: Cow<'a, str>,
    #[serde(rename = "sequenceNumber", default)]
    number: Cow<'a, str>,
    #[serde(rename = "approximateArrivalTimestamp", borrow)]
    arrival: Option<&'a RawValue>,
}

/// A record: its data, when it arrived, and what it is called.
struct Record<'a> {
    data: Cow<'a, str>,
    time: Option<&'a RawValue>,
    id: Cow<'a, str>,
}

impl<'a> Fields<'a> {
    fn record(self) -> Option<Record<'a>> {
        if let Some(Inner { data, number: id, arrival: time }) = self.awslogs.or(self.kinesis) {
            return Some(Record { data, time, id });
        }
        if let (Some(data), Some(id)) = (self.data, self.id) {
            return Some(Record { data, time: self.arrival, id });
        }
        let (data, id) = (self.answered?, self.number?);
        Some(Record { data, time: self.arrived, id })
    }
}

impl Events {
    /// The text of a text that begins with an event.
    pub(crate) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self::within(reader, DEEPEST, None)
    }

    fn within(reader: Box<dyn Read + Send>, depth: u32, room: Option<usize>) -> Self {
        Self {
            reader,
            packed: Packed::default(),
            units: Units::default(),
            chunk: Vec::new(),
            read: 0,
            record: None,
            depth,
            room,
            out: Vec::new(),
            given: 0,
            written: 0,
            failed: None,
        }
    }

    /// Writes out what comes next; nothing at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() {
            if let Some(record) = self.record.take() {
                self.record = write(record, &mut self.out);
            } else if self.read < self.chunk.len() {
                self.cut();
            } else if !self.more()? {
                let rest = self.units.end().map_err(|()| {
                    let what =
                        format!("the event ends early, behind {} bytes of text", self.written);
                    Damage::new(ErrorKind::UnexpectedEof, what)
                })?;
                self.out.extend(rest);
                break;
            }
        }
        self.written += self.out.len() as u64;
        Ok(())
    }

    /// Reads more; false at the end.
    fn more(&mut self) -> io::Result<bool> {
        self.chunk.resize(CHUNK, 0);
        self.read = CHUNK;
        let read = self.reader.read(&mut self.chunk)?;
        self.chunk.truncate(read);
        self.read = 0;
        Ok(read > 0)
    }

    /// Looks at what was read, up to the next record.
    fn cut(&mut self) {
        let (read, found) = self.units.read(&self.chunk[self.read..], &mut self.out);
        self.read += read;
        let (unit, front) = match found {
            Found::Nothing => return,
            Found::Object(unit) => (unit, None),
            Found::Element(unit, front) => (unit, front),
        };
        if self.is_record(&unit) {
            return;
        }
        match front {
            Some(front) => {
                self.out.extend(front);
                self.out.extend(unit);
                self.units.is_other();
            }
            None => {
                self.out.extend(unit);
                self.out.push(b'\n');
            }
        }
    }

    /// Takes what a record holds; false if it is none.
    fn is_record(&mut self, unit: &[u8]) -> bool {
        let Ok(fields) = serde_json::from_slice::<Fields<'_>>(unit) else { return false };
        let Some(Record { data, time, id }) = fields.record() else { return false };
        let time = time
            .map(RawValue::get)
            .filter(|time| time.starts_with(|c: char| c == '"' || c.is_ascii_digit()));
        match self.content(&data, time, &id) {
            Ok(content) => self.record = Some(content),
            Err(reason) => unreadable(&reason, &id, &mut self.out),
        }
        true
    }

    fn content(&mut self, data: &str, time: Option<&str>, id: &str) -> Result<Content, String> {
        let room = self.room.unwrap_or(INFLATED);
        if room == 0 && !data.is_empty() {
            return Err(too_large("an event"));
        }
        let bytes = unbase64(data)?;
        // Whoever asks for too much once gets nothing more: it takes its time.
        let left = self.room.as_mut().map(std::mem::take);
        let text = self.packed.inflate(&bytes)?;
        let room = room.checked_sub(text.len()).ok_or_else(|| too_large("an event"))?;
        if left.is_some() {
            self.room = Some(room);
        }
        decode(text)?;
        let text = text.to_vec();
        if meant(&text) != Some(true) {
            return Ok(Content::Text { text, at: 0, time: time.map(Into::into) });
        }
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| format!("events more than {DEEPEST} deep in others"))?;
        let inner = Self::within(Box::new(Cursor::new(text)), depth, Some(room));
        Ok(Content::Events(Box::new(inner), id.into()))
    }
}

/// Writes some of what a record holds; what is left of it.
fn write(content: Content, out: &mut Vec<u8>) -> Option<Content> {
    match content {
        Content::Text { text, mut at, time } => {
            while at < text.len() && out.len() < CHUNK {
                let rest = &text[at..];
                let end = memchr::memchr(b'\n', rest);
                let line = &rest[..end.unwrap_or(rest.len())];
                at += line.len() + 1;
                write_line(line, time.as_deref(), out);
            }
            (at < text.len()).then_some(Content::Text { text, at, time })
        }
        Content::Events(mut events, id) => {
            let mut bytes = vec![0; CHUNK];
            match events.read(&mut bytes) {
                Ok(0) => {
                    // What follows begins a line.
                    out.push(b'\n');
                    None
                }
                Ok(read) => {
                    out.extend_from_slice(&bytes[..read]);
                    Some(Content::Events(events, id))
                }
                Err(error) => {
                    out.push(b'\n');
                    unreadable(&error.to_string(), &id, out);
                    None
                }
            }
        }
    }
}

/// Writes a line with the time at which it came, if it may need one: what begins with a letter, or with syslog's
/// priority, names no year or no time at all.
fn write_line(line: &[u8], time: Option<&str>, out: &mut Vec<u8>) {
    let begun = out.len();
    if let Some(time) = time
        && line.len() < LINE
        && line.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'<')
        && let Ok(text) = serde_json::to_string(&String::from_utf8_lossy(line))
    {
        out.extend_from_slice(format!("{{\"timestamp\":{time},\"message\":{text}}}\n").as_bytes());
        if out.len() - begun < LINE {
            return;
        }
        out.truncate(begun);
    }
    out.extend_from_slice(line);
    out.push(b'\n');
}

/// Writes why a record cannot be read, as the reader of lines knows it.
fn unreadable(reason: &str, id: &str, out: &mut Vec<u8>) {
    let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let id: String = id.chars().take(ID).collect();
    let line = format!("{{\"undecoded\":{},\"record\":{}}}\n", text(reason), text(&id));
    out.extend_from_slice(line.as_bytes());
}

impl Read for Events {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if let Some(damage) = &self.failed {
            return Err(damage.clone().into());
        }
        if self.given == self.out.len() {
            self.fill().inspect_err(|error| {
                if error.kind() != ErrorKind::Interrupted {
                    self.failed = Some(damage::again(error));
                }
            })?;
        }
        let mut rest = &self.out[self.given..];
        let read = rest.read(to)?;
        self.given += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
