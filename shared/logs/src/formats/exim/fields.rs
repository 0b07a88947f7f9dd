//! The words that Exim's log lines consist of.
//!
//! Exim makes what cannot be printed printable and leaves blanks, quotes and backslashes as they are. So a value in quotes
//! is read as what is in it was escaped.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use crate::address::{address, quoted};
use crate::text::near;

/// The places behind which a value in quotes may be over that nothing in it escapes.
pub(super) fn closings(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let quotes = memchr::memchr_iter(b'"', text).skip(1).map(|quote| quote + 1);
    quotes.filter(|behind| matches!(text.get(*behind), None | Some(b' ')))
}

/// A name in which Exim wrote UTF-8 as `\303\244`, which it does with all bytes that are not printable ASCII.
///
/// It leaves a backslash as it is, so what stands for ASCII, or is no UTF-8, is somebody's own text.
pub(super) fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if near(b'\\', name).is_none() {
        return name.into();
    }
    let (mut text, mut at) = (Vec::with_capacity(name.len()), 0);
    while at < name.len() {
        // A character has four bytes at most.
        let (mut bytes, mut length) = ([0; 4], 0);
        for byte in name[at..].chunks_exact(4).map_while(escape).take(4) {
            bytes[length] = byte;
            length += 1;
        }
        let valid = match std::str::from_utf8(&bytes[..length]) {
            Ok(_) => length,
            Err(error) => error.valid_up_to(),
        };
        text.extend_from_slice(if valid == 0 { &name[at..=at] } else { &bytes[..valid] });
        at += if valid == 0 { 1 } else { 4 * valid };
    }
    text.into()
}

/// The byte outside of ASCII that `\ooo` stands for.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'\\', digits @ ..] = text else { return None };
    let value = digits.iter().try_fold(0_u16, |value, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 8).then(|| value * 8 + u16::from(digit))
    })?;
    u8::try_from(value).ok().filter(|byte| !byte.is_ascii())
}

/// What follows ` NAME`, if that is next and its value holds no blank and no quote: the value, and the rest.
pub(super) fn word<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let value = text.strip_prefix(b" ")?.strip_prefix(name)?;
    let end = memchr2(b' ', b'"', value).unwrap_or(value.len());
    (value.get(end) != Some(&b'"')).then(|| value.split_at(end))
}

/// Goes past ` NAMEvalue` if it is next.
pub(super) fn past<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    word(text, name).map_or(text, |(_, rest)| rest)
}

/// Goes past ` NAME` if it is next and has no value.
pub(super) fn past_flag<'a>(text: &'a [u8], name: &[u8]) -> &'a [u8] {
    let rest = text.strip_prefix(b" ").and_then(|flag| flag.strip_prefix(name));
    rest.filter(|rest| matches!(rest.first(), None | Some(b' '))).unwrap_or(text)
}

/// Reads all that stands behind a message's size, to the end of the line: how many recipients it lists; none if it is
/// something else. Exim lists them only where it is told to.
pub(super) fn tail(text: &[u8]) -> Option<u64> {
    let mut rest = text;
    for name in [&b"M8S="[..], b"DKIM="] {
        rest = past(rest, name);
    }
    rest = past_flag(rest, b"ARC");
    for name in [&b"RT="[..], b"Q="] {
        rest = past(rest, name);
    }
    for name in [&b" id="[..], b" id*="] {
        if let Some(id) = rest.strip_prefix(name) {
            (_, rest) = address(id)?;
        }
    }
    if let Some(subject) = rest.strip_prefix(b" T=") {
        let end = quoted(subject).filter(|_| subject.first() == Some(&b'"'));
        rest = &subject[end?..];
    }
    if let Some(from) = rest.strip_prefix(b" from <") {
        let behind = if from.first() == Some(&b'>') {
            Some(from)
        } else {
            address(from).map(|(_, behind)| behind)
        };
        rest = behind?.strip_prefix(b">")?;
    }
    let mut recipients = 0;
    if let Some(list) = rest.strip_prefix(b" for") {
        rest = list;
        while let Some((recipient, behind)) = rest.strip_prefix(b" ").and_then(address) {
            // Only an address with a domain may look like a field.
            let is_field = memchr(b'=', recipient).is_some() && memchr(b'@', recipient).is_none();
            if is_field {
                return None;
            }
            recipients += 1;
            rest = behind;
        }
    }
    rest.is_empty().then_some(recipients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf_8_is_unescaped() {
        for (name, expected) in [
            (r"uml\303\244ut", "umläut"),
            (r"\343\201\202\303\244", "あä"),
            (r"b\157ss", r"b\157ss"),
            (r"CORP\ann", r"CORP\ann"),
            (r"a\303", r"a\303"),
            (r"a\303\050", r"a\303\050"),
            (r"a\777\400", r"a\777\400"),
            ("ann", "ann"),
        ] {
            assert_eq!(*unescaped(name.as_bytes()), *expected.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_tail_is_what_exim_writes_behind_the_size() {
        for (text, recipients) in [
            ("", 0),
            (" id=a@x.test", 0),
            (
                r#" M8S=8 DKIM=x.test ARC RT=0.1s Q=q id*="a b"@x.test T="b \" S=1 " from <> for a@x.test "S=1 "@x.test S=1@x.test"#,
                3,
            ),
            (r#" from <"a b"@x.test> for b"#, 1),
        ] {
            assert_eq!(tail(text.as_bytes()), Some(recipients), "{text}");
        }
        for text in [
            " (y) [192.0.2.1]",
            " S=1",
            " id=2 S=270",
            r#" id=" S=270 T="x""#,
            r#" T=" S=270 id=a"#,
            " T=x",
            r" id=\ S=270",
            r#" T="x"y"#,
            " for S=270",
            " from <a@x.test",
            "x",
        ] {
            assert_eq!(tail(text.as_bytes()), None, "{text}");
        }
    }
}
