//! What is odd about a day, with the numbers that tell it.

use report::TlsVersion;

/// What is odd about a day of an account.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// Networks that are new for it, and how rare they are here: 4 is used by nobody else.
    /// The clients are those from where it is rarest; the others are strange, too.
    Place {
        level: u8,
        messages: u64,
        clients: Vec<Box<str>>,
        others: Vec<Box<str>>,
        networks: usize,
    },
    /// Several rare networks on one day.
    Spread { clients: usize, networks: usize, most: usize },
    /// A mechanism and TLS version that it never used, from there.
    Program { mechanism: Box<str>, tls: TlsVersion, is_new: bool },
    /// Its usual clients sent too, or did not.
    Desk { is_there: bool },
    /// Far more messages than usual.
    Volume { messages: u64, usual: f64, most: u64, is_strange: bool },
    /// An address had failed to log in before.
    GuessedBy { client: Box<str>, failures: u64, accounts: usize },
    /// Many logins had failed at it.
    GuessedAt { failures: u64, days: u64 },
    /// Senders that it never used.
    Senders { senders: Vec<Box<str>> },
    /// A sender domain that nobody uses here.
    Domain { domain: Box<str> },
    /// A sender that one other account alone uses.
    Anothers { sender: Box<str> },
    /// TLS that is weaker than all that it used.
    Weaker { messages: u64, tls: TlsVersion, days: i32 },
    /// A password, where it only used tokens.
    Password { mechanism: Box<str> },
    /// It had been silent.
    Silent { days: i32 },
    /// Messages at night; of which none is usual, if it never did.
    Night { messages: u64, usual: f64 },
    /// Far more recipients a message than usual.
    Recipients { recipients: u64, messages: u64, usual: f64 },
    /// Its first use.
    First { is_rare: bool, is_guessed: bool },
}

/// A fact, and what it weighs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sign {
    pub(crate) fact: Fact,
    pub(crate) weight: f64,
}
