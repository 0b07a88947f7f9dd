//! The views as charts, and kinds of mechanisms.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{self, MechanismUsage, SendingVolume, TlsUsage, mechanisms};
use report::{Group, Kind, View, grouped};
use store::Rollup;

use super::address::{self, At, Shown};
use super::columns::Chart;
use super::empty::Nothing;
use super::filters::{self, Bar};
use super::frame::{Frame, Part, html};
use super::problem_page::Failed;
use super::shares::Shares;
use super::wording;
use crate::api::charts;
use crate::api::params::Given;
use crate::service::Query;

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

/// A chart whose days have parts.
#[derive(Template)]
#[template(path = "stacked.html")]
struct StackedPage {
    frame: Frame,
    bar: Bar,
    nothing: Option<Nothing>,
    words: &'static Words,
    total: String,
    shares: Shares,
    chart: Chart,
    heads: Vec<&'static str>,
    days: Vec<(String, Vec<String>)>,
    /// What else tells of it.
    links: Vec<(String, &'static str)>,
}

/// What the parts are called.
struct Words {
    one: &'static str,
    head: &'static str,
    /// Those of them that somebody may want to be rid of.
    told: &'static str,
    caption: &'static str,
    chart: &'static str,
}

const VERSIONS: Words = Words {
    one: "version",
    head: "Version",
    told: "Over TLS 1.0, 1.1 or no TLS",
    caption: "TLS versions by share and messages",
    chart: "Messages per day and TLS version: a link for each day leads to its senders",
};

const KINDS: Words = Words {
    one: "kind",
    head: "Kind",
    told: "With the password itself (PLAIN, LOGIN)",
    caption: "Kinds of mechanisms by share and messages",
    chart: "Messages per day and kind of mechanism: a link for each day leads to its table",
};

/// The charts of a view.
pub(super) async fn page(query: Query, At(view): At, given: Given) -> Result<Response, Failed> {
    let view = address::view(&view)?;
    let (shown, problem) = Shown::read(view, false, &given, &query)?;
    if let Some(problem) = problem {
        return filters::wrong(&query, &shown, &given, &problem).await;
    }
    let (filter, range) = (&shown.params.filter, shown.params.days.range());
    let days = charts::days(&query, filter, range);
    let (bar, days) = tokio::try_join!(Bar::new(&query, &shown), days)?;
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

fn volume(
    query: &Query,
    shown: &Shown,
    bar: Bar,
    nothing: Option<Nothing>,
    days: &Rollup,
) -> VolumePage {
    let range = shown.params.days.range();
    let SendingVolume { total, volume, .. } = views::sending_volume(range, None, days);
    let highest = volume.iter().max_by_key(|day| day.messages).filter(|day| day.messages > 0);
    let highest = highest.map(|day| (wording::weekday(day.date), grouped(day.messages)));
    let mean = (total + volume.len() as u64 / 2) / (volume.len() as u64).max(1);
    VolumePage {
        frame: Frame::new(query, Part::Views, View::SendingVolume.title()),
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

fn tls(
    query: &Query,
    shown: &Shown,
    bar: Bar,
    nothing: Option<Nothing>,
    days: &Rollup,
) -> StackedPage {
    let TlsUsage { total, tls, days, .. } = views::tls_usage(shown.params.days.range(), None, days);
    let rows = days.iter().map(|day| {
        let messages = day.tls.iter().map(|share| share.messages);
        (wording::weekday(day.date), cells(messages, day.messages))
    });
    StackedPage {
        frame: Frame::new(query, Part::Views, View::TlsUsage.title()),
        bar,
        nothing,
        words: &VERSIONS,
        total: grouped(total),
        shares: Shares::versions(&tls),
        chart: Chart::tls(&days, query.today(), |day| shown.on(day).href()),
        heads: tls.iter().map(|share| share.version.label()).collect(),
        days: rows.collect(),
        links: Vec::new(),
    }
}

fn cells(parts: impl Iterator<Item = u64>, all: u64) -> Vec<String> {
    parts.chain([all]).map(grouped).collect()
}

/// The chart of kinds of mechanisms.
pub(super) async fn mechanisms(query: Query, given: Given) -> Result<Response, Failed> {
    let (shown, problem) = Shown::read_kinds(&given, &query)?;
    if let Some(problem) = problem {
        return filters::wrong(&query, &shown, &given, &problem).await;
    }
    let (filter, range) = (&shown.params.filter, shown.params.days.range());
    let counts = charts::kinds(&query, filter, range);
    let (bar, counts) = tokio::try_join!(Bar::new(&query, &shown), counts)?;
    let MechanismUsage { total, kinds, days, .. } = views::mechanism_usage(range, None, &counts);
    let nothing = match total == 0 {
        true => Some(Nothing::new(&query, &shown).await?),
        false => None,
    };
    let rows = days.iter().map(|day| {
        let messages = day.kinds.iter().map(|share| share.messages);
        (wording::weekday(day.date), cells(messages, day.messages))
    });
    let (by_kind, shares) = (shown.as_table(), Shares::kinds(&kinds));
    let mut links = vec![
        (by_kind.href(), "A row for each kind"),
        (by_kind.grouped_by(Group::Mechanism).href(), "A row for each mechanism"),
    ];
    if kinds.iter().any(|share| share.kind == Kind::Basic && share.messages > 0) {
        links.push((shown.plan_without(Kind::Basic), "Who would be refused without Basic"));
    }
    let page = StackedPage {
        frame: Frame::new(&query, Part::Views, mechanisms::TITLE),
        bar,
        nothing,
        words: &KINDS,
        total: grouped(total),
        shares,
        chart: Chart::kinds(&days, query.today(), |day| shown.on(day).href()),
        heads: kinds.iter().map(|share| share.kind.label()).collect(),
        days: rows.collect(),
        links,
    };
    Ok(html(&page)?.into_response())
}
