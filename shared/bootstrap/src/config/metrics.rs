//! Where metrics go.

use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::text;

const NAMESPACE: Setting = Setting {
    variable: "METRICS_NAMESPACE",
    default: "smtp-auth-report",
    expected: "a namespace of CloudWatch's",
    ..Setting::EMPTY
};

/// Where metrics go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// CloudWatch's namespace: several services can share an account.
    pub namespace: String,
}

impl Section for Metrics {
    fn settings() -> Vec<&'static Setting> {
        vec![&NAMESPACE]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        Ok(Self { namespace: settings.required(&NAMESPACE, text)? })
    }
}
