//! What is known of an account or a client beside its counts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known::ClientPlace;
use crate::notes::Note;

/// What is known of an account or a client beside its counts; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Labels {
    /// Where a client is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<ClientPlace>,
    /// What a log called a client last: the host name that the server confirmed, or in parentheses what the client said
    /// of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// What somebody noted about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Noted>,
}

/// What somebody noted about an account or a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Noted {
    /// What it is called.
    pub name: String,
    /// The mail address of whoever it belongs to.
    pub owner: String,
    /// What else is to be known.
    pub note: String,
}

impl From<&Note> for Noted {
    fn from(note: &Note) -> Self {
        let Note { name, owner, note, .. } = note.clone();
        Self { name, owner, note }
    }
}
