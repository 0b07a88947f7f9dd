//! The order of a log's lines: exports whose newest stand first, and years that no line names.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;

use logs::{LogStream, Options, Unroller};
use unpack::{Line, Lines, Pieces};

/// Lines of one second or two may stand in any order.
const DISORDER: i64 = 5;
/// How many times must go back before a text is taken for one whose newest lines stand first.
const STEPS: usize = 3;
/// A time that lies so much before the last one is of the next year: of the same, it would lie after it.
const BACK: i64 = 182 * 86_400;
const YEAR: i64 = 365 * 86_400;
/// The most ends of years that are known at once, the last ones: what came before these is old enough.
const YEARS: usize = 128;
/// Bytes of a text that are turned at once.
const BLOCK: usize = 1 << 20;

/// Whether a text that begins like this has its newest lines first, as exports of search engines have.
pub(super) fn is_newest_first(options: Options, head: &[u8], reference: i64) -> bool {
    let mut stream = LogStream::new(options);
    let (mut last, mut falls, mut rises, mut is_falling) = (None, 0, 0, true);
    units(head, |unit| {
        let Some(time) = stream.time_of(unit, reference) else { return };
        if let Some(last) = last.replace(time) {
            falls += usize::from(time < last);
            rises += usize::from(time > last);
            is_falling &= time <= last + DISORDER;
        }
    });
    is_falling && falls >= STEPS + 3 * rises
}

/// The units of a text's beginning, but for the last, which may be cut.
fn units(head: &[u8], mut each: impl FnMut(&[u8])) {
    let mut unroller = Unroller::default();
    let whole = memchr::memrchr(b'\n', head);
    for line in head[..whole.unwrap_or(0)].split(|byte| *byte == b'\n') {
        unroller.piece(line, true, &mut each);
    }
    let cut = &head[whole.map_or(0, |end| end + 1)..];
    if matches!(cut, [b'{' | b'[', ..]) {
        unroller.piece(cut, false, &mut each);
    }
}

/// A text the other way round, one unit a line, in a file without a name. What stands before the first time, as the
/// names of columns do, stays in front.
///
/// # Errors
/// The text cannot be read, or there is no room for it.
pub(super) fn turned(text: impl Read, options: Options, reference: i64) -> io::Result<File> {
    let (mut unrolled, mut turned) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let mut stream = LogStream::new(options);
    let mut writer = BufWriter::new(&mut unrolled);
    let (mut front, mut written) = (None, 0);
    let mut failed = Ok(());
    let mut each = |unit: &[u8]| {
        if front.is_none() && stream.time_of(unit, reference).is_some() {
            front = Some(written);
        }
        written += unit.len() as u64 + 1;
        // A line's end within a unit can only be white space of JSON, which is left out.
        let put = writer.write_all(unit).and_then(|()| writer.write_all(b"\n"));
        if failed.is_ok() {
            failed = put;
        }
    };
    let (mut lines, mut unroller) = (Pieces::new(text, 0), Unroller::default());
    while lines.read(|line| unroller.piece(line.text, !line.is_continued, &mut each))? {}
    if let Some(line) = lines.rest() {
        unroller.piece(line.text, true, &mut each);
    }
    unroller.close(&mut each);
    failed?;
    writer.flush()?;
    drop(writer);
    let front = front.unwrap_or(written);
    let mut to = BufWriter::new(&mut turned);
    unrolled.seek(SeekFrom::Start(0))?;
    io::copy(&mut (&unrolled).take(front), &mut to)?;
    turn(&unrolled, front, written, &mut to)?;
    to.flush()?;
    drop(to);
    Ok(turned)
}

/// Writes the lines between two offsets, the last first.
fn turn(from: &File, begins: u64, ends: u64, to: &mut impl io::Write) -> io::Result<()> {
    let mut end = ends;
    // The beginning of a line whose rest stands in the block behind.
    let mut rest: Vec<u8> = Vec::new();
    while end > begins {
        let start = end.saturating_sub(BLOCK as u64).max(begins);
        let mut block = vec![0; usize::try_from(end - start).unwrap_or(BLOCK)];
        from.read_exact_at(&mut block, start)?;
        block.append(&mut rest);
        let first = if start == begins {
            0
        } else {
            memchr::memchr(b'\n', &block).map_or(block.len(), |end| end + 1)
        };
        for line in block[first..].split_inclusive(|byte| *byte == b'\n').rev() {
            to.write_all(line)?;
        }
        block.truncate(first);
        (rest, end) = (block, start);
    }
    Ok(())
}

/// Near which time lines were written, for those that name no year: by their offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct References {
    /// Up to which offset lines have which reference, in order.
    earlier: Vec<(u64, i64)>,
    last: i64,
}

impl References {
    /// The same for all lines.
    pub(crate) fn one(reference: i64) -> Self {
        Self { earlier: Vec::new(), last: reference }
    }

    /// Says that the last lines were written near another time: they are only coming.
    pub(super) fn set_last(&mut self, reference: i64) {
        self.last = reference;
    }

    /// Those of a text that begins at an offset, and whose last line was written near a time.
    ///
    /// Lines follow each other: one that seems to lie most of a year before the one in front of it is of the next
    /// year, and all before it are of the last.
    ///
    /// # Errors
    /// The text cannot be read.
    pub(super) fn of(text: impl Read, from: u64, options: Options, last: i64) -> io::Result<Self> {
        let mut years = Years::new(options, last);
        years.read(text, from)?;
        Ok(years.references())
    }

    /// That of the line that begins at an offset.
    #[inline]
    pub(crate) fn at(&self, offset: u64) -> i64 {
        let at = self.earlier.partition_point(|(ends, _)| *ends <= offset);
        self.earlier.get(at).map_or(self.last, |(_, reference)| *reference)
    }
}

/// Looks for times that go back by most of a year.
#[derive(Debug)]
pub(super) struct Years {
    stream: LogStream,
    reference: i64,
    /// The time that was looked at last.
    before: Option<i64>,
    /// What that line begins with.
    month: [u8; 3],
    /// Times name their years: nothing need be looked at.
    are_named: bool,
    /// Offsets and times of the first lines of new years: of the last [`YEARS`].
    falls: VecDeque<(u64, i64)>,
    /// How many there were in all.
    ended: usize,
}

impl Years {
    /// Of lines the last of which was written near a time.
    pub(super) fn new(options: Options, reference: i64) -> Self {
        let stream = LogStream::new(options);
        let (before, month, are_named, ended) = (None, [0; 3], false, 0);
        Self { stream, reference, before, month, are_named, falls: VecDeque::new(), ended }
    }

    /// Looks at the lines of a text that begins at an offset.
    pub(super) fn read(&mut self, text: impl Read, from: u64) -> io::Result<()> {
        let mut lines = Lines::new(text, from);
        while !self.are_named && lines.read(|line| self.line(line.text, line.begins))? {}
        Ok(())
    }

    /// Whether a time was found, and none names its year.
    pub(super) fn are_unnamed(&self) -> bool {
        self.before.is_some() && !self.are_named
    }

    /// The time of a line, near that of the last.
    pub(super) fn time_of(&mut self, line: &[u8]) -> Option<i64> {
        self.stream.time_of(line, self.reference)
    }

    /// What was found so far.
    pub(super) fn references(&self) -> References {
        let falls = (0..).zip(self.falls.iter().rev());
        let mut earlier: Vec<_> =
            falls.map(|(years, (offset, time))| (*offset, time - years * YEAR)).collect();
        earlier.reverse();
        References { earlier, last: self.reference }
    }

    /// Looks at a line.
    #[inline]
    pub(super) fn line(&mut self, line: &[u8], begins: u64) {
        // Syslog's lines begin with their month: of a month, one line is enough.
        let is_alike = line.starts_with(&self.month) && line[0].is_ascii_uppercase();
        if !is_alike && !self.are_named {
            self.look(line, begins);
        }
    }

    fn look(&mut self, line: &[u8], begins: u64) {
        let Some(time) = self.stream.time_of(line, self.reference) else { return };
        if self.before.is_none()
            && self.stream.time_of(line, self.reference - 2 * YEAR) == Some(time)
        {
            self.are_named = true;
            return;
        }
        if let Some(month) = line.first_chunk() {
            self.month = *month;
        }
        if self.before.replace(time).is_some_and(|before| before - time > BACK) {
            self.falls.push_back((begins, time));
            self.ended += 1;
            if self.falls.len() > YEARS {
                self.falls.pop_front();
            }
        }
    }
}

/// The years of what comes later than what was looked at: of what came before, they cannot be told any more.
#[derive(Debug)]
pub(crate) struct Later {
    years: Years,
    /// The offset up to which lines were looked at, and how many years had ended by then.
    from: u64,
    foreseen: usize,
}

impl Later {
    /// Behind what was looked at, up to an offset; none if times name their years.
    pub(super) fn than(years: Years, from: u64) -> Option<Self> {
        let foreseen = years.ended;
        (!years.are_named).then_some(Self { years, from, foreseen })
    }

    /// Says what time it is.
    pub(super) fn set_now(&mut self, now: i64) {
        self.years.reference = now;
    }

    /// Looks at a line.
    pub(crate) fn line(&mut self, line: &Line<'_>) {
        if line.begins >= self.from {
            self.years.line(line.text, line.begins);
        }
    }

    /// How often times went back by most of a year, so that what came before is of another one than was thought.
    pub(crate) fn went_back(&self) -> usize {
        self.years.ended - self.foreseen
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use logs::Format;

    use super::*;

    /// Noon of 23 November 2026.
    const REFERENCE: i64 = 1_795_435_200;

    fn options() -> Options {
        Options { format: Format::Auto, zone: Tz::UTC }
    }

    fn day(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().expect("a time").timestamp()
    }

    #[test]
    fn a_text_whose_newest_lines_stand_first_is_found_and_turned() {
        let line = |second: u32| {
            format!("Nov 23 11:00:{second:02} mail postfix/smtpd[7]: line {second}\n")
        };
        let falling: String = (0..40).rev().map(line).collect();
        let rising: String = (0..40).map(line).collect();
        assert!(is_newest_first(options(), falling.as_bytes(), REFERENCE));
        assert!(!is_newest_first(options(), rising.as_bytes(), REFERENCE));
        let disordered = [line(5), line(4), line(3), line(6), line(2)].concat();
        assert!(!is_newest_first(options(), disordered.as_bytes(), REFERENCE));
        let seconds = [30, 28, 29, 25, 24, 23, 22, 20, 19].map(line).concat();
        assert!(is_newest_first(options(), seconds.as_bytes(), REFERENCE));
        let two = [line(5), line(5), line(4)].concat();
        assert!(!is_newest_first(options(), two.as_bytes(), REFERENCE), "may be disorder");
        let with_names = format!("time,message\n{falling}");
        let mut turned = turned(io::Cursor::new(with_names), options(), REFERENCE).expect("turned");
        let mut text = String::new();
        turned
            .seek(SeekFrom::Start(0))
            .and_then(|_| turned.read_to_string(&mut text))
            .expect("read");
        assert_eq!(text, format!("time,message\n{rising}"));
        let array: Vec<_> = (0..40)
            .rev()
            .map(|second| format!("{{\"time\":{},\"message\":\"m\"}}", REFERENCE + second))
            .collect();
        assert!(is_newest_first(options(), format!("[{}", array.join(", ")).as_bytes(), REFERENCE));
    }

    #[test]
    fn more_than_a_block_is_turned() {
        let line = |number: usize| format!("{number:>60}\n");
        let count = 2 * BLOCK / 61 + 100;
        let text: String = (0..count).map(line).collect();
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(text.as_bytes(), 0).expect("written");
        let mut found = Vec::new();
        turn(&file, 61, text.len() as u64, &mut found).expect("turned");
        let expected: String = (1..count).rev().map(line).collect();
        assert!(found == expected.as_bytes());
    }

    #[test]
    fn of_a_text_of_endless_years_the_last_are_known() {
        let line = |day: &str| format!("{day} 11:00:00 mail postfix/smtpd[7]: x\n");
        let year = [line("Mar  1"), line("Nov 23")].concat();
        let text = year.repeat(1_000);
        let found = References::of(text.as_bytes(), 0, options(), REFERENCE).expect("read");
        assert_eq!(found.earlier.len(), YEARS);
        let of_year = |back: usize| found.at((text.len() - back * year.len()) as u64);
        assert_eq!(of_year(1), REFERENCE);
        for back in 2..=YEARS {
            let years = i64::try_from(back - 2).expect("few");
            assert_eq!(of_year(back), day("2026-03-01T11:00:00Z") - years * YEAR, "{back}");
        }
        // Whatever came before those.
        assert_eq!(found.at(0), of_year(YEARS + 1));
        let mut years = Years::new(options(), REFERENCE);
        years.read(year.as_bytes(), 0).expect("read");
        let mut later = Later::than(years, year.len() as u64).expect("no years are named");
        for at in 1..1_000 {
            let begins = (at * year.len()) as u64;
            let mut lines = Lines::new(year.as_bytes(), begins);
            while lines.read(|line| later.line(&line)).expect("read") {}
        }
        assert_eq!(later.went_back(), 999);
    }

    #[test]
    fn a_year_that_ends_later_than_was_looked_is_told() {
        let text = |days: &[&str]| -> String {
            days.iter().map(|day| format!("{day} 11:00:00 mail postfix/smtpd[7]: x\n")).collect()
        };
        let went_back = |looked: &[&str], later: &[&str]| {
            let (looked, later) = (text(looked), text(later));
            let mut years = Years::new(options(), REFERENCE);
            years.read(looked.as_bytes(), 0).expect("read");
            let mut found = Later::than(years, looked.len() as u64)?;
            let mut lines = Lines::new(later.as_bytes(), looked.len() as u64);
            while lines.read(|line| found.line(&line)).expect("read") {}
            Some(found.went_back())
        };
        assert_eq!(went_back(&["Oct 20", "Dec 30"], &["Mar  1", "Nov 23"]), Some(0));
        assert_eq!(went_back(&["Oct 20"], &["Dec 30", "Mar  1", "Oct 1", "Dec  1"]), Some(2));
        assert_eq!(went_back(&["Nov 22"], &["Nov 23"]), Some(0));
        let mut years = Years::new(options(), REFERENCE);
        let named = "2025-10-20T11:00:00Z mail postfix/smtpd[7]: x\n";
        years.read(named.as_bytes(), 0).expect("read");
        assert!(Later::than(years, 0).is_none());
    }

    #[test]
    fn each_year_of_a_log_is_itself() {
        let line = |day: &str| format!("{day} 11:00:00 mail postfix/smtpd[7]: x\n");
        let days = ["Oct 20", "Dec 30", "Mar  1", "Oct 19", "Dec 24", "Feb  2", "Nov 23"];
        let text: String = days.iter().map(|day| line(day)).collect();
        let references = References::of(text.as_bytes(), 0, options(), REFERENCE).expect("read");
        let expected = [
            "2024-10-20",
            "2024-12-30",
            "2025-03-01",
            "2025-10-19",
            "2025-12-24",
            "2026-02-02",
            "2026-11-23",
        ];
        let mut stream = LogStream::new(options());
        for (number, expected) in expected.iter().enumerate() {
            let offset = number as u64 * text.len() as u64 / days.len() as u64;
            let time = stream.time_of(line(days[number]).as_bytes(), references.at(offset));
            assert_eq!(time, Some(day(&format!("{expected}T11:00:00Z"))), "{expected}");
        }
        let week_before = [line("Nov 23"), line("Nov 16"), line("Nov 22")].concat();
        let references =
            References::of(week_before.as_bytes(), 0, options(), REFERENCE).expect("read");
        assert_eq!(references, References::one(REFERENCE), "one log behind the other");
        let dated = "2025-10-20T11:00:00Z mail postfix/smtpd[7]: x\n2024-10-20T11:00:00Z mail postfix/smtpd[7]: x\n";
        let references = References::of(dated.as_bytes(), 0, options(), REFERENCE).expect("read");
        assert_eq!(references, References::one(REFERENCE));
    }
}
