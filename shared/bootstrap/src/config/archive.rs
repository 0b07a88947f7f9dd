//! Where everything is kept.

use std::path::PathBuf;

use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::text;

const TABLE: Setting =
    Setting { variable: "TABLE_NAME", expected: "the DynamoDB table's name", ..Setting::EMPTY };

pub(crate) const BUCKET: Setting = Setting {
    variable: "ARCHIVE_BUCKET",
    expected: "the S3 bucket of the archives",
    ..Setting::EMPTY
};

const DATA: Setting = Setting {
    flag: "data",
    value: "DIR",
    default: "smtp-auth-report-data",
    expected: "a folder",
    help: "The folder that holds everything",
    ..Setting::EMPTY
};

const DEMO: Setting =
    Setting { default: "", help: "Keep the demo in this folder [default: in memory]", ..DATA };

/// The table on AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
}

impl Section for Table {
    fn settings() -> Vec<&'static Setting> {
        vec![&TABLE]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { name: settings.required(&TABLE, text)? })
    }
}

/// The archives on AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Their S3 bucket.
    pub bucket: String,
}

impl Section for Archive {
    fn settings() -> Vec<&'static Setting> {
        vec![&BUCKET]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { bucket: settings.required(&BUCKET, text)? })
    }
}

/// Where everything is on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The folder.
    pub folder: PathBuf,
}

impl Section for Data {
    fn settings() -> Vec<&'static Setting> {
        vec![&DATA]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { folder: settings.path(&DATA).ok_or_else(|| settings.missing(&DATA))? })
    }
}

/// Where the demo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoData {
    /// The folder; none is in memory.
    pub folder: Option<PathBuf>,
}

impl Section for DemoData {
    fn settings() -> Vec<&'static Setting> {
        vec![&DEMO]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { folder: settings.path(&DEMO) })
    }
}
