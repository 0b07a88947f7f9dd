//! Logs whose beginning is gone: an export of a journal that was vacuumed meanwhile, or the last lines of a file.

use anyhow::Result;
use ingest::{FileIngest, Ingest, Landmarks, Rests};
use store::KnownFile;
use unpack::Lines;

use super::input::Input;

/// Bytes in which the first line that is known of the whole log must stand.
const LOOKED_THROUGH: u64 = 64 << 20;
/// Logs that are looked at, of all that were counted on the day on which the text begins.
const LOGS: usize = 32;
/// Places that are tried: lines that repeat stand in many.
const TRIED: usize = 64;
/// Lines that must stand where they did, at least.
const SAME: usize = 8;

/// Which file the text is the rest of, and how many bytes of its beginning are gone.
///
/// All lines that are known of the file stand in the text, so many bytes further ahead, as far as it goes.
///
/// # Errors
/// The store failed, or the text cannot be read.
pub(super) async fn rest_of(
    input: &mut Input,
    ingest: &Ingest,
    begins: i64,
    now: i64,
) -> Result<Option<(KnownFile, u64)>> {
    let mut files = Vec::new();
    for source in ingest.sources_on(begins).await?.into_iter().take(LOGS) {
        let file = KnownFile { source, known: true };
        let landmarks = FileIngest::resume(ingest, &file, now).await?.landmarks().clone();
        files.push((file, landmarks));
    }
    if files.is_empty() {
        return Ok(None);
    }
    let places = places(input, files.iter().map(|(_, landmarks)| landmarks))?;
    for (file, gone) in places {
        let (file, landmarks) = &files[file];
        let same = landmarks.stand_behind(gone, |offset, to| input.bytes_at(offset, to))?;
        if same.is_some_and(|lines| lines >= SAME) {
            return Ok(Some((file.clone(), gone)));
        }
    }
    Ok(None)
}

/// Where lines of the files stand in the text: each with its file and how much further ahead it stands.
fn places<'a>(
    input: &mut Input,
    files: impl Iterator<Item = &'a Landmarks>,
) -> Result<Vec<(usize, u64)>> {
    let rests = Rests::of(files);
    let mut found = Vec::new();
    // What has not come yet of a pipe is not waited for.
    let pipe = input.pipe.clone();
    pipe.iter().for_each(|pipe| pipe.give_way(true));
    let mut lines = Lines::new(input.whole(LOOKED_THROUGH)?, 0);
    loop {
        let more = lines.read(|line| {
            for place in rests.places_of(line.text, line.begins) {
                if found.len() < TRIED && !found.contains(&place) {
                    found.push(place);
                }
            }
        });
        // Damage is told by whoever reads on.
        if !more.unwrap_or_default() || found.len() >= TRIED {
            break;
        }
    }
    pipe.iter().for_each(|pipe| pipe.give_way(false));
    Ok(found)
}
