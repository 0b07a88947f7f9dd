//! What a page of a report shows, as its address tells it.

use form_urlencoded::Serializer;
use report::{Column, Day, Group, Range, Sort, View};

use crate::Query;
use crate::params::{Given, Params};
use crate::problem::Problem;

/// Rows of a table, if nothing else is asked.
pub(super) const ROWS: usize = 25;

/// The most rows on a page.
const MOST: usize = 100;
/// The parameters of a report's pages. Charts only keep those of the table.
const NAMES: &[&str] = &["start", "end", "domain", "search", "sort", "limit", "cursor", "sender"];
/// The parameters of forms that are opened from such a page.
const FORM: &[&str] = &["view", "start", "end", "domain"];

/// What a page of a report shows.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) view: View,
    /// Whether it is the details table, not the chart.
    pub(super) table: bool,
    pub(super) params: Params,
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
        let (mut params, cut, wrong) = usable(given, NAMES, query)?;
        params.limit = params.limit.map(|limit| limit.min(MOST));
        Ok((Self { view, table, params, cut }, wrong))
    }

    /// A view's chart over some days of all domains.
    pub(super) fn chart(view: View, range: Range) -> Self {
        Self { view, table: false, params: Params::of(range), cut: false }
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
        let both = matches!(self.params.sort.column, Column::Name | Column::Messages);
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
        let params = Params {
            domain: self.params.domain.clone(),
            ..Params::of(Range { start: day, end: day })
        };
        Self { table: true, params, ..*self }
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
        (other.params.cursor, other.params.sender) = (None, None);
        other
    }

    /// The same page with a sender's flyout, or with none.
    pub(super) fn with_sender(&self, sender: Option<&str>) -> Self {
        let mut other = self.clone();
        other.params.sender = sender.map(str::to_owned);
        other
    }

    pub(super) fn path(&self) -> String {
        let details = if self.table { "/details" } else { "" };
        format!("/reports/{}{details}", self.view.name())
    }

    /// Days and domain.
    fn filters(&self) -> Vec<(&'static str, String)> {
        let Params { range, domain, .. } = &self.params;
        let mut pairs = vec![("start", range.start.to_string()), ("end", range.end.to_string())];
        pairs.extend(domain.clone().map(|domain| ("domain", domain)));
        pairs
    }

    /// Everything that the address tells beside the path.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let Params { search, sort, limit, cursor, sender, .. } = &self.params;
        let mut pairs = self.filters();
        pairs.extend(Some(search.clone()).filter(|part| !part.is_empty()).map(|p| ("search", p)));
        let sort = Some(*sort).filter(|sort| *sort != Sort::MOST_MESSAGES);
        pairs.extend(sort.map(|sort| ("sort", sort.written(Group::Sender))));
        let limit = limit.filter(|limit| *limit != ROWS);
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs.extend(sender.clone().map(|sender| ("sender", sender)));
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
        pairs.extend(self.params.domain.clone().map(|domain| ("domain", domain)));
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
pub(super) fn prefilled(given: &Given, query: &Query) -> Result<(View, Params), Problem> {
    let view = given.get("view").and_then(View::from_name).unwrap_or(View::TlsUsage);
    Ok((view, usable(given, FORM, query)?.0))
}

/// The parameters that can be used, whether days were left out that are not kept any more, and the first problem.
fn usable(
    given: &Given,
    names: &[&str],
    query: &Query,
) -> Result<(Params, bool, Option<Problem>), Problem> {
    let mut usable = given.clone().of_page(names);
    let cut = usable.cut(Range::kept(query.today()));
    let mut first = None;
    loop {
        let problem = match usable.read(names, query) {
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

impl Params {
    /// All domains' first page for some days.
    fn of(range: Range) -> Self {
        Self {
            range,
            domain: None,
            search: String::new(),
            sender: None,
            sort: Sort::MOST_MESSAGES,
            limit: None,
            cursor: None,
            csv: false,
        }
    }
}
