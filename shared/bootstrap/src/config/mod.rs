//! Settings: one tree of typed sections, filled from any source.
//!
//! A [`Setting`] is declared once, with all its names; a [`Section`] reads those that belong together; a program
//! reads the sections that it needs from its [`Settings`]. To add one, declare it in its section's file.

mod archive;
mod days;
mod detection;
mod logs;
mod mail;
mod meaning;
mod metrics;
mod people;
mod setting;
mod values;

pub use archive::{Archive, Data, DemoData, Table};
pub use days::Days;
pub use detection::{AlertChannels, AlertMail, AlertTargets, Detection};
pub use logs::{Followed, Journal, Logs};
pub use mail::{By, Mail, Relay, Reports, SesMail, Site};
pub use meaning::{Meaning, Mechanisms};
pub use metrics::Metrics;
pub use people::{Listening, Oidc, People};
pub use setting::{ConfigError, Environment, Section, Setting, Settings, Source};

#[cfg(feature = "aws")]
pub(crate) use archive::BUCKET;
#[cfg(feature = "ses")]
pub(crate) use mail::MAIL_FROM;

#[cfg(test)]
mod tests;
