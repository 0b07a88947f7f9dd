//! Moments as shippers write them into fields.

use chrono::NaiveDateTime;

use crate::time::{Timestamps, seconds};

/// Forms of exports that people made, and whether they are in UTC: Kibana's, Azure's, syslog-ng's.
const OF_EXPORTS: [(&str, bool); 3] = [
    ("%b %d, %Y @ %H:%M:%S%.f", false),
    ("%m/%d/%Y, %I:%M:%S%.f %p", true),
    ("%Y %b %d %H:%M:%S%.f", false),
];

/// The longest text that is looked at.
const LONGEST: usize = 48;

/// Reads moments; keeps what it worked out last for those in UTC.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    in_utc: Timestamps,
}

impl Default for Moments {
    fn default() -> Self {
        Self { in_utc: Timestamps::new(chrono_tz::UTC) }
    }
}

impl Moments {
    /// Seconds since 1970 of a number or a text, if it is a moment and nothing else.
    ///
    /// A number counts seconds, milliseconds, microseconds or nanoseconds, by its size. A text without a zone is
    /// in UTC if `utc`, else in the zone of `times`; one without a year is near `reference`.
    pub(crate) fn read(
        &mut self,
        text: &[u8],
        utc: bool,
        reference: i64,
        times: &mut Timestamps,
    ) -> Option<i64> {
        let text = text.trim_ascii();
        if text.len() > LONGEST || !text.is_ascii() {
            return None;
        }
        let text = str::from_utf8(text).ok()?;
        if let Ok(number) = text.parse::<f64>() {
            let number = if number >= 1e17 { number / 1e9 } else { number };
            // Nothing was logged in 1970: zero says that it is not known.
            return seconds(number).filter(|seconds| *seconds > 0);
        }
        let zoneless = if utc { &mut self.in_utc } else { &mut *times };
        match text.as_bytes() {
            [b'0'..=b'9', .., _] if matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) => {
                self.iso(text, utc, times)
            }
            [b'A'..=b'Z', ..] if !text.contains(',') => syslog(text, reference, zoneless),
            _ => None,
        }
        .or_else(|| self.of_export(text, utc, times))
    }

    /// `2026-11-23T11:00:00`, or with a blank, a fraction, and a zone right behind or after a blank.
    fn iso(&mut self, text: &str, utc: bool, times: &mut Timestamps) -> Option<i64> {
        let (seconds, rest) = text.split_at_checked(19)?;
        let zone = rest.trim_start_matches(['.', ',']);
        let zone = zone.trim_start_matches(|digit: char| digit.is_ascii_digit()).trim();
        let is_utc = matches!(zone, "Z" | "z" | "UTC" | "GMT") || (utc && zone.is_empty());
        let is_name = zone.bytes().all(|byte| byte.is_ascii_uppercase());
        let mut whole = [0; LONGEST];
        let end = seconds.len() + if is_utc || is_name { 0 } else { zone.len() };
        whole[..19].copy_from_slice(seconds.as_bytes());
        whole[10] = b'T';
        whole[19..end].copy_from_slice(&zone.as_bytes()[..end - 19]);
        let whole = &whole[..end];
        let times = if is_utc { &mut self.in_utc } else { times };
        times.rfc3339(whole).filter(|(_, read)| *read == end).map(|(time, _)| time)
    }

    fn of_export(&mut self, text: &str, utc: bool, times: &mut Timestamps) -> Option<i64> {
        OF_EXPORTS.iter().find_map(|(form, in_utc)| {
            let read = NaiveDateTime::parse_from_str(text, form).ok()?;
            let times = if utc || *in_utc { &mut self.in_utc } else { &mut *times };
            let iso = read.format("%Y-%m-%dT%H:%M:%S").to_string();
            times.rfc3339(iso.as_bytes()).map(|(time, _)| time)
        })
    }
}

/// `Nov 23 11:00:00`, also with a fraction, or with one blank before a day of one digit.
fn syslog(text: &str, reference: i64, times: &mut Timestamps) -> Option<i64> {
    let is_fraction = |rest: &str| {
        rest.trim_start_matches(['.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).is_empty()
    };
    let bytes = text.as_bytes();
    if bytes.get(5) == Some(&b' ') && bytes.get(4).is_some_and(u8::is_ascii_digit) {
        return syslog(&format!("{} {}", text.get(..4)?, text.get(4..)?), reference, times);
    }
    let (stamp, rest) = text.split_at_checked(15)?;
    is_fraction(rest).then(|| times.syslog(stamp.as_bytes(), reference)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELEVEN: i64 = 1_795_431_600; // 2026-11-23T11:00Z
    const REFERENCE: i64 = ELEVEN + 3600;

    fn read(text: &str, utc: bool) -> Option<i64> {
        let mut times = Timestamps::new(chrono_tz::Europe::Berlin);
        Moments::default().read(text.as_bytes(), utc, REFERENCE, &mut times)
    }

    #[test]
    fn every_form_of_a_moment_is_read() {
        for text in [
            "1795431600",
            "1795431600.25",
            "1.7954316e9",
            "1795431600123",
            "1795431600123456",
            "1795431600123456789",
            "2026-11-23T11:00:00Z",
            "2026-11-23T11:00:00.123456789Z",
            "2026-11-23T12:00:00+01:00",
            "2026-11-23T12:00:00.123+0100",
            "2026-11-23 12:00:00 +0100",
            "2026-11-23 12:00:00.1+01:00",
            "2026-11-23 11:00:00 UTC",
            "2026-11-23 11:00:00.000 UTC",
            "2026-11-23 11:00:00Z",
            "11/23/2026, 11:00:00.000 AM",
        ] {
            assert_eq!(read(text, false), Some(ELEVEN), "{text}");
            assert_eq!(read(text, true), Some(ELEVEN), "{text}");
        }
        for text in [
            "2026-11-23 12:00:00.000",
            "2026-11-23T12:00:00",
            "2026-11-23 12:00:00 CET",
            "Nov 23 12:00:00",
            "Nov 23 12:00:00.123",
            "Nov 23, 2026 @ 12:00:00.123",
            "2026 Nov 23 12:00:00",
        ] {
            assert_eq!(read(text, false), Some(ELEVEN), "{text}");
            assert_eq!(
                read(text, true),
                Some(ELEVEN + 3600).filter(|_| !text.contains("CET")).or(Some(ELEVEN)),
                "{text}"
            );
        }
        assert_eq!(read("Nov 3 11:00:00", true), Some(ELEVEN - 20 * 86_400));
        assert_eq!(read("11/23/2026, 1:00:00.000 PM", true), Some(ELEVEN + 7200));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            " ",
            "0",
            "nan",
            "inf",
            "-5",
            "yesterday",
            "2026-11-23",
            "2026-11-23T11:00:00Zx",
            "2026-11-23 11:00:00 mail",
            "2026-11-23 11:00:0\u{e9}",
            "Nov 23 11:0",
            "Nov 23 11:00:00 mail",
            "Nov 23",
            "Jan 1 ",
            "99999999999999999999999999999999999999",
            "2026-11-23 11:00:00,1x",
        ] {
            assert_eq!(read(text, false), None, "{text}");
        }
    }
}
