//! What is noted, as pages show it.

use report::{NOTE_NAME, NOTE_TEXT, Note, Subject, displayed};

use super::address::address;

/// A note beside what it is about.
pub(super) struct NoteShown {
    /// The name, or that it is a note.
    pub(super) title: String,
    pub(super) owner: String,
    pub(super) note: String,
    /// The network that it is about, if that is not the very thing that is shown.
    pub(super) network: Option<Network>,
}

/// A network that holds a client.
pub(super) struct Network {
    pub(super) name: String,
    pub(super) href: String,
}

/// The way to a note's form.
pub(super) struct Write {
    pub(super) href: String,
    pub(super) label: &'static str,
}

impl NoteShown {
    /// The note that is found for a subject.
    pub(super) fn new(note: &Note, of: Option<&Subject>) -> Self {
        let name = displayed(&note.name, NOTE_NAME);
        Self {
            title: if name.is_empty() { "Note".to_owned() } else { name },
            owner: displayed(&note.owner, NOTE_TEXT),
            note: displayed(&note.note, NOTE_TEXT),
            network: (Some(&note.subject) != of && note.subject.is_network())
                .then(|| Network::new(&note.subject)),
        }
    }
}

impl Network {
    pub(super) fn new(subject: &Subject) -> Self {
        Self { name: subject.to_string(), href: page_of(subject) }
    }
}

impl Write {
    /// To the note about a subject, for which this one was found.
    pub(super) fn new(subject: &Subject, found: Option<&Note>) -> Self {
        let has_own = found.is_some_and(|note| note.subject == *subject);
        Self {
            href: form_of("/notes/edit", subject),
            label: if has_own { "Edit note" } else { "Write note" },
        }
    }
}

/// The page of an account or a client.
pub(super) fn page_of(subject: &Subject) -> String {
    let path = match subject {
        Subject::Account(_) => "/accounts",
        Subject::Client(_) => "/clients",
    };
    form_of(path, subject)
}

/// A path about a subject.
pub(super) fn form_of(path: &str, subject: &Subject) -> String {
    address(path, &[(subject.kind(), subject.to_string())])
}
