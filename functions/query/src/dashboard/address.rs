//! What a page shows, as its address tells it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use form_urlencoded::Serializer;
use report::{Column, Day, Range, Sort, View};

use super::problem_page::Failed;
use crate::api::params::{
    ChartParams, FilterParams, Given, PageParams, Parameters, RangeParams, SenderParams,
    TableParams, ViewParams,
};
use crate::api::problem::{self, Problem};
use crate::service::Query;

/// Rows of a table, if nothing else is asked.
pub(super) const ROWS: usize = 25;

/// The most rows on a page.
const MOST: usize = 100;
/// A name in a path.
pub(super) struct At(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|name| Self(name.0)).map_err(|_| Failed(problem::not_found(&parts.uri)))
    }
}

/// What the page of a chart or a table shows.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) view: View,
    /// Whether it is the details table, not the chart.
    pub(super) table: bool,
    pub(super) params: ViewParams,
    /// Whether days were asked for that are not kept any more.
    pub(super) cut: bool,
}

impl Shown {
    /// Reads what a page of this view was asked for; what cannot be used is left out, and the first problem told.
    pub(super) fn read(
        view: View,
        table: bool,
        given: &Given,
        query: &Query,
    ) -> Result<(Self, Option<Problem>), Problem> {
        let (mut params, cut, wrong) = usable::<ViewParams>(given, query)?;
        params.page.limit = params.page.limit.map(|limit| limit.min(MOST));
        Ok((Self { view, table, params, cut }, wrong))
    }

    /// A view's chart over some days of all domains.
    pub(super) fn chart(view: View, range: Range) -> Self {
        Self { view, table: false, params: of(range, FilterParams::default()), cut: false }
    }

    /// The same as a table.
    pub(super) fn as_table(&self) -> Self {
        Self { table: true, ..self.clone() }
    }

    /// The same as a chart.
    pub(super) fn as_chart(&self) -> Self {
        Self { table: false, ..self.first_page() }
    }

    /// The same data by another view; an order that only one table has is left.
    pub(super) fn by(&self, view: View) -> Self {
        let mut other = self.first_page();
        other.view = view;
        let both = matches!(self.params.table.sort.column, Column::Name | Column::Messages);
        if !both {
            other.params.table.sort = Sort::MOST_MESSAGES;
        }
        other
    }

    /// The same for other days.
    pub(super) fn during(&self, range: Range) -> Self {
        let mut other = self.first_page();
        other.params.days = range.into();
        other
    }

    /// The senders of one day.
    pub(super) fn on(&self, day: Day) -> Self {
        let params = of(Range { start: day, end: day }, self.params.filter.clone());
        Self { table: true, params, ..*self }
    }

    /// The table in another order.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        let mut other = self.first_page();
        other.params.table.sort = sort;
        other
    }

    /// The table with so many rows.
    pub(super) fn with_rows(&self, limit: usize) -> Self {
        let mut other = self.first_page();
        other.params.page.limit = Some(limit);
        other
    }

    /// The table without a search.
    pub(super) fn unsearched(&self) -> Self {
        let mut other = self.first_page();
        other.params.table.search.clear();
        other
    }

    /// The page at a cursor.
    pub(super) fn at(&self, cursor: String) -> Self {
        let mut other = self.first_page();
        other.params.page.cursor = Some(cursor);
        other
    }

    /// The table's first page.
    pub(super) fn first_page(&self) -> Self {
        let mut other = self.clone();
        (other.params.page.cursor, other.params.sender.sender) = (None, None);
        other
    }

    /// The same page with a sender's flyout, or with none.
    pub(super) fn with_sender(&self, sender: Option<&str>) -> Self {
        let mut other = self.clone();
        other.params.sender.sender = sender.map(str::to_owned);
        other
    }

    pub(super) fn path(&self) -> String {
        let details = if self.table { "/details" } else { "" };
        format!("/reports/{}{details}", self.view.name())
    }

    /// Days and domain.
    fn filters(&self) -> Vec<(&'static str, String)> {
        let (range, domain) = (self.params.days.range(), &self.params.filter.domain);
        let mut pairs = vec![("start", range.start.to_string()), ("end", range.end.to_string())];
        pairs.extend(domain.clone().map(|domain| ("domain", domain)));
        pairs
    }

    /// Everything that the address tells beside the path.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let ViewParams { table, page, sender, .. } = &self.params;
        let (TableParams { group, search, sort }, PageParams { limit, cursor }) = (table, page);
        let mut pairs = self.filters();
        pairs.extend(Some(search.clone()).filter(|part| !part.is_empty()).map(|p| ("search", p)));
        let sort = Some(*sort).filter(|sort| *sort != Sort::MOST_MESSAGES);
        pairs.extend(sort.map(|sort| ("sort", sort.written(*group))));
        let limit = limit.filter(|limit| *limit != ROWS);
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs.extend(sender.sender.clone().map(|sender| ("sender", sender)));
        pairs
    }

    /// The page's address.
    pub(super) fn href(&self) -> String {
        address(&self.path(), &self.pairs())
    }

    /// Where the whole table is, as CSV.
    pub(super) fn csv(&self) -> String {
        let mut whole = self.first_page();
        (whole.table, whole.params.page.limit) = (true, None);
        let mut pairs = whole.pairs();
        pairs.push(("format", "csv".to_owned()));
        address(&format!("/v1{}", whole.path()), &pairs)
    }

    /// Where the detailed report is, of one sender or of all.
    pub(super) fn detailed(&self, sender: Option<&str>) -> String {
        let mut pairs = self.filters();
        pairs.extend(sender.map(|sender| ("sender", sender.to_owned())));
        address("/v1/reports/detailed", &pairs)
    }

    /// The form that asks for this report by mail.
    pub(super) fn request(&self) -> String {
        let mut pairs = vec![("view", self.view.name().to_owned())];
        pairs.extend(self.filters());
        address("/report-requests/new", &pairs)
    }

    /// The form that makes a schedule of it.
    pub(super) fn schedule(&self) -> String {
        let mut pairs = vec![("view", self.view.name().to_owned())];
        pairs.extend(self.params.filter.domain.clone().map(|domain| ("domain", domain)));
        address("/schedules/new", &pairs)
    }
}

/// The view that a path names.
pub(super) fn view(name: &str) -> Result<View, Problem> {
    View::from_name(name).ok_or_else(|| Problem::not_found("/reports", name))
}

/// A path with parameters.
pub(super) fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Reads the parameters of a form that is opened with some fields filled in: those that can be used.
pub(super) fn prefilled(given: &Given, query: &Query) -> Result<(View, ChartParams), Problem> {
    let view = given.get("view").and_then(View::from_name).unwrap_or(View::TlsUsage);
    Ok((view, usable(given, query)?.0))
}

/// The parameters that can be used, whether days were left out that are not kept any more, and the first problem.
fn usable<P: Parameters>(
    given: &Given,
    query: &Query,
) -> Result<(P, bool, Option<Problem>), Problem> {
    let today = query.today();
    let mut usable = given.clone().of_page::<P>();
    let cut = usable.cut(Range::kept(today));
    let mut first = None;
    loop {
        let problem = match usable.read(today) {
            Ok(params) => return Ok((params, cut, first)),
            Err(problem) => problem,
        };
        let left_out = match &problem {
            Problem::InvalidParameter { parameter, .. } => match parameter.as_str() {
                // Either may be the one that was meant.
                "start" | "end" => usable.leave_out(&["start", "end"]),
                other => usable.leave_out(&[other]),
            },
            _ => false,
        };
        if !left_out {
            return Err(problem);
        }
        first.get_or_insert(problem);
    }
}

/// The first page of some days.
fn of(range: Range, filter: FilterParams) -> ViewParams {
    let (days, table) = (RangeParams::from(range), TableParams::default());
    ViewParams { days, filter, table, page: PageParams::default(), sender: SenderParams::default() }
}
