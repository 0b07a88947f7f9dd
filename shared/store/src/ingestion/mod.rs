//! What ingestion remembers from batch to batch, and what it could not read.

pub(crate) mod carry_over;
pub(crate) mod files;
pub(crate) mod listed;
pub(crate) mod memory;
pub(crate) mod quarantine;
pub(crate) mod repeats;
pub(crate) mod samples;
pub(crate) mod zone;
