//! Query parameters, read strictly: what is misspelt is told, not ignored.
//!
//! A set of parameters is a struct that reads them, and from whose fields the interface's description and the
//! names that are taken come ([`Parameters`]).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use report::views::cursor::CursorError;
use report::{Day, Filter, Group, RETENTION_DAYS, Range, RangeError, Sort};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
use super::schemas::{self, DOMAIN};

/// Entries on a page of an answer, if nothing else is asked.
pub(crate) const LIMIT: usize = 100;
/// The most entries on a page.
const MOST: usize = 1000;

/// A set of parameters that some answer takes.
pub(crate) trait Parameters: IntoParams + Sized {
    /// Reads them from what was given, on a day.
    fn taken(given: &Given, today: Day) -> Result<Self, Problem>;
}

/// The first and the last day, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RangeParams {
    /// First day, as in 2026-11-17
    #[param(value_type = Option<String>, format = Date)]
    start: Day,
    /// Last day, included; by default today
    #[param(value_type = Option<String>, format = Date)]
    end: Day,
}

/// Which messages count.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParams {
    /// One sender domain; by default all
    #[param(schema_with = schemas::domain)]
    pub(crate) domain: Option<String>,
}

/// Whose messages count, where it is one sender's.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SenderParams {
    /// One sender address; by default all
    pub(crate) sender: Option<String>,
}

/// Which rows a table has, and in which order.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TableParams {
    /// What there is a row for each of. Nothing but senders can be asked for.
    #[param(ignore)]
    pub(crate) group: Group,
    /// Part of the sender
    // In lower case; empty is every sender.
    #[param(value_type = Option<String>)]
    pub(crate) search: String,
    /// sender, messages, legacy (TLS1.0, TLS1.1 and none together), TLS1.0, TLS1.0.percent, …; - before it for
    /// largest first; by default -messages
    #[param(schema_with = schemas::sort, required = false)]
    pub(crate) sort: Sort,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// Entries on the page; by default 100
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
    /// next of the page before
    pub(crate) cursor: Option<String>,
}

impl PageParams {
    /// What the cursor holds, if one was given.
    pub(crate) fn held<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, CursorError>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = self.cursor.as_deref() else { return Ok(None) };
        let wrong = |error: CursorError| Problem::parameter("cursor", cursor, error.to_string());
        read(cursor).map(Some).map_err(wrong)
    }
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FormatParams {
    /// json, or csv for the whole table (as Accept: text/csv)
    #[param(value_type = Option<Format>, inline)]
    pub(crate) format: Format,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Csv,
}

/// Sets of parameters as one, in this order.
macro_rules! together {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $set:ty),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $(pub(crate) $field: $set,)+
        }

        impl IntoParams for $name {
            fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                [$(<$set>::into_params(&place)),+].concat()
            }
        }

        impl Parameters for $name {
            fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
                Ok(Self { $($field: <$set>::taken(given, today)?),+ })
            }
        }
    )+};
}

together! {
    /// What a chart takes.
    ChartParams { days: RangeParams, filter: FilterParams }
    /// What a table takes.
    TablePageParams {
        days: RangeParams, filter: FilterParams, table: TableParams, page: PageParams, format: FormatParams
    }
    /// What the export takes.
    ExportParams { days: RangeParams, filter: FilterParams, sender: SenderParams }
    /// What the pages of charts and tables take. Charts only keep what is the table's.
    ViewParams {
        days: RangeParams, filter: FilterParams, table: TableParams, page: PageParams, sender: SenderParams
    }
}

impl RangeParams {
    pub(crate) fn range(self) -> Range {
        let Self { start, end } = self;
        Range { start, end }
    }
}

impl FilterParams {
    /// What passes; of one sender, or of all.
    pub(crate) fn of(&self, sender: Option<&str>) -> Filter {
        let (domain, sender) = (self.domain.clone(), sender.map(str::to_owned));
        Filter { domain, sender, ..Filter::default() }
    }
}

impl From<Range> for RangeParams {
    fn from(Range { start, end }: Range) -> Self {
        Self { start, end }
    }
}

impl Default for TableParams {
    fn default() -> Self {
        Self { group: Group::Sender, search: String::new(), sort: Sort::MOST_MESSAGES }
    }
}

impl Parameters for RangeParams {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        Ok(range(given.day("start")?, given.day("end")?, today)?.into())
    }
}

impl Parameters for FilterParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { domain: given.filled("domain").map(domain).transpose()? })
    }
}

impl Parameters for SenderParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { sender: given.filled("sender").map(str::to_lowercase) })
    }
}

impl Parameters for TableParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let Self { group, sort: usual, .. } = Self::default();
        let search = given.get("search").unwrap_or_default().to_lowercase();
        let sort = given.get("sort").map(|text| sort(group, text)).transpose()?;
        Ok(Self { group, search, sort: sort.unwrap_or(usual) })
    }
}

impl Parameters for PageParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let limit = given.get("limit").map(limit).transpose()?;
        Ok(Self { limit, cursor: given.filled("cursor").map(str::to_owned) })
    }
}

impl Parameters for FormatParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        let format = match given.get("format") {
            None if given.wants_csv => Format::Csv,
            None | Some("json") => Format::Json,
            Some("csv") => Format::Csv,
            Some(other) => {
                return Err(Problem::parameter("format", other, "it must be json or csv"));
            }
        };
        Ok(Self { format })
    }
}

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

/// The names of some parameters, as they are described.
fn names<P: IntoParams>() -> Vec<String> {
    P::into_params(|| None).into_iter().map(|parameter| parameter.name).collect()
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

    fn only(&self, names: &[String]) -> Result<(), Problem> {
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            if !names.contains(name) {
                let allowed = format!("the parameters here are {}", names.join(", "));
                return Err(Problem::parameter(name, value, allowed));
            }
            if self.pairs[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::parameter(name, value, "it can be given only once"));
            }
        }
        Ok(())
    }

    /// As pages take them: without what forms leave empty, and without what others add to addresses.
    pub(crate) fn of_page<P: IntoParams>(mut self) -> Self {
        let names = names::<P>();
        self.pairs.retain_mut(|(name, value)| {
            *value = value.trim().to_owned();
            !value.is_empty() && names.contains(name)
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
    fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|text| !text.is_empty())
    }

    fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        self.get(name).map(|text| day(name, text)).transpose()
    }
}

fn sort(group: Group, text: &str) -> Result<Sort, Problem> {
    Sort::read(group, text).ok_or_else(|| {
        let allowed = format!(
            "it must be {}, messages, legacy, or a TLS version (TLS1.0, TLS1.1, TLS1.2, TLS1.3, none, unknown) \
             with or without .percent; - before it for largest first",
            group.name()
        );
        Problem::parameter("sort", text, allowed)
    })
}

fn limit(text: &str) -> Result<usize, Problem> {
    // `+5` is no number that JSON has.
    let digits = Some(text).filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    let read = digits.and_then(|text| text.parse().ok()).filter(|limit| (1..=MOST).contains(limit));
    let allowed = || format!("it must be a whole number from 1 to {MOST}");
    read.ok_or_else(|| Problem::parameter("limit", text, allowed()))
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
    if given.chars().count() > DOMAIN || !given.chars().all(fits) {
        let allowed = "it must be a domain as in example.org, or (none)";
        return Err(Problem::parameter("domain", given, allowed));
    }
    Ok(given.to_lowercase())
}
