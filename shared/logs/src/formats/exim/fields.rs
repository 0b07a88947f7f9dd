//! The words that Exim's log lines consist of.
//!
//! Exim makes what cannot be printed printable and leaves blanks, quotes and backslashes as they are. So a value in quotes
//! is read as what is in it was escaped.

use memchr::memchr;

use crate::address::{address, quoted};

/// The places behind which a value in quotes may be over that nothing in it escapes.
pub(super) fn closings(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let quotes = memchr::memchr_iter(b'"', text).skip(1).map(|quote| quote + 1);
    quotes.filter(|behind| matches!(text.get(*behind), None | Some(b' ')))
}

/// What follows ` NAME`, if that is next and its value holds no blank and no quote: the value, and the rest.
pub(super) fn word<'a>(text: &'a [u8], name: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let value = text.strip_prefix(b" ")?.strip_prefix(name)?;
    let end = memchr(b' ', value).unwrap_or(value.len());
    memchr(b'"', &value[..end]).is_none().then(|| value.split_at(end))
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

/// Whether this is all that stands behind a message's size, to the end of the line.
pub(super) fn is_tail(text: &[u8]) -> bool {
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
            let Some((_, behind)) = address(id) else { return false };
            rest = behind;
        }
    }
    if let Some(subject) = rest.strip_prefix(b" T=") {
        let end = quoted(subject).filter(|_| subject.first() == Some(&b'"'));
        let Some(end) = end else { return false };
        rest = &subject[end..];
    }
    if let Some(from) = rest.strip_prefix(b" from <") {
        let behind = if from.first() == Some(&b'>') {
            Some(from)
        } else {
            address(from).map(|(_, behind)| behind)
        };
        let Some(behind) = behind.and_then(|behind| behind.strip_prefix(b">")) else {
            return false;
        };
        rest = behind;
    }
    if let Some(recipients) = rest.strip_prefix(b" for") {
        rest = recipients;
        while let Some((recipient, behind)) = rest.strip_prefix(b" ").and_then(address) {
            // Only an address with a domain may look like a field.
            let is_field = memchr(b'=', recipient).is_some() && memchr(b'@', recipient).is_none();
            if is_field {
                return false;
            }
            rest = behind;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_is_what_exim_writes_behind_the_size() {
        for text in [
            "",
            " id=a@x.test",
            r#" M8S=8 DKIM=x.test ARC RT=0.1s Q=q id*="a b"@x.test T="b \" S=1 " from <> for a@x.test "S=1 "@x.test S=1@x.test"#,
            r#" from <"a b"@x.test> for b"#,
        ] {
            assert!(is_tail(text.as_bytes()), "{text}");
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
            assert!(!is_tail(text.as_bytes()), "{text}");
        }
    }
}
