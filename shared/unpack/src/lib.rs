//! Bytes as they come into lines: what every reader of logs begins with.
//!
//! [`Text`] opens a file or a pipe, whatever packings are around its text; [`Lines`] cuts a text into lines with their
//! offsets, [`Pieces`] long ones into pieces; [`record`] tells what one record of a stream holds ([`cloudwatch`] for
//! CloudWatch Logs payloads).
//!
//! What bytes are is told by the first of them, never by a name. Memory is bounded, however much text there is: an inflater
//! takes 128 MiB at most, and an archive, whose oldest file may stand last, is kept compressed in a temporary file.

mod age;
mod archive;
pub mod cloudwatch;
mod damage;
mod decoded;
mod events;
mod form;
mod inflate;
mod joined;
mod kpl;
mod large;
mod lines;
mod packed;
mod peel;
pub mod record;
mod spool;
#[cfg(test)]
mod testing;
mod text;
mod utf16;

pub use lines::{Line, Lines, Pieces, without_mark};
pub use text::Text;
