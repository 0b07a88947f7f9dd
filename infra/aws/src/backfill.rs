//! Old log files into the stream, as CloudWatch Logs would have sent them.
//!
//! Before a payload is written, the progress file says where it ends; after that, that it was written. When an answer
//! was lost or the program killed between the two, the same payload is written again, with the same event ids, and the
//! function that reads it knows it again.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use bootstrap::progress::bytes_of;
use chrono::NaiveTime;
use clap::Args;
use report::Day;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unpack::{Line, Lines, Text};

use crate::stream::{Stream, compressed};
use crate::tell::{counted, told};

/// The most bytes of lines in a payload: compressed, they fit into a record many times.
const PAYLOAD: usize = 1 << 20;
/// The first bytes of a file, by which it is known again when it was renamed, compressed or grew.
const HEAD: usize = 1 << 14;
/// A file that was not written to for so long has its last line complete, end or no end.
const SETTLED: Duration = Duration::from_secs(60);
/// Older lines are not counted, and a file's age tells the year of lines that name none.
const KEPT: Duration = Duration::from_secs(95 * 86_400);

/// Which logs go where.
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// The stream's name, as the stack's outputs tell it
    #[arg(long)]
    stream: String,
    /// The log that the files are a part of. Name the live one as ACCOUNT:LOG-GROUP:LOG-STREAM before its first
    /// line arrives, and messages are counted that begin in a file and end there
    #[arg(long, value_name = "NAME", default_value = "backfill:files:1")]
    log: String,
    /// Where to keep how far each file was written: without it, a file that is named again is written again
    #[arg(long, value_name = "FILE", default_value = "smtp-auth-report-backfill.json")]
    progress: PathBuf,
    /// Take this for the day of each file's last line, whatever its time of change says
    #[arg(long, value_name = "DATE")]
    changed: Option<Day>,
    /// Log files of one server, plain, compressed or in an archive, oldest first
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How far a file was written.
#[derive(Clone, Serialize, Deserialize)]
struct Known {
    stream: String,
    log: String,
    /// How many of its first bytes are known, and their SHA-256.
    head: usize,
    digest: String,
    /// Offset behind the last line that was written.
    written: u64,
    /// Offset behind the last line of the payload that was being written last.
    writing: u64,
}

/// How far each file was written.
struct Progress {
    file: PathBuf,
    known: Vec<Known>,
}

impl Progress {
    fn open(file: &Path) -> Result<Self> {
        let known = match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("{} does not tell how far files were written", file.display())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        Ok(Self { file: file.to_owned(), known })
    }

    /// The place of a file with this beginning: a new one if it was never written there.
    fn of(&mut self, options: &Backfill, head: &[u8]) -> usize {
        let same = |known: &Known| {
            let begin = head.get(..known.head).map(digest);
            known.stream == options.stream
                && known.log == options.log
                && begin.is_some_and(|begin| begin == known.digest)
        };
        // Two files can begin with the same few lines: the longest beginning tells most.
        let found = self.known.iter().enumerate().filter(|(_, known)| same(known));
        let found = found.max_by_key(|(_, known)| known.head).map(|(at, _)| at);
        found.unwrap_or_else(|| {
            // Up to a line's end: the rest may not have been written yet.
            let whole = memchr::memrchr(b'\n', head).map_or(head.len(), |end| end + 1);
            self.known.push(Known {
                stream: options.stream.clone(),
                log: options.log.clone(),
                head: whole,
                digest: digest(&head[..whole]),
                written: 0,
                writing: 0,
            });
            self.known.len() - 1
        })
    }

    fn save(&self) -> Result<()> {
        let folder = self.file.parent().filter(|folder| *folder != Path::new(""));
        let save = || -> Result<()> {
            let mut fresh = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            fresh.write_all(&serde_json::to_vec_pretty(&self.known)?)?;
            fresh.persist(&self.file)?;
            Ok(())
        };
        save().with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file's text, from its beginning.
struct Input {
    head: Vec<u8>,
    lines: Lines<Box<dyn Read + Send>>,
    /// When the file was changed last, in seconds since 1970: its lines are from before.
    changed: i64,
    /// Whether its last line may have no end yet.
    grows: bool,
    size: Option<u64>,
}

impl Input {
    fn open(path: &Path, changed: Option<Day>) -> Result<Self> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            bail!("it is a folder: name the log files in it");
        }
        let modified = meta.modified()?;
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        let changed = match changed {
            Some(day) => day.and_time(NaiveTime::MIN).and_utc().timestamp() + 86_399,
            None if age > KEPT => bail!(
                "it was changed last {} days ago, and lines that old are not counted: leave it out, or tell with \
                 --changed when its last line was written",
                age.as_secs() / 86_400
            ),
            None => {
                let since = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            }
        };
        let Text { head, reader, is_unpacked, left_out, .. } = Text::open(file, HEAD)?;
        for one in left_out {
            told(&format!("{}: left out: {one}", path.display()))?;
        }
        if head.contains(&0) {
            bail!("it is no text: unpack it first");
        }
        let lines = Lines::new(reader, 0);
        let (grows, size) = (!is_unpacked && age < SETTLED, (!is_unpacked).then_some(meta.len()));
        Ok(Self { head, lines, changed, grows, size })
    }
}

/// What CloudWatch Logs sends to a stream.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    message_type: &'static str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: [&'static str; 1],
    log_events: Vec<Event>,
}

#[derive(Serialize)]
struct Event {
    id: String,
    /// Milliseconds since 1970.
    timestamp: i64,
    message: String,
}

/// Lines that go into one payload.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    bytes: usize,
    /// Offset behind the last of them.
    ends: u64,
}

/// Writes the files.
pub(crate) async fn run(options: Backfill) -> Result<()> {
    let names: Vec<&str> = options.log.splitn(3, ':').collect();
    let [owner, log_group, log_stream] = names[..] else {
        bail!("--log {} must be ACCOUNT:LOG-GROUP:LOG-STREAM", options.log);
    };
    let mut progress = Progress::open(&options.progress)?;
    let mut stream = Stream::open(&options.stream)?;
    for path in &options.files {
        let name = path.display();
        let input =
            Input::open(path, options.changed).with_context(|| format!("cannot read {name}"))?;
        if input.head.is_empty() {
            told(&format!("{name}: it is empty"))?;
            continue;
        }
        let at = progress.of(&options, &input.head);
        let Known { written: done, writing, digest, .. } = progress.known[at].clone();
        let bar = bytes_of(name.to_string(), input.size);
        let payload = |events| Payload {
            message_type: "DATA_MESSAGE",
            owner,
            log_group,
            log_stream,
            subscription_filters: ["backfill"],
            log_events: events,
        };
        let mut lines = 0;
        let mut records = 0;
        let mut cutter = Cutter::new(input, &digest[..16], done, writing);
        while let Some(batch) = cutter.next().with_context(|| format!("cannot read {name}"))? {
            lines += batch.events.len() as u64;
            records += 1;
            let data = compressed(&serde_json::to_vec(&payload(batch.events))?);
            progress.known[at].writing = batch.ends;
            progress.save()?;
            stream.put(&options.log, data).await?;
            progress.known[at].written = batch.ends;
            progress.save()?;
            bar.set_position(batch.ends);
        }
        bar.finish_and_clear();
        let again = match (done, lines) {
            (0, _) => "",
            (_, 0) => " (written before: nothing new)",
            _ => " (written before in part: the rest)",
        };
        let records = counted(records, "record", "records");
        told(&format!("{name}: {} in {records}{again}", counted(lines, "line", "lines")))?;
        if cutter.unfinished {
            told("  its last line has no end yet, and is left for the next time")?;
        }
    }
    Ok(())
}

/// Cuts a file's lines into batches, each of which begins where the one before it ended.
struct Cutter {
    input: Input,
    /// What the ids of its events begin with.
    name: String,
    /// What was written before.
    done: u64,
    /// Where the first batch ends, if it was cut before.
    cut: u64,
    full: VecDeque<Batch>,
    open: Batch,
    ended: bool,
    unfinished: bool,
}

impl Cutter {
    fn new(input: Input, name: &str, done: u64, cut: u64) -> Self {
        let (full, open, name) = (VecDeque::new(), Batch::default(), name.to_owned());
        Self { input, name, done, cut, full, open, ended: false, unfinished: false }
    }

    fn next(&mut self) -> io::Result<Option<Batch>> {
        while self.full.is_empty() && !self.ended {
            self.read()?;
        }
        let rest = || Some(std::mem::take(&mut self.open)).filter(|rest| !rest.events.is_empty());
        Ok(self.full.pop_front().or_else(rest))
    }

    /// Reads some more.
    fn read(&mut self) -> io::Result<()> {
        let Self { input, name, done, cut, full, open, ended, unfinished } = self;
        let Input { lines, changed, grows, .. } = input;
        let mut take = |line: Line<'_>| {
            if line.ends <= *done {
                return;
            }
            open.ends = line.ends;
            open.bytes += line.text.len() + 1;
            open.events.push(Event {
                id: format!("{name}{:020}", line.begins),
                timestamp: changed.saturating_mul(1000),
                message: String::from_utf8_lossy(line.text).into_owned(),
            });
            if open.bytes >= PAYLOAD || line.ends == *cut {
                full.push_back(std::mem::take(open));
            }
        };
        if !lines.read(&mut take)? {
            *ended = true;
            match lines.rest() {
                Some(_) if *grows => *unfinished = true,
                Some(rest) => take(rest),
                None => {}
            }
        }
        Ok(())
    }
}
