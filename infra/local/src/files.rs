//! Log files, read once however often they are given.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use bootstrap::progress;
use ingest::{FileIngest, Found, Ingest, IngestError, IngestedLine, Line, Lines, Summary, Text};
use logs::LogStream;
use store::{FINGERPRINT, Files};

use crate::clock::Now;

/// A file that was not written to for so long has its last line complete, end or no end.
const SETTLED: Duration = Duration::from_secs(5);
/// A file that was not written to for so long is over: it was rotated, or copied here.
const OVER: Duration = Duration::from_secs(3600);
/// Logs belong together if the next begins within this many seconds of the last one's end.
const NEXT: i64 = 86_400;

/// What ingesting one file came to.
#[derive(Debug)]
pub struct Report {
    /// The file, as it was named.
    pub name: String,
    /// The figures.
    pub summary: Summary,
    /// Senders and days.
    pub found: Found,
    /// The file was read before, at least in part.
    pub known: bool,
    /// Accepted or not: messages that a later line must tell about.
    pub open: logs::Load,
    /// The last line has no end yet, and is left for the next time.
    pub unfinished_line: bool,
}

/// A file or standard input, opened.
struct Input {
    name: String,
    /// The first bytes of its text.
    head: Vec<u8>,
    text: Box<dyn Read + Send>,
    /// The file itself, if its text is not compressed: it can be read from anywhere.
    plain: Option<File>,
    changed: Option<SystemTime>,
}

/// Ingests files, oldest log first, and standard input for `-`.
///
/// # Errors
/// A file cannot be read, or the store failed. What was reported is stored.
pub async fn ingest(
    ingest: &Ingest,
    known: &Files,
    names: &[PathBuf],
    now: Now,
    mut report: impl FnMut(Report),
) -> Result<()> {
    let mut inputs = Vec::with_capacity(names.len());
    for name in names {
        let input = Input::open(name)?;
        let begins = input.begins(ingest, now);
        inputs.push((begins, input));
    }
    inputs.sort_by_key(|(begins, input)| (*begins, input.changed));
    let mut before: Option<Unsettled> = None;
    for (begins, input) in inputs {
        let name = input.name.clone();
        if input.head.is_empty() {
            report(Report::empty(name));
            continue;
        }
        let file = known.identify(&input.head).await?;
        if let Some(mut before) = before.take() {
            let gap = begins.map(|begins| begins - before.reading.clock());
            if !file.known && gap.is_some_and(|gap| (0..=NEXT).contains(&gap)) {
                before.reading.hand_over(&file).await?;
                report(before.report);
            } else {
                report(before.settle().await?);
            }
        }
        // Only now: a file that is known got what was open in the one before it.
        known.remember(&input.head, &file, now.unix()).await?;
        let over = input.is_older_than(OVER);
        let mut reading = FileIngest::resume(ingest, &file, now.unix()).await?;
        let (mut summary, unfinished_line) = read(&mut reading, input, now)
            .await
            .with_context(|| format!("while ingesting {name}"))?;
        summary.records = 1;
        let (found, open) = (reading.found().clone(), reading.load());
        let report = Report { name, summary, found, known: file.known, open, unfinished_line };
        before = Some(Unsettled { reading, over, report });
    }
    if let Some(last) = before {
        report(last.settle().await?);
    }
    Ok(())
}

/// A file that was read, and may go on in the next one.
struct Unsettled {
    reading: FileIngest,
    over: bool,
    report: Report,
}

impl Unsettled {
    /// Settles what waits for a session's end, if the log is over.
    async fn settle(mut self) -> Result<Report, IngestError> {
        if self.over && self.reading.load().sessions > 0 {
            self.report.summary.add(&self.reading.close().await?);
            self.report.open = self.reading.load();
        }
        Ok(self.report)
    }
}

async fn read(file: &mut FileIngest, mut input: Input, now: Now) -> Result<(Summary, bool)> {
    let progress = progress::bytes_of(input.name.clone(), input.size());
    let offset = file.offset();
    let settled = input.is_older_than(SETTLED);
    let reference = input.reference(now);
    let mut lines = Lines::new(input.text_from(offset)?, offset);
    let mut summary = Summary::default();
    let mut begun = offset;
    let mut more = true;
    while more {
        let ingest = |line: Line<'_>| file.line(line.text, place(&line, reference));
        more = lines.read(ingest)?;
        progress.inc(file.offset() - begun);
        begun = file.offset();
        if file.is_full() {
            summary.add(&file.flush().await?);
        }
    }
    let mut unfinished = false;
    if let Some(line) = lines.rest() {
        if settled {
            file.line(line.text, place(&line, reference));
        } else {
            unfinished = true;
        }
    }
    if file.offset() > offset {
        summary.add(&file.flush().await?);
    }
    progress.finish_and_clear();
    Ok((summary, unfinished))
}

pub(crate) fn place(line: &Line<'_>, reference: i64) -> IngestedLine {
    IngestedLine { begins: line.begins, ends: line.ends, reference }
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        if path == Path::new("-") {
            return Self::of("-".to_owned(), Box::new(io::stdin()), None, None);
        }
        let whats_wrong = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(whats_wrong)?;
        let meta = file.metadata().with_context(whats_wrong)?;
        if meta.is_dir() {
            anyhow::bail!("{} is a folder: name the log files in it", path.display());
        }
        let (plain, changed) = (file.try_clone().ok().filter(|_| meta.is_file()), meta.modified());
        let name = path.display().to_string();
        Self::of(name, Box::new(file), plain, changed.ok()).with_context(whats_wrong)
    }

    fn of(
        name: String,
        raw: Box<dyn Read + Send>,
        plain: Option<File>,
        changed: Option<SystemTime>,
    ) -> Result<Self> {
        let Text { head, reader: text, compressed } = Text::open(raw, FINGERPRINT)?;
        let plain = plain.filter(|_| !compressed);
        Ok(Self { name, head, text, plain, changed })
    }

    /// The text from an offset on.
    fn text_from(&mut self, offset: u64) -> Result<Box<dyn Read + Send>> {
        let mut text = std::mem::replace(&mut self.text, Box::new(io::empty()));
        match self.plain.take() {
            Some(mut file) => {
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(file))
            }
            None => {
                io::copy(&mut text.by_ref().take(offset), &mut io::sink())?;
                Ok(text)
            }
        }
    }

    /// When the log begins: the first time that one of its first lines names.
    fn begins(&self, ingest: &Ingest, now: Now) -> Option<i64> {
        let mut stream = LogStream::new(ingest.settings().logs);
        let reference = self.reference(now);
        self.head.split(|byte| *byte == b'\n').find_map(|line| stream.time_of(line, reference))
    }

    /// The time near which the lines were written: when the file was changed last.
    fn reference(&self, now: Now) -> i64 {
        let changed = self.changed.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let changed = changed.and_then(|since| i64::try_from(since.as_secs()).ok());
        changed.unwrap_or(i64::MAX).min(now.unix())
    }

    /// Whether nothing was written for so long; what is no file is complete when it ends.
    fn is_older_than(&self, age: Duration) -> bool {
        let Some(changed) = self.changed else { return true };
        SystemTime::now().duration_since(changed).is_ok_and(|since| since >= age)
    }

    /// How long the text is, if that can be told before it is read.
    fn size(&self) -> Option<u64> {
        Some(self.plain.as_ref()?.metadata().ok()?.len())
    }
}

impl Report {
    fn empty(name: String) -> Self {
        Self {
            name,
            summary: Summary::default(),
            found: Found::default(),
            known: false,
            open: logs::Load::default(),
            unfinished_line: false,
        }
    }
}
