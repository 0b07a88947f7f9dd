//! Forms that people send.

use axum::extract::{FromRequest, Request};
use report::views::filter_text::{by_name, label};
use report::{Contents, Filter, Group, RecipientDomains, View, displayed};
use serde_json::{Map, Value, json};

use super::domains;
use super::frame::Choice;
use super::mistake::{Mistake, fault};
use super::problem_page::Failed;
use super::wording::SHOWN;
use crate::api::body::{self, Fields, is_own};
use crate::api::problem::Problem;
use crate::service::Query;

/// What a form holds, as it came from a page of this service.
pub(super) struct Form(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        if !is_own(request.headers()) {
            return Err(Failed(Problem::CrossSite));
        }
        let bytes = body::whole(request, state, "form", body::MOST).await?;
        Ok(Self(form_urlencoded::parse(&bytes).into_owned().collect()))
    }
}

impl Form {
    /// A field; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The named fields that are filled in, as the interface takes them.
    pub(super) fn fields(&self, names: &[&str]) -> Fields {
        let filled = names.iter().map(|name| (*name, self.get(name)));
        let filled = filled.filter(|(_, value)| !value.is_empty());
        let given = self.filters().map(|(name, value)| (name, value.to_owned()));
        let filter =
            names.contains(&"filter").then(|| ("filter".to_owned(), json!(by_name(given))));
        let value = |name: &str, text: &str| match name {
            "recipients" => recipients(text).map(Value::from).collect(),
            // `last` is the other possibility.
            "day" => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
            _ => Value::from(text),
        };
        let fields: Map<_, _> =
            filled.map(|(name, text)| (name.to_owned(), value(name, text))).chain(filter).collect();
        Fields::new(fields)
    }

    /// The filters that are ticked, each value with the name of its filter.
    fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        all.filter(|(name, _)| Contents::FILTERS.contains(name))
    }
}

/// Recipients as people write them: with commas, semicolons, spaces or line breaks between them.
fn recipients(text: &str) -> impl Iterator<Item = &str> {
    let between = |c: char| c.is_whitespace() || c == ',' || c == ';';
    text.split(between).filter(|one| !one.is_empty())
}

/// A value of a filter that a report is narrowed by, until it is unticked.
pub(super) struct Only {
    /// The filter's name.
    pub(super) filter: &'static str,
    pub(super) value: String,
    /// As in `TLS version: TLS1.0`.
    pub(super) label: String,
}

impl Only {
    fn of((name, value): (&str, &str)) -> Option<Self> {
        let filter = Contents::FILTERS.iter().find(|known| **known == name)?;
        let label = format!("{}: {}", label(filter), displayed(value, SHOWN));
        Some(Self { filter, value: value.to_owned(), label })
    }
}

/// Something to choose, by its value.
pub(super) fn choice(value: &str, label: String, chosen: &str) -> Choice {
    Choice { label, value: value.to_owned(), chosen: value == chosen }
}

/// What every form for a report by mail holds.
pub(super) struct About {
    pub(super) views: Vec<Choice>,
    /// What the table can have a row for each of.
    pub(super) groups: Vec<Choice>,
    pub(super) only: Vec<Only>,
    pub(super) domain: String,
    /// Domains to choose from; none if there are too many.
    pub(super) domains: Option<Vec<Choice>>,
    pub(super) recipients: String,
    pub(super) name: String,
    /// Where recipients may be.
    pub(super) allowed: String,
    pub(super) wrong: Option<Mistake>,
}

impl About {
    /// Fields that tell which report it is, and nothing else yet.
    async fn new(
        query: &Query,
        view: Option<View>,
        group: Group,
        domain: Option<&str>,
        filters: impl Iterator<Item = (&str, &str)>,
    ) -> Result<Self, Problem> {
        let of_view = |known: View| {
            choice(known.name(), known.title().to_owned(), view.map_or("", View::name))
        };
        let of_group = |known: Group| choice(known.name(), known.label().to_owned(), group.name());
        Ok(Self {
            views: View::ALL.map(of_view).into(),
            groups: Group::ALL.map(of_group).into(),
            only: filters.filter_map(Only::of).collect(),
            domain: domain.unwrap_or_default().to_owned(),
            domains: domains::choices(query, domain).await?,
            recipients: String::new(),
            name: String::new(),
            allowed: allowed(&query.mailing.recipients),
            wrong: None,
        })
    }

    /// The same, of a report that is known.
    pub(super) async fn of(
        query: &Query,
        view: View,
        group: Group,
        filter: &Filter,
    ) -> Result<Self, Problem> {
        let given = filter.given();
        let filters = given.iter().map(|(name, value)| (*name, value.as_str()));
        Self::new(query, Some(view), group, filter.domain(), filters).await
    }

    /// The fields as they were typed, with what is wrong with them.
    pub(super) async fn again(
        query: &Query,
        form: &Form,
        problem: &Problem,
    ) -> Result<Self, Problem> {
        let domain = Some(form.get("domain")).filter(|domain| !domain.is_empty());
        Ok(Self {
            recipients: form.get("recipients").to_owned(),
            name: form.get("name").to_owned(),
            wrong: Some(Mistake::new(problem)),
            ..Self::new(
                query,
                View::from_name(form.get("view")),
                Group::from_name(form.get("group")).unwrap_or(Group::Sender),
                domain,
                form.filters(),
            )
            .await?
        })
    }

    /// What is wrong with a field.
    pub(super) fn fault(&self, field: &str) -> Option<&str> {
        fault(self.wrong.as_ref(), field)
    }

    /// What is wrong with no field in particular.
    pub(super) fn general(&self) -> Option<&str> {
        self.fault("")
    }
}

/// Where recipients may be, in words.
fn allowed(domains: &RecipientDomains) -> String {
    match domains {
        RecipientDomains::Any => "Mails stay on this machine, in the outbox folder.".to_owned(),
        RecipientDomains::Listed(names) if names.is_empty() => {
            "No domain is configured that reports may go to: whoever runs the service can allow some."
                .to_owned()
        }
        listed @ RecipientDomains::Listed(_) => {
            format!("Reports may go to: {}.", listed.describe())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_can_be_written_in_any_usual_way() {
        let text = "ann@example.test, bob@example.test;carl@example.test\r\n\r\n dora@example.test";
        assert_eq!(recipients(text).count(), 4);
        assert_eq!(recipients(" ,\n").count(), 0);
    }
}
