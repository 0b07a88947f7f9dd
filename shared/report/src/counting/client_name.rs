//! Names of clients: what says which device an address is.
//!
//! A name stands alone if the server has confirmed it: DNS names the address so, and the name leads back to the
//! address. What anybody may say of a client, itself first of all, stands in parentheses. So no host name begins with
//! one, and nothing between them is one.

use std::borrow::Cow;

use super::clean::{LongNames, client_address, lowered};

/// Longest name of a client kept, in bytes, with its parentheses. DNS allows 253, and HELO any number.
pub const NAME_LIMIT: usize = 128;

/// A host name in lower case; empty if it is none, is an address, or says that there is none.
///
/// Letters of other alphabets than ASCII are in no host name as servers look it up, and could look like another's.
#[must_use]
pub fn host_name(text: &[u8]) -> Cow<'_, str> {
    const SMALL: [u8; 256] = classes(b"-._");
    let text = text.strip_suffix(b".").unwrap_or(text);
    let class = class(text, &SMALL);
    if text.is_empty() || class >= STRANGE || is_none(text) {
        return Cow::Borrowed("");
    }
    match std::str::from_utf8(text) {
        Ok(text) if class == FITS && text.len() <= NAME_LIMIT => Cow::Borrowed(text),
        _ => cut(lowered(text, NAME_LIMIT), NAME_LIMIT),
    }
}

/// A name that nobody has confirmed, in lower case and in parentheses, whether it came in some or not; empty if there is
/// none, or it is an address.
///
/// Parentheses and blanks within are left out.
#[must_use]
pub fn claimed_name(text: &[u8]) -> Cow<'_, str> {
    const SMALL: [u8; 256] = classes(b"!\"#$%&'*+,-./:;<=>?@\\]^_`{|}~");
    // Nearly every one is as plain as that.
    if let [b'(', inner @ .., b')'] = text
        && !inner.is_empty()
        && text.len() <= NAME_LIMIT
        && class(inner, &SMALL) == FITS
        && let Ok(text) = std::str::from_utf8(text)
    {
        return Cow::Borrowed(if is_none(inner) { "" } else { text });
    }
    claimed(text)
}

fn claimed(text: &[u8]) -> Cow<'_, str> {
    let inner = text.strip_prefix(b"(").and_then(|text| text.strip_suffix(b")"));
    let inner = inner.unwrap_or(text).trim_ascii();
    if is_none(inner) || (inner.starts_with(b"[") && inner.ends_with(b"]")) {
        return Cow::Borrowed("");
    }
    let strange = |c: char| matches!(c, '(' | ')') || c.is_whitespace();
    let mut inner = lowered(inner, usize::MAX).into_owned();
    inner.retain(|next| !strange(next));
    if inner.is_empty() {
        return Cow::Borrowed("");
    }
    let inner = lowered(inner.as_bytes(), NAME_LIMIT - 2);
    Cow::Owned(["(", &cut(inner, NAME_LIMIT - 2), ")"].concat())
}

/// What a byte is: it fits as it is, it would in lower case, or it does not.
const FITS: u8 = 0;
const CAPITAL: u8 = 1;
const STRANGE: u8 = 2;

/// What each byte is where letters, digits and the bytes given fit.
const fn classes(others: &[u8]) -> [u8; 256] {
    let (mut table, mut byte) = ([STRANGE; 256], 0);
    while byte < 128 {
        let ascii = byte as u8;
        if ascii.is_ascii_lowercase() || ascii.is_ascii_digit() {
            table[byte] = FITS;
        } else if ascii.is_ascii_uppercase() {
            table[byte] = CAPITAL;
        }
        byte += 1;
    }
    let mut other = 0;
    while other < others.len() {
        table[others[other] as usize] = FITS;
        other += 1;
    }
    table
}

/// What the bytes of a text are together: one table, for names are in every line that counts.
fn class(text: &[u8], table: &[u8; 256]) -> u8 {
    text.iter().fold(FITS, |class, byte| class | table[usize::from(*byte)])
}

/// Whether [`host_name`] or [`claimed_name`] may have left a name so.
#[must_use]
pub fn is_client_name(name: &str) -> bool {
    let claimed = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
    let inner = claimed.unwrap_or(name);
    !inner.is_empty()
        && name.len() <= NAME_LIMIT
        && (claimed.is_some() || name.is_ascii())
        && lowered(name.as_bytes(), NAME_LIMIT) == name
        && !inner.contains(|c: char| matches!(c, '(' | ')') || c.is_whitespace())
}

/// Whether a text is an address, or says that there is no name.
fn is_none(text: &[u8]) -> bool {
    is_address(text) || text.eq_ignore_ascii_case(b"unknown")
}

/// Whether a text is an IP address; `IPv6:` stands before some.
fn is_address(text: &[u8]) -> bool {
    let may_be = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'i' | b'I'))
    };
    if !may_be(text.first()) || !may_be(text.last()) {
        return false;
    }
    let (tag, rest) = text.split_at_checked(5).unwrap_or_default();
    !client_address(if tag.eq_ignore_ascii_case(b"IPv6:") { rest } else { text }).is_empty()
}

/// A clean name with one mark if it was too long: no counter is found by it, so one form will do.
fn cut(name: Cow<'_, str>, limit: usize) -> Cow<'_, str> {
    if name.len() <= limit {
        return name;
    }
    Cow::Owned(LongNames::SipHash.stored(&name, limit).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_one() {
        assert!(matches!(host_name(b"printer-2.office.example"), Cow::Borrowed(_)));
        for (text, expected) in [
            ("Printer-2.Office.Example.", "printer-2.office.example"),
            ("_x.example", "_x.example"),
            ("pc", "pc"),
            ("unknown", ""),
            ("Unknown", ""),
            ("192.0.2.1", ""),
            ("2001:db8::1", ""),
            ("[192.0.2.1]", ""),
            ("(pc)", ""),
            ("a b", ""),
            ("<unknown>", ""),
            ("p\u{441}.example", ""),
            (".", ""),
            ("", ""),
        ] {
            let name = host_name(text.as_bytes());
            assert_eq!(name, expected, "{text}");
            assert!(name.is_empty() || is_client_name(&name), "{text}");
        }
    }

    #[test]
    fn what_is_claimed_stands_in_parentheses_and_has_none() {
        assert!(matches!(claimed_name(b"(pc)"), Cow::Borrowed("(pc)")));
        for (text, expected) in [
            ("pc", "(pc)"),
            ("(PC.Office.Example)", "(pc.office.example)"),
            ("x) boss.example (y", "(xboss.exampley)"),
            ("(x) boss.example (y)", "(xboss.exampley)"),
            (")boss.example(", "(boss.example)"),
            ("a\u{2003}b\tc", "(ab\u{fffd}c)"),
            ("J\u{d6}RG", "(j\u{f6}rg)"),
            ("[192.0.2.1]", ""),
            ("([192.0.2.1])", ""),
            ("([IPv6:2001:db8::1])", ""),
            ("192.0.2.1", ""),
            ("(192.0.2.1)", ""),
            ("IPv6:2001:db8::1", ""),
            ("([])", ""),
            ("(unknown)", ""),
            ("()", ""),
            ("( )", ""),
            (")(", ""),
            ("(", ""),
            ("", ""),
        ] {
            let name = claimed_name(text.as_bytes());
            assert_eq!(name, expected, "{text}");
            assert!(name.is_empty() || is_client_name(&name), "{text}");
            assert_eq!(claimed_name(name.as_bytes()), name, "{text}: clean names stay as they are");
        }
        assert_eq!(claimed_name(b"\xff"), "(\u{fffd})");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let [one, two] = ["1", "2"].map(|end| "\u{e9}x".repeat(200) + end);
        let (first, second) = (claimed_name(one.as_bytes()), claimed_name(two.as_bytes()));
        assert!(first.len() <= NAME_LIMIT && first != second, "{first}");
        assert_eq!(claimed_name(first.as_bytes()), first);
        let [one, two] = ["1", "2"].map(|end| "x.".repeat(100) + end);
        let (first, second) = (host_name(one.as_bytes()), host_name(two.as_bytes()));
        assert!(first.len() == NAME_LIMIT && first != second, "{first}");
        assert!(is_client_name(&first));
    }

    #[test]
    fn what_was_stored_is_a_name_or_is_not_taken() {
        for bad in ["", "Pc", "a b", "(a b)", "(a", "a)", "((a))", "p\u{441}", &"x".repeat(129)] {
            assert!(!is_client_name(bad), "{bad}");
        }
    }
}
