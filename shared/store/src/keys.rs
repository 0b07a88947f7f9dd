//! Keys of the single table. `pk` and `sk` are texts.
//!
//! | item | `pk` | `sk` |
//! | --- | --- | --- |
//! | page of usage | `U#2026-11-23` | domain TAB `.` the page's place in the tree, as in `.011` |
//! | rollup | `R#` domain (nothing: all domains) | day |
//! | seen | `S#name#2026-11` (or `domain`) | name |
//! | day: revision, archive | `D` | day |
//! | page of failures | `F#2026-11-23` | `.` the page's place in the tree |
//! | carry-over | `C#` log stream | `-` |
//! | known file | `K#` checksum of its first line | source |
//! | quarantine | `Q#2026-11-23` | source TAB position TAB number |
//! | report request | `REQUESTS` | id |
//! | idempotency key | `I#` checksum of the key | `-` |
//! | schedule | `SCHEDULES` | id |
//! | settings | `META` | `zone` |
//! | open report requests | `META` | `open requests` |
//! | report requests of a day, counted | `META` | `requests 2026-11-23` |

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use report::{Day, RETENTION_DAYS};
use sha2::{Digest as _, Sha256};

/// An item, or its key, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// When the engine may remove an item: seconds since 1970.
pub(crate) const EXPIRES: &str = "x";
/// The partition of the days' states.
pub(crate) const DAYS: &str = "D";

/// The longest name of a log stream, in bytes, that is a key as it is.
const LOG_STREAM: usize = 1000;

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

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

/// Whether an item has not expired at `now`, whatever the engine has made of it.
pub(crate) fn is_kept(item: &Item, now: i64) -> bool {
    instant(item, EXPIRES).is_some_and(|expires| expires > now)
}

pub(crate) fn of_number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn usage(day: Day) -> String {
    format!("U#{day}")
}

pub(crate) fn rollup(domain: &str) -> String {
    format!("R#{domain}")
}

pub(crate) fn failures(day: Day) -> String {
    format!("F#{day}")
}

pub(crate) fn quarantine(day: Day) -> String {
    format!("Q#{day}")
}

pub(crate) fn carry_over(log_stream: &str) -> String {
    format!("C#{}", within(log_stream, LOG_STREAM))
}

/// A name of whoever can write to a stream, within so many bytes and a checksum: a key takes 2,048 bytes.
pub(crate) fn within(name: &str, limit: usize) -> Cow<'_, str> {
    if name.len() <= limit {
        return name.into();
    }
    let checksum = checksum(name.as_bytes());
    let mut cut = limit;
    while !name.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}~{checksum}", &name[..cut]).into()
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn idempotency(checksum: &str) -> String {
    format!("I#{checksum}")
}

pub(crate) fn seen(domains: bool, day: Day) -> String {
    let kind = if domains { "domain" } else { "name" };
    format!("S#{kind}#{}", day.format("%Y-%m"))
}

/// When an item about `day` expires: two days after it has left the retention, so that no zone and no
/// clock sees it go too early.
pub(crate) fn expiry(day: Day) -> AttributeValue {
    let days = i64::try_from(RETENTION_DAYS).unwrap_or(i64::MAX) + 2;
    let begins = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    of_number(begins.saturating_add(days.saturating_mul(86_400)))
}

pub(crate) fn bytes(bytes: Vec<u8>) -> AttributeValue {
    AttributeValue::B(bytes.into())
}

pub(crate) fn read_bytes<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_log_streams_fit_into_keys_and_stay_different() {
        assert_eq!(carry_over("cw:1:mail:mx1"), "C#cw:1:mail:mx1");
        let (one, two) = ("\u{e9}".repeat(2000) + "1", "\u{e9}".repeat(2000) + "2");
        assert!(carry_over(&one).len() < 2048);
        assert_ne!(carry_over(&one), carry_over(&two));
    }
}
