//! Log files, read once however often they are given.
//!
//! An `input` is a file that is opened; `known` finds out whether it was read before, whatever it was called
//! then; a `chain` reads one after the other, so that sessions go on from a rotated log to the next. [`ingest()`]
//! does this with files that are named, [`follow`](follow::follow) with a log that grows and its `siblings`.

mod chain;
pub mod follow;
mod forward;
mod input;
mod known;
mod report;
mod siblings;

use std::path::PathBuf;

use anyhow::Result;
use ingest::Ingest;
use store::Files;

use crate::clock::Now;
use chain::Chain;
pub(crate) use input::Input;
pub use report::Report;

/// Ingests files, oldest log first, and standard input for `-`.
///
/// A file that cannot be read, or not to its end, is reported as such and stops no other.
///
/// # Errors
/// The store failed. What was reported is stored.
pub async fn ingest(
    ingest: &Ingest,
    known: &Files,
    names: &[PathBuf],
    now: Now,
    mut report: impl FnMut(Report),
) -> Result<()> {
    let mut inputs = Vec::with_capacity(names.len());
    for name in names {
        match Input::open(name) {
            Ok(input) => inputs.push((input.order(ingest.settings().logs, now), input)),
            Err(error) => {
                let (name, failure) = (name.display().to_string(), Some(format!("{error:#}")));
                report(Report { name, failure, ..Report::default() });
            }
        }
    }
    inputs.sort_by_key(|(order, _)| *order);
    let mut chain = Chain::new(ingest, known, now);
    for (_, input) in inputs {
        chain.read(input).await?.into_iter().for_each(&mut report);
    }
    chain.end().await?.into_iter().for_each(report);
    Ok(())
}
