//! What needs attention, as a mail begins.

use report::{Contents, Day, Filter, Scope, date, displayed, grouped};
use store::KnownAlerts;

/// Alerts that are listed.
const LISTED: usize = 5;
/// Characters of a sentence: more than it has.
const SENTENCE: usize = 400;

/// What needs attention on the day on which a mail is written.
pub(crate) struct Attention {
    /// As in `2 alerts need attention`.
    pub(crate) told: String,
    /// The surest first.
    pub(crate) lines: Vec<Line>,
    /// How many are not listed.
    pub(crate) more: usize,
}

/// An alert.
pub(crate) struct Line {
    pub(crate) reason: String,
    pub(crate) severity: &'static str,
    pub(crate) since: String,
    pub(crate) href: Option<String>,
}

impl Attention {
    /// What whoever gets these contents may know of it: they have all mail, or are told nothing. None where nobody is
    /// watched.
    pub(crate) fn of(
        known: &KnownAlerts,
        contents: &Contents,
        today: Day,
        dashboard: Option<&str>,
    ) -> Option<Self> {
        let is_all = contents.scope == Scope::All && contents.only == Filter::default();
        known.watched.filter(|_| is_all)?;
        let cases = known.attention(today);
        let line = |case: &&detect::Case| Line {
            reason: displayed(&case.alert.reason, SENTENCE),
            severity: case.alert.severity.name(),
            since: date(case.alert.day),
            href: dashboard.map(|base| format!("{base}/alerts/{}", case.alert.id)),
        };
        Some(Self {
            told: match cases.len() {
                0 => "Nothing needs attention".to_owned(),
                1 => "1 alert needs attention".to_owned(),
                more => format!("{} alerts need attention", grouped(more as u64)),
            },
            lines: cases.iter().take(LISTED).map(line).collect(),
            more: cases.len().saturating_sub(LISTED),
        })
    }
}
