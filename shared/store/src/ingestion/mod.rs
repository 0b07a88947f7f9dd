//! What ingestion remembers from batch to batch.

pub(crate) mod carry_over;
pub(crate) mod files;
pub(crate) mod quarantine;
