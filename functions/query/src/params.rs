//! Query parameters, read strictly: what is misspelt is told, not ignored.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use report::{Day, Group, RETENTION_DAYS, Range, RangeError, Sort};

use crate::Query;
use crate::problem::Problem;

/// Rows on a page of an answer, if nothing else is asked.
pub(crate) const LIMIT: usize = 100;
/// The most rows on a page.
const MOST: usize = 1000;

/// Every parameter of every view, with the same meaning everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    pub(crate) range: Range,
    /// None is all domains.
    pub(crate) domain: Option<String>,
    /// Part of the sender, in lower case; empty is every sender.
    pub(crate) search: String,
    /// One sender.
    pub(crate) sender: Option<String>,
    pub(crate) sort: Sort,
    pub(crate) limit: Option<usize>,
    pub(crate) cursor: Option<String>,
    pub(crate) csv: bool,
}

/// The names that a list takes.
pub(crate) const PAGE: &[&str] = &["limit", "cursor"];
/// The names that a view takes.
pub(crate) const RANGE: &[&str] = &["start", "end"];
pub(crate) const REPORT: &[&str] = &["start", "end", "domain"];
pub(crate) const DETAILED: &[&str] = &["start", "end", "domain", "sender"];
pub(crate) const TABLE: &[&str] =
    &["start", "end", "domain", "search", "sort", "limit", "cursor", "format"];

/// The parameters as they came, not yet checked.
#[derive(Clone)]
pub(crate) struct Given {
    pairs: Vec<(String, String)>,
    wants_csv: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state);
        let pairs = pairs.await.map_err(|_| {
            let query = parts.uri.query().unwrap_or_default();
            Problem::parameter("query", query, "it must be name=value pairs joined with &")
        })?;
        Ok(Self { pairs: pairs.0, wants_csv: prefers_csv(&parts.headers) })
    }
}

/// Whether `Accept` names CSV before JSON.
fn prefers_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut named = accept.split(',').map(|part| part.split(';').next().unwrap_or("").trim());
    named.find(|name| matches!(*name, "text/csv" | "application/json")) == Some("text/csv")
}

impl Given {
    /// Checks everything against what a view takes.
    pub(crate) fn read(&self, names: &[&str], query: &Query) -> Result<Params, Problem> {
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            if !names.contains(&name.as_str()) {
                let allowed = format!("the parameters here are {}", names.join(", "));
                return Err(Problem::parameter(name, value, allowed));
            }
            if self.pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::parameter(name, value, "it can be given only once"));
            }
        }
        Ok(Params {
            range: range(self.day("start")?, self.day("end")?, query.today())?,
            domain: self.get("domain").filter(|text| !text.is_empty()).map(domain).transpose()?,
            search: self.get("search").unwrap_or_default().to_lowercase(),
            sender: self.get("sender").filter(|text| !text.is_empty()).map(str::to_lowercase),
            sort: self.sort()?,
            limit: self.limit()?,
            cursor: self.get("cursor").filter(|text| !text.is_empty()).map(str::to_owned),
            csv: self.csv()?,
        })
    }

    /// As pages take them: without what forms leave empty, and without what others add to addresses.
    pub(crate) fn of_page(mut self, names: &[&str]) -> Self {
        self.pairs.retain_mut(|(name, value)| {
            *value = value.trim().to_owned();
            !value.is_empty() && names.contains(&name.as_str())
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

    fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        self.get(name).map(|text| day(name, text)).transpose()
    }

    fn sort(&self) -> Result<Sort, Problem> {
        let Some(text) = self.get("sort").filter(|text| !text.is_empty()) else {
            return Ok(Sort::MOST_MESSAGES);
        };
        Sort::read(Group::Sender, text).ok_or_else(|| {
            let allowed = "it must be sender, messages, legacy, or a TLS version (TLS1.0, TLS1.1, TLS1.2, \
                           TLS1.3, none, unknown) with or without .percent; - before it for \
                           largest first";
            Problem::parameter("sort", text, allowed)
        })
    }

    fn limit(&self) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        let read = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        let allowed = || format!("it must be a whole number from 1 to {MOST}");
        read.map(Some).ok_or_else(|| Problem::parameter("limit", text, allowed()))
    }

    fn csv(&self) -> Result<bool, Problem> {
        match self.get("format") {
            None => Ok(self.wants_csv),
            Some("json") => Ok(false),
            Some("csv") => Ok(true),
            Some(other) => Err(Problem::parameter("format", other, "it must be json or csv")),
        }
    }
}

/// Reads an id, in the form in which it is stored.
pub(crate) fn id(text: &str) -> Option<String> {
    uuid::Uuid::parse_str(text).ok().map(|id| id.to_string())
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

/// Reads a sender domain.
pub(crate) fn domain(given: &str) -> Result<String, Problem> {
    let fits = |c: char| !c.is_control() && !c.is_whitespace() && !"@/\\<>\"'".contains(c);
    if given.len() > 255 || !given.chars().all(fits) {
        let allowed = "it must be a domain as in example.org, or (none)";
        return Err(Problem::parameter("domain", given, allowed));
    }
    Ok(given.to_lowercase())
}
