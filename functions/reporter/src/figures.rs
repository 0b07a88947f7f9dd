//! The figures of a mail: what a range came to, and what it was before.

use report::views::{self, legacy};
use report::{TlsShare, grouped};

use crate::gather::Totals;

/// A figure and what it was in the period before.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) change: String,
}

/// A row of the table of TLS versions.
pub(crate) struct VersionRow {
    pub(crate) label: &'static str,
    pub(crate) messages: String,
    pub(crate) percent: String,
    /// Its bar, in whole percent.
    pub(crate) width: u64,
    pub(crate) legacy: bool,
}

pub(crate) fn figures(now: &Totals, before: Option<&Totals>) -> Vec<Figure> {
    let (messages, messages_before) = (now.messages, before.map(|before| before.messages));
    let points = messages_before.filter(|before| before.total() > 0).map(|before| {
        // Whole hundredths, so that no rounding shows.
        let hundredths =
            (legacy::share(&messages) * 100.0).round() - (legacy::share(&before) * 100.0).round();
        format!("{:+.2} points", hundredths / 100.0)
    });
    vec![
        Figure {
            name: "messages",
            value: grouped(messages.total()),
            change: changed(messages_before.map(|before| before.total()), messages.total()),
        },
        Figure {
            name: "senders",
            value: grouped(now.senders),
            change: changed(before.map(|before| before.senders), now.senders),
        },
        Figure {
            name: "over TLS 1.0, 1.1 or no TLS",
            value: format!("{:.2} %", legacy::share(&messages)),
            change: points.unwrap_or_default(),
        },
    ]
}

fn changed(before: Option<u64>, now: u64) -> String {
    let Some(before) = before else { return String::new() };
    match views::change(before, now) {
        Some(0.0) => "as before".to_owned(),
        Some(change) => format!("{change:+.2} %"),
        None if now == 0 => "as before".to_owned(),
        None => "none before".to_owned(),
    }
}

pub(crate) fn version_row(share: &TlsShare) -> VersionRow {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let width = share.percent.round() as u64;
    VersionRow {
        label: share.version.label(),
        messages: grouped(share.messages),
        percent: format!("{:.2} %", share.percent),
        width,
        legacy: share.version.is_legacy() && share.messages > 0,
    }
}
