//! What is counted: written so that every record counts once, and read.

pub(crate) mod count;
pub(crate) mod counter_names;
pub(crate) mod counter_pages;
pub(crate) mod days;
pub(crate) mod position;
pub(crate) mod seen;
pub(crate) mod usage;
