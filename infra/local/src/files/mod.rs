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
mod order;
mod report;
mod siblings;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ingest::Ingest;
use logs::Options;
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
    let options = ingest.settings().logs;
    for name in names {
        match open(name, options, now) {
            Ok(input) => inputs.push((input.order(options, now), input)),
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

/// Opens a file that is read from its beginning to its end, oldest line first.
///
/// # Errors
/// It cannot be read.
pub(crate) fn open(name: &Path, options: Options, now: Now) -> Result<Input> {
    let input = Input::open(name)?.oldest_first(options, now);
    input.with_context(|| format!("cannot read {}", name.display()))
}
