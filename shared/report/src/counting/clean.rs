//! Text written by strangers, made fit to be stored and compared.

use std::borrow::Cow;
use std::net::IpAddr;

use siphasher::sip::SipHasher13;

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
        // The mark is stored: its hash must have the same value in every version of this program.
        let mark = format!("~{:016x}", SipHasher13::new().hash(text.as_bytes()));
        let mut cut = limit.saturating_sub(mark.len());
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        text.truncate(cut);
        text.push_str(&mark);
    }
    text
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
        let known = lowered(&[b'x'; 300], 256);
        assert_eq!(known, "x".repeat(239) + "~2f58903130dc04e4", "the same for ever");
    }

    #[test]
    fn client_addresses_are_addresses_or_nothing() {
        assert_eq!(client_address(b"192.0.2.7"), "192.0.2.7");
        assert_eq!(client_address(b"2001:DB8:0::1"), "2001:db8::1");
        assert_eq!(client_address(b"unknown"), "");
        assert_eq!(client_address(b"\xff"), "");
    }
}
