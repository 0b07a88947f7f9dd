//! One alert as JSON, for machines.

use chrono::{DateTime, SecondsFormat};
use detect::{Alert, Case, Status};
use serde::Serialize;

use crate::letter::Letter;

/// What a machine is told: an alert, named as in the answers of `/v1/alerts`.
#[derive(Debug, Serialize)]
pub(crate) struct News<'a> {
    /// `alert`, or `test` where nothing has happened.
    event: &'static str,
    /// The same if it is told again: what was told under it needs no second look.
    key: String,
    /// When, by RFC 3339.
    sent_at: String,
    /// Where people can look at it.
    link: Option<String>,
    alert: AlertNews<'a>,
}

#[derive(Debug, Serialize)]
struct AlertNews<'a> {
    #[serde(flatten)]
    alert: &'a Alert,
    status: Status,
    raised_at: String,
}

impl<'a> News<'a> {
    /// What a letter tells of one of its cases.
    pub(crate) fn of(letter: &Letter<'_>, case: &'a Case) -> Self {
        let Case { alert, status, raised_at, .. } = case;
        Self {
            event: if letter.is_test { "test" } else { "alert" },
            key: letter.key_of(case),
            sent_at: instant(letter.at),
            link: letter.link(case),
            alert: AlertNews { alert, status: *status, raised_at: instant(*raised_at) },
        }
    }
}

/// A moment, in seconds since 1970, by RFC 3339.
pub(crate) fn instant(at: i64) -> String {
    DateTime::from_timestamp(at, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
