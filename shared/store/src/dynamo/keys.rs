//! Keys of the single table. `pk` and `sk` are texts.
//!
//! | item | `pk` | `sk` |
//! | --- | --- | --- |
//! | page of usage | `U#2026-11-23` | domain TAB `.` the page's place in the tree, as in `.011` |
//! | rollup | `R#` domain (nothing: all domains) | day |
//! | seen | `S#name#2026-11` (or `domain`) | name |
//! | day: revision, archive | `D` | day |
//! | names told apart | `A#2026-11-23` | `account` TAB account, or `network` TAB network |
//! | what a client is called | `N#` address | `-` |
//! | page of failures | `F#2026-11-23` | `.` the page's place in the tree |
//! | page of finer counters | `G#2026-11-23` | `.` the page's place in the tree |
//! | carry-over | `C#` log stream | `-` |
//! | events that were read | `C#` log stream | `events 0001795435200000` id |
//! | log that is listed | `O#2026-11` | `=` id |
//! | logs that a month tells apart | `O#2026-11` | `-` |
//! | known file | `K#` checksum of its first line | source |
//! | sample of lines | `T#2026-11-23` | source |
//! | quarantine | `Q#2026-11-23` | source TAB position TAB number TAB part |
//! | quarantine: room, left out | `L#2026-11-23` | `-` |
//! | report request | `REQUESTS` | id |
//! | idempotency key | `I#` checksum of the key | `-` |
//! | schedule | `SCHEDULES` | id |
//! | note | `NOTES` | `account` TAB account, or `client` TAB address or network |
//! | revision of the notes | `NOTES` | `-` |
//! | alert, and what became of it | `ALERTS` | id |
//! | mute of alerts | `ALERTS` | `mute#` id |
//! | revision of the alerts, and what is watched | `ALERTS` | `-` |
//! | zone of the days | `META` | `zone` |
//! | open report requests | `META` | `open requests` |
//! | report requests of a day, counted | `META` | `requests 2026-11-23` |

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use report::Day;
use sha2::{Digest as _, Sha256};

use crate::dynamo::items::Item;

/// The partition of the days' states.
pub(crate) const DAYS: &str = "D";
/// The partition of the report requests: the stream's filter names it.
pub const REPORT_REQUESTS: &str = "REQUESTS";
/// The partition of the schedules.
pub(crate) const SCHEDULES: &str = "SCHEDULES";
/// The partition of the notes.
pub(crate) const NOTES: &str = "NOTES";
/// The partition of the alerts.
pub(crate) const ALERTS: &str = "ALERTS";
/// The partition of what there is once.
pub(crate) const META: &str = "META";
/// The sort key where there is but one item in a partition.
const ONLY: &str = "-";

/// The most bytes of a sort key.
const SORT_KEY: usize = 1024;
/// Bytes that stand behind a name that is too long: `~` and a checksum.
const CHECKSUM: usize = 65;
/// The longest name of a log stream, in bytes, that is a key as it is.
const LOG_STREAM: usize = 1000;
/// The longest id of a log that is listed, in bytes, that is a key as it is: such a key takes 1,024 bytes.
const LISTED: usize = 900;

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    Item::from([
        ("pk".to_owned(), AttributeValue::S(pk.to_owned())),
        ("sk".to_owned(), AttributeValue::S(sk.to_owned())),
    ])
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

pub(crate) fn finer(day: Day) -> String {
    format!("G#{day}")
}

pub(crate) fn admitted(day: Day) -> String {
    format!("A#{day}")
}

pub(crate) fn seen(domains: bool, day: Day) -> String {
    let kind = if domains { "domain" } else { "name" };
    format!("S#{kind}#{}", day.format("%Y-%m"))
}

pub(crate) fn client_name(client: &str) -> Item {
    key(&format!("N#{client}"), ONLY)
}

pub(crate) fn day(day: Day) -> Item {
    key(DAYS, &day.to_string())
}

pub(crate) fn quarantine(day: Day) -> String {
    format!("Q#{day}")
}

/// A place in quarantine, and a part of what was put there. All `parts` have the same place.
pub(crate) fn quarantined(
    day: Day,
    source: &str,
    position: &[u8],
    number: u64,
    (part, parts): (usize, usize),
) -> Item {
    let position: String = position.iter().map(|byte| format!("{byte:02x}")).collect();
    let place = |source: &str| format!("{source}\t{position}\t{number}");
    let behind = parts.saturating_sub(1).to_string().len() + 1;
    let mut whole = place(source);
    if whole.len() + behind > SORT_KEY {
        let frame = whole.len() - source.len() + behind + CHECKSUM;
        whole = place(&within(source, SORT_KEY.saturating_sub(frame)));
    }
    key(&quarantine(day), &format!("{whole}\t{part}"))
}

pub(crate) fn left_out(day: Day) -> Item {
    key(&format!("L#{day}"), ONLY)
}

pub(crate) fn known_files(checksum: &str) -> String {
    format!("K#{checksum}")
}

pub(crate) fn samples(day: Day) -> String {
    format!("T#{day}")
}

/// `month` is as in `2026-11`.
pub(crate) fn sources(month: &str) -> String {
    format!("O#{month}")
}

pub(crate) fn source(month: &str, id: &str) -> Item {
    key(&sources(month), &format!("={}", within(id, LISTED)))
}

pub(crate) fn known_sources(month: &str) -> Item {
    key(&sources(month), ONLY)
}

pub(crate) fn of_log_stream(log_stream: &str) -> String {
    format!("C#{}", within(log_stream, LOG_STREAM))
}

pub(crate) fn carry_over(log_stream: &str) -> Item {
    key(&of_log_stream(log_stream), ONLY)
}

/// Events that were read, by the latest of their times in milliseconds since 1970.
pub(crate) fn repeats(until: i64, id: &str) -> String {
    format!("events {:019} {id}", until.max(0))
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

/// `scope` tells keys of different kinds of work apart; `checksum` is that of the client's key.
pub(crate) fn idempotency(scope: &str, checksum: &str) -> Item {
    key(&format!("I#{scope}{checksum}"), ONLY)
}

/// `kind` and `name` of what it is about.
pub(crate) fn note(kind: &str, name: &str) -> Item {
    key(NOTES, &format!("{kind}\t{name}"))
}

pub(crate) fn revision_of_notes() -> Item {
    key(NOTES, ONLY)
}

pub(crate) fn alert(id: &str) -> Item {
    key(ALERTS, id)
}

pub(crate) fn mute(id: &str) -> Item {
    key(ALERTS, &format!("mute#{id}"))
}

pub(crate) fn revision_of_alerts() -> Item {
    key(ALERTS, ONLY)
}

pub(crate) fn zone() -> Item {
    key(META, "zone")
}

/// The set of work items of a kind that have not ended.
pub(crate) fn open_work(kind: &str) -> Item {
    key(META, &format!("open {kind}"))
}

/// How many work items of a kind were placed on a day by `of`, whom a checksum stands for; empty is the first there was.
pub(crate) fn placed_work(kind: &str, day: Day, of: &str) -> Item {
    match of {
        "" => key(META, &format!("{kind} {day}")),
        of => key(META, &format!("{kind} {day} {}", checksum(of.as_bytes()))),
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::items;

    #[test]
    fn names_of_log_streams_fit_into_keys_and_stay_different() {
        let carry_over = |name: &str| items::text(&carry_over(name), "pk").map(str::to_owned);
        let carry_over = |name: &str| carry_over(name).expect("a key");
        assert_eq!(carry_over("cw:1:mail:mx1"), "C#cw:1:mail:mx1");
        let (one, two) = ("\u{e9}".repeat(2000) + "1", "\u{e9}".repeat(2000) + "2");
        assert!(carry_over(&one).len() < 2048);
        assert_ne!(carry_over(&one), carry_over(&two));
    }

    #[test]
    fn places_in_quarantine_fit_into_keys_stay_different_and_are_what_they_were() {
        let day = Day::from_ymd_opt(2026, 11, 23).expect("a day");
        let sk = |source: &str, position: &[u8], part| {
            let key = quarantined(day, source, position, 7, part);
            items::text(&key, "sk").expect("a key").to_owned()
        };
        assert_eq!(sk("file:1", &[1, 255], (0, 1)), "file:1\t01ff\t7\t0");
        // The longest that fitted before.
        let fits = "x".repeat(SORT_KEY - "\t01ff\t7\t0".len());
        assert_eq!(sk(&fits, &[1, 255], (0, 1)), format!("{fits}\t01ff\t7\t0"));
        for source in [format!("{fits}y"), "\u{e9}".repeat(2000) + "1", "\u{e9}".repeat(2000) + "2"]
        {
            for position in [&[1, 255][..], &[9; 56]] {
                let keys = [(0, 1), (0, 12), (11, 12)].map(|part| sk(&source, position, part));
                assert!(keys.iter().all(|key| key.len() <= SORT_KEY), "{keys:?}");
                assert_eq!(
                    keys[1].rsplit_once('\t').map(|key| key.0),
                    keys[2].rsplit_once('\t').map(|key| key.0)
                );
            }
        }
        let long = |end: &str| sk(&("\u{e9}".repeat(2000) + end), &[1], (0, 1));
        assert_ne!(long("1"), long("2"));
    }
}
