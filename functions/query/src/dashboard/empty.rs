//! What to do where there is nothing to show.

use report::{Range, date, displayed};

use super::address::Shown;
use super::wording::SHOWN;
use crate::api::charts;
use crate::api::problem::Problem;
use crate::service::Query;

/// What to do where there is nothing to show.
pub(super) struct Nothing {
    /// The day of the newest messages there are, and where they are shown.
    pub(super) newest: Option<(String, String)>,
    /// The domain that has none.
    pub(super) domain: Option<String>,
}

impl Nothing {
    pub(super) async fn new(query: &Query, shown: &Shown) -> Result<Self, Problem> {
        let domain = shown.params.filter.domain();
        let kept = Range::kept(query.today());
        let days = charts::days(query, &shown.params.filter, kept).await?;
        let newest = days.iter().rev().find(|(_, counts)| counts.total() > 0);
        let newest = newest.map(|(day, _)| {
            let start = Range::last(*day, 7).start.max(kept.start);
            let href = shown.unsearched().during(Range { start, end: *day }).href();
            (date(*day), href)
        });
        let domain = domain.map(|domain| displayed(domain, SHOWN));
        Ok(Self { newest, domain })
    }
}
