//! What is counted: written so that every record counts once, and read.

pub(crate) mod admission;
pub(crate) mod client_names;
pub(crate) mod count;
mod counter_names;
mod counter_pages;
pub(crate) mod days;
mod directory;
pub(crate) mod failures;
pub(crate) mod finer;
pub(crate) mod outcome;
mod placement;
pub(crate) mod position;
pub(crate) mod rollups;
pub(crate) mod seen;
pub(crate) mod strays;
pub(crate) mod summaries;
pub(crate) mod usage;
