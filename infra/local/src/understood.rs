//! What is told of lines: whose they were, what they were wrapped in, and what was not understood.

use logs::Understanding;
use report::{Days, grouped};

use operator::line;

/// How much of a file's lines must be of mail servers for the rest to be taken as usual: of other programs, or noise.
const ENOUGH: u64 = 2;

/// Prints what was not understood, if that is worth a word.
pub(crate) fn not_understood(understanding: &Understanding) {
    let Understanding { units, not_understood, first, first_other, .. } = understanding;
    if let Some(other) = first_other.as_ref().filter(|_| understanding.of_servers() == 0) {
        line(
            "  no line of it is of a mail server that is read, but of other programs, as the first:",
        );
        line(format_args!("    {other}"));
    }
    let Some(first) = first.as_ref().filter(|_| *not_understood > 0) else { return };
    let of = if understanding.is_nothing() { "nothing" } else { "not all" };
    let is_little = understanding.of_servers() >= not_understood * ENOUGH;
    let (count, units) = (grouped(*not_understood), grouped(*units));
    if is_little {
        return line(format_args!("  {count} of {units} lines are of no known form"));
    }
    line(format_args!("  {of} of it is understood: {count} of {units} lines are of no known form"));
    let nearest = if first.nearest.is_empty() { "" } else { ": " };
    line(format_args!("  the first{nearest}{}", first.nearest));
    line(format_args!("    {}", first.text));
}

/// Prints that all lines are of days that are no longer kept, and how they are counted all the same.
///
/// `too_old` are messages and failed logins of such days, `counted` those of others.
pub(crate) fn too_old(understanding: &Understanding, too_old: u64, counted: u64) {
    let Some((first, last)) = understanding.times().filter(|_| too_old > 0 && counted == 0) else {
        return;
    };
    // In UTC: which side of midnight it was does not matter among 90 days.
    let mut days = Days::new(chrono_tz::UTC);
    let (first, last) = (days.day_of(first), days.day_of(last));
    line(format_args!(
        "  these lines are of {first} to {last}, and 90 days are kept: use --as-of {last}"
    ));
}

/// Prints how often times that name no years went back by most of one, where that was not foreseen.
pub(crate) fn went_back(times: usize) {
    if times > 0 {
        line(format_args!(
            "  its months ran backwards {times} times and name no year: what came before may be of a wrong one: give it as a file"
        ));
    }
}

/// Names with how many each: `postfix 1,650, exim 3`.
pub(crate) fn counts(of: impl Iterator<Item = (&'static str, u64)>) -> String {
    let parts: Vec<_> = of.map(|(name, count)| format!("{name} {}", grouped(count))).collect();
    parts.join(", ")
}
