//! Bytes of text.

use crate::secrets::without_secrets;

/// A number of at most nine digits.
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum: u32, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| sum * 10 + u32::from(digit))
    })
}

/// The number of at most nine digits that a text begins with, and what follows its digits.
// A call would put all that into memory, for every line.
#[inline(always)]
pub(crate) fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let (mut sum, mut length) = (0, 0);
    for byte in text.iter().take(9) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        sum = sum * 10 + u32::from(digit);
        length += 1;
    }
    (length > 0).then(|| (sum, &text[length..]))
}

/// The place of the first byte that is `needle`, which is near: for that, calling something quicker takes longer.
#[inline]
pub(crate) fn near(needle: u8, text: &[u8]) -> Option<usize> {
    near_of(needle, needle, text)
}

/// The place of the first byte that is one of two.
#[inline]
pub(crate) fn near_of(one: u8, other: u8, text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(eight) = text[at..].first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        let found = zeros(eight ^ spread(one)) | zeros(eight ^ spread(other));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = text[at..].iter().position(|byte| *byte == one || *byte == other)?;
    Some(at + rest)
}

/// The places of a byte, where they are many and near each other.
#[inline]
pub(crate) fn places(needle: u8, text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    // What is behind the last eight is as good as nothing: zeros are none of any needle.
    debug_assert!(needle != 0);
    let (eights, rest) = text.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let (mut at, mut found) = (0, 0);
    std::iter::from_fn(move || {
        while found == 0 {
            let eight = match eights.get(at) {
                Some(eight) => eight,
                None if at == eights.len() => &last,
                None => return None,
            };
            found = all_zeros(u64::from_le_bytes(*eight) ^ spread(needle));
            at += 1;
        }
        let place = 8 * (at - 1) + found.trailing_zeros() as usize / 8;
        found &= found - 1;
        Some(place)
    })
}

/// Eight times a byte.
const fn spread(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The highest bit of the lowest byte that is zero, and of none below it.
#[inline]
const fn zeros(eight: u64) -> u64 {
    eight.wrapping_sub(spread(1)) & !eight & spread(0x80)
}

/// The highest bits of all bytes that are zero.
#[inline]
const fn all_zeros(eight: u64) -> u64 {
    !(((eight & spread(0x7f)) + spread(0x7f)) | eight) & spread(0x80)
}

/// The bytes that are letters or digits of ASCII, and the ones given: a question that is asked of the bytes of every line
/// is one step by a table.
pub(crate) const fn alphanumeric_and(others: &[u8]) -> [bool; 256] {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut other = 0;
    while other < others.len() {
        table[others[other] as usize] = true;
        other += 1;
    }
    table
}

/// A line without the blanks, line ends and commas (of a CSV export) around it.
#[inline]
pub(crate) fn trimmed(line: &[u8]) -> &[u8] {
    if let [first, .., last] = line
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
        && *last != b','
    {
        return line;
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n' | b'\t' | b',');
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    let start = line[..end].iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(end);
    &line[start..end]
}

/// The first of several lines, and the others; none if there is only one, or an object or array that is laid out in
/// several.
pub(crate) fn first_of_several(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (first, more) = text.split_at(memchr::memchr(b'\n', text)?);
    (!matches!(text.first(), Some(b'{' | b'['))).then(|| (first.trim_ascii_end(), more))
}

/// Whether lines may be some that begin or end a session, or its TLS.
pub(crate) fn tells_of_sessions(lines: &[u8]) -> bool {
    [&b"connect from "[..], b" TLS connection "]
        .into_iter()
        .any(|words| memchr::memmem::find(lines, words).is_some())
}

/// Characters of a line that are shown.
const SHOWN: usize = 160;

/// The beginning of a line as people may see it: cut, without control characters, and without what may be a secret.
pub(crate) fn shown(line: &[u8]) -> String {
    let clean = without_secrets(&line[..line.len().min(8 * SHOWN)]);
    let mut shown: String = report::displayed(&String::from_utf8_lossy(&clean), SHOWN);
    if shown.is_empty() {
        shown.push_str("(blanks)");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_found_as_byte_by_byte() {
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..200_000 {
            // Bytes that differ from the needle in one bit, or carry into the next.
            let length = rng.usize(0..40);
            let text: Vec<u8> =
                std::iter::repeat_with(|| *rng.choice(b"=<>\xbd\x00\x01a").unwrap_or(&b'='))
                    .take(length)
                    .collect();
            let all: Vec<_> = (0..length).filter(|at| text[*at] == b'=').collect();
            assert_eq!(places(b'=', &text).collect::<Vec<_>>(), all, "{text:?}");
            assert_eq!(near(b'=', &text), all.first().copied(), "{text:?}");
            let either = text.iter().position(|byte| matches!(byte, b'a' | b'\x01'));
            assert_eq!(near_of(b'a', b'\x01', &text), either, "{text:?}");
        }
    }
}
