//! Who asks, what they may do, and of what.

use report::Scope;

/// What somebody may do. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look at views.
    Reader,
    /// Ask for reports by mail, see and change schedules, and write notes.
    Manager,
}

impl Role {
    /// As answers name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Manager => "manager",
        }
    }
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// The provider's lasting name for them: the `sub` claim.
    pub subject: String,
    /// What they are called: a mail address, a user name, or a script's client id.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The sender domains that they may know of.
    pub scope: Scope,
}
