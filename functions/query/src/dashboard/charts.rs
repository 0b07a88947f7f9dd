//! The report as charts, and what stands above chart and table alike: views, domains, days.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use report::views::{self, SendingVolume, TlsUsage};
use report::{Day, Range, View, date, displayed, grouped, period};
use store::Rollup;

use super::address::{self, Shown};
use super::columns::Chart;
use super::form::Wrong;
use super::problem_page::Failed;
use super::shares::Shares;
use super::wording::{self, SHOWN};
use super::{At, Choice, Frame, Part, html};
use crate::Query;
use crate::api::charts as reports;
use crate::api::params::{self, Given, Params};
use crate::api::problem::Problem;

/// The most domains that are listed; where there are more, one is typed.
const DOMAINS: usize = 200;
/// Ranges that can be had at once, in days.
const QUICK: [u64; 3] = [7, 30, 90];

/// What stands above chart and table.
pub(super) struct Bar {
    pub(super) title: &'static str,
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
    pub(super) wrong: Option<Wrong>,
}

impl Bar {
    pub(super) async fn new(query: &Query, shown: &Shown) -> Result<Self, Problem> {
        let today = query.today();
        let kept = Range::kept(today);
        let (range, domain) = (shown.params.range, shown.params.domain.as_deref());
        let ranges = QUICK.map(|days| {
            let range = Range::last(today, days);
            let value = shown.during(range).href();
            Choice { label: format!("{days} days"), value, chosen: range == shown.params.range }
        });
        let views = View::ALL.map(|view| Choice {
            label: view.title().to_owned(),
            value: shown.by(view).href(),
            chosen: view == shown.view,
        });
        let all = "all sender domains".to_owned();
        let told = domain.map_or(all, |domain| displayed(domain, SHOWN));
        let kept_pairs = shown.first_page().pairs().into_iter();
        let filters = ["start", "end", "domain"];
        Ok(Self {
            title: shown.view.title(),
            views: views.into(),
            ranges: ranges.into(),
            action: shown.path(),
            hidden: kept_pairs.filter(|(name, _)| !filters.contains(name)).collect(),
            start: range.start.to_string(),
            end: range.end.to_string(),
            oldest: kept.start,
            today,
            domain: domain.unwrap_or_default().to_owned(),
            domains: choices(query, domain).await?,
            told: format!("{}, {told}", period(range)),
            table: shown.table,
            other: if shown.table { shown.as_chart() } else { shown.as_table() }.href(),
            request: shown.request(),
            schedule: shown.schedule(),
            csv: shown.csv(),
            detailed: shown.detailed(None),
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

/// Domains to choose from. Those that no filter takes are left out: anybody may have made them up.
pub(super) async fn choices(
    query: &Query,
    chosen: Option<&str>,
) -> Result<Option<Vec<Choice>>, Problem> {
    let mut domains = query.store.domains(Range::kept(query.today())).await?;
    if domains.len() > DOMAINS {
        return Ok(None);
    }
    domains.extend(chosen.map(str::to_owned));
    let usable = domains.into_iter().filter(|domain| params::domain(domain).is_ok());
    let choice = |domain: String| Choice {
        label: displayed(&domain, SHOWN),
        chosen: chosen == Some(&domain),
        value: domain,
    };
    Ok(Some(usable.map(choice).collect()))
}

/// What to do where there is nothing to show.
pub(super) struct Nothing {
    /// The day of the newest messages there are, and where they are shown.
    pub(super) newest: Option<(String, String)>,
    /// The domain that has none.
    pub(super) domain: Option<String>,
}

impl Nothing {
    pub(super) async fn new(query: &Query, shown: &Shown) -> Result<Self, Problem> {
        let domain = shown.params.domain.as_deref();
        let kept = Range::kept(query.today());
        let days = reports::rollup(query, domain, kept).await?;
        let newest = days.iter().rev().find(|(_, counts)| counts.total() > 0);
        let newest = newest.map(|(day, _)| {
            let start = Range::last(*day, 7).start.max(kept.start);
            let href = shown.unsearched().during(Range { start, end: *day }).href();
            (date(*day), href)
        });
        let domain = domain.map(|domain| displayed(domain, SHOWN));
        Ok(Self { newest, domain })
    }
}

#[derive(Template)]
#[template(path = "volume.html")]
struct VolumePage {
    frame: Frame,
    bar: Bar,
    nothing: Option<Nothing>,
    total: String,
    mean: String,
    highest: Option<(String, String)>,
    chart: Chart,
    days: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "tls.html")]
struct TlsPage {
    frame: Frame,
    bar: Bar,
    nothing: Option<Nothing>,
    total: String,
    shares: Shares,
    chart: Chart,
    heads: Vec<&'static str>,
    days: Vec<(String, Vec<String>)>,
}

/// Filters that cannot be used, with what is wrong with them.
#[derive(Template)]
#[template(path = "mistake.html")]
struct WrongPage {
    frame: Frame,
    bar: Bar,
    told: String,
}

/// The page of a report.
pub(super) async fn page(query: Query, At(view): At, given: Given) -> Result<Response, Failed> {
    let view = address::view(&view)?;
    let (shown, problem) = Shown::read(view, false, &given, &query)?;
    if let Some(problem) = problem {
        return wrong(&query, &shown, &given, &problem).await;
    }
    let Params { domain, range, .. } = &shown.params;
    let (bar, days) = tokio::try_join!(
        Bar::new(&query, &shown),
        reports::rollup(&query, domain.as_deref(), *range)
    )?;
    let nothing = match days.values().all(|counts| counts.total() == 0) {
        true => Some(Nothing::new(&query, &shown).await?),
        false => None,
    };
    Ok(match view {
        View::SendingVolume => html(&volume(&query, &shown, bar, nothing, &days))?,
        View::TlsUsage => html(&tls(&query, &shown, bar, nothing, &days))?,
    }
    .into_response())
}

/// Shows the filters again, as they were given, with what is wrong with one.
pub(super) async fn wrong(
    query: &Query,
    usable: &Shown,
    given: &Given,
    problem: &Problem,
) -> Result<Response, Failed> {
    let mut bar = Bar::new(query, usable).await?;
    let wrong = Wrong::new(problem);
    let label = match wrong.field.as_str() {
        "start" => "Start date",
        "end" => "End date",
        "domain" => "Sender domain",
        "limit" => "Rows",
        "sort" => "Order",
        "cursor" => "Page",
        _ => "Address",
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
    let frame = Frame::new(query, Part::Report, usable.view.title());
    let page = html(&WrongPage { frame, bar, told })?;
    Ok((StatusCode::BAD_REQUEST, page).into_response())
}

fn volume(
    query: &Query,
    shown: &Shown,
    bar: Bar,
    nothing: Option<Nothing>,
    days: &Rollup,
) -> VolumePage {
    let range = shown.params.range;
    let SendingVolume { total, volume, .. } = views::sending_volume(range, None, days);
    let highest = volume.iter().max_by_key(|day| day.messages).filter(|day| day.messages > 0);
    let highest = highest.map(|day| (wording::weekday(day.date), grouped(day.messages)));
    let mean = (total + volume.len() as u64 / 2) / (volume.len() as u64).max(1);
    VolumePage {
        frame: Frame::new(query, Part::Report, View::SendingVolume.title()),
        bar,
        nothing,
        total: grouped(total),
        mean: grouped(mean),
        highest,
        chart: Chart::volume(&volume, query.today(), |day| shown.on(day).href()),
        days: volume
            .iter()
            .map(|day| (wording::weekday(day.date), grouped(day.messages)))
            .collect(),
    }
}

fn tls(query: &Query, shown: &Shown, bar: Bar, nothing: Option<Nothing>, days: &Rollup) -> TlsPage {
    let TlsUsage { total, tls, days, .. } = views::tls_usage(shown.params.range, None, days);
    let cells = |day: &views::DayTls| {
        let messages = day.tls.iter().map(|share| share.messages).chain([day.messages]);
        messages.map(grouped).collect()
    };
    TlsPage {
        frame: Frame::new(query, Part::Report, View::TlsUsage.title()),
        bar,
        nothing,
        total: grouped(total),
        shares: Shares::new(&tls),
        chart: Chart::tls(&days, query.today(), |day| shown.on(day).href()),
        heads: tls.iter().map(|share| share.version.label()).collect(),
        days: days.iter().map(|day| (wording::weekday(day.date), cells(day))).collect(),
    }
}
