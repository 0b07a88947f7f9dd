//! A folder of messages, for a person or another program to look at.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::{Message, SendError, Transport};

/// As much as SES takes, so that what is tried out here works there.
const LIMIT: usize = 40_000_000;

/// A folder that takes one `.eml` file a message, named after the message's id: one that is sent again stands
/// there once.
#[derive(Clone, Debug)]
pub struct Outbox(PathBuf);

impl Outbox {
    /// The outbox in this folder, which is made if there is none.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    fn write(&self, message: &Message) -> std::io::Result<String> {
        // Reports tell who mails with whom: they are for this user alone.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        let name = format!("{}.eml", message.id);
        // Whoever watches the folder never sees half a message.
        let unfinished = self.0.join(format!(".{name}"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&unfinished)?;
        file.write_all(&message.bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, self.0.join(&name))?;
        Ok(name)
    }
}

#[async_trait]
impl Transport for Outbox {
    fn limit(&self) -> usize {
        LIMIT
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        let outbox = self.clone();
        let failed = |error: &dyn std::fmt::Display| {
            let folder = self.0.display();
            SendError::Temporary(format!("cannot write into the outbox {folder}: {error}"))
        };
        let written = tokio::task::spawn_blocking(move || outbox.write(&message)).await;
        written.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}
