//! Log files that grow and are rotated, read like `tail -F`, without losing or repeating a line.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use ingest::{FileIngest, Ingest, Line, Lines};
use store::{FINGERPRINT, Files, KnownFile};

use crate::clock::Now;
use crate::files::place;

/// How often a file is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// How long to wait after the store failed.
const PAUSE: Duration = Duration::from_secs(5);

/// Follows a file until the process ends.
///
/// Failures are logged and tried again: a log that cannot be read now may be readable later.
pub async fn follow(ingest: Ingest, files: Files, path: PathBuf, now: Now) {
    loop {
        let mut follower =
            Follower { ingest: &ingest, files: &files, path: &path, now, open: None };
        let error = loop {
            match follower.step().await {
                Ok(()) => tokio::time::sleep(EVERY).await,
                Err(error) => break error,
            }
        };
        tracing::error!(path = %path.display(), error = format!("{error:#}"), "cannot follow");
        tokio::time::sleep(PAUSE).await;
    }
}

struct Follower<'a> {
    ingest: &'a Ingest,
    files: &'a Files,
    path: &'a Path,
    now: Now,
    open: Option<Open>,
}

/// The file that is being read.
struct Open {
    lines: Lines<File>,
    /// Device and number: a renamed file keeps them.
    identity: (u64, u64),
    /// What the file began with when it was opened: other bytes there mean another log.
    head: Vec<u8>,
    known: KnownFile,
    reading: FileIngest,
}

impl Open {
    /// Whether the file still begins as it did.
    fn begins_as_before(&self, file: &File) -> bool {
        let mut begin = vec![0; self.head.len()];
        file.read_exact_at(&mut begin, 0).is_ok() && begin == self.head
    }
}

impl Follower<'_> {
    async fn step(&mut self) -> Result<()> {
        match self.open.take() {
            None => self.open = self.begin().await?,
            Some(mut open) => {
                // Cut to nothing, it holds another log now, which must not be read as this one.
                let cut = !self.read_to_end(&mut open).await?;
                let next = match self.is_replaced(&open)? {
                    // What was written to the old one in between must not be lost.
                    Some(file) => {
                        let cut = cut || !self.read_to_end(&mut open).await?;
                        if cut {
                            let now = self.now.unix();
                            open.reading =
                                FileIngest::resume(self.ingest, &open.known, now).await?;
                        }
                        self.switch(&mut open, file).await?
                    }
                    None => None,
                };
                self.open = match next {
                    None if cut => None,
                    None => Some(open),
                    next => next,
                };
            }
        }
        Ok(())
    }

    /// Opens the file at the path, once it has a line.
    async fn begin(&self) -> Result<Option<Open>> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let head = head(&file)?;
        if !is_enough(&head) {
            return Ok(None);
        }
        if self.files.find(&head).await?.is_none()
            && let Some(mut before) = self.rotated_away().await?
        {
            self.read_to_end(&mut before).await?;
            return self.switch(&mut before, file).await;
        }
        let known = self.files.identify(&head).await?;
        self.files.remember(&head, &known, self.now.unix()).await?;
        Ok(Some(self.open(file, head, known).await?))
    }

    /// The file that was followed before, if it was rotated while nobody looked.
    async fn rotated_away(&self) -> Result<Option<Open>> {
        let (Some(folder), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Ok(None);
        };
        let folder = if folder == Path::new("") { Path::new(".") } else { folder };
        let mut rotated: Vec<_> = fs::read_dir(folder)?
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let changed = fs::metadata(&path).ok()?.modified().ok()?;
                is_rotation_of(path.file_name()?, name).then_some((changed, path))
            })
            .collect();
        rotated.sort();
        for (_, path) in rotated.into_iter().rev() {
            let file = File::open(path)?;
            let head = head(&file)?;
            if let Some(source) = self.files.find(&head).await? {
                let known = KnownFile { source, known: true };
                return Ok(Some(self.open(file, head, known).await?));
            }
        }
        Ok(None)
    }

    async fn open(&self, mut file: File, head: Vec<u8>, known: KnownFile) -> Result<Open> {
        let reading = FileIngest::resume(self.ingest, &known, self.now.unix()).await?;
        file.seek(SeekFrom::Start(reading.offset()))?;
        let identity = identity(&file)?;
        Ok(Open { lines: Lines::new(file, reading.offset()), identity, head, known, reading })
    }

    /// Reads what there is; false, and nothing of it stored, if the file was cut to nothing.
    async fn read_to_end(&self, open: &mut Open) -> Result<bool> {
        open.reading.set_now(self.now.unix());
        let reference = self.now.unix();
        let begun = open.reading.offset();
        loop {
            let reading = &mut open.reading;
            let read = |line: Line<'_>| reading.line(line.text, place(&line, reference));
            let more = open.lines.read(read)?;
            let grown = !more && open.reading.offset() > begun;
            if grown || open.reading.is_full() {
                if !open.begins_as_before(open.lines.reader()) {
                    return Ok(false);
                }
                log(&open.reading.flush().await?);
            }
            if !more {
                return Ok(open.begins_as_before(open.lines.reader()));
            }
        }
    }

    /// The file that is at the path now, if it is another one, or has begun anew.
    fn is_replaced(&self, open: &Open) -> Result<Option<File>> {
        let file = match File::open(self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if identity(&file)? == open.identity && open.begins_as_before(&file) {
            return Ok(None);
        }
        // A log that has no line yet cannot be told from others.
        Ok(is_enough(&head(&file)?).then_some(file))
    }

    /// Goes on in another file, with what is open in this one.
    async fn switch(&self, open: &mut Open, file: File) -> Result<Option<Open>> {
        let head = head(&file)?;
        let known = self.files.identify(&head).await?;
        open.reading.hand_over(&known).await?;
        self.files.remember(&head, &known, self.now.unix()).await?;
        tracing::info!(path = %self.path.display(), "log was rotated");
        Ok(Some(self.open(file, head, known).await?))
    }
}

/// Whether a log can be known by this beginning.
fn is_enough(head: &[u8]) -> bool {
    head.contains(&b'\n') || head.len() == FINGERPRINT
}

fn log(summary: &ingest::Summary) {
    let (lines, submissions) = (summary.lines, summary.submissions);
    let (auth_failures, quarantined) = (summary.auth_failures, summary.quarantined);
    tracing::info!(lines, submissions, auth_failures, quarantined, "ingested");
}

/// `maillog.1`, `maillog-20261123`: not yet compressed.
fn is_rotation_of(candidate: &OsStr, name: &OsStr) -> bool {
    let (candidate, name) = (candidate.as_encoded_bytes(), name.as_encoded_bytes());
    let suffix = candidate.strip_prefix(name).unwrap_or_default();
    matches!(suffix.first(), Some(b'.' | b'-')) && !suffix.ends_with(b".gz")
}

fn identity(file: &File) -> io::Result<(u64, u64)> {
    let meta = file.metadata()?;
    Ok((meta.dev(), meta.ino()))
}

/// The first bytes of a file, wherever its reader stands.
fn head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; FINGERPRINT];
    let mut length = 0;
    loop {
        match file.read_at(&mut head[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    head.truncate(length);
    Ok(head)
}
