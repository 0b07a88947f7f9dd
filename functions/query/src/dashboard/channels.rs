//! Where alerts go, on the page that lists them.

use axum::response::{IntoResponse as _, Redirect, Response};
use report::displayed;
use store::ChannelState;

use super::address::{At, address};
use super::form::Form;
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::channels::tested;
use crate::service::Query;

/// Characters of a reason.
const REASON: usize = 300;

/// A channel, as it is shown.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) form: String,
    pub(super) least: &'static str,
    pub(super) told: Option<String>,
    /// Since when it takes nothing, and why.
    pub(super) failing: Option<(String, String)>,
    /// Where a test is asked for; none if whoever looks may not, or it cannot be tested here.
    pub(super) action: Option<String>,
}

impl Line {
    pub(super) fn new(state: &ChannelState, query: &Query) -> Self {
        let when = |at: i64| wording::instant(at, query.zone);
        let is_here = query.may_manage() && query.channels().named(&state.name).is_some();
        Self {
            name: displayed(&state.name, SHOWN),
            form: displayed(&state.form, SHOWN),
            least: match state.least {
                detect::Severity::Medium => "all alerts",
                detect::Severity::High => "only what is high",
            },
            told: state.told_at.map(when),
            failing: state.failing_since.map(|at| (when(at), displayed(&state.error, REASON))),
            action: is_here.then(|| format!("/channels/{}/test", state.name)),
        }
    }
}

/// Tells a channel a test, and leads back to how it works.
pub(super) async fn test(query: Query, At(name): At, _: Form) -> Result<Response, Failed> {
    let state = tested(&query, &name).await?;
    let outcome = if state.failing_since.is_some() { "untold" } else { "told" };
    let back = address("/alerts", &[(outcome, state.name)]);
    Ok(Redirect::to(&format!("{back}#channels")).into_response())
}
