//! Charts of days: a column each, stacked where messages are told apart.
//!
//! The bars are one drawing that is stretched to the room there is; over it lies a link for each day, which
//! shows the day's numbers when it is pointed at or focused, and leads to the day's senders. Every bar is as high as its
//! number: where that is too low to be seen, a mark below the day says that there is something.

use report::views::{DayKinds, DayTls, DayVolume};
use report::{Day, grouped};

use super::shares::{Share, stacked_kinds, stacked_versions};
use super::wording;

/// The height of the drawing, in its own units.
pub(super) const HEIGHT: u64 = 1000;
/// The width of a day.
const PITCH: usize = 10;
/// The lowest bar that is seen: three pixels.
const LOWEST: u64 = 14;

/// An outline for each style.
type Outlines = Vec<(&'static str, String)>;

/// A chart of days.
pub(super) struct Chart {
    pub(super) width: usize,
    /// The outlines of all bars of a style.
    pub(super) bars: Outlines,
    /// The same of marks for what is too low to be seen.
    pub(super) marks: Outlines,
    pub(super) columns: Vec<Column>,
    /// The labels of the scale, from the top.
    pub(super) ticks: Vec<String>,
}

/// A day.
pub(super) struct Column {
    pub(super) href: String,
    /// As in `Thu 12 Nov`.
    pub(super) day: String,
    pub(super) messages: String,
    /// The versions or kinds in use, with their messages.
    pub(super) parts: Vec<(&'static str, &'static str, String)>,
    /// What stands below it; only under some, so that there is room.
    pub(super) label: Option<String>,
    /// Whether that has no room on narrow screens.
    pub(super) wide_only: bool,
    /// Whether its numbers are shown to the left of it, not to the right.
    pub(super) late: bool,
}

/// A bar, or a part of one.
struct Bar {
    class: &'static str,
    y: u64,
    height: u64,
}

/// A day's messages, those of each kind with the kind's style.
struct Stack {
    day: Day,
    messages: u64,
    parts: Vec<(&'static str, &'static str, u64)>,
}

impl Chart {
    /// Messages per day.
    pub(super) fn volume(days: &[DayVolume], today: Day, href: impl Fn(Day) -> String) -> Self {
        let days = days.iter().map(|day| (day.date, day.messages));
        Self::marked(days, |_| false, today, href)
    }

    /// Messages per day, some of which are marked.
    pub(super) fn marked(
        days: impl Iterator<Item = (Day, u64)>,
        is_marked: impl Fn(Day) -> bool,
        today: Day,
        href: impl Fn(Day) -> String,
    ) -> Self {
        let stacks = days.map(|(day, messages)| {
            let class = if is_marked(day) { "tno" } else { "vol" };
            Stack { day, messages, parts: vec![(class, "", messages)] }
        });
        Self::new(stacks.collect(), false, today, href)
    }

    /// What is alarming, per day: failed logins, or what would be refused.
    pub(super) fn counts(
        days: &[(Day, u64)],
        (one, more): (&str, &str),
        today: Day,
        href: impl Fn(Day) -> String,
    ) -> Self {
        let mut chart = Self::marked(days.iter().copied(), |_| true, today, href);
        for (column, (_, number)) in chart.columns.iter_mut().zip(days) {
            column.messages = wording::counted(*number, one, more);
        }
        chart
    }

    /// Messages per day, by TLS version.
    pub(super) fn tls(days: &[DayTls], today: Day, href: impl Fn(Day) -> String) -> Self {
        let stack = |day: &DayTls| Stack::of(day.date, day.messages, &stacked_versions(&day.tls));
        Self::new(days.iter().map(stack).collect(), true, today, href)
    }

    /// Messages per day, by kind of mechanism.
    pub(super) fn kinds(days: &[DayKinds], today: Day, href: impl Fn(Day) -> String) -> Self {
        let stack = |day: &DayKinds| Stack::of(day.date, day.messages, &stacked_kinds(&day.kinds));
        Self::new(days.iter().map(stack).collect(), true, today, href)
    }

    fn new(stacks: Vec<Stack>, by_part: bool, today: Day, href: impl Fn(Day) -> String) -> Self {
        let scale = scale(stacks.iter().map(|stack| stack.messages).max().unwrap_or(0));
        let (days, every) = (stacks.len(), stacks.len().div_ceil(7).max(1));
        let (bars, marks) = drawn(&stacks, scale);
        let columns = stacks.into_iter().enumerate().map(|(at, stack)| {
            let used = stack.parts.iter().filter(|(.., messages)| *messages > 0);
            let parts = used.map(|(class, label, messages)| (*class, *label, grouped(*messages)));
            Column {
                href: href(stack.day),
                day: wording::weekday(stack.day) + if stack.day == today { ", so far" } else { "" },
                messages: wording::counted(stack.messages, "message", "messages"),
                parts: if by_part { parts.collect() } else { Vec::new() },
                label: at.is_multiple_of(every).then(|| wording::short_day(stack.day)),
                wide_only: (at / every) % 2 == 1,
                late: at * 2 >= days,
            }
        });
        let columns = columns.collect();
        let ticks = if scale == 1 { vec![1, 0] } else { vec![scale, scale / 2, 0] };
        let ticks = ticks.into_iter().map(grouped).collect();
        Self { width: days * PITCH, bars, marks, columns, ticks }
    }
}

impl Stack {
    fn of(day: Day, messages: u64, stacked: &[Share]) -> Self {
        let parts = stacked.iter().map(|share| (share.class, share.label, share.messages));
        Self { day, messages, parts: parts.collect() }
    }
}

/// All bars and all marks, as one outline for each style: shorter than a rectangle for each.
fn drawn(stacks: &[Stack], scale: u64) -> (Outlines, Outlines) {
    let (mut outlines, mut marks) = (Outlines::new(), Outlines::new());
    for (at, stack) in stacks.iter().enumerate() {
        let (x, width) = (at * PITCH + 1, PITCH - 2);
        let bars = bars(stack, scale);
        for Bar { class, y, height } in bars.iter().filter(|bar| bar.height > 0) {
            *of(&mut outlines, class) += &format!("M{x} {y}h{width}v{height}h-{width}z");
        }
        let low = bars.iter().filter(|bar| bar.height < LOWEST);
        let room = width / low.clone().count().max(1);
        for (at, Bar { class, .. }) in low.enumerate() {
            let x = x + at * room;
            *of(&mut marks, class) += &format!("M{x} 0h{room}v1h-{room}z");
        }
    }
    (outlines, marks)
}

fn of<'o>(outlines: &'o mut Outlines, class: &'static str) -> &'o mut String {
    let place = outlines.iter().position(|(known, _)| *known == class);
    let place = place.unwrap_or_else(|| {
        outlines.push((class, String::new()));
        outlines.len() - 1
    });
    &mut outlines[place].1
}

/// The bars of what a day has, from below.
fn bars(stack: &Stack, scale: u64) -> Vec<Bar> {
    // Where the sum of some parts ends: so rounding does not add up.
    let y = |sum: u128| {
        let up = (sum * u128::from(HEIGHT) + u128::from(scale) / 2) / u128::from(scale);
        HEIGHT - u64::try_from(up).unwrap_or(HEIGHT).min(HEIGHT)
    };
    let mut below = 0_u128;
    let used = stack.parts.iter().filter(|(.., messages)| *messages > 0);
    let bars = used.map(|(class, _, messages)| {
        let foot = y(below);
        below += u128::from(*messages);
        let y = y(below);
        Bar { class, y, height: foot - y }
    });
    bars.collect()
}

/// The smallest round number that is not below `highest`: even, unless it is 1.
fn scale(highest: u64) -> u64 {
    let mut ten = 1_u64;
    loop {
        for round in [1, 2, 4, 6, 8] {
            match ten.checked_mul(round) {
                Some(1) if highest > 1 => {}
                Some(scale) if scale >= highest => return scale,
                Some(_) => {}
                None => return u64::MAX,
            }
        }
        let Some(more) = ten.checked_mul(10) else { return u64::MAX };
        ten = more;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::{Range, TlsCounts, TlsVersion, views};

    use super::*;

    fn days(range: Range, counts: &[(Day, [u64; 6])]) -> BTreeMap<Day, TlsCounts> {
        let mut days = BTreeMap::new();
        for (day, messages) in counts.iter().filter(|(day, _)| range.contains(*day)) {
            let mut tls = TlsCounts::default();
            for (version, messages) in TlsVersion::ALL.into_iter().zip(messages) {
                tls.add(version, *messages);
            }
            days.insert(*day, tls);
        }
        days
    }

    #[test]
    fn scales_are_round_and_high_enough() {
        for (highest, expected) in [
            (0, 1),
            (1, 1),
            (2, 2),
            (3, 4),
            (9, 10),
            (10, 10),
            (11, 20),
            (61, 80),
            (81, 100),
            (4321, 6000),
        ] {
            assert_eq!(scale(highest), expected, "{highest}");
        }
        assert_eq!(scale(u64::MAX), u64::MAX);
    }

    #[test]
    fn bars_are_stacked_and_stay_within_the_drawing() {
        let end = Day::from_ymd_opt(2026, 11, 24).expect("a date");
        for length in [1, 7, 30, 90] {
            let range = Range::last(end, length);
            let volume = [(range.start, [1, 0, 2, 5_000_000, 1, 0]), (end, [u64::MAX / 6; 6])];
            let usage = views::tls_usage(range, None, &days(range, &volume));
            let chart = Chart::tls(&usage.days, end, |day| day.to_string());
            assert_eq!(chart.columns.len() as u64, length);
            assert!(chart.columns.iter().filter(|column| column.label.is_some()).count() <= 8);
            let scale = scale(usage.days.iter().map(|day| day.messages).max().unwrap_or(0));
            for (day, column) in usage.days.iter().zip(&chart.columns) {
                let mut bottom = HEIGHT;
                let stack = Stack::of(day.date, day.messages, &stacked_versions(&day.tls));
                let bars = bars(&stack, scale);
                for bar in &bars {
                    assert_eq!(bar.y + bar.height, bottom);
                    bottom = bar.y;
                }
                assert_eq!(bars.len(), column.parts.len());
            }
        }
    }

    #[test]
    fn half_the_messages_are_half_as_high() {
        let end = Day::from_ymd_opt(2026, 11, 24).expect("a date");
        let range = Range::last(end, 2);
        let volume = [(range.start, [0, 0, 0, 400, 0, 0]), (end, [100, 0, 0, 100, 0, 0])];
        let usage = views::tls_usage(range, None, &days(range, &volume));
        let chart = Chart::tls(&usage.days, end, |day| day.to_string());
        let modern = "M1 0h8v1000h-8zM11 500h8v250h-8z".to_owned();
        let legacy = "M11 750h8v250h-8z".to_owned();
        assert_eq!(chart.bars, [("t13", modern), ("t10", legacy)]);
        assert_eq!(chart.ticks, ["400", "200", "0"]);
        assert_eq!(chart.columns[1].parts[0], ("t10", "TLS1.0", "100".to_owned()));
    }

    /// What an outline is: of each of its rectangles where it is from the left, and its height.
    fn read(outline: &str) -> Vec<(usize, u64)> {
        let rectangles = outline.split_terminator('z').map(|one| {
            let (x, rest) = one.strip_prefix('M').and_then(|one| one.split_once(' ')).expect("M");
            let (_, rest) = rest.split_once('v').expect("v");
            let (height, _) = rest.split_once('h').expect("h");
            (x.parse().expect("a place"), height.parse().expect("a height"))
        });
        rectangles.collect()
    }

    #[test]
    fn heights_are_true_and_what_is_too_low_is_marked() {
        let end = Day::from_ymd_opt(2026, 11, 24).expect("a date");
        let range = Range::last(end, 3);
        let [first, second] = [range.start, range.start.succ_opt().expect("a day")];
        let volume = [
            (first, [3, 0, 0, 490, 6, 0]),
            (second, [83, 0, 0, 9_900, 0, 0]),
            (end, [1, 1, 1, 1, 1, 1]),
        ];
        let usage = views::tls_usage(range, None, &days(range, &volume));
        let chart = Chart::tls(&usage.days, end, |day| day.to_string());
        assert_eq!(chart.ticks[0], "10,000");
        for (at, messages) in [499, 9_983, 6].into_iter().enumerate() {
            let mut height = 0;
            for (_, outline) in &chart.bars {
                let its = read(outline).into_iter().filter(|(x, _)| x / PITCH == at);
                height += its.map(|(_, height)| height).sum::<u64>();
            }
            let true_height = (messages * HEIGHT + 5_000) / 10_000;
            assert_eq!(height, true_height, "all of day {at}");
        }
        let marked = |at: usize| {
            let its = chart
                .marks
                .iter()
                .filter(|(_, outline)| read(outline).iter().any(|(x, _)| x / PITCH == at));
            let mut classes: Vec<_> = its.map(|(class, _)| *class).collect();
            classes.sort_unstable();
            classes
        };
        assert_eq!(marked(0), ["t10", "tno"]);
        assert_eq!(marked(1), ["t10"]);
        assert_eq!(marked(2).len(), 6);
        // A few of many look alike no longer: 83 has a bar, 3 has none.
        let old =
            chart.bars.iter().find(|(class, _)| *class == "t10").map(|(_, outline)| read(outline));
        assert_eq!(old, Some(vec![(11, 8)]));
    }
}
