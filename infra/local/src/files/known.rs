//! Whether a file was read before, whatever it is called and however it is compressed.

use anyhow::Result;
use ingest::{FileIngest, Ingest};
use store::{Files, KnownFile};

use super::input::Input;

/// Bytes of a file from which its name is made, if another begins like it.
const NAMED_BY: usize = 1 << 16;

/// Finds out which file it is: its name, and whether something of it was read before.
///
/// A file is one that was read before if it has the same lines in the same places, as far as it goes; one
/// that an earlier version read, which remembered no lines, if it begins alike.
///
/// # Errors
/// The store failed, or the file cannot be read.
pub(super) async fn known(
    input: &mut Input,
    ingest: &Ingest,
    files: &Files,
    now: i64,
) -> Result<KnownFile> {
    let candidates = files.candidates(&input.head).await?;
    let mut reserved = None;
    for candidate in &candidates {
        let file = KnownFile { source: candidate.source.clone(), known: true };
        let reading = FileIngest::resume(ingest, &file, now).await?;
        if !reading.is_begun() {
            // It was named, and then the process ended before anything of it was stored.
            let file = candidate.begins_alike.then_some(KnownFile { known: false, ..file });
            reserved = reserved.or(file);
            continue;
        }
        let landmarks = reading.landmarks();
        let is_it = match landmarks.is_empty() {
            true => candidate.begins_alike,
            false => input.has(landmarks)?,
        };
        if is_it {
            return Ok(file);
        }
    }
    if let Some(file) = reserved {
        return Ok(file);
    }
    let more = if candidates.is_empty() { Vec::new() } else { input.beginning(NAMED_BY)? };
    Ok(KnownFile { source: Files::name(&input.head, &more, &candidates), known: false })
}
