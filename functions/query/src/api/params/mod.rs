//! Query parameters, read strictly: what is misspelt is told, not ignored.
//!
//! A set of parameters is a struct that reads them, and from whose fields the interface's description and the
//! names that are taken come ([`Parameters`]).

mod alerts;
mod filter;
mod given;
mod noted;
mod plan;
mod table;

use report::views::cursor::CursorError;
use report::{Day, Range};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;
pub(crate) use alerts::{AlertFilter, Standing};
pub(crate) use filter::{
    FailedParams, FilterParams, OneAccount, OneClient, OneSender, domain, pairs,
};
pub(crate) use given::{Given, Parameters, day, range};
pub(crate) use noted::{ImportParams, NotedParams, SubjectParams, Whose};
pub(crate) use plan::{GROUPS, PlanFilter, PlanRows};
pub(crate) use table::{TableParams, group};

/// Entries on a page of an answer, if nothing else is asked.
pub(crate) const LIMIT: usize = 100;

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

/// Whose flyout is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FlyoutParams {
    /// A sender address; by default none
    pub(crate) open: Option<String>,
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

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// Part of a sender address, an account or a client address, or a network as in 203.0.113.0/24
    #[param(min_length = 1)]
    pub(crate) search: String,
    /// Names of each; by default 20
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
}

impl Parameters for SearchParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { search: given.needed("search")?.to_lowercase(), limit: given.limit()? })
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
    ExportParams { days: RangeParams, filter: FilterParams }
    /// What failed logins take.
    FailuresParams {
        days: RangeParams, rows: FailedParams, page: PageParams, format: FormatParams
    }
    /// What the plan takes.
    PlanParams {
        days: RangeParams, off: PlanFilter, rows: PlanRows, page: PageParams, format: FormatParams
    }
    /// What alerts take.
    AlertsParams { wanted: AlertFilter, page: PageParams, format: FormatParams }
    /// What notes take.
    NotesParams { wanted: NotedParams, page: PageParams, format: FormatParams }
    /// What a sender's details take.
    SenderParams { sender: OneSender, days: RangeParams }
    /// What an account's details take.
    AccountParams { account: OneAccount, days: RangeParams }
    /// What a client's details take.
    ClientParams { client: OneClient, days: RangeParams }
    /// What the pages of charts and tables take. Charts only keep what is the table's.
    ViewParams {
        days: RangeParams, filter: FilterParams, table: TableParams, page: PageParams, flyout: FlyoutParams
    }
}

impl RangeParams {
    pub(crate) fn range(self) -> Range {
        let Self { start, end } = self;
        Range { start, end }
    }
}

impl From<Range> for RangeParams {
    fn from(Range { start, end }: Range) -> Self {
        Self { start, end }
    }
}

impl Parameters for RangeParams {
    fn taken(given: &Given, today: Day) -> Result<Self, Problem> {
        Ok(range(given.day("start")?, given.day("end")?, today)?.into())
    }
}

impl Parameters for FlyoutParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { open: given.filled("open").map(str::to_lowercase) })
    }
}

impl Parameters for PageParams {
    fn taken(given: &Given, _: Day) -> Result<Self, Problem> {
        Ok(Self { limit: given.limit()?, cursor: given.filled("cursor").map(str::to_owned) })
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

/// Reads an id, in the form in which it is stored.
pub(crate) fn id(text: &str) -> Option<String> {
    uuid::Uuid::parse_str(text).ok().map(|id| id.to_string())
}
