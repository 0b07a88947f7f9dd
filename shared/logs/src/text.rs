//! Bytes of text.

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
