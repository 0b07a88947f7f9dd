//! The parts of a line, collected from fields.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Deserializer;
use serde_json::de::Read;
use serde_json::value::RawValue;

use super::names::{Name, Part, Units, name};

/// Times that are kept, for if the best is none.
const TIMES: usize = 3;

/// What a field holds.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// JSON, as it stands there.
    Json(&'a str),
    /// A column's text.
    Text(Cow<'a, [u8]>),
}

impl<'a> Value<'a> {
    /// Its text; of an array the first; a number or an object as it stands.
    fn text(&self) -> Option<Cow<'a, [u8]>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Json(raw) => match raw.as_bytes().first()? {
                b'"' => unescaped(raw),
                b'[' => {
                    let first = serde_json::from_str::<Vec<&RawValue>>(raw).ok()?;
                    let first = first.first()?.get();
                    bytes(first)
                        .or_else(|| Self::Json(first).text().filter(|_| !first.starts_with('[')))
                }
                b'{' | b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.as_bytes())),
                _ => None,
            },
        }
    }

    /// Whether it is of a kind that can tell a part: messages are no numbers, only they are objects, and nothing tells
    /// nothing.
    fn may_tell(&self, part: Part) -> bool {
        let Self::Json(raw) = self else { return true };
        let is_message =
            matches!(part, Part::Message | Part::Enclosed | Part::Attributed | Part::Answer);
        match raw.as_bytes().first() {
            Some(b'"') => raw.len() > 2,
            Some(b'{') => is_message,
            Some(b'[') => *raw != "[]",
            Some(b't' | b'f') => part == Part::Envelope,
            Some(b'n') | None => false,
            Some(_) => !is_message,
        }
    }

    /// Whether it is an object.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Json(raw) if raw.starts_with('{'))
    }
}

/// The text of a JSON string. Halves of surrogate pairs, which strangers can send, become bytes that are no UTF-8.
fn unescaped(raw: &str) -> Option<Cow<'_, [u8]>> {
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    match memchr::memchr(b'\\', inner.as_bytes()) {
        None => return Some(Cow::Borrowed(inner.as_bytes())),
        // A line's end is no part of it, and mostly all that is escaped of what a container wrote.
        Some(at) if matches!(&inner[at..], r"\n" | r"\r\n") => {
            return Some(Cow::Borrowed(&inner.as_bytes()[..at]));
        }
        Some(_) => {}
    }
    Deserializer::from_str(raw).deserialize_byte_buf(Bytes).ok().map(Cow::Owned)
}

/// Bytes that the journal wrote as numbers.
fn bytes(raw: &str) -> Option<Cow<'_, [u8]>> {
    let bytes = raw.starts_with('[').then(|| serde_json::from_str::<Vec<u8>>(raw))?.ok()?;
    (!bytes.is_empty()).then_some(Cow::Owned(bytes))
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[derive(Clone, Debug)]
struct Found<'a> {
    place: usize,
    utc: bool,
    value: Value<'a>,
}

/// The best of each part that fields have told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts<'a> {
    best: [Option<Found<'a>>; Part::COUNT],
    times: [Option<Found<'a>>; TIMES],
    /// An array of several lines, and what its elements are.
    units: Option<(&'a str, Units)>,
}

impl<'a> Parts<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// It is no JSON object.
    pub(crate) fn of_object(text: &'a [u8]) -> Result<Self, serde_json::Error> {
        // All at once is quicker than value by value.
        match str::from_utf8(text) {
            Ok(text) => Self::read(Deserializer::from_str(text)),
            Err(_) => Self::read(Deserializer::from_slice(text)),
        }
    }

    fn read<R: Read<'a>>(mut json: Deserializer<R>) -> Result<Self, serde_json::Error> {
        let mut parts = Self::default();
        Walk { parts: &mut parts, within: "" }.deserialize(&mut json)?;
        json.end()?;
        Ok(parts)
    }

    /// What tells a part best.
    pub(crate) fn get(&self, part: Part) -> Option<&Value<'a>> {
        self.best[part as usize].as_ref().map(|found| &found.value)
    }

    /// The text that tells a part best.
    pub(crate) fn text(&self, part: Part) -> Option<Cow<'a, [u8]>> {
        let value = self.get(part)?;
        let bytes = match value {
            Value::Json(raw) if part == Part::Message => bytes(raw),
            _ => None,
        };
        bytes.or_else(|| value.text()).filter(|text| !text.is_empty())
    }

    /// The object that holds all of a line, if what it stands in is a log's.
    pub(crate) fn log(&self) -> Option<Cow<'a, [u8]>> {
        let is_log = self.text(Part::Type).is_some_and(|kind| *kind == b"log"[..]);
        is_log.then(|| self.text(Part::Attributed)).flatten()
    }

    /// What may tell the time, the best first, and whether it is in UTC where it names no zone.
    pub(crate) fn times(&self) -> impl Iterator<Item = (Cow<'a, [u8]>, bool)> + '_ {
        self.times.iter().flatten().filter_map(|found| Some((found.value.text()?, found.utc)))
    }

    /// Several lines, as JSON, and what the elements are.
    pub(crate) fn units(&self) -> Option<(&'a str, Units)> {
        self.units
    }

    /// Takes note of a field.
    pub(crate) fn take(&mut self, name: &'static Name, value: Value<'a>) {
        if let Value::Json(raw) = value {
            match raw.as_bytes().first() {
                Some(b'{') if name.opens => {
                    // It was read as a part of the whole: it cannot be damaged.
                    let mut json = Deserializer::from_str(raw);
                    let _ = Walk { parts: self, within: name.path }.deserialize(&mut json);
                }
                Some(b'[') if name.units != Units::None => {
                    self.units.get_or_insert((raw, name.units));
                    return;
                }
                _ => {}
            }
        }
        let Some((part, place)) = name.part else { return };
        if !value.may_tell(part) || (name.object && !value.is_object()) {
            return;
        }
        let found = Found { place, utc: name.utc, value };
        if part == Part::Time {
            self.take_time(found);
        } else if self.best[part as usize].as_ref().is_none_or(|best| place < best.place) {
            self.best[part as usize] = Some(found);
        }
    }

    fn take_time(&mut self, found: Found<'a>) {
        let mut next = Some(found);
        for kept in &mut self.times {
            let place = |found: &Option<Found<'_>>| found.as_ref().map_or(usize::MAX, |f| f.place);
            if place(&next) < place(kept) {
                std::mem::swap(kept, &mut next);
            }
        }
    }
}

/// Reads the fields of an object that stands in the field `within`.
struct Walk<'p, 'a> {
    parts: &'p mut Parts<'a>,
    within: &'static str,
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(known) = map.next_key_seed(Key { within: self.within })? {
            match known {
                Some(name) => {
                    let raw: &'a RawValue = map.next_value()?;
                    self.parts.take(name, Value::Json(raw.get()));
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// What is known of a field of an object that stands in the field `within`.
struct Key {
    within: &'static str,
}

impl<'a> DeserializeSeed<'a> for Key {
    type Value = Option<&'static Name>;

    fn deserialize<D: serde::Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static Name>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(if self.within.is_empty() { name(key) } else { name(&format!("{}.{key}", self.within)) })
    }
}

/// A text that JSON can be read from: of what a sloppy writer has left in it, bytes that are no UTF-8 are replaced, and
/// control characters become blanks. None if there is nothing of it.
pub(crate) fn readable(text: &[u8]) -> Option<String> {
    let control = |byte: &u8| *byte < b' ';
    if str::from_utf8(text).is_ok() && !text.iter().any(control) {
        return None;
    }
    let text = String::from_utf8_lossy(text).into_owned();
    Some(text.replace(|character: char| character < ' ', " "))
}
