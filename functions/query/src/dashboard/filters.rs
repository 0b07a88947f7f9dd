//! What stands above chart and table alike: views, domains, days.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use report::views::filter_text::label;
use report::views::mechanisms;
use report::{Day, Group, Range, View, date, displayed, period};

use super::address::Shown;
use super::domains;
use super::frame::{Choice, Frame, Part, html};
use super::mistake::Mistake;
use super::problem_page::Failed;
use super::wording::SHOWN;
use crate::api::params::Given;
use crate::api::problem::Problem;
use crate::service::Query;

/// Ranges that can be had at once, in days.
const QUICK: [u64; 3] = [7, 30, 90];

/// What stands above chart and table.
pub(super) struct Bar {
    pub(super) title: &'static str,
    /// What the table has a row for each of.
    pub(super) by: &'static str,
    pub(super) views: Vec<Choice>,
    pub(super) ranges: Vec<Choice>,
    /// Where the filters lead.
    pub(super) action: String,
    /// What the filters keep as it is.
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) oldest: Day,
    pub(super) today: Day,
    pub(super) domain: String,
    /// Domains to choose from; none if there are too many.
    pub(super) domains: Option<Vec<Choice>>,
    /// What is shown alone.
    pub(super) chips: Vec<Chip>,
    /// As in `18 Nov 2026 to 24 Nov 2026, all sender domains`.
    pub(super) told: String,
    pub(super) table: bool,
    /// The same data as a table, or as a chart.
    pub(super) other: String,
    pub(super) request: String,
    pub(super) schedule: String,
    pub(super) csv: String,
    pub(super) detailed: String,
    /// What is not as it was asked for.
    pub(super) note: Option<String>,
    /// The filter that cannot be used.
    pub(super) wrong: Option<Mistake>,
}

/// The ranges that can be had at once, of which one may be asked for.
pub(super) fn quick(asked: Range, today: Day, href: impl Fn(Range) -> String) -> Vec<Choice> {
    let choice = |days: u64| {
        let range = Range::last(today, days);
        Choice { label: format!("{days} days"), value: href(range), chosen: range == asked }
    };
    QUICK.map(choice).into()
}

/// A value of a filter.
pub(super) struct Chip {
    pub(super) label: &'static str,
    pub(super) name: String,
    /// The same page without it.
    pub(super) without: String,
}

fn chips(shown: &Shown) -> Vec<Chip> {
    let filter = &shown.params.filter;
    // One domain stands in the form.
    let is_chip =
        |(name, _): &(&'static str, String)| *name != "domain" || filter.domains.len() > 1;
    let chip = |(name, value): (&'static str, String)| Chip {
        label: label(name),
        without: shown.without(name, &value).href(),
        name: displayed(&value, SHOWN),
    };
    filter.given().into_iter().filter(is_chip).map(chip).collect()
}

impl Bar {
    pub(super) async fn new(query: &Query, shown: &Shown) -> Result<Self, Problem> {
        let today = query.today();
        let kept = Range::kept(today);
        let (asked, domain) = (shown.params.days.range(), shown.params.filter.domain());
        let views = View::ALL.map(|view| Choice {
            label: view.title().to_owned(),
            value: shown.by(view).href(),
            chosen: view == shown.view && !shown.kinds,
        });
        let kinds = Choice {
            label: mechanisms::TITLE.to_owned(),
            value: shown.by_kinds().href(),
            chosen: shown.kinds,
        };
        let all = "all sender domains".to_owned();
        let told = domain.map_or(all, |domain| displayed(domain, SHOWN));
        let kept_pairs = shown.first_page().pairs().into_iter();
        // The form has a field for one domain only.
        let filters = ["start", "end", "domain"];
        Ok(Self {
            title: shown.title(),
            by: shown.params.table.group.noun(),
            chips: chips(shown),
            views: views.into_iter().chain([kinds]).collect(),
            ranges: quick(asked, today, |range| shown.during(range).href()),
            action: shown.path(),
            hidden: kept_pairs.filter(|(name, _)| !filters.contains(name)).collect(),
            start: asked.start.to_string(),
            end: asked.end.to_string(),
            oldest: kept.start,
            today,
            domain: domain.unwrap_or_default().to_owned(),
            domains: domains::choices(query, domain).await?,
            told: format!("{}, {told}", period(asked)),
            table: shown.table,
            other: if shown.table { shown.as_chart() } else { shown.as_table() }.href(),
            request: shown.request(),
            schedule: shown.schedule(),
            csv: shown.csv(),
            detailed: shown.detailed(),
            note: shown.cut.then(|| {
                format!(
                    "Days before {} are not kept any more: the rest is shown.",
                    date(kept.start)
                )
            }),
            wrong: None,
        })
    }

    pub(super) fn is_wrong(&self, filter: &str) -> bool {
        self.wrong.as_ref().is_some_and(|wrong| wrong.field == filter)
    }
}

/// Filters that cannot be used, with what is wrong with them.
#[derive(Template)]
#[template(path = "mistake.html")]
struct MistakePage {
    frame: Frame,
    bar: Bar,
    told: String,
}

/// Shows the filters again, as they were given, with what is wrong with one.
pub(super) async fn wrong(
    query: &Query,
    usable: &Shown,
    given: &Given,
    problem: &Problem,
) -> Result<Response, Failed> {
    let mut bar = Bar::new(query, usable).await?;
    let wrong = Mistake::new(problem);
    let label = match wrong.field.as_str() {
        "start" => "Start date",
        "end" => "End date",
        "limit" => "Rows",
        "sort" => "Order",
        "cursor" => "Page",
        "group" => "Rows",
        other => Group::from_name(other).map_or("Address", Group::label),
    };
    let told = match problem {
        Problem::InvalidParameter { allowed, .. } => format!("{label}: {allowed}."),
        other => format!("{label}: {}.", other.detail()),
    };
    if ["start", "end"].contains(&wrong.field.as_str()) {
        let field = |name| given.get(name).unwrap_or_default().chars().take(SHOWN).collect();
        (bar.start, bar.end) = (field("start"), field("end"));
        bar.ranges.iter_mut().for_each(|range| range.chosen = false);
    }
    "These filters cannot be used".clone_into(&mut bar.told);
    bar.wrong = Some(wrong);
    let frame = Frame::new(query, Part::Views, usable.title());
    let page = html(&MistakePage { frame, bar, told })?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}
