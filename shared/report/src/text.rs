//! Text written by strangers, made fit to be stored, compared and shown.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use crate::{Day, Range};

/// Longest sender kept, in bytes: RFC 5321 allows a path of 256 octets.
pub const SENDER_LIMIT: usize = 256;
/// Longest account name kept, in bytes.
pub const ACCOUNT_LIMIT: usize = 256;
/// Longest mechanism or authenticator name kept, in bytes (RFC 4422 allows 20).
pub const MECHANISM_LIMIT: usize = 64;

/// `text` in lower case, without control characters and within `limit` bytes.
///
/// Text that is fit already is borrowed. Bytes that are no UTF-8 and control characters become
/// U+FFFD. What is too long keeps its beginning and a checksum of the whole, so that two long names
/// stay two.
#[must_use]
pub fn lowered(text: &[u8], limit: usize) -> Cow<'_, str> {
    let fit = |byte: &u8| matches!(byte, 0x20..=0x40 | 0x5b..=0x7e);
    cleaned(text, limit, fit, str::to_lowercase)
}

/// The same as [`lowered`], in upper case.
#[must_use]
pub fn uppered(text: &[u8], limit: usize) -> Cow<'_, str> {
    let fit = |byte: &u8| matches!(byte, 0x20..=0x60 | 0x7b..=0x7e);
    cleaned(text, limit, fit, str::to_uppercase)
}

fn cleaned(
    text: &[u8],
    limit: usize,
    fit: impl Fn(&u8) -> bool,
    fold: impl Fn(&str) -> String,
) -> Cow<'_, str> {
    // Every byte is looked at, fit or not: that way the compiler looks at many at once.
    if text.len() <= limit
        && text.iter().fold(true, |fits, byte| fits & fit(byte))
        && let Ok(text) = std::str::from_utf8(text)
    {
        return Cow::Borrowed(text);
    }
    let folded = fold(&String::from_utf8_lossy(text));
    let clean: String = folded
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    Cow::Owned(bounded(clean, limit))
}

fn bounded(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
        hasher.write(text.as_bytes());
        let mark = format!("~{:016x}", hasher.finish());
        let mut cut = limit.saturating_sub(mark.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        text.truncate(cut);
        text.push_str(&mark);
    }
    text
}

/// Marks that one letter may carry.
const MARKS: usize = 2;

/// Whether a character is not seen by itself, or turns the direction of writing around (Unicode's
/// `Default_Ignorable_Code_Point`, line and paragraph separators): texts that differ in it only look the same.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is a mark that is drawn over the one before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A text as people should see it: what is not seen, turns the direction of writing around, or heaps up over a
/// letter is replaced, and more than `limit` characters end in an ellipsis.
#[must_use]
pub fn displayed(text: &str, limit: usize) -> String {
    let mut marks = 0;
    let harmless = |c: char| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        let harmful = c.is_control() || is_unseen(c) || marks > MARKS;
        if harmful { char::REPLACEMENT_CHARACTER } else { c }
    };
    let mut shown: String = text.chars().take(limit).map(harmless).collect();
    if text.chars().nth(limit).is_some() {
        shown.pop();
        shown.push('\u{2026}');
    }
    shown
}

/// 1234567 as 1,234,567.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A day for people, as in `18 Nov 2026`.
#[must_use]
pub fn date(day: Day) -> String {
    day.format("%-d %b %Y").to_string()
}

/// A range for people, as in `18 Nov 2026 to 24 Nov 2026`.
#[must_use]
pub fn period(range: Range) -> String {
    if range.start == range.end {
        return date(range.start);
    }
    format!("{} to {}", date(range.start), date(range.end))
}

/// A client's IP address as the log writes it, in lower case; empty if it is none.
#[must_use]
pub fn client_address(text: &[u8]) -> Cow<'_, str> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Cow::Borrowed("");
    };
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Cow::Borrowed(text),
        Ok(IpAddr::V6(address)) => Cow::Owned(address.to_string()),
        Err(_) => Cow::Borrowed(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_addresses_are_borrowed() {
        assert!(matches!(lowered(b"alice@example.test", 256), Cow::Borrowed(_)));
        assert_eq!(lowered(b"Alice@Example.TEST", 256), "alice@example.test");
        assert_eq!(lowered("Bj\u{d6}rn@example.test".as_bytes(), 256), "bj\u{f6}rn@example.test");
        assert_eq!(uppered(b"cram-md5", 64), "CRAM-MD5");
    }

    #[test]
    fn control_characters_and_broken_utf8_are_replaced() {
        assert_eq!(lowered(b"a\tb\x00c\xff@x", 256), "a\u{fffd}b\u{fffd}c\u{fffd}@x");
        assert_eq!(lowered("a\u{85}b".as_bytes(), 256), "a\u{fffd}b");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, two) = ("\u{e9}".repeat(400) + "1", "\u{e9}".repeat(400) + "2");
        let (one, two) = (lowered(one.as_bytes(), 256), lowered(two.as_bytes(), 256));
        assert!(one.len() <= 256 && two.len() <= 256);
        assert_ne!(one, two);
    }

    #[test]
    fn what_is_displayed_is_short_and_reads_in_one_direction() {
        assert_eq!(displayed("ann@example.test", 40), "ann@example.test");
        assert_eq!(displayed("a\u{202e}moc@x", 40), "a\u{fffd}moc@x");
        assert_eq!(displayed("a\u{200b}nn\u{feff}@x", 40), "a\u{fffd}nn\u{fffd}@x");
        let heap = displayed(&format!("a{}b\u{301}", "\u{301}".repeat(9)), 40);
        assert_eq!(heap, format!("a\u{301}\u{301}{}b\u{301}", "\u{fffd}".repeat(7)));
        assert_eq!(displayed(&"\u{e9}".repeat(300), 10), "\u{e9}".repeat(9) + "\u{2026}");
    }

    #[test]
    fn numbers_are_grouped_for_people() {
        let shown = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn client_addresses_are_addresses_or_nothing() {
        assert_eq!(client_address(b"192.0.2.7"), "192.0.2.7");
        assert_eq!(client_address(b"2001:DB8:0::1"), "2001:db8::1");
        assert_eq!(client_address(b"unknown"), "");
        assert_eq!(client_address(b"\xff"), "");
    }
}
