//! Addresses as mail servers log them.

use memchr::{memchr, memchr2, memchr3};

use crate::text::near;

/// An address with its quoted words (RFC 5321, section 4.1.2), as far as the blank or `>` behind it, and the rest.
///
/// None if it is no address: a quoted word stands alone between dots, and none is in a domain. Without quotes, a backslash
/// takes what follows it along, as RFC 822 had it.
pub(crate) fn address(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // Nearly every address is as plain as that.
    let end = near(b' ', text).unwrap_or(text.len());
    if end > 0 && memchr3(b'"', b'\\', b'>', &text[..end]).is_none() {
        return Some(text.split_at(end));
    }
    let (mut at, mut begins, mut escapes, mut in_domain) = (0, true, false, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b' ' | b'>' => break,
            b'"' if begins && !in_domain => {
                at += quoted(&text[at..])?;
                if !matches!(text.get(at), None | Some(b'.' | b'@' | b' ' | b'>')) {
                    return None;
                }
                begins = false;
                continue;
            }
            b'"' => return None,
            b'\\' => {
                (at, escapes) = (at + 1, true);
                text.get(at).filter(|_| !in_domain)?;
            }
            b'@' => in_domain = true,
            _ => {}
        }
        begins = *byte == b'.';
        at += 1;
    }
    // An escaped blank may be the end of a name that is none, and all behind it the line's.
    (at > 0 && (in_domain || !escapes)).then(|| text.split_at(at))
}

/// The length of the quoted string that `text` begins with; a backslash takes what follows it along.
pub(crate) fn quoted(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        match text[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// The IP address in `192.0.2.1:25` or `[2001:db8::1]:25`; what has no port stays as it is.
pub(crate) fn without_port(text: &[u8]) -> &[u8] {
    if let Some(inner) = text.strip_prefix(b"[")
        && let Some(end) = memchr(b']', inner)
    {
        return &inner[..end];
    }
    match memchr(b':', text) {
        Some(at) if memchr(b':', &text[at + 1..]).is_none() => &text[..at],
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_part_of_an_address() {
        for (text, address) in [
            ("192.0.2.1:25", "192.0.2.1"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:db8::1]:25", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(text.as_bytes()), address.as_bytes());
        }
    }

    #[test]
    fn quoted_words_stand_anywhere_in_a_local_part() {
        for text in [
            "ann@example.org",
            r#""a b"@x.test"#,
            r#"a."b H=(x) [192.0.2.9] P=esmtpsa".c@x.test"#,
            r#""\" S=1 \\".".".b@[192.0.2.1]"#,
            "<>",
            "postmaster",
            r#"a\ S=1\@b.\"@x.test"#,
            r#"..".".@x.test"#,
        ] {
            let line = format!("{text} H=(h) [192.0.2.1]");
            let read = address(line.as_bytes()).map(|(address, _)| address);
            let expected = if text == "<>" { "<" } else { text };
            assert_eq!(read, Some(expected.as_bytes()), "{text}");
        }
        for text in
            [r#"a"b"@x.test "#, r#""a"b@x.test "#, r#"a@"x" "#, r#""a b@x.test "#, r"\ S=1", " "]
        {
            assert_eq!(address(text.as_bytes()), None, "{text}");
        }
    }
}
