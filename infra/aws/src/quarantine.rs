//! What could not be read: looked at, and written to the stream again once the function can read it.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use bootstrap::Patience;
use chrono::Utc;
use clap::Args;
use report::{Day, Range};
use store::Quarantined;

use crate::stream::{RECORD, Stream, compressed};
use crate::tell::{counted, told};

/// How many days are looked at, if nothing is said.
const DAYS: u64 = 7;

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
    let quarantine = bootstrap::store_of(&options.table, Patience::OF_A_PERSON)?.quarantine();
    let today = Utc::now().date_naive();
    let since = options.since.unwrap_or(Range::last(today, DAYS + 1).start);
    let days = operator::quarantine::days(Some(since), today);
    let mut stream = options.replay.as_deref().map(Stream::open).transpose()?;
    let (mut written, mut left) = (0, 0);
    operator::quarantine::look(&quarantine, days, options.save.as_ref(), async |one| {
        let Some(stream) = &mut stream else { return Ok(()) };
        match record(one) {
            Ok(data) => {
                // In this order: it may come twice, but never not at all.
                stream.put("quarantine", data).await?;
                quarantine.release(one).await?;
                written += 1;
            }
            Err(why) => {
                told(&format!("  {why}"))?;
                left += 1;
            }
        }
        Ok(())
    })
    .await?;
    if stream.is_some() {
        told(&format!("{} written to the stream", counted(written, "entry", "entries")))?;
    }
    ensure!(left == 0, "{} left in the quarantine", counted(left, "entry is", "entries are"));
    Ok(())
}

/// What of it goes into the stream, or why nothing does.
fn record(one: &Quarantined) -> Result<Vec<u8>, &'static str> {
    if one.is_unreadable {
        return Err("an item that this program cannot read, and no record: --save keeps it");
    }
    if one.is_state() {
        return Err("what a program remembered, and no record: --save keeps it");
    }
    let data = small(one.raw());
    if data.len() > RECORD {
        return Err("too large for a record of the stream: --save it, and write its parts");
    }
    Ok(data)
}

/// Bytes as they fit into a record: compressed, if they are long and are not yet.
fn small(raw: Vec<u8>) -> Vec<u8> {
    match raw.starts_with(&[0x1f, 0x8b]) || raw.len() < RECORD / 2 {
        true => raw,
        false => compressed(&raw),
    }
}
