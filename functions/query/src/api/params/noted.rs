//! Which notes, and about what.

use report::{Clients, Day, NoteError, Subject};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::filter::{client, may_have};
use super::given::{Given, Parameters};
use crate::api::problem::Problem;
use crate::api::schemas;

/// Whose note is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Anybodys,
    Account(String),
    Client(Clients),
}

/// Which notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotedParams {
    pub(crate) whose: Whose,
    /// In lower case; empty is all.
    pub(crate) search: String,
}

impl IntoParams for NotedParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let account = "The note about this account alone";
        let address = "The note about this client alone: its own, else that of the smallest network that holds it; of a \
             network as in 203.0.113.0/24 its own";
        let search = "Part of what a note says, or of what it is about; an address or network also finds those that \
             hold it, or that it holds";
        vec![
            may_have("account", account, schemas::some_text()),
            may_have("client", address, schemas::client()),
            may_have("search", search, schemas::text_of_any_length()),
        ]
    }
}

impl Parameters for NotedParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let whose = match one_of_two(given)? {
            None => Whose::Anybodys,
            Some(("client", text)) => Whose::Client(client(&text.to_lowercase())?),
            Some((_, text)) => Whose::Account(text.to_lowercase()),
        };
        let search = given.get("search").unwrap_or_default().to_lowercase();
        Ok(Self { whose, search })
    }
}

/// What a note is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubjectParams {
    pub(crate) subject: Subject,
}

impl IntoParams for SubjectParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let account = "The account; give it or a client";
        let address =
            "The client's address, or a network as in 203.0.113.0/24; give it or an account";
        vec![
            may_have("account", account, schemas::some_text()),
            may_have("client", address, schemas::client()),
        ]
    }
}

impl Parameters for SubjectParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let (kind, text) = one_of_two(given)?
            .ok_or_else(|| Problem::parameter("account", "", "give account=… or client=…"))?;
        let subject = Subject::read(kind, text)
            .map_err(|error: NoteError| Problem::parameter(kind, text, error.to_string()))?;
        Ok(Self { subject })
    }
}

/// Whether an import only tells what it would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImportParams {
    pub(crate) dry_run: bool,
}

impl IntoParams for ImportParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let told = "true only tells what would be done; by default false";
        vec![may_have("dry_run", told, schemas::flag())]
    }
}

impl Parameters for ImportParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let dry_run = match given.get("dry_run") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                return Err(Problem::parameter("dry_run", other, "it must be true or false"));
            }
        };
        Ok(Self { dry_run })
    }
}

/// The account or the client that is given.
fn one_of_two(given: &Given) -> Result<Option<(&'static str, &str)>, Problem> {
    let named = |name: &'static str| match given.get(name) {
        Some("") => Err(Problem::parameter(name, "", "it must say which")),
        found => Ok(found.map(|text| (name, text))),
    };
    match (named("account")?, named("client")?) {
        (Some(_), Some((name, text))) => {
            Err(Problem::parameter(name, text, "give an account or a client, not both"))
        }
        (account, client) => Ok(account.or(client)),
    }
}
