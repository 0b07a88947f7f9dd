//! Records whose text is too large to be held: read piece by piece, and twice.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cloudwatch::{self, LogEvent};
use crate::decoded::NO_TEXT;
use crate::events::{self, Events};
use crate::inflate::Inflated;
use crate::joined::{Bytes, Joined};
use crate::kpl;
use crate::lines::{Line, Pieces};
use crate::packed::{WINDOW_LOG, packing};

/// Bytes by which it is told whether a text begins with an event of a function.
const HEAD: u64 = 4096;
/// The most bytes of one value in a payload: an event of CloudWatch Logs has 1 MiB, which JSON may write six times as long.
const VALUE: u64 = 8 << 20;

/// A record that can be read to its end.
#[derive(Clone, Debug)]
pub struct Large {
    data: Vec<u8>,
    /// None if it is text.
    payloads: Option<Vec<Payload>>,
}

/// A payload of CloudWatch Logs in such a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// Account, log group and log stream; none if it only checks that the destination is reachable.
    pub log_stream: Option<String>,
    /// The earliest of its events' times, in milliseconds since 1970.
    pub first_time: Option<i64>,
}

/// What stands in such a record.
#[derive(Debug)]
pub enum Part<'a> {
    /// An event of the payload with this number.
    Event(usize, LogEvent<'a>),
    /// A line of text, or a piece of one.
    Line(Line<'a>),
}

impl Large {
    /// Reads a record for the first time, to see whether it can be read and whose lines it holds.
    ///
    /// # Errors
    /// Damaged, or nothing that can be read, in words for a person.
    pub fn survey(data: &[u8]) -> Result<Self, String> {
        let mut payloads: Vec<Payload> = Vec::new();
        let data = data.to_vec();
        let read = objects(text(&data)?, |number, event| {
            payloads.resize_with(payloads.len().max(number + 1), Payload::default);
            let first = &mut payloads[number].first_time;
            *first = Some(first.map_or(event.timestamp, |first| first.min(event.timestamp)));
        })?;
        let Some(log_streams) = read else {
            let mut is_text = true;
            pieces(text(&data)?, |line| is_text &= memchr::memchr(0, line.text).is_none())?;
            let payloads = None;
            return if is_text { Ok(Self { data, payloads }) } else { Err(NO_TEXT.to_owned()) };
        };
        payloads.resize_with(log_streams.len(), Payload::default);
        for (payload, log_stream) in payloads.iter_mut().zip(log_streams) {
            payload.log_stream = log_stream;
        }
        Ok(Self { data, payloads: Some(payloads) })
    }

    /// The payloads that it holds; none if it holds lines of text.
    #[must_use]
    pub fn payloads(&self) -> Option<&[Payload]> {
        self.payloads.as_deref()
    }

    /// Reads all that stands in it.
    ///
    /// # Errors
    /// None that [`survey`](Self::survey) would not have told.
    pub fn read(&self, mut each: impl FnMut(Part<'_>)) -> Result<(), String> {
        match &self.payloads {
            Some(_) => objects(text(&self.data)?, |number, event| each(Part::Event(number, event)))
                .map(drop),
            None => pieces(text(&self.data)?, |line| each(Part::Line(line))),
        }
    }
}

/// The text of a record: inflated, and of several that were packed together one behind the other.
fn text(data: &[u8]) -> Result<Bytes, String> {
    let mut reader: Bytes = match kpl::records(data)? {
        None => inflated(data)?,
        Some(records) => {
            let parts = records.into_iter().map(inflated).collect::<Result<Vec<_>, _>>()?;
            Box::new(Joined::new(parts.into_iter().map(Ok)))
        }
    };
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head).map_err(|error| error.to_string())?;
    let is_event = events::meant(&head) == Some(true);
    let whole: Bytes = Box::new(Cursor::new(head).chain(reader));
    Ok(if is_event { Box::new(Events::new(whole)) } else { whole })
}

fn inflated(data: &[u8]) -> Result<Bytes, String> {
    let raw = Box::new(Cursor::new(data.to_vec()));
    Ok(match packing(data)? {
        None => raw,
        Some(packing) => {
            let inflated = Inflated::new(packing, raw, WINDOW_LOG);
            Box::new(inflated.map_err(|error| error.to_string())?)
        }
    })
}

fn pieces(text: Bytes, each: impl FnMut(Line<'_>)) -> Result<(), String> {
    Pieces::new(text, 0).read_to_end(each).map_err(|error| error.to_string())
}

/// Reads payloads one behind the other, as [`cloudwatch::read`] does: the log stream of each, and none of a check of the
/// destination. None if the text is something else.
fn objects(
    text: Bytes,
    mut each: impl FnMut(usize, LogEvent<'_>),
) -> Result<Option<Vec<Option<String>>>, String> {
    let (mut text, since) = (BufReader::new(text), Cell::new(0));
    let mut log_streams = Vec::new();
    while let Some(first) = next(&mut text).map_err(|error| error.to_string())? {
        let number = log_streams.len();
        if number == 0 && first != b'{' {
            return Ok(None);
        }
        let bounded = Bounded { reader: &mut text, since: &since };
        let mut json = serde_json::Deserializer::from_reader(bounded);
        let each = |event: LogEvent<'_>| each(number, event);
        let mut object = Object { since: &since, each, is_meant: false };
        match DeserializeSeed::deserialize(&mut object, &mut json) {
            Ok(Fields { kind: Some(kind), owner, log_group, log_stream, has_events: true }) => {
                log_streams.push(cloudwatch::source(&kind, [&owner, &log_group, &log_stream])?);
            }
            Ok(_) if number == 0 => return Ok(None),
            Ok(_) => return Err(cloudwatch::MIXED.to_owned()),
            Err(error) if error.is_io() => return Err(io::Error::from(error).to_string()),
            Err(_) if number == 0 && !object.is_meant => return Ok(None),
            Err(error) => return Err(cloudwatch::broken(&error)),
        }
        since.set(0);
    }
    Ok(Some(log_streams))
}

/// The next byte that is no white space, which stays.
fn next(text: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = text.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        match bytes.iter().position(|byte| !byte.is_ascii_whitespace()) {
            Some(at) => {
                let found = bytes[at];
                text.consume(at);
                return Ok(Some(found));
            }
            None => {
                let length = bytes.len();
                text.consume(length);
            }
        }
    }
}

/// Gives out no more than one value may have: a text without an end would be held.
struct Bounded<'r, R> {
    reader: &'r mut R,
    since: &'r Cell<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(to)?;
        self.since.set(self.since.get() + read as u64);
        if self.since.get() > VALUE {
            let what = format!("a value of more than {VALUE} bytes in a CloudWatch Logs payload");
            return Err(io::Error::new(ErrorKind::InvalidData, what));
        }
        Ok(read)
    }
}

/// A payload, whose events are handed on as they come.
struct Object<'s, E> {
    since: &'s Cell<u64>,
    each: E,
    /// Whether it has a name that payloads have.
    is_meant: bool,
}

/// What a payload is beside its events.
#[derive(Default)]
struct Fields {
    kind: Option<String>,
    owner: String,
    log_group: String,
    log_stream: String,
    has_events: bool,
}

impl<'de, E: FnMut(LogEvent<'_>)> DeserializeSeed<'de> for &mut Object<'_, E> {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fields, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, E: FnMut(LogEvent<'_>)> Visitor<'de> for &mut Object<'_, E> {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            self.since.set(0);
            match &*name {
                "messageType" => {
                    self.is_meant = true;
                    fields.kind = map.next_value()?;
                }
                "owner" => fields.owner = map.next_value()?,
                "logGroup" => fields.log_group = map.next_value()?,
                "logStream" => fields.log_stream = map.next_value()?,
                "logEvents" => {
                    self.is_meant = true;
                    fields.has_events = map.next_value_seed(Listed(self))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(fields)
    }
}

/// The events of a payload: whether there is a list of them.
struct Listed<'o, 's, E>(&'o mut Object<'s, E>);

impl<'de, E: FnMut(LogEvent<'_>)> DeserializeSeed<'de> for Listed<'_, '_, E> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, E: FnMut(LogEvent<'_>)> Visitor<'de> for Listed<'_, '_, E> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of log events")
    }

    fn visit_unit<R>(self) -> Result<bool, R> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<bool, A::Error> {
        while let Some(event) = events.next_element::<LogEvent<'_>>()? {
            self.0.since.set(0);
            (self.0.each)(event);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Packing;
    use crate::kpl::tests::packed as together;
    use crate::packed::INFLATED;
    use crate::record::{self, Decoded, Inflater};
    use crate::testing::packed;

    /// What stands in a record, a line each.
    fn told(data: &[u8]) -> Result<Vec<String>, String> {
        let large = Large::survey(data)?;
        let mut told = Vec::new();
        large.read(|part| {
            told.push(match part {
                Part::Event(number, LogEvent { id, timestamp, message }) => {
                    let payload = &large.payloads().expect("payloads")[number];
                    assert!(payload.first_time.is_some_and(|first| first <= timestamp));
                    let Some(log_stream) = &payload.log_stream else { return };
                    format!("{log_stream} {id} {timestamp} {message}")
                }
                Part::Line(line) => String::from_utf8_lossy(line.text).into_owned(),
            });
        })?;
        Ok(told)
    }

    /// The same as it is told of a record that is held.
    fn held(data: &[u8]) -> Result<Vec<String>, String> {
        let mut inflater = Inflater::default();
        let text = inflater.inflate(data)?.expect("held");
        let text = match record::decode(text)? {
            Decoded::Text => {
                let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n');
                return Ok(lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect());
            }
            Decoded::CloudWatch(payloads) => payloads,
        };
        let events = text.iter().flat_map(|payload| {
            payload.events.iter().map(|LogEvent { id, timestamp, message }| {
                format!("{} {id} {timestamp} {message}", payload.log_stream)
            })
        });
        Ok(events.collect())
    }

    const DATA: &str = r#"{"owner":"1","messageType":"DATA_MESSAGE","logGroup":"mail","logStream":"mx1","subscriptionFilters":["f"],"logEvents":[{"id":"1","timestamp":9,"message":"a\tb","extractedFields":{"a":"1"}},{"timestamp":5,"message":"c"}]}"#;
    const SORTED: &str = r#"{"logEvents":[{"id":"3","message":"d","timestamp":5}],"logGroup":"mail","logStream":"mx2","messageType":"DATA_MESSAGE","owner":"1"}"#;
    const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1510109208016,"message":"CWL CONTROL MESSAGE"}]}"#;

    #[test]
    fn whatever_is_held_is_read_the_same_piece_by_piece() {
        let gzip = |text: &str| packed(Packing::Gzip, text.as_bytes());
        let event = format!(
            r#"{{"Records":[{{"kinesis":{{"data":"{}"}}}}]}}"#,
            base64_simd::STANDARD.encode_to_string(gzip(DATA))
        );
        let texts = [
            DATA.to_owned(),
            [DATA, CONTROL, SORTED, ""].join("\n "),
            CONTROL.to_owned(),
            event,
            "Nov 23 a line\nanother".to_owned(),
            "{ a line\n".to_owned(),
            r#"{"time":1,"sender":"a@x.test"}"#.to_owned(),
            format!("{DATA}Nov 23"),
            format!(r#"{DATA}{{"a":1}}"#),
            DATA[..DATA.len() - 3].to_owned(),
            DATA.replace("DATA_", "OTHER_"),
            DATA.replace("[{", "[1,{"),
            "a\0b".to_owned(),
        ];
        for text in texts {
            for data in [text.clone().into_bytes(), gzip(&text), together(&[text.as_bytes()])] {
                let (told, held) = (told(&data), held(&data));
                assert_eq!(told.as_ref().ok(), held.as_ref().ok(), "{text} {told:?} {held:?}");
            }
        }
        let several =
            together(&[&gzip("one\ntwo"), b"", b"three\n", &packed(Packing::Zstd, b"four")]);
        assert_eq!(told(&several).expect("text"), ["one", "two", "three", "four"]);
        let cut = &gzip(&DATA.repeat(9))[..200];
        assert!(told(cut).expect_err("cut").contains("gzip"), "{:?}", told(cut));
    }

    #[test]
    fn what_is_larger_than_can_be_held_is_read_whatever_it_inflates_to() {
        let line = "2026-11-23T11:00:00Z mx1 exim[7]: x\n";
        let text = line.repeat(2 * INFLATED / line.len());
        for packing in [Packing::Gzip, Packing::Zstd, Packing::Xz] {
            let data = packed(packing, text.as_bytes());
            assert_eq!(Inflater::default().inflate(&data), Ok(None));
            let (large, mut lines) = (Large::survey(&data).expect("text"), 0);
            large.read(|_| lines += 1).expect("read");
            assert_eq!(lines, 2 * INFLATED / line.len());
        }
        let events = r#"{"id":"1","timestamp":9,"message":"a line that is much like any other"},"#;
        let many = events.repeat(2 * INFLATED / events.len());
        let payload = DATA.replacen("[{", &format!("[{many}{{"), 1).replace(
            "[{\"id\":\"1\",\"timestamp\":9,\"message\":\"a\\tb\"",
            "[{\"id\":\"1\",\"timestamp\":9,\"message\":\"a\"",
        );
        let large = Large::survey(&packed(Packing::Gzip, payload.as_bytes())).expect("a payload");
        let expected =
            Payload { log_stream: Some("cw:1:mail:mx1".to_owned()), first_time: Some(5) };
        assert_eq!(large.payloads(), Some(&[expected][..]));
        // What is one value must be held.
        let endless = DATA.replace("a\\tb", &"x".repeat(10 << 20));
        let refused = Large::survey(&packed(Packing::Gzip, endless.as_bytes()));
        assert!(refused.expect_err("endless").contains("a value of more than"));
    }
}
