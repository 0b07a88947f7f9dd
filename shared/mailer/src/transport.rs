//! The way that a message takes.

use std::fmt;

use async_trait::async_trait;

use crate::failure::SendError;
use crate::message::Message;

/// Takes messages over.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// The most bytes that a message may have.
    fn limit(&self) -> usize;

    /// Hands a message over. Gives the name under which it was accepted: SES's message id, the relay's
    /// reply, or the file's name.
    async fn send(&self, message: Message) -> Result<String, SendError>;
}
