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
#[inline]
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
