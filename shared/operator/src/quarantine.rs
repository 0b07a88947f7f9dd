//! What could not be read: listed, and its bytes saved.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use report::{Day, Range, displayed, grouped};
use sha2::{Digest as _, Sha256};
use store::{Quarantine, Quarantined};

use crate::told::line;

/// Characters of the bytes that are shown.
const SHOWN: usize = 100;

/// How much there is in quarantine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Entries.
    pub entries: u64,
    /// Those that their day had no room for: only their number is known.
    pub not_kept: u64,
}

/// The days that are looked at on `today`: from `since` on, as far as they are kept, and one more than there has been,
/// because clocks and zones differ.
#[must_use]
pub fn days(since: Option<Day>, today: Day) -> Range {
    let kept = Range::kept(today);
    let end = today.succ_opt().unwrap_or(today);
    Range { start: since.unwrap_or(kept.start).max(kept.start), end }
}

/// Lists the quarantine of these days, writes each one's bytes into the folder `save`, and hands each on.
///
/// # Errors
/// The store failed, the folder cannot be written to, or `each` says so.
pub async fn look(
    quarantine: &Quarantine,
    days: Range,
    save: Option<&PathBuf>,
    mut each: impl AsyncFnMut(&Quarantined) -> Result<()>,
) -> Result<Held> {
    if let Some(folder) = save {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let mut held = Held::default();
    for day in days.days() {
        let mut all = Vec::new();
        quarantine.read(day, |one| all.push(one)).await?;
        for one in all {
            held.entries += 1;
            show(&one);
            if let Some(folder) = save {
                write(&one, folder)?;
            }
            each(&one).await?;
        }
        let left = quarantine.left_out(day).await?;
        if left.entries > 0 {
            let (entries, bytes) = (grouped(left.entries), grouped(left.bytes));
            line(format_args!(
                "{day}  {entries} more, of {bytes} bytes, were not kept: the day was full"
            ));
        }
        held.not_kept += left.entries;
    }
    line(format_args!(
        "{} in quarantine since {}, {} not kept",
        grouped(held.entries),
        days.start,
        grouped(held.not_kept)
    ));
    Ok(held)
}

fn show(one: &Quarantined) {
    let raw = one.raw();
    let text = displayed(&String::from_utf8_lossy(&raw), SHOWN);
    let (source, reason) = (displayed(one.source(), SHOWN), displayed(&one.reason, SHOWN));
    line(format_args!(
        "{}  {source}: {reason}\n  {} bytes: {text}",
        one.day,
        grouped(raw.len() as u64)
    ));
}

/// Under a name that is its own: another call saves others beside it, and it again as the same.
fn write(one: &Quarantined, folder: &Path) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_days_are_looked_at_than_are_kept() {
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let today = day("2026-11-24");
        let from = |since| days(since, today).start;
        assert_eq!(from(Some(day("1970-01-01"))), day("2026-08-27"));
        assert_eq!(from(None), day("2026-08-27"));
        assert_eq!(from(Some(day("2026-11-20"))), day("2026-11-20"));
        assert_eq!(days(None, today).end, day("2026-11-25"));
    }
}
