//! Timestamps as mail servers and syslog write them.

mod figures;
mod months;
mod spelled;
mod zones;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::{OffsetName as _, Tz};
use memchr::memchr;
use report::local_to_unix;

use self::figures::{digit, offset, skip_fraction, two_digits};
use self::spelled::{Spelled, Zone};
use crate::text::number;

/// Seconds that a log's clock may run ahead of the reference time.
const AHEAD: i64 = 86_400;
const YEAR: i64 = 365 * 86_400;

/// Reads timestamps; those without a zone or year are resolved in `zone`, near a reference time.
///
/// Remembers the last minute it worked out, because lines of the same minute come together.
#[derive(Clone, Debug)]
pub(crate) struct Timestamps {
    zone: Tz,
    /// `Mmm dd HH:MM` and the instant it begins.
    syslog: ([u8; 12], i64),
    /// `YYYY-MM-DD HH:MM` and the instant it begins in `zone`.
    local: ([u8; 16], i64),
    /// The same, and the instant it begins in UTC.
    utc: ([u8; 16], i64),
}

impl Timestamps {
    pub(crate) fn new(zone: Tz) -> Self {
        Self { zone, syslog: ([0; 12], 0), local: ([0; 16], 0), utc: ([0; 16], 0) }
    }

    /// RFC 3164: `Nov  9 16:21:58`, the 15 bytes at the beginning of `text`.
    ///
    /// The year is the latest in which the time is not more than a day after `reference`.
    #[inline]
    pub(crate) fn syslog(&mut self, text: &[u8], reference: i64) -> Option<i64> {
        let minute: [u8; 12] = text.get(..12)?.try_into().ok()?;
        if text[12] != b':' {
            return None;
        }
        let seconds = two_digits(text, 13).filter(|seconds| *seconds <= 60)?;
        let limit = reference.saturating_add(AHEAD);
        let (known, begins) = self.syslog;
        if known != minute || begins > limit || begins + YEAR <= limit {
            let begins = self.resolve(&minute, limit)?;
            self.syslog = (minute, begins);
        }
        Some(self.syslog.1 + i64::from(seconds))
    }

    fn resolve(&self, minute: &[u8; 12], limit: i64) -> Option<i64> {
        let month = month_number(&minute[..3])?;
        let day = match minute[4] {
            b' ' => digit(minute[5])?,
            _ => two_digits(minute, 4)?,
        };
        if minute[3] != b' ' || minute[6] != b' ' || minute[9] != b':' {
            return None;
        }
        let (hour, minutes) = (two_digits(minute, 7)?, two_digits(minute, 10)?);
        let newest = DateTime::from_timestamp(limit, 0)?.with_timezone(&self.zone).year();
        // 29 February may lie eight years back.
        (newest - 8..=newest).rev().find_map(|year| {
            let date = NaiveDate::from_ymd_opt(year, month, day)?;
            let begins = local_to_unix(self.zone, date.and_hms_opt(hour, minutes, 0)?);
            (begins <= limit).then_some(begins)
        })
    }

    /// RFC 3339 at the beginning of `text`, and how many bytes it takes.
    ///
    /// Also reads offsets without a colon (`+0100`); a time without offset is local.
    pub(crate) fn rfc3339(&mut self, text: &[u8]) -> Option<(i64, usize)> {
        if !matches!(text.get(10)?, b'T' | b't') {
            return None;
        }
        let after_seconds = skip_fraction(text, 19);
        match offset(text, after_seconds) {
            Some((offset, end)) => Some((self.utc(text)? - offset, end)),
            None => Some((self.local(text)?, after_seconds)),
        }
    }

    /// Exim's `2026-11-23 16:22:35[.123][ +0100]` and how many bytes it takes.
    pub(crate) fn exim(&mut self, text: &[u8]) -> Option<(i64, usize)> {
        if *text.get(10)? != b' ' {
            return None;
        }
        // Mostly it is over here.
        if let Some([b' ', next]) = text.get(19..21)
            && !matches!(next, b'+' | b'-' | b'Z' | b'z')
        {
            return Some((self.local(text)?, 19));
        }
        let after_seconds = skip_fraction(text, 19);
        if text.get(after_seconds) == Some(&b' ')
            && let Some((offset, end)) = offset(text, after_seconds + 1)
        {
            return Some((self.utc(text)? - offset, end));
        }
        Some((self.local(text)?, after_seconds))
    }

    /// A time in any spelling at the beginning of `text`, and how many bytes it takes.
    ///
    /// Beside the ones above: seconds since 1970 with a fraction, TAI64N, and what `spelled` knows. Slower: lines mostly
    /// begin with the ones above.
    pub(crate) fn any(&mut self, text: &[u8], reference: i64) -> Option<(i64, usize)> {
        match text.first()? {
            b'A'..=b'Z' if text.get(15) == Some(&b' ') => {
                // A year behind the clock is part of the time.
                let has_year = text.get(16..20).is_some_and(|year| number(year).is_some());
                let time = if has_year { None } else { self.syslog(text, reference) };
                time.map(|time| (time, 15)).or_else(|| self.spelled(text, reference))
            }
            b'0'..=b'9' => {
                // A zone may be named behind the clock, or an offset stand at it.
                let is_all = |end: usize| {
                    let rest = text.get(end..).unwrap_or_default();
                    rest.is_empty()
                        || (rest[0] == b' ' && !matches!(rest.get(1), Some(b'U' | b'G')))
                };
                let plain = self.exim(text).filter(|(_, end)| is_all(*end));
                self.rfc3339(text)
                    .or(plain)
                    .or_else(|| epoch(text))
                    .or_else(|| self.spelled(text, reference))
            }
            b'@' => tai64n(text),
            _ => self.spelled(text, reference),
        }
    }

    /// What `spelled` reads.
    fn spelled(&mut self, text: &[u8], reference: i64) -> Option<(i64, usize)> {
        if !has_clock(text) {
            return None;
        }
        let Spelled { year, month, day, clock, zone, end } = spelled::read(text)?;
        let time = match year {
            None => self.syslog(&as_syslog(month, day, clock)?, reference)?,
            Some(year) => {
                let mut full = *b"YYYY-MM-DD HH:MM:SS";
                full[11..].copy_from_slice(&clock);
                for (at, number) in [(0, year / 100), (2, year % 100), (5, month), (8, day)] {
                    full[at..at + 2].copy_from_slice(&two_figures(number)?);
                }
                match zone {
                    Zone::Local => self.local(&full)?,
                    Zone::Offset(offset) => self.utc(&full)? - offset,
                    Zone::Named(name) => self.named(&full, name)?,
                }
            }
        };
        Some((time, end))
    }

    /// `YYYY-MM-DD HH:MM:SS` in a zone with an abbreviation: of the log's own zone, or of any.
    fn named(&mut self, text: &[u8], name: &[u8]) -> Option<i64> {
        let utc = self.utc(text)?;
        let wall = DateTime::from_timestamp(utc, 0)?.naive_utc();
        let is_meant = |instant: &DateTime<Tz>| {
            instant.offset().abbreviation().is_some_and(|known| known.as_bytes() == name)
        };
        let instants = self.zone.from_local_datetime(&wall);
        if let Some(instant) =
            [instants.earliest(), instants.latest()].into_iter().flatten().find(is_meant)
        {
            return Some(instant.timestamp());
        }
        match zones::offset(name) {
            Some(offset) => Some(utc - offset),
            None => self.local(text),
        }
    }

    /// `YYYY-MM-DD?HH:MM:SS` read as UTC.
    #[inline]
    fn utc(&mut self, text: &[u8]) -> Option<i64> {
        let (minute, seconds) = minute_and_seconds(text)?;
        if self.utc.0 != minute {
            self.utc = (minute, read_minute(&minute)?.and_utc().timestamp());
        }
        Some(self.utc.1 + seconds)
    }

    /// `YYYY-MM-DD?HH:MM:SS` read in the zone.
    #[inline]
    fn local(&mut self, text: &[u8]) -> Option<i64> {
        let (minute, seconds) = minute_and_seconds(text)?;
        if self.local.0 != minute {
            self.local = (minute, local_to_unix(self.zone, read_minute(&minute)?));
        }
        Some(self.local.1 + seconds)
    }
}

/// A moment as a number of seconds, milliseconds or microseconds since 1970, in seconds.
pub(crate) fn seconds(number: f64) -> Option<i64> {
    let seconds = match number {
        n if n >= 1e14 => n / 1e6,
        n if n >= 1e11 => n / 1e3,
        n => n,
    };
    #[expect(clippy::cast_possible_truncation, reason = "far within range")]
    (seconds.is_finite() && (0.0..1e11).contains(&seconds)).then_some(seconds as i64)
}

/// Whether there is a clock near the beginning: the cheap question first.
pub(crate) fn has_clock(text: &[u8]) -> bool {
    let clock = memchr(b':', &text[..text.len().min(40)]).and_then(|colon| text.get(colon..));
    matches!(clock, Some([b':', b'0'..=b'9', b'0'..=b'9', b':', ..]))
}

/// `1795672800.123456`, as journalctl writes it, and how many bytes it takes.
fn epoch(text: &[u8]) -> Option<(i64, usize)> {
    let whole = text.iter().take(11).position(|byte| *byte == b'.').filter(|whole| *whole >= 9)?;
    let end = skip_fraction(text, whole);
    let time = std::str::from_utf8(&text[..whole]).ok()?.parse().ok()?;
    (end > whole + 3 && text.get(end) == Some(&b' ')).then_some((time, end))
}

/// `@400000006a1b2c3d00000000`: seconds of atomic time, which were 10 ahead in 1970, from 2 to the power of 62 on.
fn tai64n(text: &[u8]) -> Option<(i64, usize)> {
    let text = text.get(1..25)?;
    let hex = std::str::from_utf8(text).ok().filter(|_| text.iter().all(u8::is_ascii_hexdigit))?;
    let seconds = i64::from_str_radix(&hex[..16], 16).ok()?.checked_sub(1 << 62)?;
    Some((seconds.checked_sub(10).filter(|seconds| *seconds >= 0)?, 25))
}

/// A day and a clock as RFC 3164 spells them.
fn as_syslog(month: u32, day: u32, clock: [u8; 8]) -> Option<[u8; 15]> {
    let name = MONTHS.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let mut text = *b"Mmm dd HH:MM:SS";
    text[..3].copy_from_slice(*name);
    text[4..6].copy_from_slice(&two_figures(day)?);
    text[7..].copy_from_slice(&clock);
    Some(text)
}

fn two_figures(number: u32) -> Option<[u8; 2]> {
    let figure = |number: u32| u8::try_from(number).ok().map(|number| b'0' + number);
    (number < 100).then_some([figure(number / 10)?, figure(number % 10)?])
}

/// The minute of `YYYY-MM-DD?HH:MM:SS`, as it stands there, and its seconds; a leap second is the last of its minute.
#[inline]
fn minute_and_seconds(text: &[u8]) -> Option<([u8; 16], i64)> {
    let (minute, clock) = text.split_first_chunk()?;
    let seconds = two_digits(clock, 1).filter(|seconds| *seconds <= 60)?;
    (clock[0] == b':').then_some((*minute, i64::from(seconds.min(59))))
}

/// Reads `YYYY-MM-DD?HH:MM`.
fn read_minute(text: &[u8; 16]) -> Option<NaiveDateTime> {
    if text[4] != b'-' || text[7] != b'-' || text[13] != b':' {
        return None;
    }
    let year = two_digits(text, 0)? * 100 + two_digits(text, 2)?;
    if year < 1970 {
        return None;
    }
    let date =
        NaiveDate::from_ymd_opt(year.cast_signed(), two_digits(text, 5)?, two_digits(text, 8)?)?;
    date.and_hms_opt(two_digits(text, 11)?, two_digits(text, 14)?, 0)
}

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

fn month_number(name: &[u8]) -> Option<u32> {
    let month = MONTHS.iter().position(|known| known.as_slice() == name)?;
    u32::try_from(month + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("a time").timestamp()
    }

    #[test]
    fn a_year_is_found_around_new_year_and_for_logs_of_last_year() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        for (line, reference, expected) in [
            ("Dec 31 23:59:59", "2027-01-01T00:00:05Z", "2026-12-31T23:59:59Z"),
            ("Jan  1 00:00:01", "2027-01-01T00:00:05Z", "2027-01-01T00:00:01Z"),
            ("Jan  1 00:00:01", "2026-12-31T23:59:58Z", "2027-01-01T00:00:01Z"),
            ("Nov 24 00:00:00", "2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z"),
            ("Nov 25 00:00:00", "2026-11-23T12:00:00Z", "2025-11-25T00:00:00Z"),
            ("Feb 29 12:00:00", "2027-03-01T00:00:00Z", "2024-02-29T12:00:00Z"),
            ("Dec 09 10:00:00", "2026-12-09T10:00:00Z", "2026-12-09T10:00:00Z"),
        ] {
            let time = times.syslog(line.as_bytes(), unix(reference));
            assert_eq!(time, Some(unix(expected)), "{line} seen at {reference}");
        }
    }

    #[test]
    fn local_times_follow_the_zone() {
        let mut times = Timestamps::new(chrono_tz::Europe::Berlin);
        let reference = unix("2026-11-23T12:00:00Z");
        let winter = times.syslog(b"Nov 23 00:30:00", reference);
        assert_eq!(winter, Some(unix("2026-11-22T23:30:00Z")));
        let summer = times.exim(b"2026-07-23 00:30:00 1x");
        assert_eq!(summer, Some((unix("2026-07-22T22:30:00Z"), 19)));
        let bare = times.rfc3339(b"2026-07-23T00:30:00 host");
        assert_eq!(bare, Some((unix("2026-07-22T22:30:00Z"), 19)));
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let mut times = Timestamps::new(chrono_tz::Asia::Tokyo);
        let iso = times.rfc3339(b"2023-03-14T00:31:06.621091+01:00 host");
        assert_eq!(iso, Some((unix("2023-03-13T23:31:06Z"), 32)));
        let zulu = times.rfc3339(b"2024-01-01T00:00:00.000Z");
        assert_eq!(zulu, Some((unix("2024-01-01T00:00:00Z"), 24)));
        let exim = times.exim(b"2021-05-04 13:37:00.123 -0330 [12] 1hg");
        assert_eq!(exim, Some((unix("2021-05-04T17:07:00Z"), 29)));
    }

    #[test]
    fn every_spelling_tells_the_same_time() {
        let mut times = Timestamps::new(chrono_tz::Europe::Berlin);
        let (reference, expected) = (unix("2026-11-24T00:00:00Z"), unix("2026-11-03T10:00:00Z"));
        for text in [
            "Nov  3 11:00:00",
            "Nov 3 11:00:00",
            "Nov 03 11:00:00.123456",
            "Nov 3 11:00:00,123",
            "nov. 03 11:00:00",
            "marras 3 11:00:00",
            "11月 03 11:00:00",
            "Nov  3 2026 11:00:00",
            "Nov 03 11:00:00 2026",
            "Nov  3 11:00:00 2026",
            "2026 Nov  3 11:00:00",
            "2026 Nov 03 11:00:00.5",
            "Tue Nov  3 11:00:00 2026",
            "2026/11/03 11:00:00",
            "2026/11/03 11:00:00.123 +0100",
            "2026-11-03 11:00:00.123",
            "2026-11-03 10:00:00 UTC",
            "2026-11-03_11:00:00.12345",
            "2026-11-03 05:00:00.123456-0500",
            "2026-11-03 13:00:00 +0300",
            "2026-11-03T10:00:00Z",
            "Tue 2026-11-03 10:00:00 UTC",
            "Tue 2026-11-03 11:00:00 CET",
            "Tue 2026-11-03 05:00:00.123456 EST",
            "Tue 2026-11-03 07:00:00 -03",
            "Tue 2026-11-03 15:30:00 +0530",
            "1793700000.123456",
            "@400000006ae9b0aa2a1b2c3d",
        ] {
            let line = format!("{text} host");
            let read = times.any(line.as_bytes(), reference);
            assert_eq!(read, Some((expected, text.len())), "{text}");
        }
        // The abbreviation tells which of the two hours it was when clocks went back.
        for (zone, expected) in [("CEST", "2026-10-25T00:30:00Z"), ("CET", "2026-10-25T01:30:00Z")]
        {
            let read = times.any(format!("Sun 2026-10-25 02:30:00 {zone} x").as_bytes(), reference);
            assert_eq!(read.map(|(time, _)| time), Some(unix(expected)), "{zone}");
        }
    }

    #[test]
    fn what_only_begins_like_a_spelling_is_none() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        for text in [
            "Nov 3",
            "Nov 3 11:00",
            "Nov 3 11:00:00x",
            "Nov 32 11:00:00",
            "2026 Nov 31 11:00:00",
            "2026/13/03 11:00:00",
            "2026-11/03 11:00:00",
            "Tue 3 11:00:00",
            "1793700000",
            "1793700000. host",
            "11月",
            "@400000006ae9b0aa",
            "@000000006ae9b0aa2a1b2c3d",
            "connect from x",
            "2026",
            " ",
        ] {
            assert_eq!(times.any(text.as_bytes(), 1_795_435_200), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let mut times = Timestamps::new(chrono_tz::UTC);
        for text in ["", "Nov", "Nov 31 00:00:00", "Nov 23 24:00:00", "Xxx 23 00:00:00"] {
            assert_eq!(times.syslog(text.as_bytes(), 1_795_435_200), None, "{text}");
        }
        for text in ["2026-13-01T00:00:00Z", "2026-11-23T25:00:00Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(times.rfc3339(text.as_bytes()), None, "{text}");
        }
    }
}
