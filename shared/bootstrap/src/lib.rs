//! Configuration, logging and AWS clients, read and built once at start.
//!
//! This is the only crate that reads the environment.

#[cfg(feature = "aws")]
mod aws;
mod config;
mod log;
mod metrics;

use std::time::SystemTime;

pub use crate::metrics::tell;
#[cfg(feature = "ses")]
pub use aws::mailer;
#[cfg(feature = "aws")]
pub use aws::{http, objects, sdk_config, store, store_of};
pub use config::{Config, ConfigError, Oidc, web_address};
pub use log::{log_for_machines, log_for_people};

/// The present, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
