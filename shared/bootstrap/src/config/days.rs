//! Which days are counted.

use chrono_tz::Tz;
use report::Day;

use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::A_ZONE;

const ZONE: Setting = Setting {
    variable: "ZONE",
    flag: "zone",
    value: "ZONE",
    default: "UTC",
    expected: A_ZONE,
    help: "The time zone whose calendar days are counted; a data folder keeps the one it began with",
    ..Setting::EMPTY
};

const AS_OF: Setting = Setting {
    flag: "as-of",
    value: "DATE",
    expected: "a day, as in 2026-11-24",
    help: "Take this day for the present one, to look at old logs",
    ..Setting::EMPTY
};

/// Which days are counted, and which one is the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The time zone whose calendar days they are.
    pub zone: Tz,
    /// The day that is taken for the present one, where that is not the clock's. Functions have none.
    pub as_of: Option<Day>,
}

impl Section for Days {
    fn settings() -> Vec<&'static Setting> {
        vec![&ZONE, &AS_OF]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let zone = settings.required(&ZONE, |text| text.parse().ok())?;
        let as_of = settings.parsed(&AS_OF, |text| text.parse().ok())?;
        Ok(Self { zone, as_of })
    }
}
