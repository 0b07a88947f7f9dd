//! What needs attention, as the overview begins.

use report::grouped;

use super::alerts::{Line, watched};
use crate::api::problem::Problem;
use crate::service::Query;

/// Alerts that are listed.
const LISTED: usize = 5;

/// What needs attention.
pub(super) struct Attention {
    /// As in `2 alerts need attention`.
    pub(super) told: String,
    pub(super) rows: Vec<Line>,
    /// How many are not listed.
    pub(super) more: usize,
    /// As in `2 alerts are muted`; none if none is.
    pub(super) muted: Option<String>,
    /// Who is watched, and since when.
    pub(super) watched: String,
}

impl Attention {
    /// None where nobody is watched.
    pub(super) async fn of(query: &Query) -> Result<Option<Self>, Problem> {
        let known = query.data.alerts().await?;
        let Some(who) = known.watched else { return Ok(None) };
        let today = query.today();
        let open = known.attention(today);
        let muted = known.cases.iter().filter(|case| known.is_muted(case, today)).count();
        Ok(Some(Self {
            told: channels::attention(open.len()),
            rows: open.iter().take(LISTED).map(|case| Line::new(case, false)).collect(),
            more: open.len().saturating_sub(LISTED),
            muted: match muted {
                0 => None,
                1 => Some("1 alert is muted".to_owned()),
                more => Some(format!("{} alerts are muted", grouped(more as u64))),
            },
            watched: watched(who, query),
        }))
    }
}
