//! Schedules of reports.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{NaiveTime, Weekday};
use futures_util::StreamExt as _;
use report::{Day, Frequency, LastRun, MonthDay, Schedule, Timetable};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys::{self, SCHEDULES};
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::Answer;
use crate::mailing::report_items::{self, read_contents, write_contents};

/// How a time of day is written.
const TIME: &str = "%H:%M";

/// The schedules. Touches them and nothing else.
#[derive(Clone, Debug)]
pub struct Schedules(Table);

impl Schedules {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &[SCHEDULES];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Writes a new schedule, or one that was [`redefined`](Schedule::redefined) over the old one; false if
    /// `replaces` and there is none (any more).
    ///
    /// # Errors
    /// A request failed.
    pub async fn put(&self, schedule: &Schedule, replaces: bool) -> Result<bool, StoreError> {
        // Condition **still there** closes the race of an edit with a deletion, **not run since** that with
        // a tick: the edit must not take back that a report was made.
        let condition = match (&schedule.last, replaces) {
            (_, false) => Condition::no_item(),
            (None, true) => {
                Condition::new("attribute_exists(pk) AND attribute_not_exists(last_due)")
            }
            (Some(last), true) => {
                Condition::new("last_due = :due").value(":due", items::of_number(last.due))
            }
        };
        let answer = self.0.put_if(item(schedule), condition).await?;
        Ok(matches!(answer, Answer::Done(_)))
    }

    /// A schedule that is still kept at `now`.
    ///
    /// # Errors
    /// A request failed, or the item is not what this program writes.
    pub async fn get(&self, id: &str, now: i64) -> Result<Option<Schedule>, StoreError> {
        let found = self.0.get(keys::key(SCHEDULES, id)).await?;
        found.filter(|item| items::is_kept(item, now)).as_ref().map(read).transpose()
    }

    /// Every schedule that is still kept at `now` and can be read, oldest first. One that cannot is logged and left out: it must not
    /// hold up the others.
    ///
    /// # Errors
    /// A request failed.
    pub async fn list(&self, now: i64) -> Result<Vec<Schedule>, StoreError> {
        let mut schedules = Vec::new();
        let mut pages = self.0.pages(SCHEDULES);
        while let Some(page) = pages.next().await {
            for item in page?.into_iter().filter(|item| items::is_kept(item, now)) {
                match read(&item) {
                    Ok(schedule) => schedules.push(schedule),
                    Err(error) => tracing::error!(%error, "schedule left out"),
                }
            }
        }
        Ok(schedules)
    }

    /// Removes a schedule; false if there is none.
    ///
    /// # Errors
    /// A request failed.
    pub async fn delete(&self, id: &str) -> Result<bool, StoreError> {
        self.0.delete(keys::key(SCHEDULES, id)).await
    }

    /// Notes that a schedule was due and became a request.
    ///
    /// Condition **later** closes the race of two ticks: the one that is behind changes nothing. What ran at a time
    /// that has not come ran by a wrong clock.
    ///
    /// # Errors
    /// A request failed.
    pub async fn ran(&self, id: &str, last: &LastRun, now: i64) -> Result<bool, StoreError> {
        let later = "attribute_exists(pk) AND (attribute_not_exists(last_due) OR last_due < :due OR \
                     last_due > :ahead)";
        let change = Change::of(keys::key(SCHEDULES, id))
            .set("last_due", items::of_number(last.due))
            .set("last_request", items::of_text(&last.request))
            .only_if(
                Condition::new(later)
                    .value(":due", items::of_number(last.due))
                    .value(":ahead", items::of_number(now.saturating_add(86_400))),
            );
        Ok(matches!(self.0.update(change).await?, Answer::Done(_)))
    }
}

fn item(schedule: &Schedule) -> Item {
    let mut item = keys::key(SCHEDULES, &schedule.id);
    write_contents(&mut item, &schedule.contents);
    let Timetable { frequency, time, zone, first, expires, counted_in } = schedule.timetable;
    item.insert("frequency".to_owned(), items::of_text(write_frequency(frequency)));
    item.insert("time".to_owned(), items::of_text(time.format(TIME).to_string()));
    item.insert("zone".to_owned(), items::of_text(zone.name().to_owned()));
    item.insert("counted_in".to_owned(), items::of_text(counted_in.name().to_owned()));
    item.insert("first".to_owned(), items::of_text(first.to_string()));
    item.insert("expires".to_owned(), items::of_text(expires.to_string()));
    item.insert("paused".to_owned(), AttributeValue::Bool(schedule.paused));
    item.insert("created".to_owned(), items::of_number(schedule.created));
    item.insert("since".to_owned(), items::of_number(schedule.since));
    if let Some(last) = &schedule.last {
        item.insert("last_due".to_owned(), items::of_number(last.due));
        item.insert("last_request".to_owned(), items::of_text(&last.request));
    }
    // It stays on the list for as long as what it sent.
    item.insert(EXPIRES.to_owned(), items::expiry(expires));
    item
}

fn read(item: &Item) -> Result<Schedule, StoreError> {
    let id = items::text(item, "sk").unwrap_or("?");
    let text = |name| items::text(item, name);
    let day = |name| text(name).and_then(|text| text.parse::<Day>().ok());
    let instant = |name| items::instant(item, name);
    let schedule = || {
        let timetable = Timetable {
            frequency: read_frequency(text("frequency")?)?,
            time: NaiveTime::parse_from_str(text("time")?, TIME).ok()?,
            zone: text("zone")?.parse().ok()?,
            first: day("first")?,
            expires: day("expires")?,
            counted_in: text("counted_in")?.parse().ok()?,
        };
        let last = instant("last_due").zip(text("last_request"));
        Some(Schedule {
            id: id.to_owned(),
            contents: read_contents(item)?,
            timetable,
            paused: *item.get("paused")?.as_bool().ok()?,
            created: instant("created")?,
            since: instant("since")?,
            last: last.map(|(due, request)| LastRun { due, request: request.to_owned() }),
        })
    };
    let schedule = if items::is_later(item, report_items::FORM) { None } else { schedule() };
    schedule.ok_or_else(|| StoreError::Item {
        key: format!("{SCHEDULES} {id}"),
        expected: "a schedule",
    })
}

fn write_frequency(frequency: Frequency) -> String {
    match frequency {
        Frequency::Daily => "daily".to_owned(),
        Frequency::Weekly(weekday) => format!("weekly {weekday}"),
        Frequency::Monthly(MonthDay::Day(day)) => format!("monthly {day}"),
        Frequency::Monthly(MonthDay::Last) => "monthly last".to_owned(),
    }
}

fn read_frequency(text: &str) -> Option<Frequency> {
    if text == "daily" {
        return Some(Frequency::Daily);
    }
    match text.split_once(' ')? {
        ("weekly", weekday) => Some(Frequency::Weekly(weekday.parse::<Weekday>().ok()?)),
        ("monthly", "last") => Some(Frequency::Monthly(MonthDay::Last)),
        ("monthly", day) => Some(Frequency::Monthly(MonthDay::Day(day.parse().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_round_trip() {
        for frequency in [
            Frequency::Daily,
            Frequency::Weekly(Weekday::Sun),
            Frequency::Monthly(MonthDay::Day(31)),
            Frequency::Monthly(MonthDay::Last),
        ] {
            assert_eq!(read_frequency(&write_frequency(frequency)), Some(frequency));
        }
        assert_eq!(read_frequency("hourly"), None);
    }
}
