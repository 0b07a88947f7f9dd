//! Mail: a MIME message is made here, and handed to SES, an SMTP relay, or an outbox folder.
//!
//! [`Mail`] says what is in a message, [`Message`] is the same as bytes, and a [`Transport`] takes these.
//! Nobody else knows which one it is. This is the only crate that names the SES SDK.

mod message;
mod outbox;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "smtp")]
mod smtp;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use lettre::message::Mailbox;
use thiserror::Error;

pub use message::{File, Image, Mail, Message};
pub use outbox::{OUTBOX_LIMIT, Outbox};
#[cfg(feature = "ses")]
pub use ses::{SES_LIMIT, Ses};
#[cfg(feature = "smtp")]
pub use smtp::{SMTP_LIMIT, Smtp, SmtpError};

/// Why a mail was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// It may be accepted later: throttled, no connection, no answer in time. The mail may have been accepted
    /// all the same if the answer got lost.
    #[error("{0}")]
    Temporary(String),
    /// It never will be, unless somebody changes something.
    #[error("{0}")]
    Permanent(String),
}

/// Why a text is no sender that mail can come from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0} is no sender as in reports@example.org, or SMTP AUTH report <reports@example.org>")]
pub struct SenderError(String);

/// An error and its causes in one line; a cause that is told already is left out.
#[cfg(any(feature = "ses", feature = "smtp"))]
fn chain(error: &dyn std::error::Error) -> String {
    let (mut told, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        let text = cause.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        source = cause.source();
    }
    told
}

/// Takes messages over.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// The most bytes that a message may have.
    fn limit(&self) -> usize;

    /// Hands a message over. Gives the name under which it was accepted: SES's message id, the relay's
    /// reply, or the file's name.
    async fn send(&self, message: Message) -> Result<String, SendError>;
}

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
