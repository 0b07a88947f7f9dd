//! Configuration, logging and AWS clients, read and built once at start.
//!
//! This is the only crate that reads the environment.

#[cfg(feature = "aws")]
mod aws;
mod config;
mod metrics;

use std::io::{self, IsTerminal as _};
use std::time::SystemTime;

use tracing_subscriber::EnvFilter;

#[cfg(feature = "ses")]
pub use aws::mailer;
#[cfg(feature = "aws")]
pub use aws::{http, objects, sdk_config, store, store_of};
pub use config::{Config, ConfigError, Oidc, web_address};
pub use metrics::metrics;

fn filter() -> EnvFilter {
    let quiet = tracing_subscriber::filter::LevelFilter::INFO.into();
    EnvFilter::builder().with_default_directive(quiet).from_env_lossy()
}

/// Logs for a person, to standard error; `RUST_LOG` chooses how much, `NO_COLOR` is honoured.
pub fn log_for_people() {
    let colours = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter())
        .with_writer(io::stderr)
        .with_ansi(colours)
        .init();
}

/// Logs as JSON lines to standard output, where CloudWatch Logs takes them.
pub fn log_for_machines() {
    tracing_subscriber::fmt().json().with_env_filter(filter()).with_current_span(false).init();
}

/// The present, in seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
