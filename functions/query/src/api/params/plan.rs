//! What the plan takes.

use report::{Day, Group, Off};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::filter::{FilterParams, may_have};
use super::given::{Given, Parameters};
use super::table::{TableParams, group};
use crate::api::problem::Problem;
use crate::api::schemas;

/// What a plan has a row for each of.
pub(crate) const GROUPS: [Group; 3] = [Group::Account, Group::Sender, Group::Client];

/// What is turned off, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanFilter {
    /// Something is turned off.
    pub(crate) filter: FilterParams,
}

impl IntoParams for PlanFilter {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        FilterParams::into_params(place)
    }
}

impl Parameters for PlanFilter {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        let mut filter = FilterParams::taken(given, today)?;
        if filter.off.is_empty() {
            filter.0.off = Off::legacy();
        }
        Ok(Self { filter })
    }
}

/// The rows of a plan, and their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanRows {
    /// By account, sender or client.
    pub(crate) table: TableParams,
}

impl IntoParams for PlanRows {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let group = "What there is a row for each of; by default accounts";
        let others = TableParams::into_params(place).into_iter().filter(|one| one.name != "group");
        let group = may_have("group", group, schemas::word(GROUPS.map(Group::name)));
        [group].into_iter().chain(others).collect()
    }
}

impl Parameters for PlanRows {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        let group = group(given.get("group").unwrap_or(Group::Account.name()), &GROUPS)?;
        Ok(Self { table: TableParams { group, ..TableParams::taken(given, today)? } })
    }
}
