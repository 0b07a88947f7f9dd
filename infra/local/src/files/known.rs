//! Whether a file was read before, whatever it is called and however it is compressed.

use anyhow::Result;
use ingest::{FileIngest, Ingest};
use store::{Files, KnownFile};

use super::input::Input;
use super::rest::rest_of;
use crate::clock::Now;

/// Bytes of a file from which its name is made, if another begins like it.
const NAMED_BY: usize = 1 << 16;

/// Which file it is.
pub(super) struct Known {
    /// Its name, and whether something of it was read before.
    pub(super) file: KnownFile,
    /// Whether it was at least named before: it was opened to be read.
    pub(super) is_named: bool,
}

/// Finds out which file it is.
///
/// A file is one that was read before if it has the same lines in the same places, as far as it goes; one
/// of which an earlier version has read the beginning, which remembered no lines, if it begins alike as well.
///
/// # Errors
/// The store failed, or the file cannot be read.
pub(super) async fn known(
    input: &mut Input,
    ingest: &Ingest,
    files: &Files,
    now: i64,
) -> Result<Known> {
    let mut candidates = files.candidates(&input.head).await?;
    let mut named = None;
    let mut number = 0;
    while let Some(candidate) = candidates.get(number) {
        number += 1;
        let file = KnownFile { source: candidate.source.clone(), known: true };
        let reading = FileIngest::resume(ingest, &file, now).await?;
        if !reading.is_begun() {
            if !candidate.begins_alike && input.wait_for_head()? {
                (candidates, number, named) = (files.candidates(&input.head).await?, 0, None);
                continue;
            }
            // It was named, and then the process ended before anything of it was stored.
            let file = candidate.begins_alike.then_some(KnownFile { known: false, ..file });
            named = named.or(file);
            continue;
        }
        let landmarks = reading.landmarks();
        let may_be = candidate.begins_alike || landmarks.begin_at(input.hole);
        if may_be && input.has(landmarks)? {
            return Ok(Known { file, is_named: true });
        }
    }
    if let Some(file) = named {
        return Ok(Known { file, is_named: true });
    }
    if input.may_be_rest
        && let Some(begins) = input.begins(ingest.settings().logs, Now::Fixed(now))
        && let Some((file, gone)) = rest_of(input, ingest, begins, now).await?
    {
        input.gone = gone;
        return Ok(Known { file, is_named: true });
    }
    let more = if candidates.is_empty() { Vec::new() } else { input.beginning(NAMED_BY)? };
    let source = Files::name(&input.head, &more, &candidates);
    Ok(Known { file: KnownFile { source, known: false }, is_named: false })
}
