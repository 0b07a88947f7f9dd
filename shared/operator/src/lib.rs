//! What operators do by hand, on AWS as on one machine: look at the [`quarantine`], and [`rebuild`](mod@rebuild) a store that
//! was lost. What they are told goes to standard output.

pub mod quarantine;
pub mod rebuild;
mod told;

pub use told::line;
