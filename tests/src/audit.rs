//! What the log tells of who changed what.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use serde_json::Value;
use tracing::instrument::WithSubscriber as _;

use crate::locked;

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Does something, and tells what the log says of it: each change as `action`, `id` of what was changed, and the
/// visitor's `subject` and `name`.
///
/// # Errors
/// It fails, or a line is not JSON.
pub async fn audited<T>(work: impl Future<Output = Result<T>>) -> Result<(T, Vec<Value>)> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .finish();
    let done = work.with_subscriber(subscriber).await?;
    let told = locked(&log.0);
    let lines: Vec<Value> =
        serde_json::Deserializer::from_slice(&told).into_iter().collect::<Result<_, _>>()?;
    Ok((done, lines.into_iter().filter(|line| line["target"] == "audit").collect()))
}
