//! A folder of messages, for a person or another program to look at.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use async_trait::async_trait;

use crate::failure::SendError;
use crate::message::Message;
use crate::transport::Transport;

/// The most bytes of a message if nothing else is said: what SES takes, so that what is tried out here works
/// there.
pub const OUTBOX_LIMIT: usize = 40_000_000;

/// A folder that takes one `.eml` file a message, named after the message's id: one that is sent again stands
/// there once.
#[derive(Clone, Debug)]
pub struct Outbox {
    folder: PathBuf,
    limit: usize,
}

impl Outbox {
    /// The outbox in this folder, which is made if there is none; it takes messages of so many bytes.
    #[must_use]
    pub fn new(folder: PathBuf, limit: usize) -> Self {
        Self { folder, limit }
    }

    fn write(&self, message: &Message) -> std::io::Result<String> {
        // Reports tell who mails with whom: they are for this user alone.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let name = format!("{}.eml", message.id);
        // Whoever watches the folder never sees half a message.
        let unfinished = self.folder.join(format!(".{name}"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unfinished)?;
        file.write_all(&message.bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.folder.join(&name))?;
        Ok(name)
    }
}

#[async_trait]
impl Transport for Outbox {
    fn limit(&self) -> usize {
        self.limit
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        let outbox = self.clone();
        let failed = |error: &dyn std::fmt::Display| {
            let folder = self.folder.display();
            SendError::Temporary(format!("cannot write into the outbox {folder}: {error}"))
        };
        let written = tokio::task::spawn_blocking(move || outbox.write(&message)).await;
        written.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}
