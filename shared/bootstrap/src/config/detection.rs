//! How accounts are judged.

use std::path::PathBuf;

use detect::Sensitivity;

use super::setting::{ConfigError, Section, Setting, Settings};

const SENSITIVITY: Setting = Setting {
    variable: "SENSITIVITY",
    flag: "sensitivity",
    value: "STEP",
    default: "normal",
    choices: &[
        ("low", "half as many alerts, and some are missed"),
        ("normal", "one false alarm in a thousand weeks of an account"),
        ("high", "twice as many alerts"),
    ],
    help: "How much is raised",
    ..Setting::EMPTY
};

const ALERT_MAIL: Setting = Setting {
    flag: "alert-mail",
    value: "ADDRESS",
    repeats: true,
    expected: "mail addresses with commas between",
    help: "Mail alerts to this address: what is high at once, the rest in the morning; may be given several times",
    heading: "Reports by mail",
    ..Setting::EMPTY
};

const ALERT_CHANNELS: Setting = Setting {
    flag: "alert-channels",
    value: "FILE",
    help: "Tell alerts to the webhooks and syslog servers in this file: see smtp-auth-report channels --help",
    ..Setting::EMPTY
};

const ALERT_TOPIC: Setting =
    Setting { variable: "ALERT_TOPIC", expected: "the ARN of an SNS topic", ..Setting::EMPTY };

const ALERT_BUS: Setting = Setting {
    variable: "ALERT_BUS",
    expected: "the name or ARN of an event bus",
    ..Setting::EMPTY
};

/// Where alerts go on one machine, beside mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertChannels {
    /// The file that tells the channels, if there is one.
    pub file: Option<PathBuf>,
}

impl Section for AlertChannels {
    fn settings() -> Vec<&'static Setting> {
        vec![&ALERT_CHANNELS]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { file: settings.path(&ALERT_CHANNELS) })
    }
}

/// Where alerts go on AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertTargets {
    /// The ARN of an SNS topic, if there is one.
    pub topic: Option<String>,
    /// An event bus, if there is one.
    pub bus: Option<String>,
}

impl Section for AlertTargets {
    fn settings() -> Vec<&'static Setting> {
        vec![&ALERT_TOPIC, &ALERT_BUS]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { topic: settings.text(&ALERT_TOPIC)?, bus: settings.text(&ALERT_BUS)? })
    }
}

/// Who is told of alerts by mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertMail {
    /// Mail addresses, not checked yet; nobody, if there are none.
    pub recipients: Vec<String>,
}

impl Section for AlertMail {
    fn settings() -> Vec<&'static Setting> {
        vec![&ALERT_MAIL]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let text = settings.text(&ALERT_MAIL)?.unwrap_or_default();
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self { recipients: names.map(str::to_owned).collect() })
    }
}

/// How accounts are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detection {
    /// How much is raised.
    pub sensitivity: Sensitivity,
}

impl Section for Detection {
    fn settings() -> Vec<&'static Setting> {
        vec![&SENSITIVITY]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { sensitivity: settings.required(&SENSITIVITY, Sensitivity::from_name)? })
    }
}
