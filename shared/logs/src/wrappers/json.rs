//! Log lines in JSON objects, as journald, Docker and shippers write them, and arrays of them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{Line, Moments, Part, Parts, Units, Value, name, readable};
use crate::record::Record;
use crate::time::Timestamps;
use crate::wrapper::{Unwrapped, Wrapper};

/// What stands in the place of a record that could not be decoded, as whoever decodes it writes it: first of all, why.
const UNDECODED: &[u8] = b"{\"undecoded\":";
/// How deep arrays of lines stand in each other.
const DEEPEST: usize = 6;

/// JSON objects with a log line in them, or several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Json {
    moments: Moments,
}

impl Wrapper for Json {
    #[inline]
    fn unwrap<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        match record.message {
            [b'{', .., b']'] if record.is_bare() => line_of_array(record),
            [b'{', ..] => {
                undecoded(record.message).unwrap_or_else(|| self.object(record, reference, times))
            }
            [b'[', next, ..] if b"{[\" \t]".contains(next) => self.array(record, reference, times),
            [b'['] if record.is_bare() => Unwrapped::Several(Vec::new()),
            // `journalctl -o json-seq` and `json-sse`.
            [0x1e, rest @ ..] | [b'd', b'a', b't', b'a', b':', rest @ ..] if !record.is_named() => {
                let message = rest.trim_ascii_start();
                let is_object = message.starts_with(b"{");
                if is_object {
                    Unwrapped::Record(Record { message, ..*record })
                } else {
                    Unwrapped::Not
                }
            }
            _ => Unwrapped::Not,
        }
    }
}

impl Json {
    fn object<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        match Parts::of_object(record.message) {
            Ok(parts) if parts.units().is_some() && parts.get(Part::Message).is_none() => {
                self.several(record, &parts, reference, times)
            }
            Ok(parts) => self.line(record, &parts, reference, times),
            Err(error) => {
                let broken = || Unwrapped::Broken(format!("not a JSON object: {error}"));
                let Some(text) = readable(record.message) else { return broken() };
                let Ok(parts) = Parts::of_object(text.as_bytes()) else { return broken() };
                match Line::of(&parts, reference, times, &mut self.moments) {
                    Some(line) => line.into_owned().behind(record),
                    None => broken(),
                }
            }
        }
    }

    fn line<'a>(
        &mut self,
        record: &Record<'a>,
        parts: &Parts<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        let line = Line::of(parts, reference, times, &mut self.moments);
        line.map_or(Unwrapped::Not, |line| line.behind(record))
    }

    /// One line as Loki or CloudWatch Insights answers it, or an array of lines.
    fn array<'a>(
        &mut self,
        record: &Record<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        let text = record.message;
        let is_events = b"{ ]".contains(&text[1]);
        let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(text) else {
            return if record.is_bare() && is_events {
                line_of_array(record)
            } else {
                Unwrapped::Not
            };
        };
        if let Some(parts) = row(&items) {
            return self.line(record, &parts, reference, times);
        }
        if !is_events && !items.iter().all(|item| is_unit(item)) {
            return Unwrapped::Not;
        }
        let line = |item: &&'a RawValue| Record { message: item.get().as_bytes(), ..*record };
        let mut lines: Vec<_> = items.iter().map(line).collect();
        self.oldest_first(&mut lines, reference, times);
        Unwrapped::Several(lines)
    }

    /// The lines in the arrays of an object, each with what the object tells of all.
    fn several<'a>(
        &mut self,
        record: &Record<'a>,
        parts: &Parts<'a>,
        reference: i64,
        times: &mut Timestamps,
    ) -> Unwrapped<'a> {
        if parts.text(Part::Kind).as_deref() == Some(b"CONTROL_MESSAGE") {
            // CloudWatch Logs asks whether the destination is there.
            return Unwrapped::Several(Vec::new());
        }
        let mut lines = Vec::new();
        collect(record, parts, DEEPEST, &mut |mut array| {
            self.oldest_first(&mut array, reference, times);
            lines.append(&mut array);
        });
        if lines.is_empty() { Unwrapped::Not } else { Unwrapped::Several(lines) }
    }

    /// Turns an array around that has the newest line first, as many stores answer.
    fn oldest_first(&mut self, lines: &mut [Record<'_>], reference: i64, times: &mut Timestamps) {
        if let [first, .., last] = lines
            && let Some(first) = self.time_of(first.message, reference, times)
            && let Some(last) = self.time_of(last.message, reference, times)
            && first > last
        {
            lines.reverse();
        }
    }

    /// The time that is told beside a line.
    fn time_of(&mut self, text: &[u8], reference: i64, times: &mut Timestamps) -> Option<i64> {
        let parts = match text {
            [b'{', ..] => Parts::of_object(text).ok()?,
            _ => row(&serde_json::from_slice::<Vec<&RawValue>>(text).ok()?)?,
        };
        let parts = match parts.log() {
            Some(Cow::Borrowed(log)) => Parts::of_object(log).ok()?,
            _ => parts,
        };
        parts.times().find_map(|(text, utc)| self.moments.read(&text, utc, reference, times))
    }
}

/// The parts of a line in an array: `["1795431600000000000", "text"]`, or `[{"field": "@message", "value": "text"}]`.
fn row<'a>(items: &[&'a RawValue]) -> Option<Parts<'a>> {
    #[derive(Deserialize)]
    struct Field<'a> {
        field: String,
        #[serde(borrow)]
        value: &'a RawValue,
    }
    let mut parts = Parts::default();
    let mut take = |field: &str, value: &'a RawValue| {
        if let Some(name) = name(field) {
            parts.take(name, Value::Json(value.get()));
        }
    };
    match items {
        [time, line, ..] if is_nanoseconds(time.get()) && line.get().starts_with('"') => {
            take("timestamp", time);
            take("line", line);
        }
        [first, ..] if first.get().starts_with('{') => {
            for item in items {
                let Field { field, value } = serde_json::from_str(item.get()).ok()?;
                take(&field, value);
            }
        }
        _ => return None,
    }
    Some(parts)
}

/// Why a record could not be decoded, if this stands in its place.
fn undecoded(message: &[u8]) -> Option<Unwrapped<'_>> {
    if !message.starts_with(UNDECODED) {
        return None;
    }
    #[derive(Deserialize)]
    struct Undecoded {
        undecoded: String,
    }
    let Undecoded { undecoded } = serde_json::from_slice(message).ok()?;
    Some(Unwrapped::Broken(undecoded))
}

/// Loki's time, as text.
fn is_nanoseconds(raw: &str) -> bool {
    matches!(raw.as_bytes(), [b'"', digits @ .., b'"'] if digits.len() == 19
        && digits.iter().all(u8::is_ascii_digit))
}

/// Whether an element can hold a line.
fn is_unit(item: &RawValue) -> bool {
    item.get().starts_with(['{', '['])
}

/// A line of an array that stands one object a line.
fn line_of_array<'a>(record: &Record<'a>) -> Unwrapped<'a> {
    let text = record.message;
    let inner = text.strip_prefix(b"[").unwrap_or(text).trim_ascii();
    let inner = inner.strip_suffix(b"]").unwrap_or(inner).trim_ascii();
    let line = Some(Record::of(inner)).filter(|_| !inner.is_empty());
    Unwrapped::Several(line.into_iter().collect())
}

/// Hands on the lines in the arrays of an object, array by array.
fn collect<'a>(
    around: &Record<'a>,
    parts: &Parts<'a>,
    depth: usize,
    each: &mut impl FnMut(Vec<Record<'a>>),
) {
    let Some((text, units)) = parts.units().filter(|_| depth > 0) else { return };
    if units == Units::Answered && parts.get(Part::Answer).is_none() {
        return;
    }
    let Ok(items) = serde_json::from_str::<Vec<&'a RawValue>>(text) else { return };
    let mut around = *around;
    if !around.is_named()
        && let Some(Cow::Borrowed(host)) = parts.text(Part::Host)
    {
        around.host = host;
    }
    let items = items.into_iter().filter(|item| is_unit(item)).map(|item| item.get().as_bytes());
    if units != Units::Nested {
        each(items.map(|message| Record { message, ..around }).collect());
        return;
    }
    for parts in items.filter_map(|item| Parts::of_object(item).ok()) {
        collect(&around, &parts, depth - 1, each);
    }
}
