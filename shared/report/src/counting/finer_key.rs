//! What is counted of an account besides its messages, and by which names.

use std::fmt::Write as _;

/// The most recipients that one message is taken to have: what a log says may be a stranger's text.
pub const MOST_RECIPIENTS: u64 = 100_000;

/// What is counted of an account besides its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Finer {
    /// Messages from 23:00 to 06:00, by the zone's clock.
    Night,
    /// Recipients beyond the first of each message, as far as logs tell them.
    Recipients,
}

impl Finer {
    /// All that is counted so.
    pub const ALL: [Self; 2] = [Self::Night, Self::Recipients];

    /// Its name. A stored name: it stays.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Night => "night",
            Self::Recipients => "recipients",
        }
    }

    /// What has this name; none if nothing has.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Whether an hour of the zone's clock, from 0 to 23, is one of the night.
pub(super) const fn is_night(hour: u8) -> bool {
    hour >= 23 || hour < 6
}

/// How many recipients messages have beyond the first of each, of all that a log tells; 0 if it does not tell.
pub(super) const fn beyond_first(recipients: u64, messages: u64) -> u64 {
    let most = messages.saturating_mul(MOST_RECIPIENTS);
    let recipients = if recipients > most { most } else { recipients };
    recipients.saturating_sub(messages)
}

/// What the finer counters of a day are told apart by.
///
/// There are some only of accounts that the log names. Without an account only the sender would tell them apart, and
/// that is what a client says of itself: whoever wanted to could make as many counters as he sends messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FinerKey<'a> {
    /// The authenticated user; never empty.
    pub account: &'a str,
    /// What is counted.
    pub of: Finer,
}

impl<'a> FinerKey<'a> {
    /// Writes it as a text without control characters but for a tab: a stored name.
    pub fn write(&self, to: &mut String) {
        to.clear();
        // Writing to memory cannot fail.
        let _ = write!(to, "{}\t{}", self.account, self.of.name());
    }

    /// Reads what [`write`](Self::write) wrote; none if it is no such text.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let (account, of) = text.split_once('\t').filter(|(account, _)| !account.is_empty())?;
        Some(Self { account, of: Finer::from_name(of)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip() {
        for (account, of, text) in [
            ("ann", Finer::Night, "ann\tnight"),
            ("a b@x.test", Finer::Recipients, "a b@x.test\trecipients"),
        ] {
            let key = FinerKey { account, of };
            let mut written = "x".to_owned();
            key.write(&mut written);
            assert_eq!((written.as_str(), FinerKey::read(&written)), (text, Some(key)));
        }
        for wrong in ["", "ann", "ann\t", "\tnight", "ann\tday", "ann\tnight\t", "ann\tb\tnight"] {
            assert_eq!(FinerKey::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn recipients_beyond_the_first_are_those_of_each_message() {
        for (recipients, messages, expected) in [
            (0, 1, 0),
            (1, 1, 0),
            (3, 1, 2),
            (3, 2, 1),
            (1, 2, 0),
            (u64::MAX, 1, MOST_RECIPIENTS - 1),
            (u64::MAX, 3, 3 * MOST_RECIPIENTS - 3),
            (u64::MAX, u64::MAX, 0),
        ] {
            assert_eq!(beyond_first(recipients, messages), expected, "{recipients} {messages}");
        }
    }
}
