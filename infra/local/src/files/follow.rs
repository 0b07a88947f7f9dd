//! A log that grows and is rotated, read like `tail -F`, without losing or repeating a line.
//!
//! What is known of a log stands in the store, not here: after any rotation, or a start, the log and its
//! `siblings` are read as a `chain`, each from where it was left off, up to the file that
//! is written to now. That one is then watched.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use ingest::{FileIngest, Ingest, Line, Lines};
use store::{FINGERPRINT, Files};

use super::chain::{Chain, place};
use super::forward::At;
use super::input::{Input, OVER, begins_with};
use super::known::known;
use super::report::Report;
use super::siblings::{Siblings, Stamp};
use crate::clock::Now;

/// How often a file is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long to wait after the store failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Follows a file until the process ends.
///
/// Failures are logged and tried again: a log that cannot be read now may be readable later.
pub async fn follow(ingest: Ingest, files: Files, path: PathBuf, now: Now) {
    let mut follower = Follower {
        ingest: &ingest,
        files: &files,
        path: &path,
        now,
        open: None,
        left: None,
        cut_again: false,
        read: HashMap::new(),
    };
    loop {
        let error = loop {
            match follower.step().await {
                Ok(()) => tokio::time::sleep(EVERY).await,
                Err(error) => break error,
            }
        };
        // What was read and is not stored is read again.
        (follower.open, follower.left) = (None, None);
        tracing::error!(path = %path.display(), error = format!("{error:#}"), "cannot follow");
        tokio::time::sleep(PAUSE).await;
    }
}

/// The order of logs: see [`Input::order`].
type Order = (Option<i64>, Option<SystemTime>);

struct Follower<'a> {
    ingest: &'a Ingest,
    files: &'a Files,
    path: &'a Path,
    now: Now,
    /// The file that is written to.
    open: Option<Open>,
    /// The one before it, which a process may still write to, and since when it is left.
    left: Option<(Open, i64)>,
    /// The file was cut again while it was read: what was cut off may stand in a copy, whether or not there is
    /// something new.
    cut_again: bool,
    /// Siblings that were read to their end, and stand there unchanged.
    read: HashMap<Stamp, Order>,
}

/// A file that is being read.
struct Open {
    lines: Lines<At>,
    identity: (u64, u64),
    /// What the file began with when it was opened, behind a hole of this length: other bytes there mean
    /// another log.
    head: Vec<u8>,
    hole: u64,
    reading: FileIngest,
}

/// A log of the chain.
enum Link {
    /// It was read to its end, and is opened no more.
    Read,
    Open(Box<Input>, Option<Stamp>),
}

impl Open {
    /// Watches a file from where it was left off.
    fn new(file: File, hole: u64, head: Vec<u8>, reading: FileIngest) -> Result<Self> {
        let identity = Stamp::of(&file.metadata()?).identity;
        let offset = reading.offset();
        let lines = Lines::new(At { file, offset }, offset);
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
    async fn read_to_end(&mut self, now: i64) -> Result<bool> {
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
                log(&self.reading.flush().await?);
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
            && left.read_to_end(now).await?
            && now - since < OVER.as_secs().cast_signed()
        {
            self.left = Some((left, since));
        }
        let Some(mut open) = self.open.take() else {
            let cut_again = std::mem::take(&mut self.cut_again);
            if cut_again || self.present()?.is_some_and(|input| input.is_begun()) {
                self.open = self.catch_up(None).await?;
            }
            return Ok(());
        };
        let is_whole = open.read_to_end(now).await?;
        let is_same = match self.path.metadata() {
            Ok(meta) => Stamp::of(&meta).identity == open.identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        self.open = if is_same && is_whole {
            Some(open)
        } else if is_same {
            // Cut to nothing: what was cut off may stand in a copy.
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
        let siblings = links.len();
        links.extend(present.map(|input| Link::Open(Box::new(input), None)));
        let begins = self.first_known(&mut links).await?.unwrap_or(siblings);
        let mut chain = Chain::new(self.ingest, self.files, self.now);
        let mut before_it = None;
        for link in links.drain(begins..) {
            let Link::Open(input, stamp) = link else { continue };
            let order = input.order(self.ingest, self.now);
            chain.read(*input).await?.iter().for_each(tell);
            // Done with once another goes on from it; until then it may hold what is open.
            self.read.extend(before_it.take());
            before_it = stamp.map(|stamp| (stamp, order));
        }
        self.left = match before {
            Some(before) => Some(self.leave(before).await?),
            None => None,
        };
        let Some(last) = chain.last().filter(|_| identity.is_some()) else { return Ok(None) };
        let (reading, input, report) = last.into_parts();
        tell(&report);
        let Some(file) = input.plain else { return Ok(None) };
        // Or it begins as one that was read, and is shorter: it will soon differ or be as long.
        self.cut_again = report.failure.is_some() || file.metadata()?.len() < reading.offset();
        if self.cut_again {
            return Ok(None);
        }
        Ok(Some(Open::new(file, input.hole, input.head, reading)?))
    }

    /// The siblings, oldest first.
    fn links(&mut self, before: Option<&Open>, present: Option<(u64, u64)>) -> Result<Vec<Link>> {
        let found = Siblings::of(self.path)?;
        for path in found.unreadable {
            tracing::warn!(path = %path.display(), "rotated and not looked at: only gzip can be read");
        }
        let mut links: Vec<(Order, Link)> = Vec::new();
        let mut seen = HashMap::new();
        let mut is_before_there = false;
        for sibling in found.files {
            let identity = sibling.stamp.identity;
            is_before_there |= before.is_some_and(|before| before.identity == identity);
            if Some(identity) == present {
                continue;
            }
            if let Some(order) = self.read.get(&sibling.stamp) {
                seen.insert(sibling.stamp, *order);
                links.push((*order, Link::Read));
                continue;
            }
            match Input::of(sibling.file, &sibling.path) {
                Ok(input) => {
                    let order = input.order(self.ingest, self.now);
                    links.push((order, Link::Open(Box::new(input), Some(sibling.stamp))));
                }
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(path = %sibling.path.display(), error, "rotated and not read");
                }
            }
        }
        if let Some(before) = before.filter(|_| !is_before_there) {
            // Moved out of sight, or removed: what was written to it last is still at hand.
            let input = Input::of(before.file().try_clone()?, self.path)?;
            links.push((input.order(self.ingest, self.now), Link::Open(Box::new(input), None)));
        }
        self.read = seen;
        links.sort_by_key(|(order, _)| *order);
        Ok(without_copies(links.into_iter().map(|(_, link)| link).collect()))
    }

    /// The first link of which something was read before.
    async fn first_known(&self, links: &mut [Link]) -> Result<Option<usize>> {
        let now = self.now.unix();
        for (number, link) in links.iter_mut().enumerate() {
            let is_known = match link {
                Link::Read => true,
                Link::Open(input, _) => known(input, self.ingest, self.files, now).await?.known,
            };
            if is_known {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// Watches the file that was written to before, for whoever has it open still.
    async fn leave(&self, before: Open) -> Result<(Open, i64)> {
        let file = before.file().try_clone()?;
        let mut input = Input::of(file.try_clone()?, self.path)?;
        let now = self.now.unix();
        let known = known(&mut input, self.ingest, self.files, now).await?;
        let reading = FileIngest::resume(self.ingest, &known, now).await?;
        Ok((Open::new(file, before.hole, before.head, reading)?, now))
    }
}

/// Without what is a copy that is not yet as long as another file, or the same log once more, compressed.
fn without_copies(links: Vec<Link>) -> Vec<Link> {
    let heads: Vec<_> = links
        .iter()
        .map(|link| match link {
            Link::Read => Vec::new(),
            Link::Open(input, _) => input.head.clone(),
        })
        .collect();
    let is_shorter =
        |head: &[u8]| heads.iter().any(|other| other.len() > head.len() && other.starts_with(head));
    let is_copy = |link: &Link| match link {
        Link::Read => false,
        Link::Open(input, _) => input.head.len() < FINGERPRINT && is_shorter(&input.head),
    };
    links.into_iter().filter(|link| !is_copy(link)).collect()
}

fn log(summary: &ingest::Summary) {
    let (lines, submissions) = (summary.lines, summary.submissions);
    let (auth_failures, quarantined) = (summary.auth_failures, summary.quarantined);
    tracing::info!(lines, submissions, auth_failures, quarantined, "ingested");
}

fn tell(report: &Report) {
    if report.summary.lines > 0 {
        log(&report.summary);
    }
    if let Some(failure) = &report.failure {
        tracing::warn!(path = report.name, failure, "a rotated log was not read to its end");
    }
}
