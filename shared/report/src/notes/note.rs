//! One note, and what it is about.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use thiserror::Error;

use crate::counting::{ACCOUNT_LIMIT, OTHER_CLIENTS, OTHER_NAMES, OTHER_SENDERS, UNKNOWN_SENDER};
use crate::mailing::{RecipientDomains, RecipientError};
use crate::views::filter::Clients;

/// The most notes.
pub const NOTES: usize = 10_000;
/// The longest name, in characters.
pub const NOTE_NAME: usize = 80;
/// The longest text of a note, in characters.
pub const NOTE_TEXT: usize = 500;

/// How what the log does not tell is asked for.
const UNTOLD: &str = "(none)";

/// What a note is about. Accounts come before clients, each in their order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user or service account, in lower case.
    Account(String),
    /// The clients of a network; one alone is a network of its own.
    Client(IpNet),
}

/// Why something cannot be noted, as a sentence about the part at fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// There are notes about accounts and clients only.
    #[error("it must be account or client")]
    Kind,
    /// It is no name of an account.
    #[error("it must be an account of 1 to {ACCOUNT_LIMIT} bytes, without control characters")]
    Account,
    /// It stands for those that are not told apart, or for what the log does not tell.
    #[error(
        "it is no account of its own: it stands for those that have no name, or are not told apart"
    )]
    Nobody,
    /// It is neither an address nor a network.
    #[error("it must be an address, or a network as in 203.0.113.0/24 or 2001:db8::/32")]
    Client,
    /// A text is too long, or has line breaks or other control characters.
    #[error("it must be one line of at most {most} characters, without control characters")]
    Text {
        /// Which part of the note it is.
        field: &'static str,
        /// How long it may be.
        most: usize,
    },
    /// The owner is no mail address.
    #[error(transparent)]
    Owner(#[from] RecipientError),
    /// Everything is empty.
    #[error("one of name, owner and note must say something")]
    Nothing,
}

impl NoteError {
    /// The part at fault, as a column of a sheet is called.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Account | Self::Nobody | Self::Client => "subject",
            Self::Text { field, .. } => field,
            Self::Owner(_) => "owner",
            Self::Nothing => "name",
        }
    }
}

impl Subject {
    /// What is called `text` among accounts or clients, as `kind` says.
    ///
    /// # Errors
    /// There is no such kind, or nothing of this kind can be called so.
    pub fn read(kind: &str, text: &str) -> Result<Self, NoteError> {
        match kind {
            "account" => Self::account(text),
            "client" => Self::client(text),
            _ => Err(NoteError::Kind),
        }
    }

    /// The account of this name. Blanks around it, and capitals, make no other.
    ///
    /// # Errors
    /// It cannot be the name of one.
    pub fn account(name: &str) -> Result<Self, NoteError> {
        let name = name.trim().to_lowercase();
        let fits = (1..=ACCOUNT_LIMIT).contains(&name.len()) && !name.contains(char::is_control);
        if !fits {
            return Err(NoteError::Account);
        }
        let nobody = [UNTOLD, UNKNOWN_SENDER, OTHER_SENDERS, OTHER_NAMES, OTHER_CLIENTS];
        if nobody.contains(&name.as_str()) {
            return Err(NoteError::Nobody);
        }
        Ok(Self::Account(name))
    }

    /// The client with this address, or those of this network.
    ///
    /// # Errors
    /// It is neither.
    pub fn client(text: &str) -> Result<Self, NoteError> {
        let clients = Clients::read(&text.trim().to_lowercase());
        clients.as_ref().and_then(Self::of).ok_or(NoteError::Client)
    }

    /// These clients; none if they have no address.
    #[must_use]
    pub fn of(clients: &Clients) -> Option<Self> {
        match clients {
            Clients::One(address) => {
                address.parse::<IpAddr>().ok().map(|address| Self::Client(address.into()))
            }
            Clients::Network(network) => Some(Self::Client(*network)),
        }
    }

    /// What it is: `account` or `client`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Client(_) => "client",
        }
    }

    /// Whether it is more than one client.
    #[must_use]
    pub fn is_network(&self) -> bool {
        match self {
            Self::Account(_) => false,
            Self::Client(network) => network.prefix_len() < network.max_prefix_len(),
        }
    }
}

impl fmt::Display for Subject {
    /// The account's name, the client's address, or the network.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => f.write_str(name),
            Self::Client(network) if self.is_network() => network.fmt(f),
            Self::Client(network) => network.addr().fmt(f),
        }
    }
}

/// What is noted about an account or some clients. One of its texts is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub subject: Subject,
    /// What it is called.
    pub name: String,
    /// The mail address of whoever it belongs to.
    pub owner: String,
    /// What else is to be known.
    pub note: String,
}

impl Note {
    /// Checks what is to be noted. Blanks around name and note are left out, and the owner's domain becomes lower case.
    ///
    /// # Errors
    /// A text is too long or no line, the owner is no mail address, or nothing is said.
    pub fn new(subject: Subject, name: &str, owner: &str, note: &str) -> Result<Self, NoteError> {
        let name = line("name", name, NOTE_NAME)?;
        let owner = match owner {
            "" => String::new(),
            owner => RecipientDomains::Any.check_one(owner)?,
        };
        let note = line("note", note, NOTE_TEXT)?;
        if [&name, &owner, &note].iter().all(|text| text.is_empty()) {
            return Err(NoteError::Nothing);
        }
        Ok(Self { subject, name, owner, note })
    }

    /// Whether one of its texts has `part`, which is in lower case, in it.
    pub(super) fn says(&self, part: &str) -> bool {
        let Self { subject, name, owner, note } = self;
        let has = |text: &str| text.to_lowercase().contains(part);
        subject.to_string().contains(part) || has(name) || has(owner) || has(note)
    }
}

fn line(field: &'static str, text: &str, most: usize) -> Result<String, NoteError> {
    if text.chars().count() > most || text.contains(char::is_control) {
        return Err(NoteError::Text { field, most });
    }
    Ok(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, text: &str) -> String {
        let subject = Subject::read(kind, text);
        subject.map_or_else(|error| error.to_string(), |subject| subject.to_string())
    }

    #[test]
    fn subjects_are_accounts_addresses_and_networks_in_one_form_each() {
        for (kind, given, written) in [
            ("account", " Printer@Example.Test ", "printer@example.test"),
            ("account", "o'neil & co", "o'neil & co"),
            ("client", "192.0.2.7", "192.0.2.7"),
            ("client", "192.0.2.7/32", "192.0.2.7"),
            ("client", " 2001:DB8:0::1 ", "2001:db8::1"),
            ("client", "203.0.113.9/24", "203.0.113.0/24"),
            ("client", "2001:DB8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(told(kind, given), written);
            let subject = Subject::read(kind, given).expect("a subject");
            assert_eq!(Subject::read(subject.kind(), written), Ok(subject), "{written}");
        }
    }

    #[test]
    fn what_is_nobody_is_refused() {
        let long = "x".repeat(ACCOUNT_LIMIT + 1);
        for (kind, given, error) in [
            ("sender", "a@example.test", NoteError::Kind),
            ("account", " ", NoteError::Account),
            ("account", "a\tb", NoteError::Account),
            ("account", &long, NoteError::Account),
            ("account", "(none)", NoteError::Nobody),
            ("account", "(Other senders)", NoteError::Nobody),
            ("account", "(unknown)", NoteError::Nobody),
            ("client", "", NoteError::Client),
            ("client", "(other clients)", NoteError::Client),
            ("client", "203.0.113.0/33", NoteError::Client),
            ("client", "mx.example.test", NoteError::Client),
        ] {
            assert_eq!(Subject::read(kind, given), Err(error), "{kind} {given}");
        }
        assert!(Subject::account(&"x".repeat(ACCOUNT_LIMIT)).is_ok());
    }

    #[test]
    fn a_note_says_something_in_lines_of_bounded_length() {
        let subject = || Subject::account("scanner").expect("an account");
        let noted = |name: &str, owner: &str, note: &str| Note::new(subject(), name, owner, note);
        let note = noted(" Scanner ", "Ann@EXAMPLE.test", " ask facilities ").expect("a note");
        let Note { name, owner, note, .. } = note;
        assert_eq!((&*name, &*owner, &*note), ("Scanner", "Ann@example.test", "ask facilities"));
        for (name, owner, note, field) in [
            ("", "", " ", "name"),
            ("two\nlines", "", "", "name"),
            ("", "", "bell\u{7}", "note"),
            ("", "", "next\u{85}line", "note"),
            (&"\u{e4}".repeat(NOTE_NAME + 1), "", "", "name"),
            ("", "", &"\u{e4}".repeat(NOTE_TEXT + 1), "note"),
            ("x", "ann", "", "owner"),
            ("x", " ann@example.test", "", "owner"),
            ("x", "ann@example.test\r\nBcc: eve@example.test", "", "owner"),
        ] {
            let error = noted(name, owner, note).expect_err(field);
            assert_eq!(error.field(), field, "{error}");
        }
        assert!(noted(&"\u{e4}".repeat(NOTE_NAME), "", &"\u{e4}".repeat(NOTE_TEXT)).is_ok());
    }
}
