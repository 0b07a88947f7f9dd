//! What operators do by hand, on AWS as on one machine: look at the [`quarantine`], [`rebuild`](mod@rebuild) a store
//! that was lost, and look for accounts in strange hands ([`detect`]). What they are told goes to standard output.

pub mod detect;
pub mod quarantine;
pub mod rebuild;
mod told;

pub use told::line;
