//! Fields as `key=value`, the value in quotes where it needs them.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// A field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) key: &'a [u8],
    /// As it stands there, without the quotes.
    raw: &'a [u8],
    is_quoted: bool,
}

impl<'a> Pair<'a> {
    /// What it holds: without quotes and escapes.
    pub(crate) fn text(&self) -> Cow<'a, [u8]> {
        if !self.is_quoted || memchr(b'\\', self.raw).is_none() {
            return self.raw.into();
        }
        unescaped(self.raw).into()
    }
}

/// A text without escapes, as JavaScript and Go write them.
fn unescaped(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        let (digits, begin) = match rest.get(at + 1) {
            Some(b'x') => (2, at + 2),
            Some(b'u') => (4, at + 2),
            Some(b'U') => (8, at + 2),
            _ => (0, at + 1),
        };
        let number = rest.get(begin..begin + digits).and_then(|digits| str::from_utf8(digits).ok());
        let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match (digits, number) {
            (2, Some(number)) => text.extend(u8::try_from(number)),
            (4 | 8, Some(number)) => {
                let next = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
                text.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => match rest.get(at + 1) {
                Some(b'a') => text.push(7),
                Some(b'b') => text.push(8),
                Some(b't') => text.push(b'\t'),
                Some(b'n') => text.push(b'\n'),
                Some(b'v') => text.push(11),
                Some(b'f') => text.push(12),
                Some(b'r') => text.push(b'\r'),
                Some(next) => text.push(*next),
                None => {}
            },
        }
        let end = if number.is_some() { begin + digits } else { at + 2 };
        rest = rest.get(end..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
    text
}

/// The field that a text begins with, and what follows the blanks behind it.
pub(crate) fn pair(text: &[u8]) -> Option<(Pair<'_>, &[u8])> {
    pair_before(text, b"")
}

/// The same of fields that each end with `end`, as a value without quotes may too.
fn pair_before<'a>(text: &'a [u8], end: &[u8]) -> Option<(Pair<'a>, &'a [u8])> {
    let equals = memchr2(b'=', b' ', text).filter(|at| text[*at] == b'=')?;
    let (key, value) = (&text[..equals], &text[equals + 1..]);
    let (raw, is_quoted, rest) = match value.strip_prefix(b"\"") {
        Some(_) => {
            let length = crate::address::quoted(value)?;
            (&value[1..length - 1], true, &value[length..])
        }
        None => {
            let (raw, rest) = value.split_at(memchr(b' ', value).unwrap_or(value.len()));
            (raw.strip_suffix(end).unwrap_or(raw), false, rest)
        }
    };
    let rest = rest.strip_prefix(end).unwrap_or(rest).trim_ascii_start();
    Some((Pair { key, raw, is_quoted }, rest))
}

/// The fields of a text, from left to right, as far as there are nothing but fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs<'a> {
    text: &'a [u8],
    end: &'static [u8],
}

impl<'a> Pairs<'a> {
    /// Fields with blanks between them.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        Self { text, end: b"" }
    }

    /// Fields with a semicolon and a blank between them.
    pub(crate) fn between_semicolons(text: &'a [u8]) -> Self {
        Self { text, end: b";" }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let (pair, rest) = pair_before(self.text, self.end)?;
        self.text = rest;
        Some(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_what_looks_like_a_field() {
        let read = |pairs: Pairs<'_>| {
            let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            pairs.map(|pair| (text(pair.key), text(&pair.text()))).collect::<Vec<_>>()
        };
        let told = |text: &str| read(Pairs::of(text.as_bytes()));
        let told_with_semicolons = |text: &str| read(Pairs::between_semicolons(text.as_bytes()));
        let expected = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(
            told(r#"a=1 b="x a=2 \"y\\" c= d="" e=z"#),
            expected(&[("a", "1"), ("b", "x a=2 \"y\\"), ("c", ""), ("d", ""), ("e", "z")])
        );
        assert_eq!(
            told_with_semicolons("pkg=smtpserver; m=\"a; b=1 \\u00e4\\x41\\n\"; e=; f=x=y"),
            expected(&[("pkg", "smtpserver"), ("m", "a; b=1 äA\n"), ("e", ""), ("f", "x=y")])
        );
        assert_eq!(told("a=b; c=;"), expected(&[("a", "b;"), ("c", ";")]));
        let escaped = expected(&[("a", "b;"), ("c", "\u{7}\u{8}\t\n\u{b}\u{c}\rd")]);
        assert_eq!(told_with_semicolons(r#"a=b;; c="\a\b\t\n\v\f\rd""#), escaped);
        assert_eq!(told("a=1 words b=2"), expected(&[("a", "1")]));
        assert_eq!(told("a=\"open b=2"), expected(&[]));
        assert_eq!(told(r#"a="\" b="\x" c="\u12" d="\"#), expected(&[("a", "\" b=")]));
    }
}
