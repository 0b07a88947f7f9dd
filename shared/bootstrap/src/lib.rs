//! Settings, logging and AWS clients, read and built once at start.
//!
//! This is the only crate that reads the environment. [`Settings`] are one tree for all programs.

#[cfg(feature = "aws")]
mod aws;
mod config;
#[cfg(feature = "aws")]
mod function;
mod log;
#[cfg(feature = "geo")]
mod places;
#[cfg(feature = "progress")]
pub mod progress;

use std::time::SystemTime;

#[cfg(feature = "aws")]
pub use aws::{Patience, http, sdk_config, store_of};
pub use config::{
    AlertChannels, AlertMail, AlertTargets, Archive, By, ConfigError, Data, Days, DemoData,
    Detection, Environment, Followed, Journal, Listening, Logs, Mail, Meaning, Mechanisms, Metrics,
    Oidc, People, Relay, Reports, Section, SesMail, Setting, Settings, Site, Source, Table,
};
#[cfg(feature = "aws")]
pub use function::Function;
pub use log::{log_for_machines, log_for_people};
#[cfg(feature = "geo")]
pub use places::places;

/// The present, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
