//! What was read of a log: when, how much, and how much of it was not understood.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::day::Day;

/// Lines by what they were, and what they came to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub struct LineCounts {
    /// Lines with any text. Where an entry takes several lines, or a line holds several entries, these.
    pub lines: u64,
    /// Of these, lines of mail servers, whether they prove something or not.
    pub mail_servers: u64,
    /// Lines of other programs.
    pub other_programs: u64,
    /// Damaged ones, which are put into quarantine.
    pub quarantined: u64,
    /// Lines of no known form.
    pub not_understood: u64,
    /// Messages that were counted.
    pub messages: u64,
}

impl LineCounts {
    /// All of them, in an order to which others may be added at its end.
    #[must_use]
    pub const fn numbers(&self) -> [u64; 6] {
        let Self { lines, mail_servers, other_programs, .. } = *self;
        let Self { quarantined, not_understood, messages, .. } = *self;
        [lines, mail_servers, other_programs, quarantined, not_understood, messages]
    }

    /// From these numbers.
    #[must_use]
    pub const fn of(numbers: [u64; 6]) -> Self {
        let [lines, mail_servers, other_programs, quarantined, not_understood, messages] = numbers;
        Self { lines, mail_servers, other_programs, quarantined, not_understood, messages }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        let mut sums = self.numbers();
        for (sum, more) in sums.iter_mut().zip(other.numbers()) {
            *sum = sum.saturating_add(more);
        }
        *self = Self::of(sums);
    }
}

/// What a batch of a log's lines was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BatchRead<'a> {
    /// Its lines.
    pub counts: LineCounts,
    /// Whose lines there are: names of formats.
    pub formats: Vec<&'a str>,
    /// The latest time that lines of mail servers tell, in seconds since 1970.
    pub log_time: Option<i64>,
    /// What the first line of no known form looks like, in words of this program's own; empty if it looks like nothing.
    pub nearest: Option<&'a str>,
}

/// What was read of a log so far. Nothing of it but its name is anybody else's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// What people call the log.
    pub name: String,
    /// Whether it is read as it grows.
    pub is_followed: bool,
    /// When its last line was read, in seconds since 1970.
    pub last: i64,
    /// The latest time that the last lines of mail servers tell, in seconds since 1970.
    pub log_time: Option<i64>,
    /// The longest time without a line, in seconds.
    pub longest: i64,
    /// Whose lines there were: names of formats.
    pub formats: BTreeSet<String>,
    /// All lines.
    pub total: LineCounts,
    /// The day on which the last line was read, and its lines.
    pub day: Day,
    /// That day's lines.
    pub of_day: LineCounts,
    /// The last day with lines of no known form, and what the first of these looked like.
    pub nearest: Option<(Day, String)>,
}

impl Intake {
    /// A log of which nothing was read.
    #[must_use]
    pub fn new(name: &str, is_followed: bool) -> Self {
        Self { name: name.to_owned(), is_followed, ..Self::default() }
    }

    /// Adds lines that were read at `now`, on a day.
    pub fn add(&mut self, read: &BatchRead<'_>, now: i64, day: Day) {
        self.total.add(&read.counts);
        // What only the end of the log has settled is of the day of its last line.
        if read.counts.lines > 0 {
            if self.last > 0 {
                self.longest = self.longest.max(now.saturating_sub(self.last));
            }
            self.last = self.last.max(now);
            if day > self.day {
                (self.day, self.of_day) = (day, LineCounts::default());
            }
        }
        self.of_day.add(&read.counts);
        self.formats.extend(read.formats.iter().map(|format| (*format).to_owned()));
        self.log_time = read.log_time.or(self.log_time);
        if let Some(nearest) = read.nearest
            && self.nearest.as_ref().is_none_or(|(told, _)| *told < day)
        {
            self.nearest = Some((day, nearest.to_owned()));
        }
    }

    /// Adds another log of the same name, as one whose lines went on in it.
    pub fn merge(&mut self, other: Self) {
        self.total.add(&other.total);
        match other.day.cmp(&self.day) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => self.of_day.add(&other.of_day),
            std::cmp::Ordering::Greater => (self.day, self.of_day) = (other.day, other.of_day),
        }
        if other.last > self.last {
            (self.last, self.log_time) = (other.last, other.log_time.or(self.log_time));
        }
        self.formats.extend(other.formats);
        self.is_followed |= other.is_followed;
        self.longest = self.longest.max(other.longest);
        let day = |nearest: &Option<(Day, String)>| nearest.as_ref().map(|(day, _)| *day);
        if day(&other.nearest) > day(&self.nearest) {
            self.nearest = other.nearest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: u32) -> Day {
        Day::from_ymd_opt(2026, 11, number).expect("a day")
    }

    fn lines(lines: u64, not_understood: u64) -> BatchRead<'static> {
        let counts = LineCounts { lines, not_understood, ..LineCounts::default() };
        let nearest = (not_understood > 0).then_some("like XML");
        BatchRead { counts, nearest, ..BatchRead::default() }
    }

    #[test]
    fn a_day_begins_anew_and_all_of_it_goes_on() {
        let mut intake = Intake::new("log", true);
        intake.add(&BatchRead { log_time: Some(90), ..lines(10, 1) }, 100, day(24));
        intake.add(&lines(5, 0), 160, day(24));
        assert_eq!((intake.last, intake.longest, intake.of_day.lines), (160, 60, 15));
        intake.add(&lines(2, 0), 400, day(25));
        let told = (intake.total.lines, intake.of_day.lines, intake.longest, intake.log_time);
        assert_eq!(told, (17, 2, 240, Some(90)));
        assert_eq!(intake.nearest, Some((day(24), "like XML".to_owned())));
        // A clock that went back, and what the end of a log has settled.
        intake.add(&lines(1, 1), 300, day(24));
        let messages = LineCounts { messages: 3, ..LineCounts::default() };
        intake.add(&BatchRead { counts: messages, ..lines(0, 0) }, 9000, day(26));
        let told = (intake.last, intake.longest, intake.day, intake.of_day.messages);
        assert_eq!(told, (400, 240, day(25), 3));
    }

    #[test]
    fn logs_of_one_name_are_one() {
        let mut one = Intake::new("log", false);
        one.add(&lines(10, 0), 100, day(24));
        let mut other = Intake::new("log", true);
        other.add(&lines(4, 4), 200, day(25));
        let mut both = one.clone();
        both.merge(other.clone());
        other.merge(one);
        assert_eq!(both, other);
        assert_eq!((both.total.lines, both.of_day.lines, both.last), (14, 4, 200));
        assert!(both.is_followed && both.nearest.is_some());
    }
}
