//! Dates and clocks as they are spelled by what writes neither RFC 3164 nor RFC 3339.

use super::figures::{offset, skip_fraction};
use super::months::month;
use crate::text::number as digits;

/// How far into a text a time may reach.
const LONGEST: usize = 64;

/// A day and a clock, as they stand in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Spelled<'a> {
    /// None if it is not written.
    pub(super) year: Option<u32>,
    pub(super) month: u32,
    pub(super) day: u32,
    /// `HH:MM:SS`.
    pub(super) clock: [u8; 8],
    pub(super) zone: Zone<'a>,
    /// How many bytes of the text are the time.
    pub(super) end: usize,
}

/// The zone behind a clock.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Zone<'a> {
    /// None is written.
    Local,
    /// Seconds east of UTC.
    Offset(i64),
    /// An abbreviation such as `CET`.
    Named(&'a [u8]),
}

/// Reads the time at the beginning of a text, in one of these spellings, each with or without a fraction:
///
/// - `Nov 3 11:00:00`, `Nov 23 2026 11:00:00`, `2026 Nov 23 11:00:00`, `Mon Nov 23 11:00:00 2026`, in any language;
/// - `2026/11/23 11:00:00`, `2026-11-23_11:00:00`, `Mon 2026-11-23 11:00:00 UTC`.
pub(super) fn read(text: &[u8]) -> Option<Spelled<'_>> {
    let mut words = Words { text: &text[..text.len().min(LONGEST)], at: 0 };
    let is_weekday = words.skip(|word| weekday(word).then_some(())).is_some();
    if let Some((year, month, day)) = words.skip(date) {
        return words.clocked((Some(year), month, day), is_weekday);
    }
    let year = words.skip(year);
    let month = words.skip(month)?;
    let day = words.skip(day)?;
    let year = year.or_else(|| words.skip(self::year));
    words.clocked((year, month, day), false)
}

/// The words of a text, one by one.
struct Words<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    /// The next word, and where it ends.
    fn next(&self) -> (&'a [u8], usize) {
        let text = &self.text[self.at..];
        let length = text.iter().position(|byte| matches!(byte, b' ' | b'_')).unwrap_or(text.len());
        (&text[..length], self.at + length)
    }

    /// Takes the next word if it is understood, with the blanks behind it.
    fn skip<T>(&mut self, read: impl Fn(&'a [u8]) -> Option<T>) -> Option<T> {
        let (word, end) = self.next();
        let read = read(word)?;
        let blanks = self.text[end..].iter().take_while(|byte| matches!(byte, b' ' | b'_')).count();
        self.at = end + blanks;
        Some(read)
    }

    /// The clock, and what belongs to it.
    fn clocked(
        mut self,
        (mut year, month, day): (Option<u32>, u32, u32),
        has_zone: bool,
    ) -> Option<Spelled<'a>> {
        let mut end = self.next().1;
        let (clock, mut zone) = self.skip(clock)?;
        if year.is_none() {
            let behind = self.next().1;
            year = self.skip(self::year);
            end = if year.is_some() { behind } else { end };
        }
        if zone == Zone::Local {
            let (word, behind) = self.next();
            if let Some(found) = self::zone(word, has_zone) {
                (zone, end) = (found, behind);
            }
        }
        Some(Spelled { year, month, day, clock, zone, end })
    }
}

fn weekday(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    matches!(word, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

/// `2026-11-23` or `2026/11/23`.
fn date(word: &[u8]) -> Option<(u32, u32, u32)> {
    let [_, _, _, _, b'-' | b'/', _, _, second, _, _] = word else { return None };
    (*second == word[4]).then_some((digits(&word[..4])?, digits(&word[5..7])?, digits(&word[8..])?))
}

fn year(word: &[u8]) -> Option<u32> {
    digits(word).filter(|year| word.len() == 4 && (1970..=2199).contains(year))
}

fn day(word: &[u8]) -> Option<u32> {
    let word = word.strip_suffix(b",").or_else(|| word.strip_suffix(b".")).unwrap_or(word);
    digits(word).filter(|day| word.len() <= 2 && (1..=31).contains(day))
}

/// `11:00:00`, perhaps with a fraction, and an offset at once behind it.
fn clock(word: &[u8]) -> Option<([u8; 8], Zone<'static>)> {
    let clock: [u8; 8] = word.get(..8)?.try_into().ok()?;
    let [_, _, b':', _, _, b':', _, _] = clock else { return None };
    let end = skip_fraction(word, 8);
    match offset(word, end) {
        Some((seconds, behind)) if behind == word.len() => Some((clock, Zone::Offset(seconds))),
        _ => (end == word.len()).then_some((clock, Zone::Local)),
    }
}

/// A word that tells the zone: UTC or an offset, and where there must be one, any abbreviation.
fn zone(word: &[u8], must_be: bool) -> Option<Zone<'_>> {
    if matches!(word, b"UTC" | b"GMT" | b"UCT") {
        return Some(Zone::Offset(0));
    }
    if let [b'+' | b'-', ..] = word {
        if let [sign, first, second] = *word {
            let hours = [sign, first, second, b'0', b'0'];
            return offset(&hours, 0).map(|(seconds, _)| Zone::Offset(seconds));
        }
        let (seconds, end) = offset(word, 0)?;
        return (end == word.len()).then_some(Zone::Offset(seconds));
    }
    let is_name = (2..=5).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase);
    (must_be && is_name).then_some(Zone::Named(word))
}
