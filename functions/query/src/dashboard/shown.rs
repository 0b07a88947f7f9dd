//! What a page of a report shows, as its address tells it.

use form_urlencoded::Serializer;
use report::{Column, Day, Range, Sort, View};

use crate::Query;
use crate::params::{Given, Params};
use crate::problem::Problem;

/// Rows of a table, if nothing else is asked.
pub(super) const ROWS: usize = 25;

/// The parameters of a chart's page.
const CHART: &[&str] = &["start", "end", "domain"];
/// The parameters of a table's page.
const TABLE: &[&str] = &["start", "end", "domain", "search", "sort", "limit", "cursor", "sender"];

/// What a page of a report shows.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) view: View,
    /// Whether it is the details table, not the chart.
    pub(super) table: bool,
    pub(super) params: Params,
    /// The sender whose flyout is open.
    pub(super) sender: Option<String>,
}

impl Shown {
    /// Reads what a page of this view was asked for.
    pub(super) fn read(
        view: View,
        table: bool,
        given: &Given,
        query: &Query,
    ) -> Result<Self, Problem> {
        let params = given.read(if table { TABLE } else { CHART }, query)?;
        let sender = given.get("sender").map(str::to_owned);
        Ok(Self { view, table, params, sender })
    }

    /// A view's chart over some days of all domains.
    pub(super) fn chart(view: View, range: Range) -> Self {
        Self { view, table: false, params: Params::of(range), sender: None }
    }

    /// The same as a table.
    pub(super) fn as_table(&self) -> Self {
        Self { table: true, ..self.clone() }
    }

    /// The same as a chart.
    pub(super) fn as_chart(&self) -> Self {
        let params = Params { domain: self.params.domain.clone(), ..Params::of(self.params.range) };
        Self { table: false, params, sender: None, ..self.clone() }
    }

    /// The same data by another view; an order that only one table has is left.
    pub(super) fn by(&self, view: View) -> Self {
        let mut other = self.first_page();
        other.view = view;
        let both = matches!(self.params.sort.column, Column::Sender | Column::Messages);
        if !both {
            other.params.sort = Sort::MOST_MESSAGES;
        }
        other
    }

    /// The same for other days.
    pub(super) fn during(&self, range: Range) -> Self {
        let mut other = self.first_page();
        other.params.range = range;
        other
    }

    /// The senders of one day.
    pub(super) fn on(&self, day: Day) -> Self {
        self.as_chart().during(Range { start: day, end: day }).as_table()
    }

    /// The table in another order.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        let mut other = self.first_page();
        other.params.sort = sort;
        other
    }

    /// The table with so many rows.
    pub(super) fn with_rows(&self, limit: usize) -> Self {
        let mut other = self.first_page();
        other.params.limit = Some(limit);
        other
    }

    /// The table without a search.
    pub(super) fn unsearched(&self) -> Self {
        let mut other = self.first_page();
        other.params.search.clear();
        other
    }

    /// The page at a cursor.
    pub(super) fn at(&self, cursor: String) -> Self {
        let mut other = self.first_page();
        other.params.cursor = Some(cursor);
        other
    }

    /// The table's first page.
    pub(super) fn first_page(&self) -> Self {
        let mut other = self.clone();
        (other.params.cursor, other.sender) = (None, None);
        other
    }

    /// The same page with a sender's flyout, or with none.
    pub(super) fn with_sender(&self, sender: Option<&str>) -> Self {
        Self { sender: sender.map(str::to_owned), ..self.clone() }
    }

    pub(super) fn path(&self) -> String {
        let details = if self.table { "/details" } else { "" };
        format!("/reports/{}{details}", self.view.name())
    }

    /// Everything that the address tells beside the path.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let Params { range, domain, search, sort, limit, cursor, .. } = &self.params;
        let mut pairs = vec![("start", range.start.to_string()), ("end", range.end.to_string())];
        pairs.extend(domain.clone().map(|domain| ("domain", domain)));
        if !self.table {
            return pairs;
        }
        pairs.extend(Some(search.clone()).filter(|part| !part.is_empty()).map(|p| ("search", p)));
        let sort = Some(*sort).filter(|sort| *sort != Sort::MOST_MESSAGES);
        pairs.extend(sort.map(|sort| ("sort", sort.written())));
        let limit = limit.filter(|limit| *limit != ROWS);
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs.extend(self.sender.clone().map(|sender| ("sender", sender)));
        pairs
    }

    /// The page's address.
    pub(super) fn href(&self) -> String {
        address(&self.path(), &self.pairs())
    }

    /// Where the whole table is, as CSV.
    pub(super) fn csv(&self) -> String {
        let mut whole = self.first_page();
        (whole.table, whole.params.limit) = (true, None);
        let mut pairs = whole.pairs();
        pairs.push(("format", "csv".to_owned()));
        address(&format!("/v1{}", whole.path()), &pairs)
    }

    /// Where the detailed report is.
    pub(super) fn detailed(&self) -> String {
        address("/v1/reports/detailed", &self.as_chart().pairs())
    }

    /// The form that asks for this report by mail.
    pub(super) fn request(&self) -> String {
        let mut pairs = vec![("view", self.view.name().to_owned())];
        pairs.extend(self.as_chart().pairs());
        address("/report-requests/new", &pairs)
    }

    /// The form that makes a schedule of it.
    pub(super) fn schedule(&self) -> String {
        let mut pairs = vec![("view", self.view.name().to_owned())];
        pairs.extend(self.params.domain.clone().map(|domain| ("domain", domain)));
        address("/schedules/new", &pairs)
    }
}

/// The path of a view's pages.
pub(super) fn view(name: &str) -> Result<View, Problem> {
    View::from_name(name).ok_or_else(|| Problem::not_found("/reports", name))
}

/// A path with parameters.
pub(super) fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Reads the parameters of a form that is opened with some fields filled in.
pub(super) fn prefilled(given: &Given, query: &Query) -> Result<(View, Params), Problem> {
    let params = given.read(&["view", "start", "end", "domain"], query)?;
    let name = given.get("view").unwrap_or(View::TlsUsage.name());
    let view = View::from_name(name).ok_or_else(|| {
        Problem::parameter("view", name, "it must be sending-volume or tls-usage")
    })?;
    Ok((view, params))
}

impl Params {
    /// All domains' first page for some days.
    fn of(range: Range) -> Self {
        Self {
            range,
            domain: None,
            search: String::new(),
            sort: Sort::MOST_MESSAGES,
            limit: None,
            cursor: None,
            csv: false,
        }
    }
}

/// Whether the parameters of a problem are those of the filters.
pub(super) fn is_filter(problem: &Problem) -> bool {
    matches!(problem, Problem::InvalidParameter { parameter, .. } if CHART.contains(&parameter.as_str()))
}
