//! Mail: a MIME message is made here, and handed to SES, an SMTP relay, or an outbox folder.
//!
//! [`Mail`] says what is in a message, [`Message`] is the same as bytes, and a [`Transport`] takes these.
//! Nobody else knows which one it is. This is the only crate that names the SES SDK.

mod failure;
mod message;
mod outbox;
mod sender;
#[cfg(feature = "ses")]
mod ses;
#[cfg(feature = "smtp")]
mod smtp;
mod transport;

pub use failure::SendError;
pub use message::{File, Image, Mail, Message};
pub use outbox::{OUTBOX_LIMIT, Outbox};
pub use sender::{Mailer, SenderError};
#[cfg(feature = "ses")]
pub use ses::{SES_LIMIT, Ses};
#[cfg(feature = "smtp")]
pub use smtp::{SMTP_LIMIT, Smtp, SmtpError};
pub use transport::Transport;
