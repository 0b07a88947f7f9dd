//! What is told of a file.

use ingest::{Found, Summary};
use logs::Understanding;

/// What ingesting one file came to.
#[derive(Debug, Default)]
pub struct Report {
    /// The file, as it was named.
    pub name: String,
    /// The figures.
    pub summary: Summary,
    /// What its lines were.
    pub understanding: Understanding,
    /// Senders and days.
    pub found: Found,
    /// The file was read before, at least in part.
    pub known: bool,
    /// Accepted or not: messages that a later line must tell about.
    pub open: logs::Load,
    /// The last line has no end yet, and is left for the next time.
    pub unfinished_line: bool,
    /// The log that held the same lines: this one was left alone.
    pub twin: Option<String>,
    /// The log that held some of its lines: they are counted twice.
    pub shares: Option<String>,
    /// How often the times of what came through a pipe, which name no years, went back by most of one, unforeseen: what came
    /// before may be counted under the wrong year.
    pub went_back: usize,
    /// Why the file was not read to its end, if it was not; what came before is counted.
    pub failure: Option<String>,
}
