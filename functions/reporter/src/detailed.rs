//! The detailed report as a file, and into which ranges it has to be cut if it is too large.

use std::io;

use report::csv::Detailed;
use report::{Day, Range, UsageKey};

use crate::spool::Spool;

/// Bytes that a part takes more when it is compressed alone, knowing nothing of what came before.
const MARGIN: usize = 64 << 10;

/// A range whose detailed report fits into a mail, or a single day whose does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) range: Range,
    pub(crate) fits: bool,
}

/// The detailed report as a file.
#[derive(Debug)]
pub(crate) enum File {
    /// It fits.
    Whole(mailer::File),
    /// It does not, but these ranges of it do, except for single days.
    Parts(Vec<Part>),
}

/// Writes the detailed report, day after day.
pub(crate) struct DetailedFile {
    csv: Detailed<Spool>,
    day: Option<Day>,
    cut: Cut,
}

impl DetailedFile {
    pub(crate) fn new(spool: Spool, range: Range) -> io::Result<Self> {
        let limit = spool.limit().saturating_sub(MARGIN);
        Ok(Self { csv: Detailed::new(spool)?, day: None, cut: Cut::new(range, limit) })
    }

    pub(crate) fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> io::Result<()> {
        if self.day != Some(day) {
            self.end_day()?;
            self.day = Some(day);
        }
        self.csv.row(day, key, messages)
    }

    fn end_day(&mut self) -> io::Result<()> {
        if let Some(day) = self.day {
            self.csv.flush()?;
            self.cut.day_ends(day, self.csv.to().taken());
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<File> {
        self.end_day()?;
        Ok(match self.csv.finish()?.finish()? {
            Some(file) => File::Whole(file),
            None => File::Parts(self.cut.finish()),
        })
    }
}

/// Cuts a range into parts that fit, as long as possible each.
struct Cut {
    range: Range,
    /// Bytes that a part may take.
    limit: usize,
    /// Where the part begins, and what was taken before it.
    begins: (Day, usize),
    /// The last day up to which it fits, and what was taken then.
    fits: Option<(Day, usize)>,
    parts: Vec<Part>,
}

impl Cut {
    fn new(range: Range, limit: usize) -> Self {
        Self { range, limit, begins: (range.start, 0), fits: None, parts: Vec::new() }
    }

    /// A day with rows has ended, and so much was taken since the beginning.
    fn day_ends(&mut self, day: Day, taken: usize) {
        if !self.has_room(taken)
            && let Some((last, taken)) = self.fits.take()
        {
            self.part_ends(last, taken, true);
        }
        if self.has_room(taken) {
            self.fits = Some((day, taken));
        } else {
            // Days without rows before it are no trouble: they go with it.
            self.fits = None;
            self.part_ends(day, taken, false);
        }
    }

    fn has_room(&self, taken: usize) -> bool {
        taken.saturating_sub(self.begins.1) <= self.limit
    }

    fn part_ends(&mut self, end: Day, taken: usize, fits: bool) {
        let range = Range { start: self.begins.0, end };
        self.parts.push(Part { range, fits });
        self.begins = (end.succ_opt().unwrap_or(end), taken);
    }

    fn finish(mut self) -> Vec<Part> {
        if self.fits.is_some() {
            self.part_ends(self.range.end, 0, true);
        }
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of days that take so many bytes each, as `first-last` and `!` if one does not fit.
    fn parts(days: &[usize], limit: usize) -> String {
        let day = |number: usize| Day::from_ymd_opt(2026, 11, 1 + number as u32).expect("a date");
        let range = Range { start: day(0), end: day(days.len() - 1) };
        let (mut cut, mut taken) = (Cut::new(range, limit), 0);
        for (number, bytes) in days.iter().enumerate().filter(|(_, bytes)| **bytes > 0) {
            taken += bytes;
            cut.day_ends(day(number), taken);
        }
        let show = |part: &Part| {
            let (start, end) = (part.range.start.format("%-d"), part.range.end.format("%-d"));
            format!("{start}-{end}{}", if part.fits { "" } else { "!" })
        };
        cut.finish().iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn parts_are_as_long_as_fits_and_cover_everything() {
        assert_eq!(parts(&[5, 5, 5, 5], 10), "1-2 3-4");
        assert_eq!(parts(&[5, 0, 6, 5, 0], 10), "1-1 2-3 4-5");
        assert_eq!(parts(&[5, 11, 5], 10), "1-1 2-2! 3-3");
        assert_eq!(parts(&[11], 10), "1-1!");
        assert_eq!(parts(&[0, 0, 1], 10), "1-3");
    }
}
