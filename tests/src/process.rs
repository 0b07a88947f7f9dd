//! What was built beside the tests, and what processes tell.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// A program that was built beside the tests.
///
/// # Errors
/// It was not.
pub fn built(name: &str) -> Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let folder = tests.parent().and_then(Path::parent).context("the folder of the tests")?;
    let program = folder.join(name);
    ensure!(
        program.is_file(),
        "there is no {}: cargo build --release --workspace --bins --tests",
        program.display()
    );
    Ok(program)
}

/// The program of a function.
#[must_use]
pub fn program(function: &str) -> &str {
    match function {
        // `report` is the crate of what is counted and shown.
        "detect" => "detector",
        "report" => "reporter",
        other => other,
    }
}

/// Lines of a process's output up to the first with `begin` in it; gives what follows there.
///
/// # Errors
/// The output ends before.
pub async fn line_with(
    output: impl AsyncRead + Send + Unpin + 'static,
    begin: &str,
) -> Result<String> {
    let mut lines = BufReader::new(output).lines();
    let mut told = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if let Some((_, rest)) = line.split_once(begin) {
            let rest = rest.trim_end_matches('.').to_owned();
            // What comes later must have somewhere to go.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(rest);
        }
        told.push(line);
    }
    bail!("it ended before it told '{begin}': {}", told.join("\n"))
}
