//! Notes about accounts and clients: listed, looked up, written, deleted.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use report::views::cursor;
use report::{NOTES, Note, Notebook, Subject, notes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::Fields;
use super::note_bodies::{NewNote, NoteAnswer};
use super::params::{Format, Given, LIMIT, NotesParams, SubjectParams, Whose};
use super::places;
use super::problem::Problem;
use super::responses::{self, AsksStore, Finds, ReadsBody, ReadsParameters, TellsMuch};
use super::tables::{csv_headers, unwritten};
use crate::service::Query;

/// The fields of a note.
pub(crate) const FIELDS: &[&str] = &["name", "owner", "note"];

/// A page of notes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct NotesPage {
    /// Accounts first, then clients.
    notes: Vec<NoteAnswer>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

/// Notes about accounts and clients: all, those that are searched for, or that of one.
#[utoipa::path(get, path = "/v1/notes", operation_id = "notes", params(NotesParams), responses(
    (status = 200, description = "A page of the notes, or all of them as CSV",
        content((NotesPage = "application/json"), (String = "text/csv"))),
    ReadsParameters, AsksStore, TellsMuch,
))]
pub(crate) async fn list(query: Query, given: Given) -> Result<Response, Problem> {
    let asked: NotesParams = given.read(query.today())?;
    let known = query.data.notes().await?;
    if asked.format.format == Format::Csv {
        let mut text = Vec::new();
        let written = match one(&known, &asked.wanted.whose) {
            None => notes::sheet::write(&mut text, known.with(&asked.wanted.search)),
            Some(found) => notes::sheet::write(&mut text, found),
        };
        written.map_err(unwritten)?;
        return Ok((csv_headers("notes.csv"), text).into_response());
    }
    let (found, next) = page(&known, &asked, LIMIT)?;
    Ok(Json(NotesPage { notes: found.into_iter().map(NoteAnswer::from).collect(), next })
        .into_response())
}

/// The note that is asked for alone; none if all are.
fn one<'n>(known: &'n Notebook, whose: &Whose) -> Option<Option<&'n Note>> {
    match whose {
        Whose::Anybodys => None,
        Whose::Account(name) => Some(known.account(name)),
        Whose::Client(clients) => Some(known.clients(clients)),
    }
}

/// The page that is asked for, with `limit` notes at most if nothing else is asked, and the cursor of the next.
pub(crate) fn page<'n>(
    known: &'n Notebook,
    asked: &'n NotesParams,
    limit: usize,
) -> Result<(Vec<&'n Note>, Option<String>), Problem> {
    let after = asked.page.held(|text| cursor::held(text, subject_at))?;
    if let Some(found) = one(known, &asked.wanted.whose) {
        return Ok((found.into_iter().collect(), None));
    }
    let limit = asked.page.limit.unwrap_or(limit);
    let (found, more) = known.page(&asked.wanted.search, after.as_ref(), limit);
    let next = found.last().filter(|_| more).map(|note| cursor::written(&place_of(&note.subject)));
    Ok((found, next))
}

/// What a cursor holds of the last note that was shown.
fn place_of(subject: &Subject) -> String {
    places::held(&format!("{} {subject}", subject.kind()))
}

fn subject_at(place: &str) -> Option<Subject> {
    let text = places::read(place)?;
    let (kind, name) = text.split_once(' ')?;
    // Nor is a subject written in two ways.
    Subject::read(kind, name).ok().filter(|subject| place_of(subject) == place)
}

/// Writes the note about an account, a client, or all clients of a network, in the place of what was noted before.
#[utoipa::path(put, path = "/v1/notes", operation_id = "write_note", request_body = NewNote,
    params(SubjectParams), responses(
    (status = 200, description = "The note as it is now", body = NoteAnswer),
    ReadsBody, responses::WritesNotes, AsksStore,
))]
pub(crate) async fn replace(
    query: Query,
    given: Given,
    fields: Fields,
) -> Result<Json<NoteAnswer>, Problem> {
    let SubjectParams { subject } = given.read(query.today())?;
    fields.only(FIELDS)?;
    let text = |name| Ok::<_, Problem>(fields.text(name)?.unwrap_or_default());
    let texts = [text("name")?, text("owner")?, text("note")?];
    Ok(Json(NoteAnswer::from(&write(&query, subject, texts).await?)))
}

/// Notes name, owner and note about something.
pub(crate) async fn write(
    query: &Query,
    subject: Subject,
    [name, owner, note]: [&str; 3],
) -> Result<Note, Problem> {
    let note = Note::new(subject, name, owner, note).map_err(|error| {
        let value = match error.field() {
            "owner" => owner,
            "note" => note,
            _ => name,
        };
        Problem::parameter(error.field(), value, error.to_string())
    })?;
    if !query.data.may_note(&note.subject) {
        return Err(Problem::Bound);
    }
    if !query.data.put_note(&note, NOTES).await? {
        return Err(Problem::TooManyNotes { most: NOTES });
    }
    audit(query, "note written", &note.subject);
    Ok(note)
}

/// Logs what was done to the note about something.
pub(super) fn audit(query: &Query, action: &'static str, subject: &Subject) {
    query.audit(action, &format!("{} {subject}", subject.kind()));
}

/// Deletes the note about an account, a client or a network.
#[utoipa::path(delete, path = "/v1/notes", operation_id = "delete_note", params(SubjectParams), responses(
    (status = 204, description = "It is gone"),
    ReadsParameters, Finds, AsksStore,
))]
pub(crate) async fn delete(query: Query, given: Given) -> Result<StatusCode, Problem> {
    let SubjectParams { subject } = given.read(query.today())?;
    remove(&query, &subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the note about something.
pub(crate) async fn remove(query: &Query, subject: &Subject) -> Result<(), Problem> {
    if !query.data.delete_note(subject).await? {
        return Err(no_note(subject));
    }
    audit(query, "note deleted", subject);
    Ok(())
}

/// That nothing is noted about this.
pub(crate) fn no_note(subject: &Subject) -> Problem {
    Problem::not_found("/v1/notes", &format!("{} {subject}", subject.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_what_it_was_made_of_and_nobody_else_makes_one() {
        for (kind, name) in [
            ("account", "o'neil & co"),
            ("account", "b\u{fc}ro@example.test"),
            ("client", "2001:db8::/32"),
        ] {
            let subject = Subject::read(kind, name).expect("a subject");
            assert_eq!(subject_at(&place_of(&subject)), Some(subject));
        }
        let encoded = places::held;
        for wrong in ["", "account", "account ", "account A", "client 192.0.2.1/32", "sender a"] {
            assert_eq!(subject_at(&encoded(wrong)), None, "{wrong}");
        }
        assert_eq!(subject_at("account a"), None);
    }
}
