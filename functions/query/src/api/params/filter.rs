//! Which messages count.

use std::ops::Deref;

use report::views::filter_text::{A_CLIENT, A_DOMAIN, clients, sender_domain};
use report::{Clients, Day, Filter, Group};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use super::given::{Given, Parameters};
use crate::api::problem::Problem;
use crate::api::schemas::{self, WORDS};

/// Which messages count: those that have one of the values of each that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilterParams(pub(crate) Filter);

impl Deref for FilterParams {
    type Target = Filter;

    fn deref(&self) -> &Filter {
        &self.0
    }
}

const ACCOUNTS: &str = "Accounts: authenticated users, or senders where the log names none";
const COUNTRIES: &str =
    "Countries in two letters, (private) for own networks; (none) where nobody knows";
const NETWORKS: &str = "Networks as in AS64500, (private) for own ones; (none) where nobody knows";
const OFF: &str = "What is turned off, with commas between: only messages that this would have refused. TLS versions, basic or another \
                   kind of mechanisms, or single mechanisms";
const CLIENTS: &str =
    "Client addresses, or networks as in 203.0.113.0/24; (none) where the log does not tell";

// By hand, here and below: a parameter that has a schema of its own is told nothing else by the derived one.
impl IntoParams for FilterParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mechanisms = "Mechanisms; (none) where the log does not tell";
        vec![
            may_have("domain", "Sender domains; by default all", schemas::domains()),
            may_have("sender", "Sender addresses; <> for the null sender", schemas::names()),
            may_have("account", ACCOUNTS, schemas::names()),
            may_have("client", CLIENTS, schemas::clients()),
            may_have("mechanism", mechanisms, schemas::names()),
            may_have("kind", "Kinds of mechanisms", schemas::kinds()),
            may_have("tls", "TLS versions", schemas::versions()),
            may_have("off", OFF, schemas::off()),
            may_have("country", COUNTRIES, schemas::countries()),
            may_have("network", NETWORKS, schemas::networks()),
        ]
    }
}

fn described(name: &str, told: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
    parameter.description(Some(told)).schema(Some(schema))
}

pub(super) fn may_have(name: &str, told: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    described(name, told, schema).required(Required::False).build()
}

impl FilterParams {
    /// What passes.
    pub(crate) fn filter(&self) -> Filter {
        self.0.clone()
    }
}

impl Parameters for FilterParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let mut filter = Filter { known: given.known.clone(), ..Filter::default() };
        for name in Filter::NAMES {
            // Forms give a field that was left empty, too; but what is turned off is never nothing.
            let values =
                given.all(name).filter(|value| !value.is_empty() || OF_WORDS.contains(&name));
            for value in values {
                for word in words(name, value)? {
                    let wrong = |allowed| Problem::parameter(name, word, allowed);
                    filter.give(name, word).map_err(wrong)?;
                }
            }
        }
        Ok(Self(filter))
    }
}

/// The parameters that are read as this filter. A page has it in hundreds of links: what is turned off takes few values.
pub(crate) fn pairs(filter: &Filter) -> Vec<(&'static str, String)> {
    let (off, mut pairs): (Vec<_>, Vec<_>) =
        filter.given().into_iter().partition(|(name, _)| *name == "off");
    let off: Vec<_> = off.iter().map(|(_, word)| word.as_str()).collect();
    pairs.extend(off.chunks(WORDS).map(|words| ("off", words.join(","))));
    pairs
}

/// What one value names: several things, with commas between, if it is of what is turned off.
fn words<'v>(name: &str, value: &'v str) -> Result<Vec<&'v str>, Problem> {
    if name != "off" {
        return Ok(vec![value]);
    }
    let words: Vec<_> = value.split(',').collect();
    if words.len() > WORDS {
        let allowed = format!("it can name at most {WORDS}, with commas between");
        return Err(Problem::parameter(name, value, allowed));
    }
    Ok(words)
}

/// What is one of some words: nothing is none of them.
const OF_WORDS: [&str; 5] = ["kind", "tls", "off", "country", "network"];

/// Which sender, and which of its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneSender {
    /// In lower case.
    pub(crate) sender: String,
    /// What else is asked of them.
    filter: FilterParams,
}

impl IntoParams for OneSender {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let told = "The sender address; <> for the null sender";
        let sender = described("sender", told, schemas::some_text()).required(Required::True);
        let others = FilterParams::into_params(place).into_iter();
        let others = others.filter(|parameter| parameter.name != "sender");
        [sender.build()].into_iter().chain(others).collect()
    }
}

/// Which account.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OneAccount {
    /// The account: an authenticated user, or a sender where the log names none
    #[param(min_length = 1)]
    pub(crate) account: String,
}

/// Which client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneClient {
    pub(crate) client: Clients,
}

impl IntoParams for OneClient {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let told = "The client's address, or a network as in 203.0.113.0/24; (none) where the log does not tell";
        vec![described("client", told, schemas::client()).required(Required::True).build()]
    }
}

/// Which failed logins, and what there is a row for each of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedParams {
    pub(crate) group: Group,
    /// By account and client alone.
    pub(crate) filter: FilterParams,
}

impl IntoParams for FailedParams {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let group = "What there is a row for each of; by default accounts";
        vec![
            may_have("group", group, schemas::failed_group()),
            may_have("account", "At these accounts", schemas::names()),
            may_have("client", CLIENTS, schemas::clients()),
        ]
    }
}

impl Parameters for FailedParams {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        let filter = FilterParams::taken(given, today)?;
        let group = match given.get("group") {
            None | Some("account") => Group::Account,
            Some("client") => Group::Client,
            Some(other) => {
                return Err(Problem::parameter("group", other, "it must be account or client"));
            }
        };
        Ok(Self { group, filter })
    }
}

impl OneSender {
    /// Its messages, as far as they are asked for.
    pub(crate) fn filter(&self) -> Filter {
        self.filter.filter()
    }
}

impl OneAccount {
    /// Its messages and failed logins.
    pub(crate) fn filter(&self) -> Filter {
        Filter { accounts: vec![self.account.clone()], ..Filter::default() }
    }
}

impl OneClient {
    /// Its messages and failed logins.
    pub(crate) fn filter(&self) -> Filter {
        Filter { clients: vec![self.client.clone()], ..Filter::default() }
    }
}

impl Parameters for OneSender {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        let sender = given.needed("sender")?.to_lowercase();
        Ok(Self { sender, filter: FilterParams::taken(given, today)? })
    }
}

impl Parameters for OneAccount {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { account: given.needed("account")?.to_lowercase() })
    }
}

impl Parameters for OneClient {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { client: client(&given.needed("client")?.to_lowercase())? })
    }
}

/// Reads one client or a network, in lower case.
pub(super) fn client(text: &str) -> Result<Clients, Problem> {
    clients(text).ok_or_else(|| Problem::parameter("client", text, A_CLIENT))
}

/// Reads a sender domain.
pub(crate) fn domain(given: &str) -> Result<String, Problem> {
    sender_domain(given).ok_or_else(|| Problem::parameter("domain", given, A_DOMAIN))
}
