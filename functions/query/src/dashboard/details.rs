//! The pages of one account and of one client.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use detect::Alert;
use report::{Filter, Group, Note, Range, Subject, View, displayed, period};

use super::about::About;
use super::address::{Shown, usable};
use super::alerts::{self, Line};
use super::filters;
use super::frame::{Choice, Frame, Part, html};
use super::note_shown::{NoteShown, Write};
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::details;
use crate::api::params::{AccountParams, ClientParams, Given};
use crate::service::Query;

#[derive(Template)]
#[template(path = "details.html")]
struct DetailsPage {
    frame: Frame,
    /// What it is, with a capital letter.
    kind: String,
    title: String,
    period: String,
    ranges: Vec<Choice>,
    /// Its senders, as a table.
    table: String,
    about: About,
    /// Alerts about it.
    alerts: Vec<Line>,
    /// What is noted about it.
    noted: Option<NoteShown>,
    /// Where that is edited, for those who may.
    write: Option<Write>,
}

/// Everything about one account.
pub(super) async fn account(query: Query, given: Given) -> Result<Response, Failed> {
    let AccountParams { account, days } = usable(&given, &query)?;
    let noted = query.data.notes().await?;
    let name = &account.account;
    let noted = (noted.account(name), Subject::account(name).ok());
    let alerts = alerts::those(&query, |alert| alert.account == *name).await?;
    page(&query, (Group::Account, name), (account.filter(), days.range()), noted, alerts).await
}

/// Everything about one client, or all of a network.
pub(super) async fn client(query: Query, given: Given) -> Result<Response, Failed> {
    let ClientParams { client, days } = usable(&given, &query)?;
    let noted = query.data.notes().await?;
    let noted = (noted.clients(&client.client), Subject::of(&client.client));
    let name = client.client.to_string();
    // Several accounts may be in the hands of one.
    let is_from = |alert: &Alert| alert.evidence.clients.iter().any(|one| client.client.has(one));
    let alerts = alerts::those(&query, is_from).await?;
    page(&query, (Group::Client, &name), (client.filter(), days.range()), noted, alerts).await
}

async fn page(
    query: &Query,
    (group, name): (Group, &str),
    (filter, range): (Filter, Range),
    (noted, subject): (Option<&Note>, Option<Subject>),
    alerts: Vec<Line>,
) -> Result<Response, Failed> {
    let found = details::of(query, group, name, filter, range).await?;
    let shown = Shown::chart(View::TlsUsage, range).as_table();
    let kind = wording::capital(group.noun());
    let title = displayed(name, 4 * SHOWN);
    let page = DetailsPage {
        frame: Frame::new(query, Part::Views, format!("{kind} {}", displayed(name, SHOWN))),
        kind,
        title,
        period: period(range),
        ranges: filters::quick(range, query.today(), |range| {
            shown.during(range).page_of(group, name)
        }),
        table: shown.table_of(group, name).href(),
        alerts,
        about: About::new(&found, group, &shown, query.today()),
        write: subject
            .as_ref()
            .filter(|_| query.may_manage())
            .map(|subject| Write::new(subject, noted)),
        noted: noted.map(|note| NoteShown::new(note, subject.as_ref())),
    };
    Ok(html(&page)?.into_response())
}
