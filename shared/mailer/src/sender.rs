//! Whom mail comes from.

use std::sync::Arc;

use lettre::message::Mailbox;
use thiserror::Error;

use crate::failure::SendError;
use crate::message::{self, Mail};
use crate::transport::Transport;

/// Why a text is no sender that mail can come from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is no sender as in reports@example.org, or SMTP AUTH report <reports@example.org>")]
pub struct SenderError(String);

/// A sender, and the way that its mail takes.
#[derive(Clone, Debug)]
pub struct Mailer {
    from: Mailbox,
    transport: Arc<dyn Transport>,
}

impl Mailer {
    /// Mail from this sender (RFC 5322's mailbox: an address, with or without a name before it).
    ///
    /// # Errors
    /// It is none.
    pub fn new(from: &str, transport: Arc<dyn Transport>) -> Result<Self, SenderError> {
        let from = from.parse().map_err(|_| SenderError(from.to_owned()))?;
        Ok(Self { from, transport })
    }

    /// Bytes that all files of one mail may have together, as they are before they are encoded.
    #[must_use]
    pub fn files_limit(&self) -> usize {
        // Base64 makes 78 bytes of 57; the rest is for texts, headers and the image.
        self.transport.limit().saturating_sub(message::TEXTS) / 78 * 57
    }

    /// Makes a mail a message and hands it over. Gives the name under which it was accepted.
    ///
    /// # Errors
    /// It was not accepted, for now or for good.
    pub async fn send(&self, mail: Mail) -> Result<String, SendError> {
        let message = mail.compose(&self.from)?;
        let (size, limit) = (message.bytes.len(), self.transport.limit());
        if size > limit {
            let reason =
                format!("the mail has {size} bytes, and {limit} is the most that is taken");
            return Err(SendError::Permanent(reason));
        }
        self.transport.send(message).await
    }
}
