//! Items, and the values of their attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Day, RETENTION_DAYS};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dynamo::error::StoreError;

/// An item, or its key, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// When the engine may remove an item: seconds since 1970.
pub(crate) const EXPIRES: &str = "x";

/// The number of an item's form; none is 1. See [`is_later`].
pub(crate) const FORM: &str = "form";

/// Whether a later version of this program wrote the item in a form that this one must not take for its own: `known` is
/// the last one of such items that it knows.
///
/// Attributes may be added to items without a new form: whoever does not know one leaves it out. What is read
/// and replaced as a whole (states of log streams, work items, schedules, quarantine) gets the attribute `form` once an
/// earlier version would misread it. What is only ever added to (usage, failed logins, rollups, who was seen, states of days)
/// would be added to even so: another form of these goes into partitions with another beginning.
pub(crate) fn is_later(item: &Item, known: u64) -> bool {
    item.contains_key(FORM) && number(item, FORM).is_none_or(|form| !(1..=known).contains(&form))
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// What an attribute holds as JSON, in an item of the first form; errors call it what is `expected` in this partition.
pub(crate) fn json<T: DeserializeOwned>(
    item: &Item,
    name: &str,
    (partition, expected): (&str, &'static str),
) -> Result<T, StoreError> {
    let read = || serde_json::from_str(text(item, name)?).ok();
    let read = if is_later(item, 1) { None } else { read() };
    read.ok_or_else(|| StoreError::Item {
        key: format!("{partition} {}", text(item, "sk").unwrap_or("?")),
        expected,
    })
}

pub(crate) fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Seconds since 1970.
pub(crate) fn instant(item: &Item, name: &str) -> Option<i64> {
    number(item, name).and_then(|number| i64::try_from(number).ok())
}

pub(crate) fn bytes<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}

/// An item for a person to look at: a line for each attribute, bytes in hexadecimal.
pub(crate) fn told(item: &Item) -> String {
    let mut lines: Vec<_> = item
        .iter()
        .map(|(name, value)| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => format!("{name} {text}\n"),
            AttributeValue::B(bytes) => {
                let bytes: String =
                    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{name} {bytes}\n")
            }
            other => format!("{name} {other:?}\n"),
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// The day that the item is about: its sort key.
pub(crate) fn day(item: &Item) -> Option<Day> {
    text(item, "sk")?.parse().ok()
}

/// Whether an item has not expired at `now`, whatever the engine has made of it.
pub(crate) fn is_kept(item: &Item, now: i64) -> bool {
    instant(item, EXPIRES).is_some_and(|expires| expires > now)
}

pub(crate) fn of_text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A value as JSON, of which errors call the item by its partition and id.
pub(crate) fn of_json(
    partition: &str,
    id: &str,
    value: &impl Serialize,
) -> Result<AttributeValue, StoreError> {
    let failed = |error: serde_json::Error| StoreError::Item {
        key: format!("{partition} {id} ({error})"),
        expected: "what can be written as JSON",
    };
    serde_json::to_string(value).map(of_text).map_err(failed)
}

pub(crate) fn of_number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn of_bytes(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(bytes.into().into())
}

/// When an item about `day` expires: two days after it has left the retention, so that no zone and no
/// clock sees it go too early.
pub(crate) fn expiry(day: Day) -> AttributeValue {
    after(day, i64::try_from(RETENTION_DAYS).unwrap_or(i64::MAX) + 2)
}

/// When an item expires that is kept for so many days after the beginning of a day.
pub(crate) fn after(day: Day, days: i64) -> AttributeValue {
    let begins = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    of_number(begins.saturating_add(days.saturating_mul(86_400)))
}
