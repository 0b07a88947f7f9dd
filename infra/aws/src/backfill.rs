//! Old log files into the stream, as CloudWatch Logs would have sent them.
//!
//! The lines are cut into payloads in a way that depends on the file and the place alone, and their events have ids
//! made of both. So what is written twice, because an answer was lost or the program killed, is known again by the
//! function that reads it.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufReader, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result, bail};
use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ingest::{Line, Lines};
use libdeflater::{CompressionLvl, Compressor};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::stream::Stream;
use crate::{Backfill, counted, told};

/// The most bytes of lines in a payload: compressed, they fit into a record many times.
const PAYLOAD: usize = 1 << 20;
/// The first bytes of a file, by which it is known again when it was renamed or compressed.
const HEAD: u64 = 1024;

/// How far each file was written, by its fingerprint and the stream.
struct Progress {
    file: PathBuf,
    offsets: BTreeMap<String, u64>,
}

impl Progress {
    fn open(file: &Path) -> Result<Self> {
        let offsets = match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("{} does not tell how far files were written", file.display())
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", file.display()));
            }
        };
        Ok(Self { file: file.to_owned(), offsets })
    }

    fn save(&mut self, key: &str, offset: u64) -> Result<()> {
        self.offsets.insert(key.to_owned(), offset);
        let folder = self.file.parent().filter(|folder| *folder != Path::new(""));
        let save = || -> Result<()> {
            let mut fresh = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            fresh.write_all(&serde_json::to_vec_pretty(&self.offsets)?)?;
            fresh.persist(&self.file)?;
            Ok(())
        };
        save().with_context(|| format!("cannot write {}", self.file.display()))
    }
}

/// A file's text, from its beginning.
struct Input {
    fingerprint: String,
    lines: Lines<Box<dyn Read>>,
    /// When the file was changed last, in seconds since 1970: its lines are from before.
    changed: i64,
    size: Option<u64>,
}

impl Input {
    fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        if meta.is_dir() {
            bail!("it is a folder: name the log files in it");
        }
        let since = meta.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut magic = Vec::new();
        Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
        let compressed = magic == [0x1f, 0x8b];
        let whole = io::Cursor::new(magic).chain(file);
        let mut text: Box<dyn Read> = match compressed {
            true => Box::new(MultiGzDecoder::new(BufReader::new(whole))),
            false => Box::new(whole),
        };
        let mut head = Vec::new();
        text.by_ref().take(HEAD).read_to_end(&mut head)?;
        // Up to a line's end: a file that was shorter once had the same first lines.
        let first = head.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let digest = Sha256::digest(first);
        let fingerprint = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let lines = Lines::new(Box::new(io::Cursor::new(head).chain(text)) as Box<dyn Read>, 0);
        let changed = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        Ok(Self { fingerprint, lines, changed, size: (!compressed).then_some(meta.len()) })
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
        let input = Input::open(path).with_context(|| format!("cannot read {name}"))?;
        let key = format!("{}/{}/{}", options.stream, options.log, input.fingerprint);
        let done = progress.offsets.get(&key).copied().unwrap_or(0);
        let bar = bar(&input, path);
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
        let mut cutter = Cutter::new(input, done);
        while let Some(batch) = cutter.next().with_context(|| format!("cannot read {name}"))? {
            lines += batch.events.len() as u64;
            records += 1;
            let data = compressed(&serde_json::to_vec(&payload(batch.events))?);
            stream.put(&options.log, data).await?;
            progress.save(&key, batch.ends)?;
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
    }
    Ok(())
}

fn bar(input: &Input, path: &Path) -> ProgressBar {
    let bar = input.size.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = match input.size {
        Some(_) => "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}",
        None => "{prefix} {spinner} {bytes} {bytes_per_sec}",
    };
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(path.display().to_string());
    bar
}

fn compressed(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut gzip = vec![0; compressor.gzip_compress_bound(text.len())];
    // There is room for whatever comes of it.
    let length = compressor.gzip_compress(text, &mut gzip).unwrap_or(0);
    gzip.truncate(length);
    gzip
}

/// Cuts a file's lines into batches, each of which begins where the one before it ended.
struct Cutter {
    input: Input,
    /// What was written before.
    done: u64,
    full: VecDeque<Batch>,
    open: Batch,
    ended: bool,
}

impl Cutter {
    fn new(input: Input, done: u64) -> Self {
        Self { input, done, full: VecDeque::new(), open: Batch::default(), ended: false }
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
        let Self { input, done, full, open, ended } = self;
        let Input { fingerprint, lines, changed, .. } = input;
        let mut take = |line: Line<'_>| {
            if line.ends <= *done {
                return;
            }
            open.ends = line.ends;
            open.bytes += line.text.len() + 1;
            open.events.push(Event {
                id: format!("{fingerprint}{:020}", line.begins),
                timestamp: changed.saturating_mul(1000),
                message: String::from_utf8_lossy(line.text).into_owned(),
            });
            if open.bytes >= PAYLOAD {
                full.push_back(std::mem::take(open));
            }
        };
        if !lines.read(&mut take)? {
            lines.rest().into_iter().for_each(&mut take);
            *ended = true;
        }
        Ok(())
    }
}
