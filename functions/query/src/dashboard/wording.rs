//! Figures and instants as people read them.

use chrono::DateTime;
use chrono_tz::Tz;
use report::{Day, OTHER_SENDERS, displayed, grouped};

/// Characters of a name that pages show; the whole of it is in the title or the CSV.
pub(super) const SHOWN: usize = 80;

/// As in `12 Nov`.
pub(super) fn short_day(day: Day) -> String {
    day.format("%-d %b").to_string()
}

/// As in `Thu 12 Nov`.
pub(super) fn weekday(day: Day) -> String {
    day.format("%a %-d %b").to_string()
}

/// As in `12.50 %`, with a space that does not break.
pub(super) fn percent(percent: f64) -> String {
    format!("{percent:.2}\u{a0}%")
}

/// As in `1 message` or `1,234 messages`.
pub(super) fn counted(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{} {more}", grouped(number)),
    }
}

/// As in `2 sender addresses`, and whether there were others.
pub(super) fn senders(number: u64, more: bool) -> String {
    let told = counted(number, "sender address", "sender addresses");
    if more { format!("{told}, and others that are not told apart") } else { told }
}

/// What the rows of names that are not told apart hold; nothing of others.
pub(super) fn note(name: &str) -> Option<&'static str> {
    match name {
        OTHER_SENDERS => Some(
            "An account used more sender addresses on a day than are told apart, as one that was taken over may. \
             This row has the messages of the others: as many as there were, but not from whom.",
        ),
        _ => None,
    }
}

/// An instant (seconds since 1970) on the wall clock of a zone, as in `Thu 12 Nov 2026, 08:00`.
pub(super) fn instant(unix: i64, zone: Tz) -> String {
    let instant = DateTime::from_timestamp(unix, 0).unwrap_or_default().with_timezone(&zone);
    instant.format("%a %-d %b %Y, %H:%M").to_string()
}

/// With a capital letter at the beginning.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars.as_str().chars()).collect()
    })
}

/// A text that begins with a capital letter, unless it begins with what somebody typed, and ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    let word = text.split(' ').next().unwrap_or_default();
    let ours = word.chars().all(|c| c.is_ascii_alphabetic());
    let text = if ours { capital(text) } else { text.to_owned() };
    format!("{text}{end}")
}

/// An address for a list: of a long one the middle is left out, so that its domain is seen.
pub(super) fn address(text: &str) -> String {
    const BEGIN: usize = 45;
    const END: usize = 34;
    let shown = displayed(text, usize::MAX);
    let length = shown.chars().count();
    if length <= SHOWN {
        return shown;
    }
    let (begin, end) = (shown.chars().take(BEGIN), shown.chars().skip(length - END));
    begin.chain(['\u{2026}']).chain(end).collect()
}

/// A change in words, as in `3.20 % more than in`.
pub(super) fn changed(before: u64, now: u64) -> String {
    match report::views::change(before, now) {
        Some(0.0) => "as many as in".to_owned(),
        Some(change) if change > 0.0 => format!("{} more than in", percent(change)),
        Some(change) => format!("{} fewer than in", percent(-change)),
        None => "none in".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_figures_read_well() {
        assert_eq!(instant(1_795_507_200, Tz::Europe__Berlin), "Tue 24 Nov 2026, 09:00");
        assert_eq!(counted(1, "message", "messages"), "1 message");
        assert_eq!(counted(1234, "message", "messages"), "1,234 messages");
        assert_eq!(percent(12.5), "12.50\u{a0}%");
        assert_eq!(sentence("it must be a date"), "It must be a date.");
        assert_eq!(sentence("bob@x.test is not allowed"), "bob@x.test is not allowed.");
        let long = format!("{}@d.test", "\u{e4}".repeat(100));
        let shown = address(&long);
        assert!(shown.ends_with("\u{e4}@d.test") && shown.chars().count() == SHOWN, "{shown}");
        assert_eq!(
            (changed(100, 150).as_str(), changed(0, 1).as_str()),
            ("50.00\u{a0}% more than in", "none in")
        );
    }
}
