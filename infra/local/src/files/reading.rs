//! One text, read from where it was left off to its end.

use std::io::{self, Read as _};
use std::time::Instant;

use anyhow::Result;
use bootstrap::progress;
use ingest::{FileIngest, Ingest, IngestError, IngestedLine, Summary};
use store::KnownFile;
use unpack::{Line, Lines, Pieces};

use super::heard::Heard;
use super::input::Input;
use super::order::Later;
use super::pipe::{HELD, Tap};
use super::stop::Stop;
use crate::clock::Now;

/// Why a file was not read to its end.
const STOPPED: &str = "stopped before its end: ingest it again to go on";
/// The same, or not at all.
pub(super) const CUT: &str = "it was cut while it was read: ingest it and its copy again";

/// Bytes of a text that tell whether it begins as a twin.
const BEGINNING: u64 = 4 << 20;

/// Reads one text after the other.
pub(super) struct Reader<'a> {
    ingest: &'a Ingest,
    now: Now,
    /// When to store what is read, and read no more.
    pub(super) stop: Stop,
    /// The name under which it is told at once what was stored, as long as a text goes on; else all is told at the end.
    pub(super) live: Option<(String, Heard)>,
    /// Whether a log is counted even if another held the same lines.
    pub(super) again: bool,
}

/// How reading a file ended.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) summary: Summary,
    pub(super) unfinished_line: bool,
    pub(super) failure: Option<String>,
    /// The log that held the same lines: nothing was stored of this one.
    pub(super) twin: Option<String>,
    /// The log that held some of them.
    pub(super) shares: Option<String>,
    /// How often its times, which name no years, went back by most of one, unforeseen.
    pub(super) went_back: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ingest: &'a Ingest, now: Now) -> Self {
        Self { ingest, now, stop: Stop::default(), live: None, again: false }
    }

    /// Reads a text from where it was left off to its end, and stores what it comes to.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn read(&self, file: &mut FileIngest, input: &mut Input) -> Result<Ended> {
        let offset = file.offset();
        let mut ended = Ended::default();
        if input.ends_before(offset) {
            return Ok(ended);
        }
        let progress = progress::bytes_of(input.name.clone(), input.size());
        let options = self.ingest.settings().logs;
        let mut references = input.references(offset, options, self.now)?;
        let text = match input.text_from(offset) {
            Ok(text) => text,
            Err(error) => {
                ended.failure = Some(failure(&error));
                return Ok(ended);
            }
        };
        let mut later = input.later.take();
        let mut lines = Pieces::new(text, offset);
        let (mut begun, mut stored, mut held_since) = (offset, offset, Instant::now());
        loop {
            if let Some(pipe) = &input.pipe {
                // It may go on for days.
                let now = self.now.unix();
                references.set_last(now);
                if let Some(later) = &mut later {
                    later.set_now(now);
                }
                file.set_now(now);
                pipe.give_way(file.offset() > stored);
            }
            let ingest = |line: Line<'_>| {
                if let Some(later) = &mut later {
                    later.line(&line);
                }
                file.line(line.text, place(&line, references.at(line.begins), true));
            };
            let more = match lines.read(ingest) {
                Ok(more) => more,
                Err(error) => {
                    ended.failure = Some(failure(&error));
                    break;
                }
            };
            progress.inc(file.offset() - begun);
            if begun == stored {
                held_since = Instant::now();
            }
            begun = file.offset();
            let is_pause = !more && input.pipe.as_ref().is_some_and(Tap::goes_on);
            if (!more && !is_pause) || (file.is_full() && !input.begins_as_before()) {
                break;
            }
            let is_held = input.pipe.is_some() && held_since.elapsed() >= HELD;
            if file.is_full() || (begun > stored && (is_pause || is_held)) {
                if !self.store(file, is_pause || is_held, &mut ended).await? {
                    break;
                }
                stored = begun;
            }
            if input.pipe.is_none() && self.stop.is_told() {
                ended.failure = Some(STOPPED.to_owned());
                break;
            }
        }
        progress.finish_and_clear();
        ended.went_back = later.as_ref().map_or(0, Later::went_back);
        if ended.twin.is_some() {
            return Ok(ended);
        }
        if !input.begins_as_before() {
            // What was read since the last flush may be another log's, and is not stored.
            ended.failure = Some(CUT.to_owned());
            return Ok(ended);
        }
        if let Some(line) = lines.rest().filter(|_| ended.failure.is_none()) {
            if input.is_over() || file.is_whole(line.text) {
                file.line(line.text, place(&line, references.at(line.begins), false));
            } else {
                ended.unfinished_line = true;
            }
        }
        if file.offset() > offset {
            self.store(file, false, &mut ended).await?;
        }
        Ok(ended)
    }

    /// Whether a file of which nothing was read begins with lines that another log held. Nothing of it is stored.
    pub(super) async fn begins_as_twin(&self, file: &KnownFile, input: &mut Input) -> Result<bool> {
        let Ok(Some(text)) = input.aside() else { return Ok(false) };
        let mut reading = FileIngest::resume(self.ingest, file, self.now.unix()).await?;
        if self.again || reading.is_begun() {
            return Ok(false);
        }
        reading.sample_as(&input.name);
        let reference = input.reference(self.ingest.settings().logs, self.now);
        let mut lines = Lines::new(text.take(BEGINNING), 0);
        let mut read = |line: Line<'_>| reading.line(line.text, place(&line, reference, true));
        // What cannot be read is told by whoever reads it for good.
        while lines.read(&mut read).unwrap_or_default() {}
        Ok(reading.shared().await?.is_all())
    }

    /// Stores what was read, unless it is the beginning of a log that another held: then false.
    ///
    /// What has just begun to come cannot be told from others yet.
    async fn store(
        &self,
        file: &mut FileIngest,
        has_just_begun: bool,
        ended: &mut Ended,
    ) -> Result<bool, IngestError> {
        if !file.is_begun() {
            let shared = file.shared().await?;
            if shared.is_all() && !has_just_begun && !self.again {
                ended.twin = shared.with;
                return Ok(false);
            }
            ended.shares = shared.with.clone().filter(|_| shared.is_all() || shared.is_part());
        }
        let stored = file.flush().await?;
        if let Some((source, heard)) = &self.live {
            heard.ingested(source, &stored);
            file.forget_found();
        }
        ended.summary.add(&stored);
        Ok(true)
    }
}

fn failure(error: &io::Error) -> String {
    format!("it cannot be read to its end: {error}")
}

/// Where a line stands.
pub(crate) fn place(line: &Line<'_>, reference: i64, is_ended: bool) -> IngestedLine {
    let Line { begins, ends, is_continued, .. } = *line;
    IngestedLine { begins, ends, reference, is_ended: is_ended && !is_continued, is_continued }
}
