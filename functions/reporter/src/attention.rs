//! What needs attention, as a mail begins.

use channels::{Line, attention};
use report::{Contents, Day, Filter, Scope};
use store::{Alerts, StoreError};

/// Alerts that are listed.
const LISTED: usize = 5;

/// What needs attention on the day on which a mail is written.
pub(crate) struct Attention {
    /// As in `2 alerts need attention`.
    pub(crate) told: String,
    /// The surest first.
    pub(crate) lines: Vec<Line>,
    /// How many are not listed.
    pub(crate) more: usize,
}

impl Attention {
    /// What whoever gets these contents may know of it: they have all mail, or are told nothing. None where nobody is
    /// watched.
    ///
    /// # Errors
    /// The table did not answer.
    pub(crate) async fn of(
        alerts: &Alerts,
        contents: &Contents,
        today: Day,
        dashboard: Option<&str>,
    ) -> Result<Option<Self>, StoreError> {
        if contents.scope != Scope::All || contents.only != Filter::default() {
            return Ok(None);
        }
        let known = alerts.all().await?;
        let cases = known.attention(today);
        Ok(known.watched.map(|_| Self {
            told: attention(cases.len()),
            lines: cases.iter().take(LISTED).map(|case| Line::new(case, dashboard)).collect(),
            more: cases.len().saturating_sub(LISTED),
        }))
    }
}
