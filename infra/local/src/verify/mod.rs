//! Whether the store is whole: what must be the same is held against each other.
//!
//! SQLite notices a page that makes no sense, but not a digit or a letter that has become another. What an answer is made
//! from is there twice, though: every message counts in usage, and in the rollups of its domain and of all
//! domains; every name in usage stands among those that were seen; and all of a day that is archived, in its archive.
//!
//! What a day that is not archived has but once are its clients, mechanisms, failed logins and finer counters. Of these shows
//! what nobody can have counted: a name that cleaning does not leave, that lies on a page to which its checksum does not lead,
//! or that was never admitted. What shows nowhere is another name that is as good, where few are counted, and another number
//! of failed logins or of a finer counter.

mod fault;
mod run;
mod sums;

pub use fault::{Fault, Found};
pub use run::{PAUSE, verify, verify_and_tell, verify_places};
