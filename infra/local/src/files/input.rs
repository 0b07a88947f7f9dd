//! A log file, or standard input, opened.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use ingest::Landmarks;
use logs::{LogStream, Options};
use store::FINGERPRINT;
use unpack::{Lines, Text};

use super::forward::{At, Forward};
use super::order::{self, Later, References, Years};
use super::pipe::{PAUSE, Piped, Tap};
use super::stop::Stop;
use crate::clock::Now;

/// The name of standard input.
pub const STDIN: &str = "-";
/// A file that was not written to for so long is over: it was rotated, or copied here.
pub(super) const OVER: Duration = Duration::from_secs(3600);
/// What of a file is looked at, to tell when it was written.
const TAIL: u64 = 1 << 16;
/// File times can lie before what is in the file, where a clock or a file system sets them so: by so many seconds
/// at most.
const BEHIND: i64 = 31 * 86_400;
/// So far ahead of a file's time a line may be written: clocks and zones differ.
const AHEAD: i64 = 86_400;
/// Lines that were written so many seconds ago or less are of the present.
const PRESENT: i64 = 3600;
/// What of the newest line is looked at.
const NEWEST: usize = 4096;
/// The most bytes of a pipe that are kept to look at their years.
const LOOKED_AT: u64 = 4 << 30;
/// The first moment of 2000: file times before it are no times.
const NO_TIME: i64 = 946_684_800;

/// A file or standard input, opened.
pub(crate) struct Input {
    /// The file, as it was named.
    pub(crate) name: String,
    /// The first bytes of its text, behind a hole.
    pub(crate) head: Vec<u8>,
    /// How many NULs stand before them.
    pub(crate) hole: u64,
    /// The file itself, if its text is not packed or encoded: it can be read from anywhere.
    pub(crate) plain: Option<File>,
    text: Forward,
    /// What it comes through, if it is no file.
    pub(super) pipe: Option<Tap>,
    changed: Option<SystemTime>,
    /// The years of what comes later through a pipe, if its lines name none.
    pub(crate) later: Option<Later>,
    /// Whether its beginning may be gone since it was read last: then it is looked for what is left of it.
    pub(crate) may_be_rest: bool,
    /// How many bytes of its beginning are gone: offsets are those of the whole text.
    pub(crate) gone: u64,
}

impl Input {
    /// Opens a file; `-` is standard input. What comes through a pipe ends where `stop` is told.
    pub(crate) fn open(path: &Path, stop: &Stop) -> Result<Self> {
        let name = path.display().to_string();
        let whats_wrong = || format!("cannot read {name}");
        if path == Path::new(STDIN) {
            return Self::of_pipe(name.clone(), io::stdin(), stop).with_context(whats_wrong);
        }
        let file = File::open(path).with_context(whats_wrong)?;
        let meta = file.metadata().with_context(whats_wrong)?;
        if meta.is_dir() {
            bail!("{name} is a folder: name the log files in it");
        }
        if !meta.is_file() {
            return Self::of_pipe(name.clone(), file, stop).with_context(whats_wrong);
        }
        Self::of(file, path).with_context(whats_wrong)
    }

    /// What comes through a pipe, as soon as its first lines have come.
    pub(crate) fn of_pipe(
        name: String,
        raw: impl Read + Send + 'static,
        stop: &Stop,
    ) -> io::Result<Self> {
        let (reader, hole) = Piped::open(raw, stop)?;
        let tap = reader.tap().clone();
        let mut text = Forward::pipe(reader, hole);
        let head = text.head(hole, FINGERPRINT, &tap)?;
        let (pipe, plain, changed, later, may_be_rest, gone) =
            (Some(tap), None, None, None, false, 0);
        Ok(Self { name, head, hole, plain, text, pipe, changed, later, may_be_rest, gone })
    }

    /// Waits until a pipe has brought all of the head; false if it is there.
    pub(crate) fn wait_for_head(&mut self) -> io::Result<bool> {
        let had = self.head.len();
        if had == FINGERPRINT || self.pipe.is_none() {
            return Ok(false);
        }
        self.text.skip_to(self.hole + had as u64)?;
        let more = (FINGERPRINT - had) as u64;
        self.text.by_ref().take(more).read_to_end(&mut self.head)?;
        Ok(self.head.len() > had)
    }

    /// A file that is open, which has or had this path.
    pub(crate) fn of(file: File, path: &Path) -> io::Result<Self> {
        let changed = file.metadata()?.modified().ok();
        let text = Text::open(At { file: file.try_clone()?, offset: 0 }, FINGERPRINT)?;
        let name = path.display().to_string();
        tell_left_out(&name, &text);
        let (head, hole) = (text.head.clone(), text.hole);
        let (text, plain) = match text.is_unpacked {
            true => (Forward::file(text, file), None),
            false => (Forward::none(), Some(file)),
        };
        let (pipe, later, may_be_rest, gone) = (None, None, false, 0);
        Ok(Self { name, head, hole, plain, text, pipe, changed, later, may_be_rest, gone })
    }

    /// The same with its oldest lines first, if its newest stand there: as an export that is written once.
    pub(crate) fn oldest_first(mut self, options: Options, now: Now) -> io::Result<Self> {
        let reference = self.reference(options, now);
        if !order::is_newest_first(options, &self.head, reference) {
            return Ok(self);
        }
        let text = order::turned(self.text_from(0)?, options, reference)?;
        let turned = Text::open(At { file: text.try_clone()?, offset: 0 }, FINGERPRINT)?;
        let (head, hole) = (turned.head.clone(), turned.hole);
        Ok(Self { head, hole, plain: None, text: Forward::file(turned, text), pipe: None, ..self })
    }

    /// Whether the file still begins as it did: if not, it was cut to nothing, and holds another log.
    pub(crate) fn begins_as_before(&self) -> bool {
        self.plain.as_ref().is_none_or(|file| begins_with(file, self.hole, &self.head))
    }

    /// Whether the file has these lines, as far as it goes.
    pub(crate) fn has(&mut self, landmarks: &Landmarks) -> io::Result<bool> {
        landmarks.stand_in(|offset, to| self.bytes_at(offset, to))
    }

    /// The bytes at an offset; false if the text ends before or within them.
    pub(crate) fn bytes_at(&mut self, offset: u64, to: &mut [u8]) -> io::Result<bool> {
        match &self.plain {
            Some(file) => match file.read_exact_at(to, offset) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
                Err(error) => Err(error),
            },
            None => self.text.bytes_at(offset, to),
        }
    }

    /// The text's beginning, this many bytes at most.
    pub(crate) fn beginning(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match &self.plain {
            Some(file) => {
                bytes = vec![0; length];
                let read = read_at(file, &mut bytes, 0)?;
                bytes.truncate(read);
            }
            None => {
                self.text.rewind()?;
                // Of a pipe, what is there has to do.
                let length = self.text.kept().map_or(length as u64, |kept| kept.min(length as u64));
                self.text.by_ref().take(length).read_to_end(&mut bytes)?;
            }
        }
        Ok(bytes)
    }

    /// The text from its beginning, beside what is read for good; none of a pipe.
    pub(crate) fn aside(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
        match &self.plain {
            Some(file) => Ok(Some(Box::new(At { file: file.try_clone()?, offset: 0 }))),
            None => self.text.again(),
        }
    }

    /// The text from its beginning, so many bytes of it, to be looked through.
    pub(crate) fn whole(&mut self, length: u64) -> io::Result<Box<dyn Read + '_>> {
        match &self.plain {
            Some(file) => Ok(Box::new(At { file: file.try_clone()?, offset: 0 }.take(length))),
            None => {
                self.text.rewind()?;
                Ok(Box::new((&mut self.text).take(length)))
            }
        }
    }

    /// The text from an offset on.
    pub(crate) fn text_from(&mut self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let offset = offset.saturating_sub(self.gone);
        if let Some(file) = &self.plain {
            return Ok(Box::new(At { file: file.try_clone()?, offset }));
        }
        let mut text = std::mem::replace(&mut self.text, Forward::none());
        text.keep_nothing_more();
        text.skip_to(offset)?;
        Ok(Box::new(text))
    }

    /// Whether the text can be told from others: it has a line.
    pub(crate) fn is_begun(&self) -> bool {
        self.head.contains(&b'\n') || self.head.len() == FINGERPRINT
    }

    /// Whether the text is known to end before this offset.
    pub(crate) fn ends_before(&self, offset: u64) -> bool {
        self.size().is_some_and(|size| size + self.gone < offset)
    }

    /// When the log begins: the first time that one of its first lines names.
    pub(crate) fn begins(&self, options: Options, now: Now) -> Option<i64> {
        let mut stream = LogStream::new(options);
        time_of_first(&mut stream, &self.head, self.reference(options, now))
    }

    /// The order of logs: by when they begin, or else by when they were written to last.
    pub(crate) fn order(&self, options: Options, now: Now) -> (Option<i64>, Option<SystemTime>) {
        let written = self.changed.and_then(unix);
        (self.begins(options, now).or(written), self.changed)
    }

    /// The time near which the lines were written: when the file was changed last, or later, if its lines say so.
    pub(crate) fn reference(&self, options: Options, now: Now) -> i64 {
        let now = now.unix();
        let Some(changed) = self.changed.and_then(unix).filter(|at| *at >= NO_TIME) else {
            return now;
        };
        let latest = changed.saturating_add(BEHIND).min(now);
        let mut stream = LogStream::new(options);
        let told = match self.tail() {
            Some(tail) => {
                let mut lines = tail.rsplit(|byte| *byte == b'\n');
                lines.find_map(|line| stream.time_of(line, latest))
            }
            // The end of a compressed text is not at hand: if it begins later than it was written to, the file's time is none.
            None => time_of_first(&mut stream, &self.head, latest)
                .map(|told| if told > changed + AHEAD { latest } else { changed }),
        };
        told.filter(|told| *told <= latest).unwrap_or(changed).max(changed).min(now)
    }

    /// The time near which each line behind an offset was written: see [`reference`](Self::reference). Of a pipe, what comes
    /// before the first pause is looked at.
    pub(crate) fn references(
        &mut self,
        from: u64,
        options: Options,
        now: Now,
    ) -> io::Result<References> {
        let last = self.reference(options, now);
        let offset = from.saturating_sub(self.gone);
        if let Some(file) = &self.plain {
            return References::of(At { file: file.try_clone()?, offset }, from, options, last);
        }
        if let Some(pipe) = self.pipe.clone() {
            return self.years_of_pipe(&pipe, options, now);
        }
        let skipped = self.text.skip_to(offset);
        match skipped.and_then(|()| References::of(self.text.by_ref(), from, options, last)) {
            // Whoever reads on tells of the damage.
            Err(_) => Ok(References::one(last)),
            found => found,
        }
    }

    /// Keeps what comes through a pipe, if its lines name no years, until it pauses or has been of the present for a while: a
    /// log that was written long ago comes without pauses, and a live one is not kept waiting.
    fn years_of_pipe(&mut self, pipe: &Tap, options: Options, now: Now) -> io::Result<References> {
        let mut years = Years::new(options, now.unix());
        let begins = self.hole + self.gone;
        years.read(self.head.as_slice(), begins)?;
        if self.head.len() < FINGERPRINT || !years.are_unnamed() {
            let whole = self.head.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let references = years.references();
            self.later = Later::than(years, begins + whole as u64);
            return Ok(references);
        }
        let mut years = Years::new(options, now.unix());
        let (mut newest, mut present_since) = (Vec::new(), None);
        self.text.rewind()?;
        let mut lines = Lines::new(&mut self.text, self.gone);
        let mut looked = 0;
        loop {
            pipe.give_way(true);
            let more = lines.read(|line| {
                years.line(line.text, line.begins);
                looked = line.ends;
                newest.clear();
                newest.extend_from_slice(&line.text[..line.text.len().min(NEWEST)]);
            });
            pipe.give_way(false);
            // Damage is told by whoever reads on.
            if !more.unwrap_or_default() || looked >= LOOKED_AT {
                break;
            }
            let age = years.time_of(&newest).map(|time| now.unix() - time);
            let is_present = age.is_some_and(|age| age.abs() < PRESENT);
            let since = present_since.get_or_insert_with(Instant::now);
            if !is_present {
                present_since = None;
            } else if since.elapsed() >= 2 * PAUSE {
                break;
            }
        }
        let references = years.references();
        self.later = Later::than(years, looked);
        Ok(references)
    }

    /// The last bytes of the text, but for a line's that is cut by their beginning.
    fn tail(&self) -> Option<Vec<u8>> {
        let (file, size) = (self.plain.as_ref()?, self.size()?);
        let from = size.saturating_sub(TAIL);
        let mut tail = vec![0; usize::try_from(size - from).unwrap_or_default()];
        let read = read_at(file, &mut tail, from).ok()?;
        tail.truncate(read);
        if from > 0 {
            let cut = tail.iter().position(|byte| *byte == b'\n').map_or(tail.len(), |end| end + 1);
            tail.drain(..cut);
        }
        Some(tail)
    }

    /// Whether nothing will be written any more to the text: it is compressed, or a pipe that was closed, or nothing
    /// was written for long.
    pub(crate) fn is_over(&self) -> bool {
        if let Some(pipe) = &self.pipe {
            return pipe.has_ended();
        }
        // Looked at anew: it may have been opened long ago.
        let changed =
            self.plain.as_ref().map(|file| file.metadata().and_then(|meta| meta.modified()));
        let Some(Ok(changed)) = changed else { return changed.is_none() };
        SystemTime::now().duration_since(changed).is_ok_and(|since| since >= OVER)
    }

    /// How long the text is, if that can be told before it is read.
    pub(crate) fn size(&self) -> Option<u64> {
        Some(self.plain.as_ref()?.metadata().ok()?.len())
    }
}

/// Warns of what of an archive is not read.
fn tell_left_out(name: &str, text: &Text) {
    for one in &text.left_out {
        tracing::warn!(path = name, "left out: {one}");
    }
}

fn time_of_first(stream: &mut LogStream, head: &[u8], reference: i64) -> Option<i64> {
    head.split(|byte| *byte == b'\n').find_map(|line| stream.time_of(line, reference))
}

fn unix(at: SystemTime) -> Option<i64> {
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Whether these bytes stand in a file, behind a hole.
pub(super) fn begins_with(file: &File, hole: u64, head: &[u8]) -> bool {
    let mut begin = vec![0; head.len()];
    read_at(file, &mut begin, hole).is_ok_and(|read| read == begin.len()) && begin == head
}

/// Reads as much as there is, and says how much.
fn read_at(file: &File, to: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < to.len() {
        match file.read_at(&mut to[length..], offset + length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use chrono_tz::Tz;
    use logs::Format;

    use super::*;

    /// Noon of 23 November 2026.
    const NOW: Now = Now::Fixed(1_795_435_200);

    fn options() -> Options {
        Options { format: Format::Auto, zone: Tz::UTC }
    }

    /// Three years, a line a day, up to the present.
    fn log() -> String {
        let months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(' ').cycle();
        let days = months.take(35).flat_map(|month| (1..=23).map(move |day| (month, day)));
        days.map(|(month, day)| format!("{month} {day:>2} 11:00:00 mail postfix/smtpd[7]: x\n"))
            .collect()
    }

    /// The years of the first, a middle and the last line.
    fn years(references: &References, text: &str) -> [i64; 3] {
        let mut stream = LogStream::new(options());
        let starts: Vec<_> = text.match_indices('\n').map(|(end, _)| end + 1).collect();
        [0, starts.len() / 2, starts.len() - 2].map(|line| {
            let text = &text[starts[line]..];
            let line_of = &text.as_bytes()[..text.find('\n').expect("a line")];
            let time = stream.time_of(line_of, references.at(starts[line] as u64));
            1970 + time.expect("a time") / (365 * 86_400 + 21_600)
        })
    }

    #[test]
    fn each_year_of_a_log_that_comes_through_a_pipe_is_itself() {
        let text = log();
        let mut input =
            Input::of_pipe("-".to_owned(), io::Cursor::new(text.clone()), &Stop::default())
                .expect("a pipe");
        let references = input.references(0, options(), NOW).expect("read");
        assert_eq!(years(&references, &text), [2024, 2025, 2026]);
        let mut all = String::new();
        input.text_from(0).and_then(|mut all_of| all_of.read_to_string(&mut all)).expect("read");
        assert!(all == text);
    }

    #[test]
    fn damage_of_what_comes_through_a_pipe_is_told_behind_what_came_before() {
        let text = log().repeat(9);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        let mut packed =
            gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish()).expect("gzip");
        packed.truncate(packed.len() - 100_000);
        let mut input = Input::of_pipe("-".to_owned(), io::Cursor::new(packed), &Stop::default())
            .expect("a pipe");
        input.references(0, options(), NOW).expect("read");
        let mut all = Vec::new();
        let read = input.text_from(0).and_then(|mut all_of| all_of.read_to_end(&mut all));
        assert!(read.expect_err("cut").to_string().contains("ends early"));
        assert!(all.len() > 100_000 && text.as_bytes().starts_with(&all));
    }
}
