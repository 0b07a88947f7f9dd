//! Bytes as they come into lines: what every reader of logs begins with.
//!
//! [`Text`] opens a file or a pipe, [`Lines`] cuts its text into lines with their offsets, [`Pieces`] long ones into pieces;
//! [`record`] tells what one record of a stream holds ([`cloudwatch`] for CloudWatch Logs payloads).

pub mod cloudwatch;
mod lines;
pub mod record;
mod text;

pub use lines::{Line, Lines, Pieces, without_mark};
pub use text::Text;
