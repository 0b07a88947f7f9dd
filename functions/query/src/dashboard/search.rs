//! The page of a search.

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use report::views::{Found, FoundName, FoundNames, FoundNote};
use report::{Group, View, date, displayed, grouped};

use super::about;
use super::address::Shown;
use super::frame::{Frame, Part, html};
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::params::Given;
use crate::api::search::{self, LIMIT};
use crate::service::Query;

/// Those of one group that were found.
struct Section {
    title: String,
    rows: Vec<Row>,
    /// How many there are, and where all of them are; none if these are all.
    more: Option<(String, String)>,
}

struct Row {
    name: String,
    remark: Option<&'static str>,
    href: Option<String>,
    messages: String,
    first: String,
    last: String,
}

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    search: String,
    /// What was found, as in `2 accounts and 1 client address`; none if nothing was searched for.
    told: Option<String>,
    sections: Vec<Section>,
    noted: Vec<Note>,
}

/// A note that was found.
struct Note {
    subject: String,
    href: String,
    name: String,
    note: String,
    owner: String,
}

/// Searches, or says what can be searched for.
pub(super) async fn page(query: Query, given: Given) -> Result<Response, Failed> {
    let search = given.get("search").unwrap_or_default().trim().to_lowercase();
    let found = match search.is_empty() {
        true => None,
        false => Some(search::of(&query, &search, LIMIT).await?),
    };
    let shown = Shown::chart(View::SendingVolume, query.kept()).as_table();
    let groups = |found: &Found| {
        let Found { senders, accounts, clients, .. } = found;
        let all = [
            (Group::Account, accounts.clone()),
            (Group::Client, clients.clone()),
            (Group::Sender, senders.clone()),
        ];
        all.into_iter().filter(|(_, names)| !names.rows.is_empty()).collect::<Vec<_>>()
    };
    let groups = found.as_ref().map(groups);
    let told = groups.as_ref().map(|groups| {
        let counts: Vec<_> = groups
            .iter()
            .map(|(group, names)| wording::counted(names.all(), group.noun(), group.nouns()))
            .collect();
        if counts.is_empty() { "No name".to_owned() } else { wording::listed(&counts) }
    });
    let noted: Vec<_> =
        found.iter().flat_map(|found| &found.noted).map(|one| note(one, &shown)).collect();
    let section = |(group, names): (Group, FoundNames)| {
        let mut all = shown.grouped_by(group);
        all.params.table.search.clone_from(&search);
        Section {
            title: wording::capital(group.nouns()),
            more: (names.more > 0).then(|| (grouped(names.all()), all.href())),
            rows: names.rows.iter().map(|one| row(one, group, &shown)).collect(),
        }
    };
    let page = SearchPage {
        frame: Frame::new(&query, Part::Elsewhere, "Search"),
        search: displayed(&search, 4 * SHOWN),
        told,
        sections: groups.unwrap_or_default().into_iter().map(section).collect(),
        noted,
    };
    Ok(html(&page)?.into_response())
}

fn note(one: &FoundNote, shown: &Shown) -> Note {
    let group = if one.kind == "client" { Group::Client } else { Group::Account };
    Note {
        subject: wording::address(&one.subject),
        href: shown.page_of(group, &one.subject),
        name: one.noted.name.clone(),
        note: one.noted.note.clone(),
        owner: one.noted.owner.clone(),
    }
}

fn row(one: &FoundName, group: Group, shown: &Shown) -> Row {
    let name = one.name.text();
    Row {
        name: about::named(name),
        remark: one.origin.map(about::remark),
        href: about::href(group, name, shown),
        messages: grouped(one.messages),
        first: date(one.first),
        last: date(one.last),
    }
}
