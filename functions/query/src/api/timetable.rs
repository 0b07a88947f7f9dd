//! When a schedule's report is due, as fields tell it.

use chrono::{NaiveTime, Weekday};
use chrono_tz::Tz;
use report::{Day, Frequency, MonthDay, Timetable, day_in};

use super::body::{Fields, wrong};
use super::params;
use super::problem::Problem;
use crate::service::Query;

/// How a time of day is written.
pub(super) const TIME: &str = "%H:%M";
/// The names of the days of the week.
pub(crate) const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// Reads when a report is due; of a schedule that is being edited, what it was stands for fields that are not given.
pub(crate) fn timetable(
    fields: &Fields,
    query: &Query,
    before: Option<&Timetable>,
) -> Result<Timetable, Problem> {
    const TIMES: &str = "it must be a time of day as in 08:00";
    let time = fields.needed("time", TIMES)?;
    let read = NaiveTime::parse_from_str(time, TIME).ok();
    let read = read.filter(|read| read.format(TIME).to_string() == time);
    let time = read.ok_or_else(|| Problem::parameter("time", time, TIMES))?;
    let zone = match fields.text("zone")? {
        None => before.map_or(query.zone, |before| before.zone),
        Some(name) => name.parse::<Tz>().map_err(|_| {
            Problem::parameter("zone", name, "it must be an IANA time zone, as in Europe/Berlin")
        })?,
    };
    let day = |name| fields.text(name)?.map(|text| params::day(name, text)).transpose();
    let today = day_in(zone, query.now());
    let first = day("first_date")?.or(before.map(|before| before.first)).unwrap_or(today);
    let kept = before.filter(|before| before.first == first).map(|before| before.expires);
    let expires: Day = day("expires")?.or(kept).unwrap_or_else(|| Timetable::a_year_after(first));
    if expires < first || expires < today {
        let allowed = format!(
            "it is the last day on which the report can be sent: it must not lie before today ({today}) or \
             first_date ({first})"
        );
        return Err(Problem::parameter("expires", &expires.to_string(), allowed));
    }
    let (frequency, counted_in) = (frequency(fields)?, query.zone);
    let timetable = Timetable { frequency, time, zone, first, expires, counted_in };
    if timetable.next_after(query.now()).is_none() {
        let allowed = "the report would never be sent: it is not due any more up to that day";
        return Err(Problem::parameter("expires", &expires.to_string(), allowed));
    }
    Ok(timetable)
}

fn frequency(fields: &Fields) -> Result<Frequency, Problem> {
    const OFTEN: &str = "it must be daily, weekly or monthly";
    let (weekday, day) = (fields.text("weekday")?, fields.get("day"));
    let often = fields.needed("frequency", OFTEN)?;
    if let Some(weekday) = weekday.filter(|_| often != "weekly") {
        return Err(Problem::parameter("weekday", weekday, "only weekly reports have one"));
    }
    if let Some(day) = day.filter(|_| often != "monthly") {
        return Err(wrong("day", day, "only monthly reports have one"));
    }
    match often {
        "daily" => Ok(Frequency::Daily),
        "weekly" => {
            let name = weekday.unwrap_or_default();
            let found = WEEKDAYS.into_iter().find(|(known, _)| *known == name);
            let (_, weekday) = found.ok_or_else(|| {
                Problem::parameter("weekday", name, "weekly reports need monday to sunday")
            })?;
            Ok(Frequency::Weekly(weekday))
        }
        "monthly" => {
            let day = day.cloned().unwrap_or_default();
            // In JSON, `1.0` is the same number as `1`.
            let number = (1..=31).find(|number| day.as_f64() == Some(f64::from(*number)));
            match number {
                Some(number) => Ok(Frequency::Monthly(MonthDay::Day(number))),
                None if day == "last" => Ok(Frequency::Monthly(MonthDay::Last)),
                None => Err(wrong("day", &day, "monthly reports need 1 to 31, or last")),
            }
        }
        other => Err(Problem::parameter("frequency", other, OFTEN)),
    }
}
