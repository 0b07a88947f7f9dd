//! What a page shows, as its address tells it.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use form_urlencoded::Serializer;
use report::views::filter_text::written;
use report::views::mechanisms;
use report::{Clients, Column, Day, Filter, Group, Kind, Off, Range, Sort, TlsVersion, View};

use super::problem_page::Failed;
use crate::api::params::{
    self, ChartParams, FilterParams, FlyoutParams, Given, PageParams, Parameters, RangeParams,
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
    /// Whether the chart is that of kinds of mechanisms: its table is the view's, by kind.
    pub(super) kinds: bool,
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
        let (mut params, cut, wrong) = read::<ViewParams>(given, query)?;
        params.page.limit = params.page.limit.map(|limit| limit.min(MOST));
        Ok((Self { view, table, kinds: false, params, cut }, wrong))
    }

    /// The same for the chart of kinds of mechanisms.
    pub(super) fn read_kinds(
        given: &Given,
        query: &Query,
    ) -> Result<(Self, Option<Problem>), Problem> {
        let (shown, wrong) = Self::read(View::SendingVolume, false, given, query)?;
        Ok((Self { kinds: true, ..shown }, wrong))
    }

    /// A view's chart over some days of all domains.
    pub(super) fn chart(view: View, range: Range) -> Self {
        let params = of(range, FilterParams::default());
        Self { view, table: false, kinds: false, params, cut: false }
    }

    /// The same as a table.
    pub(super) fn as_table(&self) -> Self {
        let mut other = Self { table: true, kinds: false, ..self.clone() };
        if self.kinds {
            other.params.table.group = Group::Kind;
        }
        other
    }

    /// The same as a chart.
    pub(super) fn as_chart(&self) -> Self {
        Self { table: false, ..self.first_page() }
    }

    /// The same data by another view; an order that only one table has is left.
    pub(super) fn by(&self, view: View) -> Self {
        let mut other = self.first_page();
        (other.view, other.kinds) = (view, false);
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

    /// The same data as the chart of kinds of mechanisms.
    pub(super) fn by_kinds(&self) -> Self {
        Self { kinds: true, table: false, ..self.by(View::SendingVolume) }
    }

    /// The table of one day.
    pub(super) fn on(&self, day: Day) -> Self {
        let params = of(Range { start: day, end: day }, self.params.filter.clone());
        Self { params, ..self.clone() }.as_table()
    }

    /// Who would be refused without a kind of mechanisms, in the days that are shown.
    pub(super) fn plan_without(&self, kind: Kind) -> String {
        let filter = Filter { off: vec![Off::Kind(kind)], ..self.params.filter.filter() };
        address("/plan", &of_filter(self.params.days.range(), &filter))
    }

    /// The table by another group.
    pub(super) fn grouped_by(&self, group: Group) -> Self {
        let mut other = self.unsearched();
        other.params.table.group = group;
        other
    }

    /// The senders of what belongs to one row of a group, in the days that are shown.
    pub(super) fn table_of(&self, group: Group, name: &str) -> Self {
        let mut other = self.grouped_by(Group::Sender);
        other.table = true;
        let (filter, own) = (&mut other.params.filter.0, vec![name.to_owned()]);
        match group {
            Group::Sender => filter.senders = own,
            Group::Account => filter.accounts = own,
            Group::Client => filter.clients = Clients::read(name).into_iter().collect(),
            Group::Mechanism => filter.mechanisms = own,
            Group::Kind => filter.kinds = Kind::from_name(name).into_iter().collect(),
            Group::Tls => filter.tls = TlsVersion::from_name(name).into_iter().collect(),
            Group::Domain => filter.domains = own,
            Group::Country => filter.countries = own,
            Group::Network => filter.networks = own,
        }
        other
    }

    /// The address of the page of an account, or of a client.
    pub(super) fn page_of(&self, group: Group, name: &str) -> String {
        let (path, of) = match group {
            Group::Client => ("/clients", "client"),
            _ => ("/accounts", "account"),
        };
        let days = of_days(self.params.days.range());
        address(path, &[&[(of, written(name).to_owned())][..], &days].concat())
    }

    /// The same without one value of a filter.
    pub(super) fn without(&self, name: &str, value: &str) -> Self {
        let mut other = self.first_page();
        other.params.filter.0 = other.params.filter.without(name, value);
        other
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
        (other.params.page.cursor, other.params.flyout.open) = (None, None);
        other
    }

    /// The same page with a sender's flyout, or with none.
    pub(super) fn with_open(&self, sender: Option<&str>) -> Self {
        let mut other = self.clone();
        other.params.flyout.open = sender.map(str::to_owned);
        other
    }

    /// What people call it.
    pub(super) fn title(&self) -> &'static str {
        if self.kinds { mechanisms::TITLE } else { self.view.title() }
    }

    pub(super) fn path(&self) -> String {
        match (self.kinds, self.table) {
            (true, _) => format!("/reports/{}", mechanisms::NAME),
            (false, true) => format!("/reports/{}/details", self.view.name()),
            (false, false) => format!("/reports/{}", self.view.name()),
        }
    }

    /// Days and filters.
    fn filters(&self) -> Vec<(&'static str, String)> {
        of_filter(self.params.days.range(), &self.params.filter)
    }

    /// Everything that the address tells beside the path.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let ViewParams { table, page, flyout, .. } = &self.params;
        let PageParams { limit, cursor } = page;
        let mut pairs = self.filters();
        pairs.extend(of_table(table, Group::Sender));
        let limit = limit.filter(|limit| *limit != ROWS);
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        pairs.extend(cursor.clone().map(|cursor| ("cursor", cursor)));
        pairs.extend(flyout.open.clone().map(|sender| ("open", sender)));
        pairs
    }

    /// The page's address.
    pub(super) fn href(&self) -> String {
        address(&self.path(), &self.pairs())
    }

    /// Where the whole table is, as CSV.
    pub(super) fn csv(&self) -> String {
        let mut whole = self.first_page().as_table();
        whole.params.page.limit = None;
        let mut pairs = whole.pairs();
        pairs.push(("format", "csv".to_owned()));
        address(&format!("/v1{}", whole.path()), &pairs)
    }

    /// Where the detailed report is.
    pub(super) fn detailed(&self) -> String {
        address("/v1/reports/detailed", &self.filters())
    }

    /// The form that asks for this report by mail.
    pub(super) fn request(&self) -> String {
        self.mailed("/report-requests/new", &of_days(self.params.days.range()))
    }

    /// The form that makes a schedule of it.
    pub(super) fn schedule(&self) -> String {
        self.mailed("/schedules/new", &[])
    }

    /// A form for a report by mail that has these rows: all of them, in the mail's own order.
    fn mailed(&self, path: &str, days: &[(&'static str, String)]) -> String {
        let group = self.as_table().params.table.group;
        let all = TableParams { group, ..TableParams::default() };
        let mut pairs = vec![("view", self.view.name().to_owned())];
        pairs.extend_from_slice(days);
        pairs.extend(of_table(&all, Group::Sender));
        pairs.extend(params::pairs(&self.params.filter));
        address(path, &pairs)
    }
}

/// The view that a path names.
pub(super) fn view(name: &str) -> Result<View, Problem> {
    View::from_name(name).ok_or_else(|| Problem::not_found("/reports", name))
}

/// Days.
pub(super) fn of_days(Range { start, end }: Range) -> [(&'static str, String); 2] {
    [("start", start.to_string()), ("end", end.to_string())]
}

/// Days and filters.
pub(super) fn of_filter(days: Range, filter: &Filter) -> Vec<(&'static str, String)> {
    let mut pairs = of_days(days).to_vec();
    pairs.extend(params::pairs(filter));
    pairs
}

/// Which rows there are, and their order, but for what is usual.
pub(super) fn of_table(table: &TableParams, usual: Group) -> Vec<(&'static str, String)> {
    let TableParams { group, search, sort } = table;
    let group = Some(*group).filter(|group| *group != usual);
    let search = Some(search.clone()).filter(|part| !part.is_empty());
    let sort = Some(*sort).filter(|sort| *sort != Sort::MOST_MESSAGES);
    let pairs = [
        group.map(|group| ("group", group.name().to_owned())),
        search.map(|search| ("search", search)),
        sort.map(|sort| ("sort", sort.written())),
    ];
    pairs.into_iter().flatten().collect()
}

/// A path with parameters.
pub(super) fn address(path: &str, pairs: &[(&str, String)]) -> String {
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Reads the parameters of a form that is opened with some fields filled in: those that can be used.
pub(super) fn prefilled(
    given: &Given,
    query: &Query,
) -> Result<(View, Group, ChartParams), Problem> {
    let view = given.get("view").and_then(View::from_name).unwrap_or(View::TlsUsage);
    let group = given.get("group").and_then(Group::from_name).unwrap_or(Group::Sender);
    Ok((view, group, read(given, query)?.0))
}

/// The parameters that can be used.
pub(super) fn usable<P: Parameters>(given: &Given, query: &Query) -> Result<P, Problem> {
    Ok(read(given, query)?.0)
}

/// The parameters that can be used, whether days were left out that are not kept any more, and the first problem.
fn read<P: Parameters>(
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
    ViewParams { days, filter, table, page: PageParams::default(), flyout: FlyoutParams::default() }
}
