//! Whether the store is whole: what must be the same is held against each other.
//!
//! SQLite notices a page that makes no sense, but not a digit or a letter that has become another. What an answer is made
//! from is there twice, though: every message counts in usage, and in the rollups of its domain and of all
//! domains; every name in usage stands among those that were seen; and all of a day that is archived, in its archive.

mod fault;
mod run;
mod sums;

pub use fault::{Fault, Found};
pub use run::{PAUSE, verify, verify_and_tell, verify_places};
