//! The overview: the insight, whom to look at, and what is mailed. Its flyout tells what is behind the insight.

use askama::Template;
use axum::response::Html;
use history::Wanted;
use report::views::{self, InsightDetails, legacy};
use report::{
    Filter, Group, Range, ReportRequest, Row, Schedule, Sort, View, displayed, grouped, period,
};

use super::address::Shown;
use super::attention::Attention;
use super::columns::Chart;
use super::empty::Nothing;
use super::frame::{Frame, Part, html};
use super::problem_page::Failed;
use super::report_requests::{self, Line};
use super::schedules;
use super::shares::Shares;
use super::sources::Listed;
use super::wording::{self, SHOWN};
use crate::api::charts;
use crate::api::params::{FilterParams, PageParams};
use crate::api::problem::Problem;
use crate::api::{insight, report_requests as requested, sources};
use crate::service::Query;

/// The insight's days.
const DAYS: u64 = 7;
/// Senders over legacy versions that are listed.
const OLD: usize = 5;
/// Report requests that are listed.
const LATEST: usize = 3;
/// Sources that are listed.
const SOURCES: usize = 5;

/// A sender over legacy versions.
struct LegacySender {
    sender: String,
    href: String,
    messages: String,
    percent: String,
}

/// What is behind the insight.
struct Flyout {
    title: &'static str,
    close: &'static str,
    chart: Chart,
    volume: String,
    tls: String,
    request: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    /// None where nobody is watched.
    attention: Option<Attention>,
    nothing: Option<Nothing>,
    period: String,
    accounts: String,
    accounts_label: &'static str,
    senders: String,
    messages: String,
    messages_label: &'static str,
    /// The messages against those of the days before.
    change: Option<String>,
    failures: String,
    shares: Shares,
    legacy: Vec<LegacySender>,
    /// Where all of them are.
    legacy_href: String,
    latest: Vec<Line>,
    next: Option<(String, String)>,
    schedules: usize,
    /// None for those who are bound to some sender domains.
    sources: Option<Listed>,
    flyout: Option<Flyout>,
}

/// The overview.
pub(super) async fn overview(query: Query) -> Result<Html<String>, Failed> {
    page(&query, false).await
}

/// The same with the flyout.
pub(super) async fn with_flyout(query: Query) -> Result<Html<String>, Failed> {
    page(&query, true).await
}

async fn page(query: &Query, open: bool) -> Result<Html<String>, Failed> {
    let range = Range::last(query.today(), DAYS);
    let tls = Shown::chart(View::TlsUsage, range);
    let mut most_legacy = tls.as_table();
    most_legacy.params.table.sort = Sort::MOST_LEGACY;
    let all = Wanted { range, filter: Filter::default(), group: Group::Sender };
    let now = query.now();
    let before = async {
        let all = FilterParams::default();
        let days = charts::days(query, &all, range.before()).await?;
        Ok::<_, Problem>(views::sending_volume(range.before(), None, &days).total)
    };
    let (behind, before, legacy, (latest, schedules), sources, attention) = tokio::try_join!(
        insight::behind(query, range),
        before,
        async { Ok(query.data.table(range, &all).await?.1) },
        mails(query, now),
        sources::read(query),
        Attention::of(query),
    )?;
    let InsightDetails { insight, tls: shares, volume, auth_failures } = behind;
    let nothing = match insight.messages {
        0 => Some(Nothing::new(query, &tls).await?),
        _ => None,
    };
    let legacy = legacy::most(&legacy, OLD);
    let legacy = legacy.iter().map(|row| of_legacy(row, &most_legacy)).collect();
    let next = schedules.iter().filter_map(|one| Some((one.next_run(now)?, one)));
    let next = next.min_by_key(|(due, _)| *due).map(|(due, one)| {
        let name = one.contents.name.as_deref().unwrap_or_default();
        (displayed(name, SHOWN), schedules::next_run(due, one.timetable.zone))
    });
    let change = nothing
        .is_none()
        .then(|| format!("{} the {DAYS} days before", wording::changed(before, insight.messages)));
    let volume_view = tls.by(View::SendingVolume);
    let flyout = open.then(|| Flyout {
        title: "SMTP AUTH in the last 7 days",
        close: "/",
        chart: Chart::volume(&volume, query.today(), |day| volume_view.on(day).href()),
        volume: volume_view.href(),
        tls: tls.href(),
        request: tls.request(),
    });
    let page = OverviewPage {
        frame: Frame::new(query, Part::Overview, "Overview"),
        attention,
        nothing,
        period: period(range),
        accounts: grouped(insight.accounts),
        accounts_label: match insight.accounts {
            1 => "user or service account",
            _ => "users or service accounts",
        },
        senders: wording::senders(insight.senders, insight.more_senders),
        messages: grouped(insight.messages),
        messages_label: if insight.messages == 1 { "message" } else { "messages" },
        change,
        failures: grouped(auth_failures),
        shares: Shares::versions(&shares),
        legacy,
        legacy_href: most_legacy.href(),
        latest: latest.iter().map(|request| report_requests::line(request, query.zone)).collect(),
        next,
        schedules: schedules.len(),
        sources: sources.map(|found| Listed::first(found, SOURCES, query.zone)),
        flyout,
    };
    Ok(html(&page)?)
}

/// The latest requests, and the schedules, for those who may see them.
async fn mails(query: &Query, now: i64) -> Result<(Vec<ReportRequest>, Vec<Schedule>), Problem> {
    if !query.may_manage() {
        return Ok(Default::default());
    }
    let schedules = async { Ok(query.data.schedules(now).await?) };
    let asked = PageParams::default();
    let ((latest, _), schedules) =
        tokio::try_join!(requested::page(query, &asked, LATEST), schedules)?;
    Ok((latest, schedules))
}

fn of_legacy(row: &Row<'_>, shown: &Shown) -> LegacySender {
    LegacySender {
        sender: wording::address(row.name),
        href: shown.with_open(Some(row.name)).href(),
        messages: grouped(row.counts.legacy()),
        percent: wording::percent(legacy::share(&row.counts)),
    }
}
