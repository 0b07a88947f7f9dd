//! Notes about accounts and clients: the list, the form, and deleting.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use report::{Note, Subject, displayed, grouped};

use super::address::{ROWS, address, usable};
use super::form::Form;
use super::frame::{Frame, Part, html};
use super::mistake::{Mistake, can_be_mended, fault};
use super::note_shown::{Network, form_of, page_of};
use super::problem_page::Failed;
use super::wording::{self, SHOWN};
use crate::api::notes;
use crate::api::params::{Given, NotesParams, SubjectParams, Whose};
use crate::api::problem::Problem;
use crate::service::Query;

/// A note in the list.
struct Line {
    kind: &'static str,
    subject: String,
    /// The page of what it is about.
    href: String,
    name: String,
    owner: String,
    note: String,
    /// Where it is edited.
    edit: String,
}

fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Account(_) => "Account",
        Subject::Client(_) if subject.is_network() => "Network",
        Subject::Client(_) => "Client",
    }
}

fn line(note: &Note) -> Line {
    let Note { subject, name, owner, note } = note;
    Line {
        kind: kind(subject),
        subject: wording::address(&subject.to_string()),
        href: page_of(subject),
        name: displayed(name, usize::MAX),
        owner: wording::address(owner),
        note: displayed(note, usize::MAX),
        edit: form_of("/notes/edit", subject),
    }
}

#[derive(Template)]
#[template(path = "notes.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Line>,
    /// Whether nothing was ever noted, whatever is searched for.
    nothing: bool,
    /// How many notes there are.
    told: String,
    search: String,
    first: Option<String>,
    next: Option<String>,
    csv: String,
    /// What was just done.
    done: Option<&'static str>,
}

/// All notes, or those that are searched for.
pub(super) async fn list(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let done = match given.get("done") {
        Some("saved") => Some("The note was saved."),
        Some("deleted") => Some("The note was deleted."),
        _ => None,
    };
    let mut asked: NotesParams = usable(&given, &query)?;
    asked.wanted.whose = Whose::Anybodys;
    let known = query.data.notes().await?;
    let (found, next) = notes::page(&known, &asked, ROWS)?;
    let search = asked.wanted.search.clone();
    let place = |cursor: Option<String>, limit: Option<usize>| {
        let search = Some(search.clone()).filter(|part| !part.is_empty()).map(|p| ("search", p));
        let limit = limit.map(|limit| ("limit", limit.to_string()));
        let cursor = cursor.map(|cursor| ("cursor", cursor));
        search.into_iter().chain(limit).chain(cursor).collect::<Vec<_>>()
    };
    let csv = [place(None, None), vec![("format", "csv".to_owned())]].concat();
    let limit = asked.page.limit;
    Ok(html(&ListPage {
        frame: frame(&query, "Notes"),
        rows: found.into_iter().map(line).collect(),
        nothing: known.is_empty(),
        told: format!("{} in all; accounts first, then clients", grouped(known.len() as u64)),
        first: asked.page.cursor.is_some().then(|| address("/notes", &place(None, limit))),
        next: next.map(|cursor| address("/notes", &place(Some(cursor), limit))),
        csv: address("/v1/notes", &csv),
        search,
        done,
    })?)
}

pub(super) fn frame(query: &Query, title: impl Into<String>) -> Frame {
    Frame::new(query, Part::Notes, title)
}

fn done(what: &str) -> Response {
    Redirect::to(&format!("/notes?done={what}")).into_response()
}

/// The fields of a note's form.
struct Fields {
    name: String,
    owner: String,
    note: String,
    wrong: Option<Mistake>,
}

impl Fields {
    /// What is wrong with a field.
    fn fault(&self, field: &str) -> Option<&str> {
        fault(self.wrong.as_ref(), field)
    }

    /// What is wrong with no field in particular.
    fn general(&self) -> Option<&str> {
        self.fault("")
    }

    fn texts(&self) -> [&str; 3] {
        [&self.name, &self.owner, &self.note]
    }
}

#[derive(Template)]
#[template(path = "note_form.html")]
struct FormPage {
    frame: Frame,
    kind: &'static str,
    subject: String,
    /// Where the form is sent.
    action: String,
    /// The way to delete the note, if there is one.
    delete: Option<String>,
    /// The page of what it is about.
    back: String,
    /// The network whose note is shown as long as there is no other.
    network: Option<Network>,
    fields: Fields,
}

impl FormPage {
    async fn new(
        query: &Query,
        subject: &Subject,
        fields: Option<Fields>,
    ) -> Result<Self, Problem> {
        let known = query.data.notes().await?;
        let own = known.about(subject);
        let network = known.client(&subject.to_string()).map(|note| &note.subject);
        let text = |text: fn(&Note) -> &String| own.map(text).cloned().unwrap_or_default();
        let own_fields = || Fields {
            name: text(|note| &note.name),
            owner: text(|note| &note.owner),
            note: text(|note| &note.note),
            wrong: None,
        };
        let title = if own.is_some() { "Edit note" } else { "Write note" };
        Ok(Self {
            frame: frame(query, title),
            kind: kind(subject),
            subject: displayed(&subject.to_string(), 4 * SHOWN),
            action: form_of("/notes/edit", subject),
            delete: own.map(|_| form_of("/notes/delete", subject)),
            back: page_of(subject),
            network: network.filter(|_| own.is_none()).map(Network::new),
            fields: fields.unwrap_or_else(own_fields),
        })
    }
}

fn subject(given: &Given, query: &Query) -> Result<Subject, Problem> {
    let given = given.clone().of_page::<SubjectParams>();
    given.read::<SubjectParams>(query.today()).map(|params| params.subject)
}

/// The form with the note about something in it.
pub(super) async fn one(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let subject = subject(&given, &query)?;
    Ok(html(&FormPage::new(&query, &subject, None).await?)?)
}

/// Writes a note.
pub(super) async fn save(query: Query, given: Given, form: Form) -> Result<Response, Failed> {
    let subject = subject(&given, &query)?;
    // A box of several lines breaks them where people like; a note is one.
    let note = form.get("note").lines().map(str::trim).filter(|line| !line.is_empty());
    let note = note.collect::<Vec<_>>().join(" ");
    let (name, owner) = (form.get("name").to_owned(), form.get("owner").to_owned());
    let mut fields = Fields { name, owner, note, wrong: None };
    match notes::write(&query, subject.clone(), fields.texts()).await {
        Ok(_) => Ok(done("saved")),
        Err(problem) if can_be_mended(&problem) => {
            fields.wrong = Some(Mistake::new(&problem));
            let page = FormPage::new(&query, &subject, Some(fields)).await?;
            Ok((problem.status(), html(&page)?).into_response())
        }
        Err(problem) => Err(problem.into()),
    }
}

#[derive(Template)]
#[template(path = "note_delete.html")]
struct DeletePage {
    frame: Frame,
    action: String,
    line: Line,
}

/// Asks whether a note is really to be deleted.
pub(super) async fn confirm(query: Query, given: Given) -> Result<Html<String>, Failed> {
    let subject = subject(&given, &query)?;
    let known = query.data.notes().await?;
    let note = known.about(&subject).ok_or_else(|| notes::no_note(&subject))?;
    let action = form_of("/notes/delete", &subject);
    Ok(html(&DeletePage { frame: frame(&query, "Delete note"), action, line: line(note) })?)
}

/// Deletes a note.
pub(super) async fn delete(query: Query, given: Given, _: Form) -> Result<Response, Failed> {
    notes::remove(&query, &subject(&given, &query)?).await?;
    Ok(done("deleted"))
}
