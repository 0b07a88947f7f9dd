//! What could not be read: looked at, saved, and read again once the program can.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::NaiveTime;
use chrono_tz::Tz;
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use ingest::{FileIngest, Ingest, IngestedLine};
use report::{Day, Range, displayed, grouped, local_to_unix};
use sha2::{Digest as _, Sha256};
use store::{KnownFile, Quarantine, Quarantined};

use crate::clock::Now;
use crate::tell;

const SINCE: &str = "since";
const SAVE: &str = "save";
const AGAIN: &str = "again";
/// Characters of the bytes that are shown.
const SHOWN: usize = 100;

/// What is to be done with what is in quarantine.
#[derive(Debug)]
pub struct Look {
    /// From which day on; without one, all that is kept.
    since: Option<Day>,
    /// The folder that each one's bytes are written into.
    save: Option<PathBuf>,
    /// Whether it is read again.
    again: bool,
}

impl Look {
    /// To do this with it.
    #[must_use]
    pub const fn new(since: Option<Day>, save: Option<PathBuf>, again: bool) -> Self {
        Self { since, save, again }
    }

    pub(crate) fn args() -> [Arg; 3] {
        let since = Arg::new(SINCE).long(SINCE).value_name("DATE").value_parser(value_parser!(Day));
        let save = Arg::new(SAVE).long(SAVE).value_name("DIR");
        let again = Arg::new(AGAIN).long(AGAIN).action(ArgAction::SetTrue);
        [
            since.help("Only what was put aside on this day or later"),
            save.value_parser(value_parser!(PathBuf))
                .help("Write each one's bytes into this folder"),
            again.help("Count what can be read by now, and take it out of the quarantine"),
        ]
    }

    pub(crate) fn read(matches: &ArgMatches) -> Self {
        let (since, save) = (matches.get_one(SINCE).copied(), matches.get_one(SAVE).cloned());
        Self { since, save, again: matches.get_flag(AGAIN) }
    }

    /// Lists the quarantine, and does with it what was asked for.
    ///
    /// # Errors
    /// The store failed, or the folder cannot be written to.
    pub async fn at(
        &self,
        quarantine: &Quarantine,
        ingest: &Ingest,
        now: Now,
        zone: Tz,
    ) -> Result<()> {
        let kept = Range::kept(now.today(zone));
        // Clocks differ.
        let end = kept.end.succ_opt().unwrap_or(kept.end);
        let range = Range { start: self.since.unwrap_or(kept.start).max(kept.start), end };
        if let Some(folder) = &self.save {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let (mut found, mut read, mut left_out) = (0, 0, 0);
        for day in range.days() {
            let mut all = Vec::new();
            quarantine.read(day, |one| all.push(one)).await?;
            for one in all {
                found += 1;
                show(&one);
                if let Some(folder) = &self.save {
                    save(&one, folder)?;
                }
                if self.again && read_again(ingest, &one, now, zone).await? {
                    quarantine.release(&one).await?;
                    read += 1;
                }
            }
            let left = quarantine.left_out(day).await?;
            if left.entries > 0 {
                let (entries, bytes) = (grouped(left.entries), grouped(left.bytes));
                tell::line(format_args!(
                    "{day}  {entries} more, of {bytes} bytes, were not kept: the day was full"
                ));
            }
            left_out += left.entries;
        }
        tell::line(format_args!(
            "{} in quarantine, {} not kept",
            grouped(found),
            grouped(left_out)
        ));
        if self.again {
            tell::line(format_args!("{} read again, and taken out", grouped(read)));
        }
        Ok(())
    }
}

fn show(one: &Quarantined) {
    let raw = one.raw();
    let text = displayed(&String::from_utf8_lossy(&raw), SHOWN);
    let (source, reason) = (displayed(one.source(), SHOWN), displayed(&one.reason, SHOWN));
    tell::line(format_args!(
        "{}  {source}: {reason}\n  {} bytes: {text}",
        one.day,
        grouped(raw.len() as u64)
    ));
}

/// Under a name that is its own: another call saves others beside it, and it again as the same.
fn save(one: &Quarantined, folder: &Path) -> Result<()> {
    let checksum = Sha256::digest(one.place.as_bytes());
    let checksum: String = checksum.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let file = folder.join(format!("{}-{checksum}", one.day));
    let raw = one.raw();
    let written = match File::create_new(&file) {
        Ok(mut new) => new.write_all(&raw),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match fs::read(&file) {
            Ok(known) if known == raw => Ok(()),
            Ok(_) => Err(error),
            Err(unreadable) => Err(unreadable),
        },
        Err(error) => Err(error),
    };
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// Counts what was put aside, if all of it can be read by now.
///
/// Its place in the quarantine is its source: what is counted and then not taken out because the program dies is not
/// counted again, nor is what is kept under two days. It has lost its place in its log: lines of a session count alone.
async fn read_again(ingest: &Ingest, one: &Quarantined, now: Now, zone: Tz) -> Result<bool> {
    if one.is_state() || one.is_unreadable {
        return Ok(false);
    }
    // Parts of a source's name are told apart by tabs.
    let source = format!("quarantine {}", one.place.replace('\t', " "));
    let file = KnownFile { source, known: false };
    let mut reading = FileIngest::resume(ingest, &file, now.unix()).await?;
    if reading.offset() > 0 {
        return Ok(true);
    }
    let next = one.day.succ_opt().unwrap_or(one.day).and_time(NaiveTime::MIN);
    let reference = (local_to_unix(zone, next) - 1).min(now.unix());
    let mut begins = 0;
    for line in one.raw().split(|byte| *byte == b'\n') {
        let ends = begins + line.len() as u64 + 1;
        reading.line(line, IngestedLine { begins, ends, reference, is_ended: true });
        begins = ends;
    }
    if reading.rejected() > 0 {
        return Ok(false);
    }
    reading.close().await?;
    Ok(true)
}
