//! Who is meant by an account.

use std::fmt;

use super::field::Field;

/// The user or service account that a submission is counted for: the authenticated user, or the sender where
/// the log names none.
///
/// Everything that counts, lists, searches or shows accounts means this. What the log itself names is
/// [`Submission::account`](crate::Submission::account), stored as
/// [`UsageKey::username`](crate::UsageKey::username).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Account<'a>(&'a str);

impl<'a> Account<'a> {
    /// What has to be known of usage to tell its account.
    pub const FIELDS: &'static [Field] = &[Field::Username, Field::Sender];

    /// The account of what `username` (empty if unknown) submitted as `sender`.
    #[must_use]
    pub const fn of(username: &'a str, sender: &'a str) -> Self {
        Self(if username.is_empty() { sender } else { username })
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'a str {
        self.0
    }
}

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
