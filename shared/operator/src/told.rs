//! What people are told.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Prints a line. Whoever reads may stop early, as `head` does: what was asked for is done all the same.
pub fn line(text: impl Display) {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            tracing::warn!(%error, "cannot print");
        }
        Ok(()) | Err(_) => {}
    }
}
