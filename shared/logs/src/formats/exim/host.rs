//! The client in Exim's words: `NAME (HELO) [ADDRESS]:PORT I=[INTERFACE]:PORT U=IDENT`.
//!
//! The HELO argument and the ident are the client's, and may imitate all the rest.

use memchr::{memmem, memrchr};

use crate::client_name::Name;
use crate::text::{near, places};

/// A client's address, empty if several texts could be it, and its name.
///
/// Exim has looked up the name that stands first, and that leads back to the address. Without one, the HELO argument does.
pub(super) fn client(host: &[u8]) -> (&[u8], Name<'_>) {
    let space = near(b' ', host).unwrap_or(host.len());
    let named = host.get(space + 1..).unwrap_or_default();
    let confirmed = Name::Confirmed(&host[..space]);
    let (helo, name) = match (host.first(), named.first()) {
        (Some(b'['), _) => return (address_in(&host[1..]), Name::Untold),
        (Some(b'('), _) => (host, None),
        (_, Some(b'[')) => return (address_in(&named[1..]), confirmed),
        (_, Some(b'(')) => (named, Some(confirmed)),
        _ => return (b"", Name::Untold),
    };
    let mut opens = places(b'[', helo).filter(|open| helo[..*open].ends_with(b") "));
    let Some(first) = opens.next() else { return (b"", Name::Untold) };
    let open = match opens.last() {
        None => first,
        // The real one stands last, unless an ident follows it.
        Some(last) if memmem::find(helo, b" U=").is_none() => last,
        Some(_) => return (b"", Name::Untold),
    };
    (address_in(&helo[open + 1..]), name.unwrap_or(Name::Claimed(&helo[..open - 1])))
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

/// Whether the address at the end of a text is where a client's stands: first, behind its name, or behind the HELO argument;
/// the interface may follow it. Other brackets are part of something that the client said.
pub(super) fn ends_in_its_place(host: &[u8]) -> bool {
    let Some(open) = memrchr(b'[', host) else { return false };
    let before = &host[..open];
    if let Some(client) = before.strip_suffix(b" I=") {
        return is_address(client) && ends_in_its_place(client);
    }
    if before.is_empty() || before.ends_with(b") ") {
        return true;
    }
    before.strip_suffix(b" ").is_some_and(|name| !name.starts_with(b"(") && !name.contains(&b' '))
}

fn address_in(text: &[u8]) -> &[u8] {
    &text[..near(b']', text).unwrap_or(text.len())]
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
            assert_eq!(client(text.as_bytes()).0, expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn a_name_stands_first_or_in_parentheses() {
        for (text, expected) in [
            ("Pc.x.test [192.0.2.1]:5", "pc.x.test"),
            ("pc.x.test (boss.x.test) [192.0.2.1]", "pc.x.test"),
            ("(pc) [192.0.2.1] U=x", "(pc)"),
            ("(PC) [192.0.2.1]:5 I=[192.0.2.9]:587", "(pc)"),
            ("([192.0.2.1]) [192.0.2.1]", ""),
            ("[192.0.2.1]", ""),
            (
                "(x) boss.x.test [198.51.100.9] P=esmtp (y) [192.0.2.1]",
                "(xboss.x.test[198.51.100.9]p=esmtpy)",
            ),
            ("(boss.x.test [198.51.100.9]) [192.0.2.1]", "(boss.x.test[198.51.100.9])"),
            ("() boss.x.test (x) [192.0.2.1]", "(boss.x.testx)"),
            ("(h) [192.0.2.1] U=(x) boss.x.test (y) [198.51.100.9]", ""),
        ] {
            let (address, name) = client(text.as_bytes());
            assert_eq!(name.of(&String::from_utf8_lossy(address)), expected, "{text}");
        }
    }

    #[test]
    fn an_address_in_what_a_client_said_is_none_of_its_own() {
        for text in [
            "[192.0.2.1]",
            "(h) [192.0.2.1]:25",
            "a.test [192.0.2.1]",
            "a.test (h) [192.0.2.1]:5 I=[192.0.2.9]:587",
            "(h) [198.51.100.9] P=esmtp x) [192.0.2.1]",
        ] {
            assert!(ends_in_its_place(text.as_bytes()), "{text}");
        }
        for text in [
            "(h) [192.0.2.1] P=esmtps DN=\"CN=x [198.51.100.9]",
            "a.test [192.0.2.1] P=esmtps DN=\"CN=[198.51.100.9]",
            "(h [198.51.100.9]",
            "(h) I=[198.51.100.9]",
            "",
        ] {
            assert!(!ends_in_its_place(text.as_bytes()), "{text}");
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
