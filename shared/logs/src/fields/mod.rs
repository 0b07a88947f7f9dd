//! The parts of a log line in fields, as shippers name them: in JSON objects, and in the columns of an export.

mod line;
mod moment;
mod names;
mod parts;

pub(crate) use line::Line;
pub(crate) use moment::Moments;
pub(crate) use names::{Name, Part, Units, name};
pub(crate) use parts::{Parts, Value, readable};
