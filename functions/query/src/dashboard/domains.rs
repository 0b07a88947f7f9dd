//! The sender domains that forms and filters let people choose from.

use report::{Range, displayed};

use super::frame::Choice;
use super::wording::SHOWN;
use crate::api::params;
use crate::api::problem::Problem;
use crate::service::Query;

/// The most domains that are listed; where there are more, one is typed.
const DOMAINS: usize = 200;

/// Domains to choose from; none if there are too many. Those that no filter takes are left out: anybody may have
/// made them up.
pub(super) async fn choices(
    query: &Query,
    chosen: Option<&str>,
) -> Result<Option<Vec<Choice>>, Problem> {
    let mut domains = query.data.domains(Range::kept(query.today())).await?;
    if domains.len() > DOMAINS {
        return Ok(None);
    }
    domains.extend(chosen.map(str::to_owned));
    let usable = domains.into_iter().filter(|domain| params::domain(domain).is_ok());
    let choice = |domain: String| Choice {
        label: displayed(&domain, SHOWN),
        chosen: chosen == Some(&domain),
        value: domain,
    };
    Ok(Some(usable.map(choice).collect()))
}
