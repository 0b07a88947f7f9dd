//! The systemd journal, read through journalctl: each entry once, by its cursor.
//!
//! The cursor of the last entry that was read is stored with what the entries came to. journalctl is asked for that
//! entry and those behind it: if it is not the first to come, it is gone, and others may be with it.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bootstrap::progress;
use ingest::{FileIngest, Ingest, Summary};
use sha2::{Digest as _, Sha256};
use store::KnownFile;
use unpack::Lines;

use super::heard::Heard;
use super::pipe::{HELD, Piped};
use super::report::Report;
use super::stop::Stop;
use crate::clock::Now;

/// How long to wait before journalctl is started again: twice as long each time that it gave nothing.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Places that are left for entries that are gone.
const GONE: u64 = 1 << 32;
/// What the journal is called as a source.
const JOURNAL: &str = "journal";
/// What journalctl calls the cursor of an entry.
const CURSOR: &[u8] = b"\"__CURSOR\"";

/// A journal, and what of it is wanted.
#[derive(Clone, Debug)]
pub struct Journal {
    command: Vec<String>,
    matches: Vec<String>,
}

/// How one run of journalctl went.
struct Ran {
    summary: Summary,
    status: ExitStatus,
    reading: FileIngest,
}

impl Journal {
    /// What matches, of the journal that this command shows.
    #[must_use]
    pub fn new(command: Vec<String>, matches: Vec<String>) -> Self {
        Self { command, matches }
    }

    /// What is run, without what this program adds.
    #[must_use]
    pub fn told(&self) -> String {
        self.command.iter().chain(&self.matches).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The name under which it is counted: the same for the same selection, wherever journalctl itself is.
    fn source(&self) -> KnownFile {
        let mut matches: Vec<&str> = self.matches.iter().map(String::as_str).collect();
        if !matches.contains(&"+") {
            matches.sort_unstable();
            matches.dedup();
        }
        let mut hasher = Sha256::new();
        for word in self.command.iter().map(|word| name_of(word)).chain(matches) {
            hasher.update(word);
            hasher.update([0]);
        }
        let name: String =
            hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        KnownFile { source: format!("journal:{name}"), known: true }
    }

    fn start(&self, cursor: Option<&str>, follow: bool) -> Result<Child> {
        let (program, arguments) = self.command.split_first().context("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).args(["--output=json", "--no-pager", "--all"]);
        if follow {
            command.args(["--follow", "--no-tail"]);
        }
        command.args(cursor.map(|cursor| format!("--cursor={cursor}"))).args(&self.matches);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().with_context(|| format!("cannot run {program}"))
    }

    /// Lets journalctl run once, until it ends or `stop` is told, and counts what it gives.
    async fn run(
        &self,
        ingest: &Ingest,
        now: Now,
        stop: &Stop,
        live: Option<&Heard>,
    ) -> Result<Ran> {
        let follow = live.is_some();
        let mut reading = FileIngest::resume(ingest, &self.source(), now.unix()).await?;
        reading.call(JOURNAL, follow);
        let mut child = self.start(reading.cursor(), follow)?;
        let read = match child.stdout.take() {
            Some(output) => self.read(&mut reading, output, now, stop, live).await,
            None => Ok(Summary::default()),
        };
        // It goes on for ever, unless it has ended already.
        let _ = if follow || read.is_err() || stop.is_told() { child.kill() } else { Ok(()) };
        let status = child.wait()?;
        Ok(Ran { summary: read?, status, reading })
    }

    async fn read(
        &self,
        reading: &mut FileIngest,
        output: impl io::Read + Send + 'static,
        now: Now,
        stop: &Stop,
        live: Option<&Heard>,
    ) -> Result<Summary> {
        let (piped, _) = Piped::open(output, stop)?;
        let tap = piped.tap().clone();
        let mut lines = Lines::new(piped, 0);
        let mut entries = Entries { last: reading.cursor().map(str::to_owned), noise: None };
        let mut summary = Summary::default();
        let (mut stored, mut held_since) = (reading.offset(), Instant::now());
        let bar = progress::bytes_of(JOURNAL, None);
        loop {
            reading.set_now(now.unix());
            let begun = reading.offset();
            tap.give_way(begun > stored);
            let more = lines.read(|line| {
                bar.inc(line.ends - line.begins);
                entries.read(reading, line.text, now.unix());
            })?;
            let is_pause = !more && tap.goes_on();
            if begun == stored {
                held_since = Instant::now();
            }
            let is_due = !more || held_since.elapsed() >= HELD;
            if reading.is_full() || (is_due && reading.offset() > stored) {
                let flushed = reading.flush().await?;
                if let Some(heard) = live {
                    heard.ingested(JOURNAL, &flushed);
                    reading.forget_found();
                }
                summary.add(&flushed);
                stored = reading.offset();
            }
            if !more && !is_pause {
                break;
            }
        }
        bar.finish_and_clear();
        if let Some(said) = entries.noise {
            tracing::warn!(said, "journalctl told something that is no entry");
        }
        Ok(summary)
    }
}

/// What journalctl gives, line by line.
struct Entries {
    /// The cursor behind which it goes on, until the first entry has come.
    last: Option<String>,
    noise: Option<String>,
}

impl Entries {
    fn read(&mut self, reading: &mut FileIngest, line: &[u8], now: i64) {
        let Some(cursor) = cursor_of(line) else {
            // As in "-- No entries --".
            if !line.starts_with(b"-- ") {
                let said = String::from_utf8_lossy(&line[..line.len().min(200)]);
                self.noise.get_or_insert_with(|| report::displayed(&said, 200));
            }
            return;
        };
        match self.last.take() {
            Some(last) if last == cursor => return,
            Some(last) => {
                tracing::warn!(
                    last,
                    cursor,
                    "the journal's entry that was read last is gone: it goes on at the next that is \
                     there, and what was logged between them is not counted"
                );
                reading.skip(GONE);
            }
            None => {}
        }
        reading.entry(line, cursor, now);
    }
}

/// Counts what comes into a journal until `stop` is told. When journalctl ends, it is started again.
///
/// Waits for it where it is run: that must be a thread of its own.
pub async fn follow_journal(ingest: Ingest, journal: Journal, heard: Heard, now: Now, stop: Stop) {
    heard.expect(JOURNAL);
    let mut pause = FIRST_PAUSE;
    while !stop.is_told() {
        let ran = journal.run(&ingest, now, &stop, Some(&heard)).await;
        if stop.is_told() && ran.is_ok() {
            break;
        }
        let seconds = pause.as_secs();
        match ran {
            Ok(Ran { summary, status, .. }) => {
                if summary.lines > 0 {
                    pause = FIRST_PAUSE;
                }
                tracing::warn!(%status, seconds, "journalctl has ended, and is started again");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, seconds, "cannot follow the journal, and try again");
            }
        }
        stop.wait(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Counts what a journal holds now, behind what was read before.
///
/// Sessions that are open stay so: the journal goes on.
///
/// # Errors
/// The store failed, or journalctl cannot be run.
pub async fn ingest_journal(
    ingest: &Ingest,
    journal: &Journal,
    now: Now,
    stop: &Stop,
) -> Result<Report> {
    let source = journal.source();
    let known = FileIngest::resume(ingest, &source, now.unix()).await?.cursor().is_some();
    let Ran { summary, status, reading } = journal.run(ingest, now, stop, None).await?;
    let (found, open) = (reading.found().clone(), reading.load());
    let failed = !status.success() && !stop.is_told();
    let failure = failed.then(|| format!("journalctl failed: {status}"));
    Ok(Report { name: journal.told(), summary, found, known, open, failure, ..Report::default() })
}

/// The cursor of an entry in JSON. No field's text has its name in quotes that are not escaped.
fn cursor_of(entry: &[u8]) -> Option<&str> {
    let begins = entry.windows(CURSOR.len()).position(|name| name == CURSOR)? + CURSOR.len();
    let rest = entry[begins..].trim_ascii_start().strip_prefix(b":")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let ends = rest.iter().position(|byte| *byte == b'"')?;
    str::from_utf8(&rest[..ends]).ok().filter(|cursor| !cursor.is_empty())
}

/// A command without its folder: the same program, wherever it is.
fn name_of(word: &str) -> &str {
    let name = Path::new(word).file_name().and_then(|name| name.to_str());
    name.filter(|name| *name == "journalctl").unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_known_by_its_cursor_and_by_nothing_that_it_quotes() {
        let cursor = |entry: &str| cursor_of(entry.as_bytes()).map(str::to_owned);
        let expected = Some("s=ab;i=1;b=cd".to_owned());
        assert_eq!(cursor(r#"{"__CURSOR":"s=ab;i=1;b=cd","MESSAGE":"x"}"#), expected);
        assert_eq!(cursor(r#"{ "MESSAGE" : "x", "__CURSOR" : "s=ab;i=1;b=cd" }"#), expected);
        let quoted = r#"{"MESSAGE":"\"__CURSOR\":\"s=9;i=9\"","__CURSOR":"s=ab;i=1;b=cd"}"#;
        assert_eq!(cursor(quoted), expected);
        for none in [r#"{"MESSAGE":"__CURSOR"}"#, r#"{"__CURSOR":""}"#, r#"{"__CURSOR":7}"#, ""] {
            assert_eq!(cursor(none), None, "{none}");
        }
    }

    #[test]
    fn a_selection_is_the_same_however_it_is_written() {
        let of = |command: &str, matches: &[&str]| {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect();
            Journal::new(words(command), matches.iter().map(|word| (*word).into()).collect())
        };
        let source = |journal: Journal| journal.source().source;
        let one = source(of("journalctl", &["A=1", "B=2"]));
        assert_eq!(one, source(of("/usr/bin/journalctl", &["B=2", "A=1", "A=1"])));
        for other in [of("journalctl -m", &["A=1", "B=2"]), of("journalctl", &["A=1", "+", "B=2"])]
        {
            assert_ne!(one, source(other));
        }
    }
}
