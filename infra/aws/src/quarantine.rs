//! What could not be read: looked at, and written to the stream again once the function can read it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use chrono::Utc;
use clap::Args;
use report::{Day, Range, displayed};
use store::Quarantined;

use crate::stream::{RECORD, Stream, compressed};
use crate::tell::{counted, told};

/// How many days are looked at, if nothing is said.
const DAYS: u64 = 7;
/// Characters of the bytes that are shown.
const SHOWN: usize = 100;

/// Which quarantine.
#[derive(Debug, Args)]
pub(crate) struct Quarantine {
    /// The table's name, as the stack's outputs tell it
    #[arg(long)]
    table: String,
    /// The first day [default: seven days ago]
    #[arg(long, value_name = "DATE")]
    since: Option<Day>,
    /// Write it to this stream, and take it out of the quarantine
    #[arg(long, value_name = "STREAM")]
    replay: Option<String>,
    /// Write each one's bytes into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "replay")]
    save: Option<PathBuf>,
}

/// Lists it, saves it, or writes it to the stream.
pub(crate) async fn run(options: Quarantine) -> Result<()> {
    let quarantine = bootstrap::store_of(&options.table)?.quarantine();
    let today = Utc::now().date_naive();
    let start = options.since.unwrap_or(Range::last(today, DAYS + 1).start);
    // Days are those of the service's zone, which can be ahead.
    let range = Range { start, end: today.succ_opt().unwrap_or(today) };
    let mut stream = options.replay.as_deref().map(Stream::open).transpose()?;
    if let Some(folder) = &options.save {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (mut found, mut left) = (0, 0);
    for day in range.days() {
        let mut all = Vec::new();
        quarantine.read(day, |one| all.push(one)).await?;
        for one in all {
            found += 1;
            tell(&one)?;
            if let Some(folder) = &options.save {
                let file = folder.join(format!("{day}-{found:05}"));
                fs::write(&file, one.raw())
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
            if let Some(stream) = &mut stream {
                if one.is_unreadable {
                    told(
                        "  an item that this program cannot read, and no record: --save keeps it",
                    )?;
                    left += 1;
                    continue;
                }
                if one.is_state() {
                    told("  what a program remembered, and no record: --save keeps it")?;
                    left += 1;
                    continue;
                }
                let data = small(one.raw());
                if data.len() > RECORD {
                    told("  too large for a record of the stream: --save it, and write its parts")?;
                    left += 1;
                    continue;
                }
                // In this order: it may come twice, but never not at all.
                stream.put("quarantine", data).await?;
                quarantine.release(&one).await?;
            }
        }
    }
    let what = match (&stream, &options.save) {
        (Some(_), _) => " written to the stream",
        (None, Some(_)) => " saved",
        (None, None) => "",
    };
    let number = counted(found, "entry", "entries");
    told(&format!("{number} since {start}{what}"))?;
    ensure!(left == 0, "{} left in the quarantine", counted(left, "entry is", "entries are"));
    Ok(())
}

/// Bytes as they fit into a record: compressed, if they are long and are not yet.
fn small(raw: Vec<u8>) -> Vec<u8> {
    match raw.starts_with(&[0x1f, 0x8b]) || raw.len() < RECORD / 2 {
        true => raw,
        false => compressed(&raw),
    }
}

fn tell(one: &Quarantined) -> Result<()> {
    let raw = one.raw();
    let text = displayed(&String::from_utf8_lossy(&raw), SHOWN);
    let (source, reason) = (displayed(one.source(), SHOWN), displayed(&one.reason, SHOWN));
    told(&format!("{}  {source}: {reason}\n  {} bytes: {text}", one.day, raw.len()))
}
