//! Items, and the values of their attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Day, RETENTION_DAYS};

/// An item, or its key, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// When the engine may remove an item: seconds since 1970.
pub(crate) const EXPIRES: &str = "x";

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
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

pub(crate) fn of_number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn of_bytes(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(bytes.into().into())
}

/// When an item about `day` expires: two days after it has left the retention, so that no zone and no
/// clock sees it go too early.
pub(crate) fn expiry(day: Day) -> AttributeValue {
    let days = i64::try_from(RETENTION_DAYS).unwrap_or(i64::MAX) + 2;
    let begins = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    of_number(begins.saturating_add(days.saturating_mul(86_400)))
}
