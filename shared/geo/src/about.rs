//! What is told of an address, made fit to be shown.

use std::borrow::Cow;

/// Longest name told, in bytes.
pub const NAME_LIMIT: usize = 256;

/// What the databases tell of an address: nothing if they do not know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// Where it is, as far as that can be told from an address.
    pub country: Option<Country<'a>>,
    /// Whose it is.
    pub network: Option<Network<'a>>,
}

/// A country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country<'a> {
    /// Its two letters (ISO 3166-1 alpha-2), in upper case.
    pub code: &'static str,
    /// Its English name, or its code where the database has none. Borrowed unless it had to be cleaned.
    pub name: Cow<'a, str>,
}

impl<'a> Country<'a> {
    /// A country as a database names it; none if `code` is none of a country.
    pub(crate) fn named(code: &str, name: &'a str) -> Option<Self> {
        let code = letters(code)?;
        let name = if name.is_empty() { Cow::Borrowed(code) } else { clean(name) };
        Some(Self { code, name })
    }
}

/// A network: an autonomous system (RFC 1930).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network<'a> {
    /// Its number (RFC 6793), never 0.
    pub number: u32,
    /// The name of who runs it; empty where the database has none. Borrowed unless it had to be cleaned.
    pub name: Cow<'a, str>,
}

impl<'a> Network<'a> {
    /// A network as a database names it; none if `number` is 0, which is nobody's (RFC 7607).
    pub(crate) fn named(number: u32, name: &'a str) -> Option<Self> {
        (number > 0).then(|| Self { number, name: clean(name) })
    }
}

/// A text without control characters and within [`NAME_LIMIT`]: they become U+FFFD, and an end that is too much `…`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if text.len() <= NAME_LIMIT && !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    // A replacement takes more bytes than what it stands for, but never less: no more characters can be needed.
    let mut clean = String::new();
    for c in text.chars().take(NAME_LIMIT + 1) {
        clean.push(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    }
    if clean.len() > NAME_LIMIT {
        let end = clean.floor_char_boundary(NAME_LIMIT - '…'.len_utf8());
        clean.truncate(end);
        clean.push('…');
    }
    Cow::Owned(clean)
}

const ALPHABET: usize = 26;

/// All pairs of letters, so that a code is borrowed from here in whatever case a database has it.
static PAIRS: [[u8; 2]; ALPHABET * ALPHABET] = {
    let mut pairs = [*b"AA"; ALPHABET * ALPHABET];
    let mut first = b'A';
    let mut at = 0;
    while first <= b'Z' {
        let mut second = b'A';
        while second <= b'Z' {
            pairs[at] = [first, second];
            at += 1;
            second += 1;
        }
        first += 1;
    }
    pairs
};

/// A country's two letters in upper case; none if they are not two letters, or not of a country.
fn letters(code: &str) -> Option<&'static str> {
    let code: [u8; 2] = code.as_bytes().try_into().ok()?;
    let code = code.map(|letter| letter.to_ascii_uppercase());
    let stands_for_none = match code {
        // What ISO 3166 leaves to its users: databases write `ZZ` or `XX` where they know nothing. `XK` is Kosovo.
        [b'A', b'A'] | [b'Q', b'M'..=b'Z'] | [b'X', b'A'..=b'J' | b'L'..=b'Z'] | [b'Z', b'Z'] => {
            true
        }
        // Reserved for a union of countries, and a region.
        [b'E', b'U'] | [b'A', b'P'] => true,
        _ => false,
    };
    let at = |letter: u8| letter.checked_sub(b'A').map(usize::from).filter(|at| *at < ALPHABET);
    let pair = PAIRS.get(at(code[0])? * ALPHABET + at(code[1])?)?;
    if stands_for_none { None } else { std::str::from_utf8(pair).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_two_letters_in_upper_case() {
        for (code, expected) in [
            ("DE", Some("DE")),
            ("us", Some("US")),
            ("aD", Some("AD")),
            ("ZW", Some("ZW")),
            ("XK", Some("XK")),
            ("ZZ", None),
            ("xx", None),
            ("AA", None),
            ("QM", None),
            ("EU", None),
            ("AP", None),
            ("", None),
            ("D", None),
            ("DEU", None),
            ("D1", None),
            ("[[", None),
            ("\u{e9}", None),
            ("--", None),
        ] {
            assert_eq!(letters(code), expected, "{code}");
        }
    }

    #[test]
    fn every_pair_of_letters_stands_in_its_place() {
        let all = PAIRS.iter().map(|pair| std::str::from_utf8(pair).expect("letters"));
        let codes: Vec<&str> = all.filter(|pair| letters(pair).is_some()).collect();
        assert!(codes.iter().all(|code| letters(code) == Some(code)));
        assert_eq!(codes.len(), ALPHABET * ALPHABET - 1 - 14 - 25 - 1 - 2);
    }

    #[test]
    fn names_are_borrowed_if_they_are_fit() {
        for name in ["", "Germany", "C\u{f4}te d'Ivoire", &"x".repeat(NAME_LIMIT)] {
            assert!(matches!(clean(name), Cow::Borrowed(same) if same == name), "{name}");
        }
    }

    #[test]
    fn names_are_cleaned_and_bounded() {
        assert_eq!(clean("a\nb\u{0}c\u{85}d\u{7f}"), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}");
        for long in
            ["x".repeat(1_000_000), "\u{e9}".repeat(300), "\u{1}".repeat(100), "\u{1}".repeat(300)]
        {
            let name = clean(&long);
            assert!(name.len() <= NAME_LIMIT && name.len() > NAME_LIMIT - 8, "{}", name.len());
            assert!(name.ends_with('…') && !name.contains(char::is_control));
        }
    }

    #[test]
    fn a_name_that_is_missing_is_made_up_for() {
        assert_eq!(Country::named("de", "").expect("a country").name, "DE");
        assert_eq!(Network::named(64500, "").expect("a network").name, "");
        assert_eq!(Network::named(0, "Nobody"), None);
    }
}
