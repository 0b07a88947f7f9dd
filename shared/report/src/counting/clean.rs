//! Text written by strangers, made fit to be stored and compared.

use std::borrow::Cow;
use std::hash::{BuildHasher as _, Hasher as _};
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
/// U+FFFD. What is too long keeps its beginning and a mark of the whole in each form that there is, until
/// [`LongNames::stored`] leaves the one that the table has.
#[must_use]
pub fn lowered(text: &[u8], limit: usize) -> Cow<'_, str> {
    let fit = |byte: &u8| matches!(byte, 0x20..=0x40 | 0x5b..=0x7e);
    cleaned(text, limit, fit, (str::make_ascii_lowercase, str::to_lowercase))
}

/// The same as [`lowered`], in upper case.
#[must_use]
pub fn uppered(text: &[u8], limit: usize) -> Cow<'_, str> {
    let fit = |byte: &u8| matches!(byte, 0x20..=0x60 | 0x7b..=0x7e);
    cleaned(text, limit, fit, (str::make_ascii_uppercase, str::to_uppercase))
}

fn cleaned(
    text: &[u8],
    limit: usize,
    fit: impl Fn(&u8) -> bool,
    (fold_ascii, fold): (impl Fn(&mut str), impl Fn(&str) -> String),
) -> Cow<'_, str> {
    if text.len() <= limit {
        if all(text, fit)
            && let Ok(text) = std::str::from_utf8(text)
        {
            return Cow::Borrowed(text);
        }
        if all(text, |byte| matches!(byte, 0x20..=0x7e))
            && let Ok(text) = std::str::from_utf8(text)
        {
            // ASCII is as long in either case, and nothing is to be replaced.
            let mut text = text.to_owned();
            fold_ascii(&mut text);
            return Cow::Owned(text);
        }
    }
    let folded = fold(&String::from_utf8_lossy(text));
    let clean: String = folded
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    Cow::Owned(bounded(clean, limit))
}

/// Whether all bytes of a short text are such. Every one is looked at, such or not, and some of those at the end once
/// more: that way the compiler looks at many at once, and at none alone.
#[inline]
fn all(text: &[u8], is: impl Fn(&u8) -> bool) -> bool {
    let all = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & is(byte));
    if let Some(last) = text.last_chunk::<16>() {
        text.as_chunks::<16>().0.iter().all(|chunk| all(chunk)) & all(last)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        all(first) & all(last)
    } else {
        all(text)
    }
}

fn bounded(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let marks = LongNames::ALL.map(|form| form.mark(&text)).concat();
        let mut cut = limit.saturating_sub(MARK);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        text.truncate(cut);
        text.push_str(&marks);
    }
    text
}

/// Whether [`lowered`] may have left a name so.
pub(super) fn is_lowered(name: &str) -> bool {
    lowered(name.as_bytes(), usize::MAX) == name
}

/// Whether [`uppered`] may have. The mark of a name that was too long is in lower case.
pub(super) fn is_uppered(name: &str) -> bool {
    let beginning = name.len().checked_sub(MARK).and_then(|at| name.split_at_checked(at));
    let name = beginning.filter(|(_, mark)| mark.starts_with('~')).map_or(name, |(name, _)| name);
    uppered(name.as_bytes(), usize::MAX) == name
}

/// Bytes of a mark: `~` and 64 bits in hexadecimal.
const MARK: usize = 17;

/// How names that are too long are marked, so that two of them stay two.
///
/// Marks are a part of what is stored, and counters are found by them. If they changed under a table, what comes a second
/// time would be counted a second time, and one name would become two: so a table keeps the form that it began with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongNames {
    /// The first form: a hash whose values its library may change. Tests hold them as they were.
    Foldhash,
    /// SipHash-1-3 without a key: its values are specified.
    #[default]
    SipHash,
}

impl LongNames {
    /// Every form, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Foldhash, Self::SipHash];

    /// The number by which a table tells its form, from 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Foldhash => 1,
            Self::SipHash => 2,
        }
    }

    /// The form with this [`number`](Self::number).
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.number() == number)
    }

    fn mark(self, text: &str) -> String {
        let hash = match self {
            Self::Foldhash => {
                let mut hasher = foldhash::quality::FixedState::with_seed(0).build_hasher();
                hasher.write(text.as_bytes());
                hasher.finish()
            }
            Self::SipHash => SipHasher13::new().hash(text.as_bytes()),
        };
        format!("~{hash:016x}")
    }

    /// A name that was cleaned for this limit, as it is stored: marked in this form alone if it was too long.
    #[must_use]
    pub fn stored(self, name: &str, limit: usize) -> Cow<'_, str> {
        if name.len() <= limit {
            // Not too long, or marked before there were several forms.
            return Cow::Borrowed(name);
        }
        let marks_at = name.len().saturating_sub(MARK * Self::ALL.len());
        let (beginning, marks) = name.split_at_checked(marks_at).unwrap_or((name, ""));
        let own = Self::ALL.iter().position(|form| *form == self).unwrap_or(0) * MARK;
        Cow::Owned([beginning, marks.get(own..own + MARK).unwrap_or_default()].concat())
    }
}

/// A client's IP address as the log writes it, in lower case; empty if it is none.
#[must_use]
pub fn client_address(text: &[u8]) -> Cow<'_, str> {
    let Ok(text) = std::str::from_utf8(text) else { return Cow::Borrowed("") };
    if is_ipv4(text.as_bytes()) {
        return Cow::Borrowed(text);
    }
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Cow::Borrowed(text),
        Ok(IpAddr::V6(address)) => Cow::Owned(address.to_string()),
        Err(_) => Cow::Borrowed(""),
    }
}

/// Whether a text is an IPv4 address, as the library reads them: most are, and this is quicker.
fn is_ipv4(text: &[u8]) -> bool {
    let mut rest = text;
    for number in 0..4 {
        if number > 0 {
            let Some(behind) = rest.strip_prefix(b".") else { return false };
            rest = behind;
        }
        // Behind a zero no digit follows.
        rest = match rest {
            [b'1', b'0'..=b'9', b'0'..=b'9', behind @ ..]
            | [b'2', b'0'..=b'4', b'0'..=b'9', behind @ ..]
            | [b'2', b'5', b'0'..=b'5', behind @ ..]
            | [b'1'..=b'9', b'0'..=b'9', behind @ ..]
            | [b'0'..=b'9', behind @ ..] => behind,
            _ => return false,
        };
    }
    rest.is_empty()
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
    fn what_is_plain_is_cleaned_like_all_else() {
        let slowly = |text: &[u8], fold: &dyn Fn(&str) -> String| {
            let folded = fold(&String::from_utf8_lossy(text));
            folded.replace(char::is_control, "\u{fffd}")
        };
        let mut rng = fastrand::Rng::with_seed(5);
        for _ in 0..200_000 {
            let alphabet = *rng
                .choice(&[&b"az09.@-"[..], b"azAZ@[`{", b"aZ\x1f\x7f\x80\xc3\xa4 "])
                .unwrap_or(&&b"a"[..]);
            let length = rng.usize(0..40);
            let byte = || *rng.choice(alphabet).unwrap_or(&b'a');
            let text: Vec<u8> = std::iter::repeat_with(byte).take(length).collect();
            assert_eq!(lowered(&text, 256), slowly(&text, &|text| text.to_lowercase()), "{text:?}");
            assert_eq!(uppered(&text, 256), slowly(&text, &|text| text.to_uppercase()), "{text:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, two) = ("\u{e9}".repeat(400) + "1", "\u{e9}".repeat(400) + "2");
        for form in LongNames::ALL {
            let (one, two) = (lowered(one.as_bytes(), 256), lowered(two.as_bytes(), 256));
            let (one, two) = (form.stored(&one, 256), form.stored(&two, 256));
            assert!(one.len() <= 256 && two.len() <= 256);
            assert_ne!(one, two);
            assert_eq!(lowered(one.as_bytes(), 256), one, "clean names stay as they are");
            assert_eq!(form.stored(&one, 256), one);
        }
    }

    #[test]
    fn marks_are_the_same_for_ever() {
        let known = lowered(&[b'x'; 300], 256);
        let stored = LongNames::SipHash.stored(&known, 256);
        assert_eq!(stored, "x".repeat(239) + "~2f58903130dc04e4", "the same for ever");
        // As the first version stored it: see the golden data folder.
        let long = "l".repeat(300) + "@example.org";
        let known = lowered(long.as_bytes(), 256);
        let stored = LongNames::Foldhash.stored(&known, 256);
        assert_eq!(stored, "l".repeat(239) + "~a1144024ee230525", "the same for ever");
        for form in LongNames::ALL {
            assert_eq!(LongNames::from_number(form.number()), Some(form));
        }
        assert_eq!(LongNames::from_number(3), None);
    }

    #[test]
    fn client_addresses_are_addresses_or_nothing() {
        assert_eq!(client_address(b"192.0.2.7"), "192.0.2.7");
        assert_eq!(client_address(b"2001:DB8:0::1"), "2001:db8::1");
        assert_eq!(client_address(b"unknown"), "");
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            let length = rng.usize(0..18);
            let digit = |()| *rng.choice(b"0123...25").unwrap_or(&b'.');
            let text: Vec<u8> = std::iter::repeat_n((), length).map(digit).collect();
            let text = String::from_utf8_lossy(&text);
            assert_eq!(
                is_ipv4(text.as_bytes()),
                text.parse::<std::net::Ipv4Addr>().is_ok(),
                "{text}"
            );
            let [a, b, c, d] = [(); 4].map(|()| rng.u16(..300));
            let text = format!("{a}.{b}.{c}.{d}");
            assert_eq!(
                is_ipv4(text.as_bytes()),
                text.parse::<std::net::Ipv4Addr>().is_ok(),
                "{text}"
            );
        }
        assert_eq!(client_address(b"\xff"), "");
    }
}
