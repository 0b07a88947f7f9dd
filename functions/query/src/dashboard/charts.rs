//! The views as charts.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{self, SendingVolume, TlsUsage};
use report::{View, grouped};
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

fn tls(query: &Query, shown: &Shown, bar: Bar, nothing: Option<Nothing>, days: &Rollup) -> TlsPage {
    let TlsUsage { total, tls, days, .. } = views::tls_usage(shown.params.days.range(), None, days);
    let cells = |day: &views::DayTls| {
        let messages = day.tls.iter().map(|share| share.messages).chain([day.messages]);
        messages.map(grouped).collect()
    };
    TlsPage {
        frame: Frame::new(query, Part::Views, View::TlsUsage.title()),
        bar,
        nothing,
        total: grouped(total),
        shares: Shares::new(&tls),
        chart: Chart::tls(&days, query.today(), |day| shown.on(day).href()),
        heads: tls.iter().map(|share| share.version.label()).collect(),
        days: days.iter().map(|day| (wording::weekday(day.date), cells(day))).collect(),
    }
}
