//! Figures of times, and the offsets behind them.

pub(super) fn skip_fraction(text: &[u8], at: usize) -> usize {
    if !matches!(text.get(at), Some(b'.' | b',')) {
        return at;
    }
    let digits = text[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 { at } else { at + 1 + digits }
}

/// `Z`, `+01:00` or `+0100` at `at`: seconds east of UTC and where it ends.
pub(super) fn offset(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let sign = match text.get(at)? {
        b'Z' | b'z' => return Some((0, at + 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = two_digits(text, at + 1)?;
    let colon = usize::from(text.get(at + 3) == Some(&b':'));
    let minutes = two_digits(text, at + 3 + colon)?;
    let seconds = i64::from(hours * 3600 + minutes * 60);
    (hours < 24 && minutes < 60).then_some((sign * seconds, at + 5 + colon))
}

pub(super) fn digit(byte: u8) -> Option<u32> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(u32::from(value))
}

pub(super) fn two_digits(text: &[u8], at: usize) -> Option<u32> {
    let pair = text.get(at..at + 2)?;
    Some(digit(pair[0])? * 10 + digit(pair[1])?)
}
