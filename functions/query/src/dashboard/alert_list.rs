//! The alerts that are asked for, and where alerts go.

use askama::Template;
use axum::response::Html;
use detect::{Kind, Severity, Status};
use report::{Scope, displayed, period};
use store::ChannelState;

use super::address::{ROWS, address, of_days, usable};
use super::alerts::{Line, watched};
use super::channels;
use super::frame::{Choice, Frame, Part, html};
use super::problem_page::Failed;
use super::wording::SHOWN;
use crate::api::alerts;
use crate::api::params::{AlertFilter, AlertsParams, Given, Standing};
use crate::service::Query;

#[derive(Template)]
#[template(path = "alerts.html")]
struct ListPage {
    frame: Frame,
    period: String,
    standings: Vec<Choice>,
    /// Who is watched; none if nobody was judged yet.
    watched: Option<String>,
    /// Whether nothing is told to whoever looks.
    is_bound: bool,
    rows: Vec<Line>,
    nothing: &'static str,
    /// Where alerts go.
    channels: Vec<channels::Line>,
    /// What came of a test.
    tested: Option<String>,
    first: Option<String>,
    next: Option<String>,
    csv: String,
}

/// The alerts that are asked for.
pub(super) async fn list(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let asked: AlertsParams = usable(&given, &query)?;
    let (known, today) = (query.data.alerts().await?, query.today());
    let limit = asked.page.limit.unwrap_or(ROWS);
    let (found, next) = alerts::page(&known, &asked, limit, today)?;
    let href = |standing: Standing, more: &[(&'static str, String)]| {
        let path =
            if more.iter().any(|(name, _)| *name == "format") { "/v1/alerts" } else { "/alerts" };
        address(path, &[&pairs(&asked.wanted, standing)[..], more].concat())
    };
    let standings = [
        (Standing::Attention, "Needs attention"),
        (Standing::Muted, "Muted"),
        (Standing::One(Status::Resolved), "Resolved"),
        (Standing::One(Status::Historic), "Found later"),
        (Standing::All, "All"),
    ];
    let standing = asked.wanted.standing;
    let standings = standings.map(|(one, label)| Choice {
        label: label.to_owned(),
        value: href(one, &[]),
        chosen: one == standing,
    });
    Ok(html(&ListPage {
        frame: Frame::new(&query, Part::Alerts, "Alerts"),
        period: period(asked.wanted.range),
        standings: standings.into(),
        watched: known.watched.map(|who| watched(who, &query)),
        is_bound: *query.data.scope() != Scope::All,
        rows: found.iter().map(|case| Line::new(case, known.is_muted(case, today))).collect(),
        nothing: match standing {
            Standing::Attention => "Nothing needs attention",
            Standing::Muted => "Nothing is muted in these days",
            _ => "No alerts like these in these days",
        },
        channels: known.channels.iter().map(|one| channels::Line::new(one, &query)).collect(),
        tested: tested(&given, &known.channels),
        first: asked.page.cursor.is_some().then(|| href(standing, &[])),
        next: next.map(|cursor| href(standing, &[("cursor", cursor)])),
        csv: href(standing, &[("format", "csv".to_owned())]),
    })?)
}

/// What came of the test of a channel, if there is one of this name.
fn tested(given: &Given, known: &[ChannelState]) -> Option<String> {
    let outcomes = [("told", "took the test"), ("untold", "did not take the test: see below why")];
    let (name, outcome) =
        outcomes.into_iter().find_map(|(name, outcome)| Some((given.get(name)?, outcome)))?;
    let known = known.iter().find(|state| state.name == name)?;
    Some(format!("{} {outcome}", displayed(&known.name, SHOWN)))
}

fn pairs(wanted: &AlertFilter, standing: Standing) -> Vec<(&'static str, String)> {
    let mut pairs = of_days(wanted.range).to_vec();
    pairs.extend([
        ("status", standing.name().to_owned()),
        ("severity", wanted.severity.map_or("", Severity::name).to_owned()),
        ("kind", wanted.kind.map_or("", Kind::name).to_owned()),
        ("account", wanted.account.clone().unwrap_or_default()),
        ("domain", wanted.domain.clone().unwrap_or_default()),
    ]);
    pairs.retain(|(name, value)| {
        !value.is_empty() && (*name, value.as_str()) != ("status", "attention")
    });
    pairs
}
