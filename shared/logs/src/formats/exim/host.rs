//! The client in Exim's words: `NAME (HELO) [ADDRESS]:PORT I=[INTERFACE]:PORT U=IDENT`.
//!
//! The HELO argument and the ident are the client's, and may imitate all the rest.

use memchr::{memchr, memchr_iter, memmem};

/// The client's address; empty if several texts could be it.
pub(super) fn client(host: &[u8]) -> &[u8] {
    let named = &host[memchr(b' ', host).map_or(host.len(), |space| space + 1)..];
    let helo = match (host.first(), named.first()) {
        (Some(b'['), _) => return address_in(&host[1..]),
        (Some(b'('), _) => host,
        (_, Some(b'[')) => return address_in(&named[1..]),
        (_, Some(b'(')) => named,
        _ => return b"",
    };
    let opens = memchr_iter(b'[', helo).filter(|open| helo[..*open].ends_with(b") "));
    let mut ends = opens.map(|open| address_in(&helo[open + 1..]));
    let Some(first) = ends.next() else { return b"" };
    match ends.next_back() {
        None => first,
        // The real one stands last, unless an ident follows it.
        Some(last) if memmem::find(helo, b" U=").is_none() => last,
        Some(_) => b"",
    }
}

/// Whether a text can end where a client's description ends: behind an address, or an ident.
pub(super) fn is_whole(host: &[u8]) -> bool {
    is_address(host) || memmem::find(host, b" U=").is_some()
}

/// Whether a text ends as an address does, with its port or without.
pub(super) fn is_address(host: &[u8]) -> bool {
    let port = host.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = &host[..host.len() - port];
    before.strip_suffix(b":").filter(|_| port > 0).unwrap_or(host).ends_with(b"]")
}

fn address_in(text: &[u8]) -> &[u8] {
    &text[..memchr(b']', text).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_client() {
        for (text, expected) in [
            ("[192.0.2.1]", "192.0.2.1"),
            ("a.test [2001:db8::1]:25 I=[127.0.0.1]:465", "2001:db8::1"),
            ("(h) [192.0.2.1]:5 U=ann", "192.0.2.1"),
            ("a.test ([10.0.0.1]) [192.0.2.1]", "192.0.2.1"),
            ("(x) [198.51.100.9] P=esmtp (y) [192.0.2.1]", "192.0.2.1"),
            ("[192.0.2.1] U=(x) [198.51.100.9]", "192.0.2.1"),
            ("a.test [192.0.2.1] U=(x) [198.51.100.9]", "192.0.2.1"),
            ("(h) [192.0.2.1] U=(x) [198.51.100.9]", ""),
            ("(h U=) [192.0.2.1] (x) [198.51.100.9]", ""),
            ("(h", ""),
            ("", ""),
        ] {
            assert_eq!(client(text.as_bytes()), expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_client_ends_with_its_address_or_its_ident() {
        for text in ["(h) [192.0.2.1]", "[192.0.2.1]:25", "(h) [192.0.2.1] I=[::1]:25 U=a b"] {
            assert!(is_whole(text.as_bytes()), "{text}");
        }
        for text in ["(h) [192.0.2.1]: 535 no (set_id=x", "(h) [192.0.2.1] 25", ":25", ""] {
            assert!(!is_whole(text.as_bytes()), "{text}");
        }
    }
}
