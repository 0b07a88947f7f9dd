//! Calendar days in one configured zone, and ranges of them.

use chrono::{
    DateTime, Days as ChronoDays, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone,
    Timelike as _,
};
use chrono_tz::Tz;
use thiserror::Error;

/// A calendar day in the report's zone.
pub type Day = NaiveDate;

/// How many days are kept and can be asked for, today included.
pub const RETENTION_DAYS: u64 = 90;

/// Every offset in force since 1972 is a multiple of this many seconds.
const STEP: i64 = 900;

/// Finds the calendar day and the hour of an instant; remembers the last quarter of an hour it worked out.
#[derive(Clone, Debug)]
pub struct Days {
    zone: Tz,
    quarter: i64,
    day: Day,
    hour: u8,
}

impl Days {
    /// Days of this zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        let (day, hour) = clock_in(zone, 0);
        Self { zone, quarter: 0, day, hour }
    }

    /// The calendar day on which `unix` (seconds since 1970) falls.
    pub fn day_of(&mut self, unix: i64) -> Day {
        let quarter = unix.div_euclid(STEP);
        if quarter != self.quarter {
            self.quarter = quarter;
            (self.day, self.hour) = clock_in(self.zone, quarter * STEP);
        }
        self.day
    }

    /// The hour, from 0 to 23, that the zone's clock shows then.
    pub fn hour_of(&mut self, unix: i64) -> u8 {
        self.day_of(unix);
        self.hour
    }
}

/// The calendar day in a zone on which an instant falls.
#[must_use]
pub fn day_in(zone: Tz, unix: i64) -> Day {
    clock_in(zone, unix).0
}

/// The day and the hour that a zone's clock shows.
fn clock_in(zone: Tz, unix: i64) -> (Day, u8) {
    let Some(instant) = DateTime::from_timestamp(unix, 0) else { return (NaiveDate::MAX, 0) };
    let local = instant.with_timezone(&zone);
    (local.date_naive(), u8::try_from(local.hour()).unwrap_or(0))
}

/// The instant (seconds since 1970) that a wall clock in `zone` shows as `local`.
///
/// A wall clock that was set back shows some times twice: the earlier instant is taken. One that was
/// set forward never shows some times: they are read with the offset in force before the change.
#[must_use]
pub fn local_to_unix(zone: Tz, local: NaiveDateTime) -> i64 {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
            instant.timestamp()
        }
        MappedLocalTime::None => {
            let before = local - chrono::TimeDelta::hours(3);
            match zone.from_local_datetime(&before) {
                MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => {
                    instant.timestamp() + 3 * 3600
                }
                MappedLocalTime::None => local.and_utc().timestamp(),
            }
        }
    }
}

/// Days from `start` to `end`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// First day.
    pub start: Day,
    /// Last day, included.
    pub end: Day,
}

/// Why a pair of dates is no range that the report can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RangeError {
    /// `end` lies before `start`.
    #[error("start {start} lies after end {end}")]
    Reversed {
        /// As asked.
        start: Day,
        /// As asked.
        end: Day,
    },
    /// `end` lies after the present day.
    #[error("end {end} lies in the future: today is {today}")]
    Future {
        /// As asked.
        end: Day,
        /// The present day.
        today: Day,
    },
    /// `start` lies before the first day that is kept.
    #[error("start {start} is too old: the report keeps {RETENTION_DAYS} days, from {oldest}")]
    TooOld {
        /// As asked.
        start: Day,
        /// The first day that is kept.
        oldest: Day,
    },
}

impl Range {
    /// The days that are kept, as seen on `today`.
    #[must_use]
    pub fn kept(today: Day) -> Self {
        Self::last(today, RETENTION_DAYS)
    }

    /// The last `days` days, `today` included.
    #[must_use]
    pub fn last(today: Day, days: u64) -> Self {
        let start = today.checked_sub_days(ChronoDays::new(days.saturating_sub(1)));
        Self { start: start.unwrap_or(Day::MIN), end: today }
    }

    /// Checks a range that somebody asked for on `today`.
    ///
    /// A missing end is today, or the seventh day from a given start if that is earlier; a missing
    /// start makes a range of seven days (fewer where the retention begins later).
    ///
    /// # Errors
    /// Reversed, future, or beyond the retention.
    pub fn asked(start: Option<Day>, end: Option<Day>, today: Day) -> Result<Self, RangeError> {
        let oldest = Self::kept(today).start;
        let end = end.unwrap_or(today);
        let start = start.unwrap_or_else(|| Self::last(end, 7).start.max(oldest.min(end)));
        if start > end {
            return Err(RangeError::Reversed { start, end });
        }
        if end > today {
            return Err(RangeError::Future { end, today });
        }
        if start < oldest {
            return Err(RangeError::TooOld { start, oldest });
        }
        Ok(Self { start, end })
    }

    /// Every day of the range, in order.
    pub fn days(self) -> impl DoubleEndedIterator<Item = Day> + Clone {
        let count = (self.end - self.start).num_days().max(-1).unsigned_abs();
        let count = if self.end < self.start { 0 } else { count + 1 };
        (0..count).filter_map(move |n| self.start.checked_add_days(ChronoDays::new(n)))
    }

    /// As many days, right before these.
    #[must_use]
    pub fn before(self) -> Self {
        let end = self.start.pred_opt().unwrap_or(self.start);
        Self::last(end, self.days().count() as u64)
    }

    /// The same and the day behind it, unless that is still to come.
    #[must_use]
    pub fn with_next(self, today: Day) -> Self {
        let next = self.end.succ_opt().filter(|next| *next <= today);
        Self { end: next.unwrap_or(self.end), ..self }
    }

    /// Whether `day` lies in the range.
    #[must_use]
    pub fn contains(self, day: Day) -> bool {
        (self.start..=self.end).contains(&day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a date")
    }

    #[test]
    fn days_follow_the_zone_and_its_changes() {
        let mut days = Days::new(chrono_tz::Europe::Berlin);
        // 2026-10-25 is 25 hours long in Berlin: 2026-10-24T22:00Z to 2026-10-25T23:00Z.
        assert_eq!(days.day_of(1_792_879_199), day("2026-10-24"));
        assert_eq!(days.day_of(1_792_879_200), day("2026-10-25"));
        assert_eq!(days.day_of(1_792_969_199), day("2026-10-25"));
        assert_eq!(days.day_of(1_792_969_200), day("2026-10-26"));
        // An hour is there twice on that day.
        let hours = [0, 1, 2, 3, 4, 24].map(|hour| days.hour_of(1_792_879_200 + hour * 3600));
        assert_eq!(hours, [0, 1, 2, 2, 3, 23]);
    }

    #[test]
    fn wall_clock_times_that_never_were_or_were_twice_are_read_the_same_way_always() {
        let berlin = chrono_tz::Europe::Berlin;
        let at = |text: &str| local_to_unix(berlin, text.parse().expect("a date and time"));
        assert_eq!(at("2026-10-25T02:30:00"), 1_792_888_200, "the earlier of two");
        assert_eq!(at("2026-03-29T02:30:00"), at("2026-03-29T03:30:00"), "skipped hour");
    }

    #[test]
    fn both_ends_of_a_range_are_included() {
        let range = Range { start: day("2026-11-17"), end: day("2026-11-23") };
        assert_eq!(range.days().count(), 7);
        assert!(range.contains(range.end) && range.contains(range.start));
        assert_eq!(Range::last(day("2026-11-23"), 7), range);
    }

    #[test]
    fn the_default_is_the_last_seven_days() {
        let today = day("2026-11-23");
        assert_eq!(Range::asked(None, None, today), Ok(Range::last(today, 7)));
        let old = Range::asked(None, Some(day("2026-08-27")), today).expect("a short range");
        assert_eq!(old, Range { start: day("2026-08-26"), end: day("2026-08-27") });
    }

    #[test]
    fn ranges_outside_what_is_kept_are_refused() {
        let today = day("2026-11-23");
        let asked = |start: &str, end: &str| Range::asked(Some(day(start)), Some(day(end)), today);
        assert!(asked("2026-08-26", "2026-11-23").is_ok());
        assert!(matches!(asked("2026-08-25", "2026-11-23"), Err(RangeError::TooOld { .. })));
        assert!(matches!(asked("2026-11-23", "2026-11-24"), Err(RangeError::Future { .. })));
        assert!(matches!(asked("2026-11-23", "2026-11-22"), Err(RangeError::Reversed { .. })));
    }

    #[test]
    fn the_period_before_is_as_long() {
        let range = Range { start: day("2026-11-18"), end: day("2026-11-24") };
        assert_eq!(range.before(), Range { start: day("2026-11-11"), end: day("2026-11-17") });
    }
}
