//! Mail server log lines in, SMTP AUTH submissions out.
//!
//! A [`LogStream`] reads the lines of one log in order and tells a [`Sink`] what they prove:
//! messages that authenticated clients submitted and that were accepted, and authentications that
//! failed. A line takes three steps, each in a room of its own:
//!
//! 1. `wrappers`: what the line was put into on its way is taken off, until nothing comes off any more. What is left
//!    is a record: time, host, program, process and message.
//! 2. `formats`: the first format that takes the record reads what it proves, and joins it with what other lines
//!    have told (`pending`).
//! 3. `proofs`: names that strangers chose become fit to be counted.
//!
//! `README.md` beside this crate tells how a format is added.
//!
//! Nothing here reads a clock, a file or the environment. Reading is deterministic: the same saved
//! state and the same lines give the same submissions, in the same places, however the lines are
//! cut into batches. Exactly-once counting stands on that.

mod address;
mod carried;
mod client_name;
mod counted;
mod fields;
mod format;
mod formats;
mod framing;
mod gate;
mod kept;
mod key;
mod load;
mod logfmt;
mod memory;
mod nearest;
mod pending;
mod place;
mod proofs;
mod reading;
mod recipients;
mod record;
mod relayed;
mod repeats;
mod saved;
mod secrets;
mod stream;
mod text;
mod time;
mod understanding;
mod unroll;
mod wrapper;
mod wrappers;

pub use formats::{Format, UnknownFormat};
pub use load::Load;
pub use place::{Arrival, mark_at, mark_behind, offset_of};
pub use proofs::{Sink, reject};
pub use saved::{StateError, Unreadable};
pub use stream::{LogStream, Options};
pub use understanding::{NotUnderstood, Understanding};
pub use unroll::Unroller;

#[cfg(test)]
mod adversary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
