//! Answers as text that can be kept and read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// The text with names, by id, instead of what is random or opaque.
pub(super) fn redacted(text: &str, names: &BTreeMap<String, &str>) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let id = rest.get(..36).filter(|id| is_id(id.as_bytes()));
        let taken = match id {
            Some(id) => {
                let name = names.get(id).copied().unwrap_or("id");
                let _ = write!(redacted, "{{{name}}}");
                id.len()
            }
            None => {
                redacted.push(next);
                next.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    let cursors = between(&redacted, "cursor=", "{cursor}");
    let cursors = between(&cursors, "\"next\": \"", "{cursor}");
    between(&cursors, "?v=", "{version}")
}

/// Whether this is a UUID.
fn is_id(text: &[u8]) -> bool {
    text.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// The text with something else in place of every word that follows a mark.
fn between(text: &str, mark: &str, word: &str) -> String {
    let mut parts = text.split(mark);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_word = |found: char| found.is_ascii_alphanumeric() || "-_".contains(found);
        let rest = part.trim_start_matches(is_word);
        replaced.push_str(mark);
        replaced.push_str(if rest.len() < part.len() { word } else { "" });
        replaced.push_str(rest);
    }
    replaced
}

pub(super) fn pretty(json: &str) -> String {
    let value: Option<Value> = serde_json::from_str(json).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| json.to_owned())
}

/// A page, a tag a line, without the patterns of charts (the same on every page) and the zones that are not chosen.
pub(super) fn lines(page: &str) -> String {
    let page = without(page, "<svg class=\"patterns\"", "</svg>", |_| false);
    let zones = ("<select id=\"zone\"", "</select>");
    let chosen = page.split_once(zones.0).and_then(|(before, rest)| {
        let (within, after) = rest.split_once(zones.1)?;
        let chosen = without(within, "<option", "</option>", |option| option.contains(" selected"));
        Some([before, zones.0, &chosen, zones.1, after].concat())
    });
    chosen.unwrap_or(page).replace("><", ">\n<")
}

/// A text without the parts between two marks, except some.
fn without(text: &str, begin: &str, end: &str, keep: impl Fn(&str) -> bool) -> String {
    let mut parts = text.split(begin);
    let mut left = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(end) {
            Some((within, after)) if !keep(within) => left.push_str(after),
            _ => left.extend([begin, part]),
        }
    }
    left
}

/// The text with what nobody could see written out.
pub(super) fn visible(text: &str) -> String {
    let unseen = |found: char| {
        (found.is_control() && found != '\n')
            || matches!(found, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown = String::with_capacity(text.len());
    for found in text.chars() {
        match unseen(found) {
            true => shown.extend(found.escape_unicode()),
            false => shown.push(found),
        }
    }
    shown
}

#[test]
fn what_is_random_or_unseen_is_replaced_and_nothing_else() {
    let id = "01991000-0000-7000-8000-00000000000a";
    let names = BTreeMap::from([(id.to_owned(), "one")]);
    let other = id.replace('a', "b");
    let text = format!("é{id} {other} {id}0 a?cursor=aB-_1&b=c?v=12af\" \"next\": null");
    let expected = "é{one} {id} {one}0 a?cursor={cursor}&b=c?v={version}\" \"next\": null";
    assert_eq!(redacted(&text, &names), expected);
    assert_eq!(visible("a\u{202e}b\r\nc"), "a\\u{202e}b\\u{d}\nc");
    let zones =
        "<p>a</p><select id=\"zone\"><option>A</option><option selected>B</option></select>";
    let chosen = "<p>a</p>\n<select id=\"zone\">\n<option selected>B</option>\n</select>";
    assert_eq!(lines(zones), chosen);
    assert_eq!(lines("<svg class=\"patterns\"><a></svg>b<i>"), "b<i>");
}
