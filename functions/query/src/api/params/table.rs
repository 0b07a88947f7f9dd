//! Which rows a table has.

use report::{Day, Group, Sort};
use utoipa::IntoParams;

use super::given::{Given, Parameters};
use crate::api::problem::Problem;
use crate::api::schemas;

/// Which rows a table has, and in which order.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TableParams {
    /// What there is a row for each of; by default senders
    #[param(value_type = Option<Group>, inline)]
    pub(crate) group: Group,
    /// Part of the rows' names; of client addresses also a network as in 203.0.113.0/24
    // In lower case; empty is every row.
    #[param(value_type = Option<String>)]
    pub(crate) search: String,
    /// name, messages, legacy (TLS1.0, TLS1.1 and none together), change, first, last, TLS1.0, TLS1.0.percent, …; - before it for
    /// largest first; by default -messages
    #[param(schema_with = schemas::sort, required = false)]
    pub(crate) sort: Sort,
}

impl Default for TableParams {
    fn default() -> Self {
        Self { group: Group::Sender, search: String::new(), sort: Sort::MOST_MESSAGES }
    }
}

impl Parameters for TableParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let group = group(given.get("group").unwrap_or(Group::Sender.name()), &Group::ALL)?;
        let usual = Self::default().sort;
        let search = given.get("search").unwrap_or_default().to_lowercase();
        let sort = given.get("sort").map(sort).transpose()?;
        Ok(Self { group, search, sort: sort.unwrap_or(usual) })
    }
}

/// Reads what there is a row for each of: one of these.
pub(crate) fn group(name: &str, among: &[Group]) -> Result<Group, Problem> {
    among.iter().copied().find(|one| one.name() == name).ok_or_else(|| {
        let names: Vec<_> = among.iter().map(|one| one.name()).collect();
        Problem::parameter("group", name, format!("it must be one of {}", names.join(", ")))
    })
}

fn sort(text: &str) -> Result<Sort, Problem> {
    Sort::read(text).ok_or_else(|| {
        let allowed = "it must be name, messages, legacy, change, first, last, or a TLS version (TLS1.0, TLS1.1, TLS1.2, TLS1.3, none, \
                       unknown) with or without .percent; - before it for largest first";
        Problem::parameter("sort", text, allowed)
    })
}
