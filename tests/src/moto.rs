//! moto, an implementation of AWS's interfaces that is not ours. `MOTO_PYTHON` names a Python that can import
//! `moto.server`.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use tokio::process::{Child, Command};

use crate::process::line_with;

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub struct Moto {
    _process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The Python that has moto.
///
/// # Errors
/// None is named.
pub fn python() -> Result<String> {
    std::env::var("MOTO_PYTHON").context("MOTO_PYTHON names no Python")
}

impl Moto {
    /// Starts it on a free port.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start() -> Result<Self> {
        let mut process = Command::new(python()?)
            .args(["-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stderr.take().context("stderr")?;
        let address = line_with(output, "Running on http://").await?;
        Ok(Self { _process: process, address: address.trim().parse()? })
    }
}
