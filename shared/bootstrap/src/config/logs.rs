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
    help: "Read this log as it grows and is rotated, like tail -F; also a folder, a pattern in quotes, or - for standard input; may be given several times",
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

const JOURNAL: Setting = Setting {
    flag: "journal",
    value: "MATCH",
    many: true,
    expected: "matches of journalctl: FIELD=VALUE, or + between alternatives; all of the journal without any",
    help: "Read the systemd journal, each entry once: all of it, or what matches, as in SYSLOG_FACILITY=2 (mail)",
    ..Setting::EMPTY
};

const JOURNALCTL: Setting = Setting {
    flag: "journalctl",
    value: "COMMAND",
    default: "journalctl",
    expected: "a command and its options, with blanks between",
    help: "How journalctl is run, as in 'journalctl --merge' or 'ssh mx1 journalctl'",
    ..Setting::EMPTY
};

/// The systemd journal, if it is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// What of it is wanted, as journalctl takes it; all if it is empty; none if the journal is not to be read.
    pub matches: Option<Vec<String>>,
    /// The command and its first arguments.
    pub command: Vec<String>,
}

impl Section for Journal {
    fn settings() -> Vec<&'static Setting> {
        vec![&JOURNAL, &JOURNALCTL]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        settings.needs(&JOURNALCTL, &JOURNAL)?;
        let matches = settings.texts(&JOURNAL)?;
        if let Some(wrong) = matches.iter().flatten().find(|text| !is_match(text)) {
            return Err(settings.invalid(&JOURNAL, wrong.clone()));
        }
        let words = |text: &str| -> Option<Vec<String>> {
            let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            (!words.is_empty()).then_some(words)
        };
        Ok(Self { matches, command: settings.required(&JOURNALCTL, words)? })
    }
}

/// Whether journalctl takes it for a match: fields have names of upper-case letters, digits and underscores.
fn is_match(text: &str) -> bool {
    let is_name = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let name = text.split_once('=').map(|(name, _)| name);
    text == "+" || name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_name))
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
