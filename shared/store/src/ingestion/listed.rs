//! What is told of the logs that are read: kept with each log stream's state, and copied into a list of all.
//!
//! What was read of a log is counted where its state is written, under the same condition: so each line once. The
//! list has a copy of each, because whoever shows it may not read states. A copy is of the state that was just written;
//! if the program dies in between, the lines come again and so does the copy.
//!
//! The list is one partition a month, so that what is over expires. Each month tells only so many logs apart, those
//! that come first: whoever may write to a stream names log streams. What goes on in another file keeps its place.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::DateTime;
use futures_util::StreamExt as _;
use report::{Day, Intake, LineCounts};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::Answer;

/// Logs that a month tells apart.
pub(crate) const LISTED: usize = 500;
/// Seconds that a log is listed after its last line.
pub(crate) const LIFE: i64 = 92 * 86_400;
/// Clocks may differ by so many seconds.
const AHEAD: i64 = 86_400;
/// Characters of a log's name that are kept.
const NAME: usize = 300;

/// The checksums of the logs of a month.
const KNOWN: &str = "known";
const ID: &str = "id";
const WRITTEN: &str = "written";
const NAMED: &str = "name";
const FOLLOWED: &str = "followed";
const LAST: &str = "last";
const LOG_TIME: &str = "log_time";
const LONGEST: &str = "longest";
const TOTAL: &str = "total";
const DAY: &str = "day";
const OF_DAY: &str = "of_day";
const UNKNOWN_ON: &str = "unknown_on";
const NEAREST: &str = "nearest";
const FORMATS: &str = "formats";
const MONTH: &str = "month";
const HAS_PLACE: &str = "has_place";

/// What is told of a log, and where.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listed {
    /// Its place in the list.
    id: String,
    /// How often it was written.
    written: u64,
    /// The last month for which a place was asked, and whether there was one.
    month: Option<(String, bool)>,
    pub(crate) intake: Intake,
}

impl Listed {
    /// A log of which nothing was told yet. The id is another than any of before.
    pub(crate) fn new(id: String, name: &str, is_followed: bool) -> Self {
        let mut listed = Self { id, written: 0, month: None, intake: Intake::default() };
        listed.call(name, is_followed);
        listed
    }

    /// Says what the log is called, and whether it is read as it grows.
    pub(crate) fn call(&mut self, name: &str, is_followed: bool) {
        self.intake.name = report::displayed(name, NAME);
        self.intake.is_followed = is_followed;
    }

    /// That it was written once more.
    pub(crate) fn count(&mut self) {
        self.written += 1;
    }

    /// Finds a place for it in the list of this month, once.
    ///
    /// Condition **there is room** closes the race of log streams that come at once. Asked again, it has the place that it had.
    pub(crate) async fn place(&mut self, table: &Table, now: i64) -> Result<(), StoreError> {
        let month = month_of(now);
        if self.month.as_ref().is_some_and(|(asked, _)| *asked >= month) {
            return Ok(());
        }
        let checksum = keys::checksum(self.id.as_bytes())[..16].to_owned();
        let room = Condition::new(
            "attribute_not_exists(#known) OR size(#known) < :most OR contains(#known, :one)",
        );
        let room = room.name("#known", KNOWN).value(":most", items::of_number(LISTED));
        let room = room.value(":one", items::of_text(checksum.clone()));
        let change = Change::of(keys::known_sources(&month))
            .add(KNOWN, AttributeValue::Ss(vec![checksum]))
            .expires(items::of_number(now + LIFE))
            .only_if(room);
        let has_place = matches!(table.update(change).await?, Answer::Done(_));
        if !has_place {
            let name = &self.intake.name;
            tracing::warn!(name, month, "there are too many logs to list this one");
        }
        self.month = Some((month, has_place));
        Ok(())
    }

    /// The copy for the list, if it has a place there.
    pub(crate) fn copy(&self, now: i64) -> Option<Item> {
        let (month, _) = self.month.as_ref().filter(|(_, has_place)| *has_place)?;
        let mut item = keys::source(month, &self.id);
        item.extend(self.told());
        item.insert(EXPIRES.to_owned(), items::of_number(now + LIFE));
        Some(item)
    }

    /// Condition **not newer** closes the race of two copies: of an earlier state, and of this one.
    pub(crate) fn condition(&self) -> Condition {
        Condition::new("attribute_not_exists(#written) OR #written <= :written")
            .name("#written", WRITTEN)
            .value(":written", items::of_number(self.written))
    }

    /// As it is kept with the log stream's state.
    pub(crate) fn value(&self) -> AttributeValue {
        let mut told = self.told();
        if let Some((month, has_place)) = &self.month {
            told.insert(MONTH.to_owned(), items::of_text(month.clone()));
            told.insert(HAS_PLACE.to_owned(), AttributeValue::Bool(*has_place));
        }
        AttributeValue::M(told)
    }

    fn told(&self) -> Item {
        let Intake { name, is_followed, last, log_time, longest, .. } = &self.intake;
        let Intake { formats, total, day, of_day, nearest, .. } = &self.intake;
        let texts = [(ID, &self.id), (NAMED, name), (DAY, &day.to_string())];
        let numbers = [(WRITTEN, self.written.to_string()), (LAST, last.to_string())];
        let numbers = numbers.into_iter().chain([(LONGEST, longest.to_string())]);
        let numbers = numbers.chain(log_time.map(|time| (LOG_TIME, time.to_string())));
        let mut told: Item =
            texts.map(|(name, text)| (name.to_owned(), items::of_text(text))).into();
        told.extend(numbers.map(|(name, number)| (name.to_owned(), items::of_number(number))));
        told.insert(FOLLOWED.to_owned(), AttributeValue::Bool(*is_followed));
        let formats = formats.iter().map(items::of_text).collect();
        told.insert(FORMATS.to_owned(), AttributeValue::L(formats));
        told.insert(TOTAL.to_owned(), of_counts(total));
        told.insert(OF_DAY.to_owned(), of_counts(of_day));
        if let Some((on, nearest)) = nearest {
            told.insert(UNKNOWN_ON.to_owned(), items::of_text(on.to_string()));
            told.insert(NEAREST.to_owned(), items::of_text(nearest));
        }
        told
    }

    /// What is kept with a log stream's state; nothing if it is not what this program writes.
    pub(crate) fn of_value(value: &AttributeValue) -> Option<Self> {
        let told = value.as_m().ok()?;
        let mut listed = Self::of(told)?;
        let has_place = told.get(HAS_PLACE).and_then(|value| value.as_bool().ok().copied());
        listed.month = items::text(told, MONTH).map(str::to_owned).zip(has_place);
        Some(listed)
    }

    fn of(told: &Item) -> Option<Self> {
        let signed = |name| told.get(name)?.as_n().ok()?.parse::<i64>().ok();
        let day = |name| items::text(told, name)?.parse::<Day>().ok();
        let nearest = items::text(told, NEAREST).map(str::to_owned);
        let intake = Intake {
            name: items::text(told, NAMED)?.to_owned(),
            is_followed: *told.get(FOLLOWED)?.as_bool().ok()?,
            last: signed(LAST)?,
            log_time: signed(LOG_TIME),
            longest: signed(LONGEST)?,
            formats: texts(told.get(FORMATS)?)?,
            total: counts(told.get(TOTAL)?)?,
            day: day(DAY)?,
            of_day: counts(told.get(OF_DAY)?)?,
            nearest: day(UNKNOWN_ON).zip(nearest),
        };
        let (id, written) = (items::text(told, ID)?.to_owned(), items::number(told, WRITTEN)?);
        Some(Self { id, written, month: None, intake })
    }
}

fn of_counts(counts: &LineCounts) -> AttributeValue {
    AttributeValue::L(counts.numbers().map(items::of_number).into())
}

fn texts(value: &AttributeValue) -> Option<BTreeSet<String>> {
    value.as_l().ok()?.iter().map(|one| one.as_s().ok().cloned()).collect()
}

/// A later version may add more at the end.
fn counts(value: &AttributeValue) -> Option<LineCounts> {
    let numbers = value.as_l().ok()?.iter().map(|one| one.as_n().ok()?.parse().ok());
    let numbers: Option<Vec<u64>> = numbers.collect();
    numbers?.first_chunk().copied().map(LineCounts::of)
}

/// The calendar month of an instant, as in `2026-11`.
fn month_of(unix: i64) -> String {
    DateTime::from_timestamp(unix, 0).unwrap_or_default().format("%Y-%m").to_string()
}

/// What is listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceList {
    /// What was read of each log. Several may have the same name.
    pub logs: Vec<Intake>,
    /// Whether there may be others, for which there was no place.
    pub is_full: bool,
}

/// Lists the logs that were read. Touches the list and nothing else.
#[derive(Clone, Debug)]
pub struct Sources(Table);

impl Sources {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["O#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// The logs of which something was read in the retention before `now`, in seconds since 1970.
    ///
    /// # Errors
    /// A request failed.
    pub async fn list(&self, now: i64) -> Result<SourceList, StoreError> {
        let mut newest: BTreeMap<String, Listed> = BTreeMap::new();
        let mut is_full = false;
        let mut months: Vec<_> =
            (now - LIFE..=now + AHEAD).step_by(86_400).chain([now + AHEAD]).map(month_of).collect();
        months.dedup();
        for month in months {
            let partition = keys::sources(&month);
            let mut pages = self.0.pages(&partition);
            while let Some(page) = pages.next().await {
                for item in page?.iter().filter(|item| items::is_kept(item, now)) {
                    if let Some(AttributeValue::Ss(known)) = item.get(KNOWN) {
                        is_full |= known.len() >= LISTED;
                    }
                    let Some(listed) = Listed::of(item) else { continue };
                    let known = newest.get(&listed.id);
                    if known.is_none_or(|known| known.written < listed.written) {
                        newest.insert(listed.id.clone(), listed);
                    }
                }
            }
        }
        let logs = newest.into_values().map(|listed| listed.intake).collect();
        Ok(SourceList { logs, is_full })
    }
}

#[cfg(test)]
mod tests {
    use report::BatchRead;

    use super::*;

    #[test]
    fn what_is_told_is_read_again() {
        let mut listed = Listed::new("id".to_owned(), "a\u{202e}b\n", true);
        assert_eq!(listed.intake.name, "a\u{fffd}b\u{fffd}");
        assert_eq!(Listed::of_value(&listed.value()), Some(listed.clone()));
        let counts = LineCounts::of([6, 1, 2, 1, 2, 9]);
        let read =
            BatchRead { counts, formats: vec!["exim"], log_time: Some(-7), nearest: Some("") };
        listed.intake.add(&read, 90, Day::default());
        listed.count();
        listed.month = Some(("2026-11".to_owned(), true));
        assert_eq!(Listed::of_value(&listed.value()), Some(listed.clone()));
        let copy = listed.copy(0).expect("it has a place");
        assert_eq!(Listed::of(&copy), Some(Listed { month: None, ..listed.clone() }));
        // None of its attributes could be taken for a position.
        assert!(copy.values().all(|value| !value.is_b()));
        listed.month = Some(("2026-11".to_owned(), false));
        assert_eq!(listed.copy(0), None);
        // A later version may tell more.
        let mut more = copy;
        let numbers = [6, 1, 2, 1, 2, 9, 4].map(items::of_number);
        more.insert(TOTAL.to_owned(), AttributeValue::L(numbers.into()));
        assert_eq!(Listed::of(&more).map(|one| one.intake.total), Some(counts));
        more.remove(LAST);
        assert_eq!(Listed::of(&more), None);
    }

    #[test]
    fn long_names_are_cut() {
        let listed = Listed::new("id".to_owned(), &"x".repeat(5000), false);
        assert_eq!(listed.intake.name.chars().count(), NAME);
    }
}
