//! Where people and machines are told of alerts.
//!
//! A [`Channel`] has a name, by which is noted what it was told, and a [`Way`]: mail, a webhook in the form of one of several
//! services, syslog, SNS, EventBridge. [`Channels::tell`] hands over what is due, at least once; what is due twice has the
//! same key. Which channels there are is told by whoever runs this: on one machine by a file ([`read`]).
//!
//! What alerts say of accounts, senders and clients was written by strangers: nothing here takes it for a link, a mention or
//! markup.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "file")]
mod cef;
mod channel;
#[cfg(feature = "file")]
mod file;
mod letter;
#[cfg(feature = "mail")]
mod mail;
mod news;
#[cfg(feature = "file")]
mod public;
#[cfg(feature = "file")]
mod services;
#[cfg(feature = "file")]
mod syslog;
#[cfg(all(test, feature = "file"))]
mod testing;
#[cfg(feature = "file")]
mod webhook;

#[cfg(feature = "aws")]
pub use aws::{EventBridge, Sns};
pub use channel::{Channel, Channels, Told, Untold, Way};
#[cfg(feature = "file")]
pub use file::{FileError, read};
pub use letter::{Letter, Line, attention};
#[cfg(feature = "mail")]
pub use mail::ByMail;
