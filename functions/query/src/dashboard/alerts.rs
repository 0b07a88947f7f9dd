//! An alert: as a line of a list, and its page.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use detect::{Alert, Case, Decision, Resolution, Severity, Status, WARM_UP};
use report::views::ClientPlace;
use report::{Filter, Group, Range, View, date, displayed, grouped, period};
use store::Watched;

use super::about;
use super::address::{At, Shown, address, of_days};
use super::columns::Chart;
use super::form::{Form, choice};
use super::frame::{Choice, Frame, Part, html};
use super::mistake::{Mistake, can_be_mended, fault};
use super::mutes::{self, MuteForm};
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::labels::Labelled;
use crate::api::params::Given;
use crate::api::problem::Problem;
use crate::api::{alerts, details, habit, mutes as muting};
use crate::service::Query;

/// Characters of a sentence: more than it has.
const SENTENCE: usize = 400;
/// Days before an alert that its page shows.
const BEFORE: u64 = 29;
/// Days after it.
const AFTER: u64 = 7;

/// An alert in a list.
pub(super) struct Line {
    pub(super) href: String,
    pub(super) reason: String,
    /// As in `high`.
    pub(super) severity: &'static str,
    pub(super) is_high: bool,
    pub(super) kind: &'static str,
    pub(super) days: String,
    pub(super) status: String,
}

fn days(alert: &Alert) -> String {
    period(Range { start: alert.day, end: alert.last_day })
}

fn status(case: &Case) -> String {
    match (case.status, case.resolution) {
        (Status::Open, _) => "Open".to_owned(),
        (Status::Acknowledged, _) => "Acknowledged".to_owned(),
        (Status::Historic, _) => "Found later".to_owned(),
        (Status::Resolved, None) => "Resolved".to_owned(),
        (Status::Resolved, Some(resolution)) => {
            format!("Resolved: {}", resolution_of(resolution))
        }
    }
}

const fn resolution_of(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::Real => "strange hands",
        Resolution::Expected => "its owner",
        Resolution::Unclear => "unclear",
    }
}

impl Line {
    pub(super) fn new(case: &Case, muted: bool) -> Self {
        let (alert, status) = (&case.alert, status(case));
        Self {
            href: format!("/alerts/{}", alert.id),
            reason: displayed(&alert.reason, SENTENCE),
            severity: alert.severity.name(),
            is_high: alert.severity == Severity::High,
            kind: wording::alert_kind(alert.kind),
            days: days(alert),
            status: if muted { format!("{status}, muted") } else { status },
        }
    }
}

/// Who is watched, and since when.
pub(super) fn watched(who: Watched, query: &Query) -> String {
    let Some(began) = who.began else { return "Nobody has sent yet".to_owned() };
    let warm = began + chrono::TimeDelta::days(i64::from(WARM_UP));
    if query.today() < warm {
        let until = date(warm);
        return format!("Habits are still being learned: nothing is raised before {until}");
    }
    match who.accounts {
        1 => format!("1 account is watched, since {}", date(began)),
        more => format!("{} accounts are watched, since {}", grouped(more), date(began)),
    }
}

/// A name with its page.
struct Named {
    name: String,
    href: Option<String>,
    /// What is known of it, in words.
    known: String,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    frame: Frame,
    id: String,
    line: Line,
    account: String,
    account_href: String,
    failed_href: String,
    /// Every sign, the strongest first.
    signs: Vec<String>,
    usual: Option<String>,
    /// What it did before.
    habit: Option<String>,
    chart: Option<Chart>,
    clients: Vec<Named>,
    senders: Vec<Named>,
    failures: Option<String>,
    at_night: Option<String>,
    recipients: Option<String>,
    raised: String,
    /// Who was told of it, and when.
    told: Vec<String>,
    decided: Option<String>,
    note: String,
    action: String,
    /// Whether it can be acknowledged.
    is_open: bool,
    is_over: bool,
    resolutions: Vec<Choice>,
    wrong: Option<Mistake>,
    typed: String,
    /// By what it is muted.
    mutes: Vec<mutes::Line>,
    mute: MuteForm,
    /// What was just done.
    done: Option<String>,
}

/// What was sent with a mistake in it.
enum Sent<'f> {
    Decision(Mistake, &'f Form),
    Mute(Mistake, &'f Form),
}

impl AlertPage {
    fn fault(&self, field: &str) -> Option<&str> {
        fault(self.wrong.as_ref(), field)
    }
}

/// The page of one alert.
pub(super) async fn one(query: Query, At(id): At, given: Given) -> Result<Html<String>, Failed> {
    Ok(html(&page(&query, &id, given.get("done"), None).await?)?)
}

async fn page(
    query: &Query,
    id: &str,
    done: Option<&str>,
    sent: Option<Sent<'_>>,
) -> Result<AlertPage, Problem> {
    let (known, case) = alerts::find(query, id).await?;
    let (muted, mutes) = {
        let today = query.today();
        (known.is_muted(&case, today), detect::muting(&case, &known.mutes, today))
    };
    let line = Line::new(&case, muted);
    let Case { alert, decision, .. } = &case;
    let kept = query.kept();
    let shown_days = Range {
        start: (alert.day - chrono::Days::new(BEFORE)).max(kept.start),
        end: (alert.last_day + chrono::Days::new(AFTER)).min(kept.end),
    };
    let shown = Shown::chart(View::TlsUsage, shown_days).as_table();
    let account_href = shown.page_of(Group::Account, &alert.account);
    let chart = if shown_days.start <= shown_days.end {
        let filter = Filter { accounts: vec![alert.account.clone()], ..Filter::default() };
        let found = details::of(query, Group::Account, &alert.account, filter, shown_days).await?;
        let days = found.days.iter().map(|day| (day.date, day.messages));
        let own = shown.table_of(Group::Account, &alert.account);
        let is_marked = |day| (alert.day..=alert.last_day).contains(&day);
        Some(Chart::marked(days, is_marked, query.today(), |day| own.on(day).href()))
    } else {
        None
    };
    let evidence = &alert.evidence;
    let some = |number: u64| (number > 0).then(|| grouped(number));
    let failed = [&of_days(shown_days)[..], &[("account", alert.account.clone())]].concat();
    let (wrong, form, mute) = match sent {
        Some(Sent::Decision(wrong, form)) => (Some(wrong), Some(form), None),
        Some(Sent::Mute(wrong, form)) => (None, None, Some((wrong, form))),
        None => (None, None, None),
    };
    let typed = |name: &str| form.map(|form| form.get(name).to_owned()).unwrap_or_default();
    let chosen = typed("resolution");
    Ok(AlertPage {
        frame: Frame::new(
            query,
            Part::Alerts,
            format!("Alert {}", displayed(&alert.account, SHOWN)),
        ),
        done: done.map(|done| self::done(done, muted, &line)),
        line,
        id: alert.id.clone(),
        account: wording::address(&alert.account),
        account_href,
        failed_href: address("/failed-logins", &failed),
        signs: alert
            .signals
            .iter()
            .map(|sign| wording::sentence(&displayed(&sign.text, SENTENCE)))
            .collect(),
        habit: habit::before(query, &alert.account, alert.day).await?.map(|usual| usual.told()),
        usual: (evidence.usual_messages > 0.0).then(|| {
            let usual = evidence.usual_messages;
            format!("{} on its oddest day; {usual} on a usual one", grouped(evidence.messages))
        }),
        chart,
        clients: named(query, Group::Client, &evidence.clients, &shown).await?,
        senders: named(query, Group::Sender, &evidence.senders, &shown).await?,
        failures: some(evidence.failures),
        at_night: some(evidence.night_messages),
        recipients: some(evidence.recipients),
        raised: wording::instant(case.raised_at, query.zone),
        told: case
            .notices
            .iter()
            .map(|(name, notice)| {
                let when = wording::instant(notice.at, query.zone);
                format!("{}, {when}", displayed(name, SHOWN))
            })
            .collect(),
        decided: decision.as_ref().map(|decision| decided(decision, query)),
        note: decision
            .as_ref()
            .map(|decision| displayed(&decision.note, usize::MAX))
            .unwrap_or_default(),
        action: format!("/alerts/{}/status", alert.id),
        is_open: case.status == Status::Open,
        is_over: !case.status.needs_attention(),
        resolutions: Resolution::ALL
            .map(|one| {
                let label = match one {
                    Resolution::Real => "It was in strange hands",
                    Resolution::Expected => "Its owner did it",
                    Resolution::Unclear => "Nobody knows",
                };
                choice(one.name(), label.to_owned(), &chosen)
            })
            .into(),
        wrong,
        typed: typed("note"),
        mutes: mutes.into_iter().map(mutes::Line::new).collect(),
        mute: MuteForm::new(query, &case, mute),
    })
}

/// What was just done, in words.
fn done(what: &str, muted: bool, line: &Line) -> String {
    match what {
        "muted" if !muted => {
            "It is muted. This alert is once all its networks, or all its new senders, are"
                .to_owned()
        }
        "unmuted" if !muted => "It is not muted any more".to_owned(),
        _ => line.status.clone(),
    }
}

/// Names with their pages, and what is known of them.
async fn named(
    query: &Query,
    group: Group,
    names: &[String],
    shown: &Shown,
) -> Result<Vec<Named>, Problem> {
    let labelled = Labelled::of(query, group, names.iter().map(String::as_str)).await?;
    let named = |name: &String| {
        let place = ClientPlace::of(query.known(), name).filter(|_| group == Group::Client);
        Named {
            name: about::named(name),
            href: about::href(group, name, shown),
            known: wording::labels(&labelled.labels(name, place)).join(", "),
        }
    };
    Ok(names.iter().map(named).collect())
}

fn decided(decision: &Decision, query: &Query) -> String {
    let when = wording::instant(decision.at, query.zone);
    match decision.by.as_str() {
        "" => format!("{when}, by itself: nothing more was seen"),
        by => format!("{when}, by {}", displayed(by, SHOWN)),
    }
}

/// Decides about an alert.
pub(super) async fn decide(query: Query, At(id): At, form: Form) -> Result<Response, Failed> {
    let resolution = Some(form.get("resolution")).filter(|text| !text.is_empty());
    let status = form.get("status");
    // Of what does not end, whatever is chosen says nothing.
    let resolution = resolution.filter(|_| status == Status::Resolved.name());
    match alerts::set(&query, &id, (status, resolution), form.get("note")).await {
        Ok(case) => Ok(Redirect::to(&format!("/alerts/{}?done=1", case.alert.id)).into_response()),
        Err(problem) if can_be_mended(&problem) => {
            let sent = Sent::Decision(Mistake::new(&problem), &form);
            let page = page(&query, &id, None, Some(sent)).await?;
            Ok((problem.status(), html(&page)?).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Mutes something about an alert.
pub(super) async fn mute(query: Query, At(id): At, form: Form) -> Result<Response, Failed> {
    let (_, case) = alerts::find(&query, &id).await?;
    match muting::make(&query, &MuteForm::fields(&form, &case)).await {
        Ok(_) => Ok(Redirect::to(&format!("/alerts/{}?done=muted", case.alert.id)).into_response()),
        Err(problem) if can_be_mended(&problem) => {
            let sent = Sent::Mute(Mistake::new(&problem), &form);
            let page = page(&query, &id, None, Some(sent)).await?;
            Ok((problem.status(), html(&page)?).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// The alerts of which this is so, the newest first.
pub(super) async fn those(
    query: &Query,
    is: impl Fn(&Alert) -> bool,
) -> Result<Vec<Line>, Problem> {
    let known = query.data.alerts().await?;
    let mut found: Vec<_> = known.cases.iter().filter(|case| is(&case.alert)).collect();
    found.sort_by_key(|case| std::cmp::Reverse((case.alert.last_day, &case.alert.id)));
    let today = query.today();
    Ok(found.into_iter().map(|case| Line::new(case, known.is_muted(case, today))).collect())
}
