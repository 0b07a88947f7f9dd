//! What people are told.

use std::io::{self, Write as _};

use anyhow::Result;

/// A number with its noun.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", report::grouped(number), if number == 1 { one } else { many })
}

/// Says what was done.
pub(crate) fn told(text: &str) -> Result<()> {
    // A pipe that nobody reads any more is no failure of what was done.
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
