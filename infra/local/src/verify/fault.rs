//! What is wrong with a store.

use std::collections::BTreeSet;
use std::fmt;

use report::{ALL_DOMAINS, Day, displayed, grouped};

/// Characters of names that are shown.
const SHOWN: usize = 100;

/// What differs, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Usage and the rollup of a domain, or of all ([`ALL_DOMAINS`]), differ on a day.
    Differs {
        /// The day.
        day: Day,
        /// The domain.
        domain: String,
        /// Messages in usage.
        usage: u64,
        /// Messages in the rollup.
        rollup: u64,
    },
    /// A name is in usage and not among those that were seen, or the other way round.
    Name {
        /// The day.
        day: Day,
        /// The name.
        name: String,
        /// Whether it is in usage.
        in_usage: bool,
    },
    /// There is a counter that nobody can have counted into.
    Stray(Day, String),
    /// A day's items are not what its archive has.
    Archive(Day),
    /// A day's usage cannot be read.
    Unreadable(Day, String),
    /// An item is not found under its own key, or has a key that nobody writes.
    Misplaced(String),
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Days that were looked at.
    pub days: u64,
    /// Messages in them.
    pub messages: u64,
    /// Days that are not archived yet, or whose archive is not current: of these, not every damaged client, mechanism and
    /// failed login shows.
    pub unprotected: BTreeSet<Day>,
    /// Days that were counted into meanwhile: nothing can be said of them.
    pub busy: BTreeSet<Day>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs { day, domain, usage, rollup } => {
                let of = match domain.as_str() {
                    ALL_DOMAINS => "all domains".to_owned(),
                    domain => displayed(domain, SHOWN),
                };
                let (usage, rollup) = (grouped(*usage), grouped(*rollup));
                write!(f, "{day}, {of}: {usage} messages in the tables, {rollup} in the charts")
            }
            Self::Name { day, name, in_usage } => {
                let (has, lacks) = match in_usage {
                    true => ("the tables", "the insight"),
                    false => ("the insight", "the tables"),
                };
                write!(f, "{day}, {}: in {has}, and not in {lacks}", displayed(name, SHOWN))
            }
            Self::Stray(day, counter) => {
                write!(f, "{day}, {}: nobody counted this", displayed(counter, 2 * SHOWN))
            }
            Self::Archive(day) => write!(f, "{day}: its items are not what its archive has"),
            Self::Unreadable(day, error) => write!(f, "{day}: {}", displayed(error, 200)),
            Self::Misplaced(key) => {
                write!(f, "an item is not found under its key: {}", displayed(key, SHOWN))
            }
        }
    }
}
