//! When scheduled reports are due, and which days they cover.

use chrono::{Datelike as _, Days, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::counting::day::{Day, Range, day_in, local_to_unix};

/// How far two occurrences can lie apart, in days, with some to spare.
const FURTHEST: u64 = 64;

/// How often a report is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// Every week on this day.
    Weekly(Weekday),
    /// Every month.
    Monthly(MonthDay),
}

/// A day of every month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonthDay {
    /// This one, 1 to 31; the last day of a month that has fewer.
    Day(u32),
    /// The last.
    Last,
}

/// When a report is due: at a time of day in a zone, on some days from a first to a last one, and not before
/// the days that it covers are over where they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timetable {
    /// On which days.
    pub frequency: Frequency,
    /// When on these days, by the wall clock of `zone`. A time that a clock set forward leaves out is
    /// read with the offset before the change, one that comes twice is the first of the two.
    pub time: NaiveTime,
    /// The zone of `time` and of all days here.
    pub zone: Tz,
    /// The first day on which it can be due.
    pub first: Day,
    /// The last day on which it can be due.
    pub expires: Day,
    /// The zone whose days the report covers. Where it lies behind `zone`, a day can end there after the time
    /// of day: the report is due when it does.
    pub counted_in: Tz,
}

impl Timetable {
    /// The day on which `first` expires, if nothing else is said: a year later.
    #[must_use]
    pub fn a_year_after(first: Day) -> Day {
        first.checked_add_months(chrono::Months::new(12)).unwrap_or(first)
    }

    fn occurs_on(&self, day: Day) -> bool {
        let last = u32::from(day.num_days_in_month());
        let fits = match self.frequency {
            Frequency::Daily => true,
            Frequency::Weekly(weekday) => day.weekday() == weekday,
            Frequency::Monthly(MonthDay::Day(number)) => day.day() == number.min(last),
            Frequency::Monthly(MonthDay::Last) => day.day() == last,
        };
        fits && (self.first..=self.expires).contains(&day)
    }

    fn due_on(&self, day: Day) -> i64 {
        let day_begins = local_to_unix(self.counted_in, day.and_time(NaiveTime::MIN));
        local_to_unix(self.zone, day.and_time(self.time)).max(day_begins)
    }

    /// The last day on which it was due, up to and with `unix`.
    fn latest_day(&self, unix: i64) -> Option<Day> {
        let begin = day_in(self.zone, unix).succ_opt()?.min(self.expires);
        (0..FURTHEST)
            .filter_map(|back| begin.checked_sub_days(Days::new(back)))
            .find(|day| self.occurs_on(*day) && self.due_on(*day) <= unix)
    }

    /// The first time it is due after `unix` (seconds since 1970); none if it has expired by then.
    #[must_use]
    pub fn next_after(&self, unix: i64) -> Option<i64> {
        let begin = day_in(self.zone, unix).pred_opt()?.max(self.first);
        (0..FURTHEST)
            .filter_map(|ahead| begin.checked_add_days(Days::new(ahead)))
            .filter(|day| self.occurs_on(*day))
            .map(|day| self.due_on(day))
            .find(|due| *due > unix)
    }

    /// The last time it was due, up to and with `unix`; none if it never was.
    #[must_use]
    pub fn latest(&self, unix: i64) -> Option<i64> {
        self.latest_day(unix).map(|day| self.due_on(day))
    }

    /// The days that the report due at `due` covers: the full period before its day.
    #[must_use]
    pub fn period(&self, due: i64) -> Range {
        let today = self.latest_day(due).unwrap_or_else(|| day_in(self.zone, due));
        let yesterday = today.pred_opt().unwrap_or(today);
        match self.frequency {
            Frequency::Daily => Range { start: yesterday, end: yesterday },
            Frequency::Weekly(_) => Range::last(yesterday, 7),
            Frequency::Monthly(_) => {
                let end = today.with_day(1).and_then(|first| first.pred_opt()).unwrap_or(today);
                Range { start: end.with_day(1).unwrap_or(end), end }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn day(text: &str) -> Day {
        text.parse().expect("a date")
    }

    fn utc(text: &str) -> i64 {
        text.parse::<DateTime<chrono::Utc>>().expect("an instant").timestamp()
    }

    fn timetable(frequency: Frequency, time: &str, zone: Tz) -> Timetable {
        let time = time.parse().expect("a time");
        let (first, expires) = (day("2026-01-01"), day("2028-12-31"));
        Timetable { frequency, time, zone, first, expires, counted_in: zone }
    }

    /// All due times from one instant on, in UTC.
    fn dues(timetable: &Timetable, after: &str, count: usize) -> Vec<String> {
        let mut at = utc(after);
        let mut dues = Vec::new();
        while let Some(due) = timetable.next_after(at)
            && dues.len() < count
        {
            let text = DateTime::from_timestamp(due, 0).expect("an instant");
            dues.push(text.format("%Y-%m-%dT%H:%MZ").to_string());
            assert_eq!(timetable.latest(due), Some(due));
            assert!(timetable.latest(due - 1).is_none_or(|earlier| earlier <= at));
            at = due;
        }
        dues
    }

    #[test]
    fn a_daily_report_keeps_its_wall_clock_time_over_both_changes() {
        let berlin = timetable(Frequency::Daily, "08:00:00", Tz::Europe__Berlin);
        let spring = dues(&berlin, "2026-03-28T00:00:00Z", 3);
        assert_eq!(spring, ["2026-03-28T07:00Z", "2026-03-29T06:00Z", "2026-03-30T06:00Z"]);
        let autumn = dues(&berlin, "2026-10-24T00:00:00Z", 3);
        assert_eq!(autumn, ["2026-10-24T06:00Z", "2026-10-25T07:00Z", "2026-10-26T07:00Z"]);
    }

    #[test]
    fn times_that_never_were_or_were_twice_are_due_once() {
        let berlin = timetable(Frequency::Daily, "02:30:00", Tz::Europe__Berlin);
        let spring = dues(&berlin, "2026-03-28T12:00:00Z", 2);
        assert_eq!(spring, ["2026-03-29T01:30Z", "2026-03-30T00:30Z"]);
        let autumn = dues(&berlin, "2026-10-24T12:00:00Z", 2);
        assert_eq!(autumn, ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]);
    }

    #[test]
    fn weekly_reports_are_due_on_their_day() {
        let weekly = timetable(Frequency::Weekly(Weekday::Mon), "06:15:00", Tz::UTC);
        let due = dues(&weekly, "2026-11-24T00:00:00Z", 2);
        assert_eq!(due, ["2026-11-30T06:15Z", "2026-12-07T06:15Z"]);
        let period = weekly.period(utc("2026-11-30T06:15:00Z"));
        assert_eq!(period, Range { start: day("2026-11-23"), end: day("2026-11-29") });
    }

    #[test]
    fn the_31st_is_the_last_day_of_shorter_months() {
        let monthly = |day| timetable(Frequency::Monthly(day), "00:00:00", Tz::UTC);
        let expected = [
            "2027-12-31T00:00Z",
            "2028-01-31T00:00Z",
            "2028-02-29T00:00Z",
            "2028-03-31T00:00Z",
            "2028-04-30T00:00Z",
        ];
        for month_day in [MonthDay::Day(31), MonthDay::Last] {
            assert_eq!(dues(&monthly(month_day), "2027-12-01T00:00:00Z", 5), expected);
        }
        let on_29th = dues(&monthly(MonthDay::Day(29)), "2027-01-30T00:00:00Z", 2);
        assert_eq!(on_29th, ["2027-02-28T00:00Z", "2027-03-29T00:00Z"]);
        let on_29th = dues(&monthly(MonthDay::Day(29)), "2028-01-30T00:00:00Z", 1);
        assert_eq!(on_29th, ["2028-02-29T00:00Z"]);
        let period = monthly(MonthDay::Day(1)).period(utc("2028-03-01T00:00:00Z"));
        assert_eq!(period, Range { start: day("2028-02-01"), end: day("2028-02-29") });
    }

    #[test]
    fn nothing_is_due_before_the_first_or_after_the_last_day() {
        let mut daily = timetable(Frequency::Daily, "23:30:00", Tz::America__New_York);
        (daily.first, daily.expires) = (day("2026-11-25"), day("2026-11-26"));
        let due = dues(&daily, "2026-01-01T00:00:00Z", 9);
        assert_eq!(due, ["2026-11-26T04:30Z", "2026-11-27T04:30Z"]);
        assert_eq!(daily.latest(utc("2026-11-26T04:29:59Z")), None);
        let later = daily.latest(utc("2027-01-02T00:00:00Z"));
        assert_eq!(later, Some(utc("2026-11-27T04:30:00Z")), "after a long outage");
        daily.first = day("2030-01-01");
        assert_eq!(daily.next_after(utc("2026-11-24T00:00:00Z")), None);
        assert_eq!(Timetable::a_year_after(day("2028-02-29")), day("2029-02-28"));
    }

    #[test]
    fn every_day_is_covered_once_whatever_the_two_zones() {
        let zones = [Tz::UTC, Tz::Europe__Berlin, Tz::Asia__Tokyo, Tz::America__Los_Angeles];
        for (zone, counted_in) in zones.iter().flat_map(|one| zones.map(|other| (*one, other))) {
            for time in ["00:00:00", "01:30:00", "08:00:00", "23:45:00"] {
                let table = timetable(Frequency::Daily, time, zone);
                let table = Timetable { counted_in, ..table };
                let (mut at, mut covered) = (utc("2026-03-20T12:00:00Z"), Vec::new());
                while covered.len() < 230 {
                    at = table.next_after(at).expect("another");
                    let Range { start, end } = table.period(at);
                    assert_eq!(start, end);
                    assert!(
                        day_in(counted_in, at) > end,
                        "{zone} {counted_in} {time}: {end} is over"
                    );
                    covered.push(end);
                }
                assert!(covered.windows(2).all(|days| days[0].succ_opt() == Some(days[1])));
            }
        }
    }

    #[test]
    fn the_first_of_a_month_covers_the_month_before_in_any_zone() {
        let monthly = timetable(Frequency::Monthly(MonthDay::Day(1)), "08:00:00", Tz::Asia__Tokyo);
        let monthly = Timetable { counted_in: Tz::UTC, ..monthly };
        assert_eq!(
            dues(&monthly, "2026-10-15T00:00:00Z", 1),
            ["2026-11-01T00:00Z"],
            "an hour later"
        );
        let october = Range { start: day("2026-10-01"), end: day("2026-10-31") };
        assert_eq!(monthly.period(utc("2026-11-01T00:00:00Z")), october);
    }
}
