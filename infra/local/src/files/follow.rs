//! A log that grows and is rotated, read like `tail -F`, without losing or repeating a line.
//!
//! What is known of a log stands in the store, not here: after any rotation, or a start, the log and its
//! `siblings` are read as a `chain`, each from where it was left off, up to the file that
//! is written to now. That one is then watched.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use ingest::{FileIngest, Ingest};
use store::Files;
use tokio::time::Instant;
use unpack::{Line, Pieces};

use super::chain::Chain;
use super::forward::At;
use super::heard::Heard;
use super::input::{Input, OVER, begins_with};
use super::known::known;
use super::links::{Link, Links, Order, without_copies};
use super::reading::place;
use super::report::Report;
use super::siblings::{Siblings, Stamp};
use crate::clock::Now;

/// How often a folder is looked at until it stays as it is: a rotation renames every file in turn.
const LOOKS: usize = 20;
/// How often a file is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long to wait after the store failed.
const PAUSE: Duration = Duration::from_secs(5);
/// How long to wait after a log could not be watched: it was cut again, or is shorter than what was read of it.
const AGAIN: Duration = Duration::from_secs(1);
const DAY: i64 = 86_400;

/// Follows a file until the process ends.
///
/// Failures are logged and tried again: a log that cannot be read now may be readable later.
pub async fn follow(ingest: Ingest, files: Files, path: PathBuf, heard: Heard, now: Now) {
    let mut follower = Follower {
        ingest: &ingest,
        files: &files,
        path: &path,
        source: path.display().to_string(),
        heard,
        now,
        open: None,
        left: None,
        cut: None,
        not_before: None,
        remembered: 0,
        told: HashSet::new(),
        read: HashMap::new(),
    };
    let mut told = String::new();
    loop {
        let error = loop {
            match follower.step().await {
                Ok(()) => tokio::time::sleep(EVERY).await,
                Err(error) => break format!("{error:#}"),
            }
        };
        // What was read and is not stored is read again.
        (follower.open, follower.left) = (None, None);
        if error != told {
            tracing::error!(path = %path.display(), error, "cannot follow, and tries again");
            told = error;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

struct Follower<'a> {
    ingest: &'a Ingest,
    files: &'a Files,
    path: &'a Path,
    source: String,
    heard: Heard,
    now: Now,
    /// The file that is written to.
    open: Option<Open>,
    /// The one before it, which a process may still write to, and since when it is left.
    left: Option<(Open, i64)>,
    /// The name of what was cut to nothing, until something goes on from it; a copy of it may stand beside the log.
    cut: Option<String>,
    /// Not before then is the log looked at again: it could not be watched.
    not_before: Option<Instant>,
    /// When the file that is open was last made known: what is not is forgotten in the end.
    remembered: i64,
    /// What was told once, and need not be again.
    told: HashSet<PathBuf>,
    /// Siblings that were read to their end, and stand there unchanged.
    read: HashMap<Stamp, Order>,
}

/// A file that is being read.
struct Open {
    lines: Pieces<At>,
    identity: (u64, u64),
    /// What the file began with when it was opened, behind a hole of this length: other bytes there mean
    /// another log.
    head: Vec<u8>,
    hole: u64,
    reading: FileIngest,
}

impl Open {
    /// Watches a file from where it was left off.
    fn new(file: File, hole: u64, head: Vec<u8>, reading: FileIngest) -> Result<Self> {
        let identity = Stamp::of(&file.metadata()?).identity;
        let offset = reading.offset();
        let lines = Pieces::new(At { file, offset }, offset);
        Ok(Self { lines, identity, head, hole, reading })
    }

    fn file(&self) -> &File {
        &self.lines.reader().file
    }

    /// Whether the file still begins as it did.
    fn begins_as_before(&self) -> bool {
        begins_with(self.file(), self.hole, &self.head)
    }

    /// Reads what there is; false, and nothing of it stored, if the file was cut to nothing.
    async fn read_to_end(&mut self, source: &str, heard: &Heard, now: i64) -> Result<bool> {
        self.reading.set_now(now);
        let begun = self.reading.offset();
        loop {
            let reading = &mut self.reading;
            let read = |line: Line<'_>| reading.line(line.text, place(&line, now, true));
            let more = self.lines.read(read)?;
            let grown = !more && self.reading.offset() > begun;
            if grown || self.reading.is_full() {
                if !self.begins_as_before() {
                    return Ok(false);
                }
                heard.ingested(source, &self.reading.flush().await?);
                self.reading.forget_found();
            }
            if !more {
                return Ok(self.begins_as_before());
            }
        }
    }
}

impl Follower<'_> {
    async fn step(&mut self) -> Result<()> {
        let now = self.now.unix();
        if let Some((mut left, since)) = self.left.take()
            && left.read_to_end(&self.source, &self.heard, now).await?
            && now - since < OVER.as_secs().cast_signed()
        {
            self.left = Some((left, since));
        }
        let Some(mut open) = self.open.take() else {
            if self.not_before.is_some_and(|then| Instant::now() < then) {
                return Ok(());
            }
            if self.not_before.take().is_some() || self.present()?.is_some_and(|it| it.is_begun()) {
                self.open = self.catch_up(None).await?;
            }
            return Ok(());
        };
        let is_whole = open.read_to_end(&self.source, &self.heard, now).await?;
        let is_same = match self.path.metadata() {
            Ok(meta) => Stamp::of(&meta).identity == open.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        self.open = if is_same && is_whole {
            if now - self.remembered > DAY {
                self.files.remember(&open.head, open.reading.source(), now).await?;
                self.remembered = now;
            }
            Some(open)
        } else if is_same {
            self.cut = Some(open.reading.source().to_owned());
            tracing::info!(path = %self.path.display(), "log was cut, and begins anew");
            self.catch_up(None).await?
        } else if self.present()?.is_some_and(|input| input.is_begun()) {
            tracing::info!(path = %self.path.display(), "log was rotated");
            self.catch_up(Some(open)).await?
        } else {
            // Renamed, and written to until there is something in the next one.
            Some(open)
        };
        Ok(())
    }

    /// The file at the path, if there is one.
    fn present(&self) -> Result<Option<Input>> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let input = Input::of(file, self.path)?;
        let shown = self.path.display();
        ensure!(input.plain.is_some(), "{shown} is compressed and cannot grow: ingest it");
        Ok(Some(input))
    }

    /// Reads whatever was not read yet of the log's siblings, and of the file that was open `before`, in their
    /// order; then the file at the path, which is left open.
    ///
    /// Siblings that are older than all that was ever read of this log are left alone.
    async fn catch_up(&mut self, before: Option<Open>) -> Result<Option<Open>> {
        let present = self.present()?.filter(Input::is_begun);
        let identity = match present.as_ref().and_then(|input| input.plain.as_ref()) {
            Some(file) => Some(Stamp::of(&file.metadata()?).identity),
            None => None,
        };
        let mut links = self.links(before.as_ref(), identity)?;
        let begins = self.first_known(&mut links).await?;
        let mut chain = Chain::of_one(&self.source, self.ingest, self.files, self.now);
        let mut before_it = None;
        for (order, link) in links.drain(begins..) {
            let Link::Open(input, stamp) = link else { continue };
            chain.read(*input).await?.iter().for_each(|report| self.tell(report));
            // Done with once another goes on from it; until then it may hold what is open.
            self.read.extend(before_it.take());
            before_it = stamp.map(|stamp| (stamp, order));
        }
        if let Some(present) = present {
            if let Some(source) = &self.cut {
                chain.go_on_from(source).await?.iter().for_each(|report| self.tell(report));
            }
            let reported = chain.read(present).await?;
            reported.iter().for_each(|report| self.tell(report));
            if reported.iter().all(|report| report.failure.is_none()) {
                self.read.extend(before_it.take());
            }
        }
        let left = before.map(|before| (before, self.now.unix())).or(self.left.take());
        self.left = match left {
            Some((left, since)) => self.leave(left).await?.map(|left| (left, since)),
            None => None,
        };
        self.not_before = Some(Instant::now() + AGAIN);
        let Some(last) = chain.last().filter(|_| identity.is_some()) else { return Ok(None) };
        let (reading, input, report) = last.into_parts();
        self.tell(&report);
        let Some((file, input)) = input.and_then(|mut it| Some((it.plain.take()?, it))) else {
            return Ok(None);
        };
        // Or it begins as one that was read, and is shorter: it will soon differ or be as long.
        if report.failure.is_some() || file.metadata()?.len() < reading.offset() {
            if report.failure.is_none() && !begins_with(&file, input.hole, &input.head) {
                // Cut as soon as it was read: what is open in it goes on in what it holds now.
                self.cut = Some(reading.source().to_owned());
            }
            return Ok(None);
        }
        (self.cut, self.not_before, self.remembered) = (None, None, self.now.unix());
        Ok(Some(Open::new(file, input.hole, input.head, reading)?))
    }

    /// The siblings, oldest first, all opened while none was renamed.
    fn links(&mut self, before: Option<&Open>, present: Option<(u64, u64)>) -> Result<Links> {
        let mut found = Siblings::of(self.path);
        let mut links = Vec::new();
        for _ in 0..LOOKS {
            let looked = match found {
                Ok(looked) => looked,
                Err(error) => {
                    self.tell_once(self.path, &format!("nothing rotated is found: {error}"));
                    Siblings::default()
                }
            };
            links = self.opened(&looked, present);
            found = Siblings::of(self.path);
            if found.as_ref().map_or(true, |again| again.is_like(&looked)) {
                break;
            }
        }
        let is_there = |open: &Open| links.iter().any(|(_, link)| link.is(open.identity));
        if let Some(before) = before.filter(|before| !is_there(before)) {
            // Moved out of sight, or removed: what was written to it last is still at hand.
            let input = Input::of(before.file().try_clone()?, self.path)?;
            links.push((
                input.order(self.ingest.settings().logs, self.now),
                Link::Open(Box::new(input), None),
            ));
        }
        let read = links.iter().filter_map(|(order, link)| match link {
            Link::Read(stamp) => Some((*stamp, *order)),
            Link::Open(..) => None,
        });
        self.read = read.collect();
        links.sort_by_key(|(order, _)| *order);
        Ok(without_copies(links))
    }

    fn opened(&mut self, found: &Siblings, present: Option<(u64, u64)>) -> Links {
        for path in &found.unreadable {
            self.tell_once(
                path,
                "rotated and not looked at: what it is compressed with is not read",
            );
        }
        let mut links = Vec::new();
        for sibling in &found.files {
            let stamp = sibling.stamp;
            if Some(stamp.identity) == present {
                continue;
            }
            if let Some(order) = self.read.get(&stamp) {
                links.push((*order, Link::Read(stamp)));
                continue;
            }
            match sibling.open() {
                Ok(None) => {}
                Ok(Some(input)) if found.is_being_made(sibling, &input.head) => {}
                Ok(Some(input)) => {
                    let order = input.order(self.ingest.settings().logs, self.now);
                    links.push((order, Link::Open(Box::new(input), Some(stamp))));
                }
                Err(error) => {
                    self.tell_once(&sibling.path, &format!("rotated and not read: {error}"));
                }
            }
        }
        links
    }

    /// Says what became of a file.
    fn tell(&self, report: &Report) {
        if report.summary.lines > 0 {
            self.heard.ingested(&self.source, &report.summary);
        }
        if let Some(with) = &report.shares {
            tracing::warn!(
                path = report.name,
                with,
                "both hold the same lines, which count twice: follow one of them"
            );
        }
        if let Some(failure) = &report.failure {
            tracing::warn!(path = report.name, failure, "a rotated log was not read to its end");
        }
    }

    /// Warns of a file, once.
    fn tell_once(&mut self, path: &Path, what: &str) {
        if self.told.insert(path.to_owned()) {
            tracing::warn!(path = %path.display(), "{what}");
        }
    }

    /// The first link that was read before, or was to be; the number of links if there is none.
    async fn first_known(&self, links: &mut [(Order, Link)]) -> Result<usize> {
        let now = self.now.unix();
        for (number, (_, link)) in links.iter_mut().enumerate() {
            let is_known = match link {
                Link::Read(_) => true,
                Link::Open(input, _) => known(input, self.ingest, self.files, now).await?.is_named,
            };
            if is_known {
                return Ok(number);
            }
        }
        if !links.is_empty() {
            let (path, files) = (self.path.display(), links.len());
            tracing::warn!(%path, files, "rotated files of which nothing was read are left alone: ingest them");
        }
        Ok(links.len())
    }

    /// Watches the file that was written to before, for whoever has it open still.
    async fn leave(&self, before: Open) -> Result<Option<Open>> {
        let file = before.file().try_clone()?;
        let mut input = Input::of(file.try_clone()?, self.path)?;
        let now = self.now.unix();
        let known = known(&mut input, self.ingest, self.files, now).await?;
        if !known.file.known {
            return Ok(None);
        }
        let mut reading = FileIngest::resume(self.ingest, &known.file, now).await?;
        reading.call(&self.source, true);
        Ok(Some(Open::new(file, before.hole, before.head, reading)?))
    }
}
