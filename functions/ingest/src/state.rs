//! What ingestion remembers of a log stream, around the reader's own state.

use serde::{Deserialize, Serialize};

/// Payloads remembered: CloudWatch Logs repeats one within seconds, if at all.
const PAYLOADS: usize = 64;

/// The carried-over state of one log stream.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// The log's end is being settled: [`logs::LogStream::close`] was decided on, and must be done
    /// before anything else is read.
    pub(crate) closing: bool,
    /// Checksums of the last payloads, so that one that was sent twice counts once.
    pub(crate) payloads: Vec<u64>,
    /// [`logs::LogStream::save`].
    pub(crate) log: Vec<u8>,
}

impl StreamState {
    /// Nothing is stored for a new log stream; a damaged state is an error in words.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        postcard::from_bytes(bytes).map_err(|error| format!("carried-over state: {error}"))
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        // Writing to memory cannot fail.
        postcard::to_extend(self, Vec::new()).unwrap_or_default()
    }

    /// Whether this payload is new.
    pub(crate) fn is_new(&mut self, payload: u64) -> bool {
        if self.payloads.contains(&payload) {
            return false;
        }
        if self.payloads.len() >= PAYLOADS {
            self.payloads.remove(0);
        }
        self.payloads.push(payload);
        true
    }
}
