//! Mutes: the list, the form on an alert's page, and ending them.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use detect::{Case, Mute, Muted};
use report::{Scope, date, displayed};

use super::address::At;
use super::form::{Form, choice};
use super::frame::{Choice, Frame, Part, html};
use super::mistake::{Mistake, fault};
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::body::Fields;
use crate::api::mute_bodies::REASON;
use crate::api::mutes;
use crate::api::params::Given;
use crate::service::Query;

/// A mute, in the list or beside what it silences.
pub(super) struct Line {
    /// As in `Account`.
    what: &'static str,
    pub(super) name: String,
    pub(super) until: String,
    pub(super) by: String,
    pub(super) reason: String,
    /// Where its end is asked for.
    pub(super) end: String,
}

fn what(what: &Muted) -> &'static str {
    match what {
        Muted::Account(_) => "Account",
        Muted::Kind(_) => "Kind",
        Muted::Network(_) => "Network",
        Muted::Sender(_) => "Sender",
    }
}

fn name(what: &Muted) -> String {
    match what {
        Muted::Kind(kind) => wording::alert_kind(*kind).to_owned(),
        other => wording::address(&other.to_string()),
    }
}

impl Line {
    pub(super) fn new(mute: &Mute) -> Self {
        Self {
            what: what(&mute.what),
            name: name(&mute.what),
            until: date(mute.until),
            by: displayed(&mute.by, SHOWN),
            reason: displayed(&mute.reason, REASON),
            end: format!("/mutes/{}/end", mute.id),
        }
    }
}

#[derive(Template)]
#[template(path = "mutes.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    /// Whether nothing is told to whoever looks.
    is_bound: bool,
    /// Whether one was just ended.
    done: bool,
}

/// All mutes that have not ended.
pub(super) async fn list(query: Query, given: Given) -> Result<Html<String>, Failed> {
    Ok(html(&ListPage {
        frame: Frame::new(&query, Part::Alerts, "Mutes"),
        rows: mutes::all(&query).await?.iter().map(Line::new).collect(),
        is_bound: *query.data.scope() != Scope::All,
        done: given.get("done").is_some(),
    })?)
}

/// Ends a mute, and leads back to where that was asked for.
pub(super) async fn end(query: Query, At(id): At, form: Form) -> Result<Response, Failed> {
    mutes::end(&query, &id).await?;
    let known = query.data.alerts().await?;
    let from = known.cases.iter().find(|case| case.alert.id == form.get("alert"));
    let back = from.map(|case| format!("/alerts/{}?done=unmuted", case.alert.id));
    Ok(Redirect::to(back.as_deref().unwrap_or("/mutes?done=ended")).into_response())
}

/// The form that mutes something about an alert.
pub(super) struct MuteForm {
    /// What can be muted.
    pub(super) whats: Vec<Choice>,
    pub(super) until: String,
    /// The first and the last day that it may be.
    pub(super) oldest: String,
    pub(super) newest: String,
    pub(super) reason: String,
    pub(super) wrong: Option<Mistake>,
}

impl MuteForm {
    /// The form for a case, with what was sent and is wrong.
    pub(super) fn new(query: &Query, case: &Case, sent: Option<(Mistake, &Form)>) -> Self {
        let (wrong, form) = sent.map_or((None, None), |(wrong, form)| (Some(wrong), Some(form)));
        let today = query.today();
        let usual = || (today + chrono::Days::new(Mute::USUAL)).to_string();
        let chosen = form.map_or("", |form| form.get("what"));
        let one = |one: &Muted| {
            let label = format!("{}: {}", what(one), name(one));
            // Names are others' text, and ids none.
            choice(&one.id(), label, chosen)
        };
        Self {
            whats: Muted::of(case).iter().map(one).collect(),
            until: form.map_or_else(usual, |form| form.get("until").to_owned()),
            oldest: today.to_string(),
            newest: mutes::last(today).to_string(),
            reason: form.map(|form| form.get("reason").to_owned()).unwrap_or_default(),
            // What is muted is one field here, whatever it is.
            wrong: wrong.map(|wrong| match wrong.field.as_str() {
                field if Muted::FIELDS.contains(&field) => {
                    Mistake { field: "what".to_owned(), ..wrong }
                }
                _ => wrong,
            }),
        }
    }

    /// What was sent about a case, as the interface takes it.
    pub(super) fn fields(form: &Form, case: &Case) -> Fields {
        let what = Muted::of(case).into_iter().find(|one| one.id() == form.get("what"));
        let what = what.map(|one| (one.field(), one.to_string()));
        let text = |name: &str| Some(form.get(name)).filter(|text| !text.is_empty());
        let others = ["until", "reason"].into_iter();
        let others = others.filter_map(|name| Some((name, text(name)?.to_owned())));
        let all = what.into_iter().chain(others);
        Fields::new(all.map(|(name, text)| (name.to_owned(), text.into())).collect())
    }

    /// What is wrong with a field.
    pub(super) fn fault(&self, field: &str) -> Option<&str> {
        fault(self.wrong.as_ref(), field)
    }

    /// What is wrong with no field in particular.
    pub(super) fn general(&self) -> Option<&str> {
        self.fault("")
    }
}
