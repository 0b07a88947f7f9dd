//! Figures and instants as people read them.

use chrono::DateTime;
use chrono_tz::Tz;
use detect::Kind as AlertKind;
use report::views::{ClientPlace, Labels};
use report::{Day, Group, OTHER_SENDERS, Origin, date, displayed, grouped};

/// Characters of a name that pages show; the whole of it is in the title or the CSV.
pub(super) const SHOWN: usize = 80;

/// A day, and the hour of it, if that is known: as in `20 Nov 2026, 9 to 10 h`.
pub(super) fn hour(day: Day, hour: Option<u8>) -> String {
    let day = date(day);
    hour.map_or(day.clone(), |hour| format!("{day}, {hour} to {} h", hour + 1))
}

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

/// As in `one, two and three`.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    match names.split_last() {
        Some((last, others @ [_, ..])) => format!("{} and {last}", others.join(", ")),
        Some((only, [])) => (*only).to_owned(),
        None => String::new(),
    }
}

/// Which rows of a table a page has, as in `26 to 50 of 262 senders`; nothing if it has none.
pub(super) fn of_rows(before: usize, rows: usize, after: usize, group: Group) -> String {
    if rows == 0 {
        return String::new();
    }
    let number = |number: usize| grouped(number as u64);
    let all = counted((before + rows + after) as u64, group.noun(), group.nouns());
    format!("{} to {} of {all}", number(before + 1), number(before + rows))
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

/// What the name of an account or a client tells, for people.
pub(super) const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Machine => {
            "This is the mail server's own machine: webmail, a script on it, or a proxy in front of the server. What it \
             sends without TLS has not left the machine, so it is no legacy client."
        }
        Origin::Private => {
            "This is an address of a private network: a device or server of your own."
        }
        Origin::HealthCheck => {
            "This is the mail server checking itself: no person's account, and no client."
        }
    }
}

/// What is known of an account or a client, for people: a text each.
pub(super) fn labels(labels: &Labels) -> Vec<String> {
    let Labels { place: at, client_name, noted } = labels;
    let noted = noted.as_ref().map(|noted| {
        let texts = [&noted.name, &noted.note, &noted.owner];
        let first = texts.into_iter().find(|text| !text.is_empty());
        first.cloned().unwrap_or_default()
    });
    let known = noted.into_iter().chain(client_name.clone()).chain(at.as_ref().map(place));
    known.map(|text| displayed(&text, SHOWN)).collect()
}

/// Where a client is, for people.
pub(super) fn place(place: &ClientPlace) -> String {
    let country = place.country.as_ref().map(|country| country.name.clone());
    let network = place.network.as_ref().map(|network| {
        let name =
            if network.name.is_empty() { String::new() } else { format!(" {}", network.name) };
        format!("AS{}{name}", network.number)
    });
    let parts: Vec<_> = country.into_iter().chain(network).collect();
    displayed(&parts.join(", "), SHOWN)
}

/// What a kind of alerts is called.
pub(super) const fn alert_kind(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::NewPlace => "New place",
        AlertKind::Spread => "Many networks",
        AlertKind::Volume => "Volume",
        AlertKind::GuessedPassword => "Guessed password",
        AlertKind::Identities => "New senders",
        AlertKind::Downgrade => "Weaker login",
        AlertKind::Dormant => "Woken up",
        AlertKind::NewAccount => "New account",
        AlertKind::Night => "At night",
        AlertKind::Recipients => "Many recipients",
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
        assert_eq!(listed(&["one", "two", "three"]), "one, two and three");
        assert_eq!(listed(&["one"]), "one");
        assert_eq!(of_rows(25, 25, 212, Group::Sender), "26 to 50 of 262 senders");
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
