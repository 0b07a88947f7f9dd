//! Notes as they are sent, and as they are answered.

use report::{Note, Subject};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, AnyOfBuilder, ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::schemas;

/// What there are notes about.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NoteKind {
    /// A user or service account.
    Account,
    /// A client, or all of a network.
    Client,
}

/// What is noted about an account or some clients.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Note)]
pub(crate) struct NoteAnswer {
    kind: NoteKind,
    /// The account, or the client's address, or the network.
    subject: String,
    /// What it is called; may be empty.
    name: String,
    /// The mail address of whoever it belongs to; may be empty.
    owner: String,
    /// What else is to be known; may be empty.
    note: String,
}

impl From<&Note> for NoteAnswer {
    fn from(note: &Note) -> Self {
        let kind = match note.subject {
            Subject::Account(_) => NoteKind::Account,
            Subject::Client(_) => NoteKind::Client,
        };
        let (name, owner) = (note.name.clone(), note.owner.clone());
        Self { kind, subject: note.subject.to_string(), name, owner, note: note.note.clone() }
    }
}

/// A note as it is sent: one of its texts says something.
pub(crate) enum NewNote {}

impl PartialSchema for NewNote {
    fn schema() -> RefOr<Schema> {
        let one = ["name", "owner", "note"].into_iter().fold(AnyOfBuilder::new(), |any, said| {
            let object = ["name", "owner", "note"].into_iter().fold(
                ObjectBuilder::new().title(Some(format!("note with {said}"))),
                |object, field| object.property(field, schemas::noted(field, field == said)),
            );
            let closed = Some(AdditionalProperties::FreeForm(false));
            any.item(object.required(said).additional_properties(closed).build())
        });
        let told =
            "What is to be noted. A text that is not there is empty; one of them says something.";
        Schema::from(one.description(Some(told)).build()).into()
    }
}

impl ToSchema for NewNote {}
