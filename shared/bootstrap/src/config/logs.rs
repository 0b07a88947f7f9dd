//! How logs are read.

use std::path::PathBuf;

use chrono_tz::Tz;
use logs::{Format, Options};

use super::days::Days;
use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::{A_DOMAIN, A_ZONE};

const FORMAT: Setting = Setting {
    variable: "LOG_FORMAT",
    flag: "format",
    value: "FORMAT",
    default: "auto",
    choices: Format::CHOICES,
    help: "The logs' format",
    ..Setting::EMPTY
};

const LOG_ZONE: Setting = Setting {
    variable: "LOG_ZONE",
    flag: "log-zone",
    value: "ZONE",
    expected: A_ZONE,
    help: "The time zone of log timestamps that name none [default: that of --zone]",
    ..Setting::EMPTY
};

const DEFAULT_DOMAIN: Setting = Setting {
    variable: "DEFAULT_DOMAIN",
    flag: "default-domain",
    value: "DOMAIN",
    default: "(none)",
    expected: A_DOMAIN,
    help: "The domain that senders without one belong to",
    ..Setting::EMPTY
};

const FOLLOW: Setting = Setting {
    flag: "follow",
    value: "FILE",
    repeats: true,
    help: "Read this log as it grows and is rotated, like tail -F; may be given several times",
    ..Setting::EMPTY
};

/// How logs are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Their format.
    pub format: Format,
    /// The time zone of timestamps that name none.
    pub zone: Tz,
    /// Where senders without a domain belong.
    pub default_domain: String,
}

impl Logs {
    /// What the reader of lines needs to know.
    #[must_use]
    pub const fn options(&self) -> Options {
        Options { format: self.format, zone: self.zone }
    }
}

impl Section for Logs {
    fn settings() -> Vec<&'static Setting> {
        vec![&FORMAT, &LOG_ZONE, &DEFAULT_DOMAIN]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let zone = settings.parsed(&LOG_ZONE, |text| text.parse().ok())?;
        let zone = zone.map_or_else(|| settings.read::<Days>().map(|days| days.zone), Ok)?;
        let format = settings.required(&FORMAT, |name| name.parse().ok())?;
        let default_domain = settings.required(&DEFAULT_DOMAIN, report::domain_name)?;
        Ok(Self { format, zone, default_domain })
    }
}

/// Logs that are read as they grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Their files.
    pub files: Vec<PathBuf>,
}

impl Section for Followed {
    fn settings() -> Vec<&'static Setting> {
        vec![&FOLLOW]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { files: settings.paths(&FOLLOW) })
    }
}
