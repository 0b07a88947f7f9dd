//! Parameters as they came, and how each is read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use report::{Day, Known, RETENTION_DAYS, Range, RangeError};
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use crate::api::problem::Problem;
use crate::api::schemas::VALUES;
use crate::service::Service;

/// The most entries on a page.
pub(super) const MOST: usize = 1000;

/// A set of parameters that some answer takes.
pub(crate) trait Parameters: IntoParams + Sized {
    /// Reads them from what was given, on a day.
    fn taken(given: &Given, today: Day) -> Result<Self, Problem>;
}

/// The parameters as they came, not yet checked.
#[derive(Clone)]
pub(crate) struct Given {
    pairs: Vec<(String, String)>,
    pub(super) wants_csv: bool,
    pub(super) known: Known,
}

impl FromRequestParts<Service> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> Result<Self, Problem> {
        let pairs =
            axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, service);
        let pairs = pairs.await.map_err(|_| {
            let given = parts.uri.query().unwrap_or_default();
            Problem::parameter("query", given, "it must be name=value pairs joined with &")
        })?;
        let (wants_csv, known) = (prefers_csv(&parts.headers), service.known().clone());
        Ok(Self { pairs: pairs.0, wants_csv, known })
    }
}

/// Whether `Accept` names CSV before JSON.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut named = accept.split(',').map(|part| part.split(';').next().unwrap_or("").trim());
    named.find(|name| matches!(*name, "text/csv" | "application/json")) == Some("text/csv")
}

/// The names of some parameters, as they are described, and how often each may be given.
fn names<P: IntoParams>() -> Vec<(String, usize)> {
    let most = |schema: &Option<RefOr<Schema>>| match schema {
        Some(RefOr::T(Schema::Array(_))) => VALUES,
        _ => 1,
    };
    let parameters = P::into_params(|| None).into_iter();
    parameters.map(|parameter| (parameter.name, most(&parameter.schema))).collect()
}

impl Given {
    /// Checks everything that was given against what an answer takes.
    pub(crate) fn read<P: Parameters>(&self, today: Day) -> Result<P, Problem> {
        self.only(&names::<P>())?;
        P::taken(self, today)
    }

    /// Refuses everything, where an answer takes no parameters.
    pub(crate) fn refuse(&self) -> Result<(), Problem> {
        self.only(&[])
    }

    fn only(&self, names: &[(String, usize)]) -> Result<(), Problem> {
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            let Some((_, most)) = names.iter().find(|(known, _)| known == name) else {
                let names: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
                let allowed = format!("the parameters here are {}", names.join(", "));
                return Err(Problem::parameter(name, value, allowed));
            };
            let before = self.pairs[..at].iter().filter(|(earlier, _)| earlier == name).count();
            if before >= *most {
                let allowed = match most {
                    1 => "it can be given only once".to_owned(),
                    most => format!("it can be given at most {most} times"),
                };
                return Err(Problem::parameter(name, value, allowed));
            }
        }
        Ok(())
    }

    /// As pages take them: without what forms leave empty, and without what others add to addresses.
    pub(crate) fn of_page<P: IntoParams>(mut self) -> Self {
        let names = names::<P>();
        self.pairs.retain_mut(|(name, value)| {
            *value = value.trim().to_owned();
            !value.is_empty() && names.iter().any(|(known, _)| known == name)
        });
        self
    }

    /// Leaves parameters out; whether there were any.
    pub(crate) fn leave_out(&mut self, names: &[&str]) -> bool {
        let before = self.pairs.len();
        self.pairs.retain(|(name, _)| !names.contains(&name.as_str()));
        self.pairs.len() < before
    }

    /// Moves a start that is not kept any more to the first day that is; whether it had to.
    pub(crate) fn cut(&mut self, kept: Range) -> bool {
        let day = |name| self.day(name).ok().flatten();
        let reaches = day("end").is_none_or(|end| end >= kept.start);
        if day("start").is_none_or(|start| start >= kept.start) || !reaches {
            return false;
        }
        for (_, value) in self.pairs.iter_mut().filter(|(name, _)| name == "start") {
            *value = kept.start.to_string();
        }
        true
    }

    /// A parameter as it came.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that is more than its name.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.is_empty())
    }

    /// Every value of a parameter that may have several.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.pairs.iter().filter(move |(known, _)| known == name);
        values.map(|(_, value)| value.as_str())
    }

    /// A parameter without which there is no answer.
    pub(super) fn needed(&self, name: &str) -> Result<&str, Problem> {
        let missing = || Problem::parameter(name, "", format!("give {name}=…"));
        self.filled(name).ok_or_else(missing)
    }

    /// How many entries a page is to have.
    pub(super) fn limit(&self) -> Result<Option<usize>, Problem> {
        self.get("limit").map(limit).transpose()
    }

    pub(super) fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        self.get(name).map(|text| day(name, text)).transpose()
    }
}

fn limit(text: &str) -> Result<usize, Problem> {
    // `+5` is no number that JSON has.
    let digits = Some(text).filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    let read = digits.and_then(|text| text.parse().ok()).filter(|limit| (1..=MOST).contains(limit));
    let allowed = || format!("it must be a whole number from 1 to {MOST}");
    read.ok_or_else(|| Problem::parameter("limit", text, allowed()))
}

/// Reads a date.
pub(crate) fn day(name: &str, text: &str) -> Result<Day, Problem> {
    // chrono also reads `2026-1-2`; one way to write a date is enough.
    let read = text.parse::<Day>().ok().filter(|day| day.to_string() == text);
    read.ok_or_else(|| Problem::parameter(name, text, "it must be a date as in 2026-11-23"))
}

/// Checks a range, of which any end may be left out.
pub(crate) fn range(start: Option<Day>, end: Option<Day>, today: Day) -> Result<Range, Problem> {
    Range::asked(start, end, today).map_err(|error| {
        let oldest = Range::kept(today).start;
        let (name, value) = match error {
            RangeError::Reversed { start: first, .. } if start.is_some() => ("start", first),
            RangeError::Reversed { end, .. } | RangeError::Future { end, .. } => ("end", end),
            RangeError::TooOld { start: first, .. } if start.is_some() => ("start", first),
            RangeError::TooOld { .. } => ("end", end.unwrap_or(today)),
        };
        let allowed = format!(
            "{error}; start and end are both included, and may lie between {oldest} and {today} \
             ({RETENTION_DAYS} days)"
        );
        Problem::parameter(name, &value.to_string(), allowed)
    })
}
