//! Logs that are read one after the other: what is open at the end of one goes on in the next.

use anyhow::{Context as _, Result};
use ingest::{FileIngest, Ingest, IngestError};
use store::{Files, KnownFile};

use super::heard::Heard;
use super::input::{Input, OVER};
use super::known::known;
use super::reading::{CUT, Ended, Reader};
use super::report::Report;
use super::stop::Stop;
use crate::clock::Now;

/// Logs belong together if the next begins within these many seconds of the last one's end: before it, because
/// lines are not written in the order of their times.
const NEXT: std::ops::RangeInclusive<i64> = -60..=86_400;

/// Logs in the order in which they were written.
pub(super) struct Chain<'a> {
    ingest: &'a Ingest,
    files: &'a Files,
    now: Now,
    /// Whether all of it is one log, of which each file goes on from the one before. If not, times tell.
    is_one: bool,
    /// What all of it is called, if it is read as it grows.
    log: Option<String>,
    before: Option<Unsettled>,
    reader: Reader<'a>,
    /// The names of the files that were read.
    sources: Vec<String>,
}

/// A file that was read, and may go on in the next one.
pub(super) struct Unsettled {
    file: KnownFile,
    reading: FileIngest,
    /// None if the file is not there any more.
    input: Option<Input>,
    report: Report,
}

impl<'a> Chain<'a> {
    pub(super) fn new(ingest: &'a Ingest, files: &'a Files, now: Now) -> Self {
        let reader = Reader::new(ingest, now);
        let (log, before, sources) = (None, None, Vec::new());
        Self { ingest, files, now, is_one: false, log, before, reader, sources }
    }

    /// That stores what it has, and reads no more, when it is told to.
    pub(super) fn until(mut self, stop: &Stop) -> Self {
        self.reader.stop = stop.clone();
        self
    }

    /// That counts a log even if another held the same lines.
    pub(super) fn again(mut self, again: bool) -> Self {
        self.reader.again = again;
        self
    }

    /// That tells what was stored as soon as it was, under this name.
    pub(super) fn telling(mut self, source: &str, heard: &Heard) -> Self {
        self.log = Some(source.to_owned());
        self.reader.live = Some((source.to_owned(), heard.clone()));
        self
    }

    /// Of one log that is followed and rotated, called like this.
    pub(super) fn of_one(log: &str, ingest: &'a Ingest, files: &'a Files, now: Now) -> Self {
        let log = Some(log.to_owned());
        // What is followed is not to end because another log holds the same.
        Self { is_one: true, log, ..Self::new(ingest, files, now) }.again(true)
    }

    /// Goes on from a file that is not there any more, unless a copy of it was read.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn go_on_from(&mut self, source: &str) -> Result<Option<Report>> {
        if self.sources.iter().any(|read| read == source) {
            return Ok(None);
        }
        let file = KnownFile { source: source.to_owned(), known: true };
        let mut reading = FileIngest::resume(self.ingest, &file, self.now.unix()).await?;
        if let Some(log) = &self.log {
            reading.call(log, true);
        }
        let gone = Unsettled { file, reading, input: None, report: Report::default() };
        match self.before.replace(gone) {
            Some(before) => Ok(Some(before.settle(self.now, &self.reader.stop).await?)),
            None => Ok(None),
        }
    }

    /// Reads the next file to its end, and reports the one before it, and this one if it is not read.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn read(&mut self, mut input: Input) -> Result<Vec<Report>> {
        let name = input.name.clone();
        if input.head.is_empty() {
            return Ok(vec![Report { name, ..Report::default() }]);
        }
        if !input.is_begun() && !input.is_over() {
            return Ok(vec![Report { name, unfinished_line: true, ..Report::default() }]);
        }
        let now = self.now.unix();
        let known = known(&mut input, self.ingest, self.files, now).await;
        let file = known.with_context(while_in(&name))?.file;
        if !input.begins_as_before() {
            // What is open goes on in what it holds now, not in what it held.
            let failure = Some(CUT.to_owned());
            return Ok(vec![Report { name, failure, ..Report::default() }]);
        }
        // First of all: whatever happens from here on, the file is known by this name.
        self.files.remember(&input.head, &file.source, now).await?;
        let may_be_twin = self.before.is_some() && !file.known && !self.is_one;
        let is_twin = may_be_twin && self.reader.begins_as_twin(&file, &mut input).await?;
        let reported = match self.before.take_if(|_| !is_twin) {
            Some(before) => {
                let begins = input.begins(self.ingest.settings().logs, self.now);
                let follows = before.is_followed(begins, self.is_one);
                Some(before.go_on(follows, &file, self.now, &self.reader.stop).await?)
            }
            None => None,
        };
        let mut reading = FileIngest::resume(self.ingest, &file, now).await?;
        reading.sample_as(&name);
        reading.call(self.log.as_ref().unwrap_or(&name), self.log.is_some());
        let ended =
            self.reader.read(&mut reading, &mut input).await.with_context(while_in(&name))?;
        let Ended { mut summary, unfinished_line, failure, twin, shares, went_back } = ended;
        if twin.is_some() {
            let told = Report { name, twin, ..Report::default() };
            return Ok(reported.into_iter().chain([told]).collect());
        }
        summary.records = 1;
        let (found, open) = (reading.found().clone(), reading.load());
        let understanding = reading.understanding().clone();
        let known = file.known;
        let report = Report {
            name,
            summary,
            understanding,
            found,
            known,
            open,
            unfinished_line,
            failure,
            twin,
            shares,
            went_back,
        };
        self.sources.push(file.source.clone());
        let left = self.before.replace(Unsettled { file, reading, input: Some(input), report });
        let left = match left {
            Some(before) => Some(before.settle(self.now, &self.reader.stop).await?),
            None => None,
        };
        Ok(reported.into_iter().chain(left).collect())
    }

    /// Reports the last file, and settles what is open in it if it is over.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn end(self) -> Result<Option<Report>> {
        match self.before {
            Some(before) => Ok(Some(before.settle(self.now, &self.reader.stop).await?)),
            None => Ok(None),
        }
    }

    /// The last file, which may go on.
    pub(super) fn last(self) -> Option<Unsettled> {
        self.before
    }
}

impl Unsettled {
    /// Whether a log that begins then is what this one goes on in.
    fn is_followed(&self, begins: Option<i64>, is_one: bool) -> bool {
        let gap = begins.map(|begins| begins - self.reading.clock());
        is_one || gap.is_some_and(|gap| NEXT.contains(&gap))
    }

    /// Lets the next file go on with what is open in the one before, if it belongs to it and is not begun.
    async fn go_on(
        mut self,
        follows: bool,
        file: &KnownFile,
        now: Now,
        stop: &Stop,
    ) -> Result<Report> {
        if self.file.source == file.source {
            // The same log once more, copied or compressed.
            return Ok(self.report);
        }
        if !file.known && follows && self.report.failure.is_none() {
            self.reading.hand_over(file).await?;
            return Ok(self.report);
        }
        // What it goes on in was begun without it: nothing there will tell of what is open here.
        let is_over = follows || self.is_over(now);
        Ok(self.settle_if(is_over, stop).await?)
    }

    /// Settles what waits for a later line, if the log is over: its last line lies far back, or it was not
    /// written to for long. One that was not read to its end is not.
    async fn settle(self, now: Now, stop: &Stop) -> Result<Report, IngestError> {
        let is_over = self.is_over(now);
        self.settle_if(is_over, stop).await
    }

    fn is_over(&self, now: Now) -> bool {
        let age = now.unix().saturating_sub(self.reading.clock());
        self.input.as_ref().is_none_or(Input::is_over) || age >= OVER.as_secs().cast_signed()
    }

    async fn settle_if(mut self, is_over: bool, stop: &Stop) -> Result<Report, IngestError> {
        if is_over
            && !stop.is_told()
            && self.report.failure.is_none()
            && self.reading.waits_for_end()
        {
            self.report.summary.add(&self.reading.close().await?);
            self.report.open = self.reading.load();
        }
        Ok(self.report)
    }

    /// What became of it so far.
    pub(super) fn into_parts(self) -> (FileIngest, Option<Input>, Report) {
        (self.reading, self.input, self.report)
    }
}

fn while_in(name: &str) -> impl FnOnce() -> String + '_ {
    move || format!("while ingesting {name}")
}
