//! Texts, numbers and days as people read them.

use crate::counting::day::{Day, Range};

/// Marks that one letter may carry.
const MARKS: usize = 2;

/// Whether a character is not seen by itself, or turns the direction of writing around (Unicode's
/// `Default_Ignorable_Code_Point`, line and paragraph separators): texts that differ in it only look the same.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is a mark that is drawn over the one before it.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// A text as people should see it: what is not seen, turns the direction of writing around, or heaps up over a
/// letter is replaced, and more than `limit` characters end in an ellipsis.
#[must_use]
pub fn displayed(text: &str, limit: usize) -> String {
    let mut marks = 0;
    let harmless = |c: char| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        let harmful = c.is_control() || is_unseen(c) || marks > MARKS;
        if harmful { char::REPLACEMENT_CHARACTER } else { c }
    };
    let mut shown: String = text.chars().take(limit).map(harmless).collect();
    if text.chars().nth(limit).is_some() {
        shown.pop();
        shown.push('\u{2026}');
    }
    shown
}

/// 1234567 as 1,234,567.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A day for people, as in `18 Nov 2026`.
#[must_use]
pub fn date(day: Day) -> String {
    day.format("%-d %b %Y").to_string()
}

/// A range for people, as in `18 Nov 2026 to 24 Nov 2026`.
#[must_use]
pub fn period(range: Range) -> String {
    if range.start == range.end {
        return date(range.start);
    }
    format!("{} to {}", date(range.start), date(range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_is_short_and_reads_in_one_direction() {
        assert_eq!(displayed("ann@example.test", 40), "ann@example.test");
        assert_eq!(displayed("a\u{202e}moc@x", 40), "a\u{fffd}moc@x");
        assert_eq!(displayed("a\u{200b}nn\u{feff}@x", 40), "a\u{fffd}nn\u{fffd}@x");
        let heap = displayed(&format!("a{}b\u{301}", "\u{301}".repeat(9)), 40);
        assert_eq!(heap, format!("a\u{301}\u{301}{}b\u{301}", "\u{fffd}".repeat(7)));
        assert_eq!(displayed(&"\u{e9}".repeat(300), 10), "\u{e9}".repeat(9) + "\u{2026}");
    }

    #[test]
    fn numbers_are_grouped_for_people() {
        let shown = [0, 999, 1000, 1_234_567].map(grouped);
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
