//! What a row of a table tells beside its counts, as a table shows it.

use report::views::More;
use report::{date, grouped};

use super::about;
use super::wording;

/// The height of a picture of days, in its own units.
const HEIGHT: u64 = 24;
/// The width of a bar in it, with the gap behind it.
const PITCH: usize = 4;
/// The most bars.
const BARS: usize = 30;
/// Mechanisms that a row names.
const NAMED: usize = 3;

/// A row's days, mechanisms and change.
pub(super) struct Story {
    pub(super) width: usize,
    /// The bars of its days.
    pub(super) picture: String,
    /// As in `PLAIN, LOGIN`.
    pub(super) mechanisms: String,
    /// As in `+50 %`, with a word for who has just begun; none if nobody knows.
    pub(super) change: Option<String>,
    pub(super) first: String,
    pub(super) last: String,
    /// What is known of it beside its counts.
    pub(super) known: Vec<String>,
}

impl Story {
    pub(super) fn new(more: &More) -> Self {
        let names = more.mechanisms.iter().map(|one| about::named(&one.name));
        let mut mechanisms = names.clone().take(NAMED).collect::<Vec<_>>().join(", ");
        if let Some(others @ 1..) = more.mechanisms.len().checked_sub(NAMED) {
            mechanisms += &format!(" and {}", grouped(others as u64));
        }
        let (width, picture) = picture(&more.days);
        Self {
            width,
            picture,
            mechanisms,
            change: more.before.map(|_| match more.change {
                Some(change) => told(change),
                None => "new".to_owned(),
            }),
            first: date(more.first),
            last: date(more.last),
            known: wording::labels(&more.labels),
        }
    }
}

/// A change in percent, whole where that is enough.
fn told(change: f64) -> String {
    if change >= 1000.0 {
        return format!("×{:.0}", change / 100.0 + 1.0);
    }
    let decimals = if change.abs() < 10.0 { 1 } else { 0 };
    let text = format!("{change:+.decimals$}\u{a0}%");
    if change == 0.0 { "0\u{a0}%".to_owned() } else { text.replace('-', "\u{2212}") }
}

/// Bars for days, or for several days each where there are many: strokes, which take few bytes.
fn picture(days: &[u64]) -> (usize, String) {
    let bars: Vec<u64> = days.chunks(days.len().div_ceil(BARS).max(1)).map(sum).collect();
    let most = bars.iter().max().copied().unwrap_or(0).max(1);
    let bar = |(at, messages): (usize, &u64)| {
        let height = u128::from(*messages) * u128::from(HEIGHT) / u128::from(most);
        let height = u64::try_from(height).unwrap_or(HEIGHT).max(1);
        (*messages > 0).then(|| format!("M{} {}V{HEIGHT}", at * PITCH + 2, HEIGHT - height))
    };
    (bars.len() * PITCH, bars.iter().enumerate().filter_map(bar).collect())
}

fn sum(days: &[u64]) -> u64 {
    days.iter().fold(0, |sum, messages| sum.saturating_add(*messages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_drawn_and_changes_told() {
        assert_eq!(picture(&[0, 12, 24]), (12, "M6 12V24M10 0V24".to_owned()));
        assert_eq!(picture(&[0, 0]), (8, String::new()));
        assert_eq!(picture(&[u64::MAX, 1]).1, "M2 0V24M6 23V24");
        let quarter = picture(&[1; 90]);
        assert_eq!((quarter.0, quarter.1.matches('M').count()), (120, 30));
        for (change, expected) in [
            (50.0, "+50\u{a0}%"),
            (-66.67, "\u{2212}67\u{a0}%"),
            (3.21, "+3.2\u{a0}%"),
            (0.0, "0\u{a0}%"),
            (8471.43, "×86"),
        ] {
            assert_eq!(told(change), expected);
        }
    }
}
