//! Alerts.

use report::Day;
use serde::{Deserialize, Serialize};

use crate::fact::{Fact, Sign};

/// Names listed in evidence, at most.
pub(crate) const LISTED: usize = 20;

/// What an alert is about: the kind of its strongest sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A network that is new for the account, and rare among all.
    NewPlace,
    /// Several rare networks on one day.
    Spread,
    /// Far more messages than on its largest days.
    Volume,
    /// Success from a strange address, after failed logins.
    GuessedPassword,
    /// Senders that it never used.
    Identities,
    /// Weaker TLS than ever, or a password where it only used tokens.
    Downgrade,
    /// Messages at an hour at which it hardly ever sends.
    Night,
    /// Far more recipients a message than usual.
    Recipients,
    /// Its first message for long.
    Dormant,
    /// Its first use.
    NewAccount,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NewPlace,
        Self::Spread,
        Self::Volume,
        Self::GuessedPassword,
        Self::Identities,
        Self::Downgrade,
        Self::Dormant,
        Self::NewAccount,
        Self::Night,
        Self::Recipients,
    ];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewPlace => "new_place",
            Self::Spread => "spread",
            Self::Volume => "volume",
            Self::GuessedPassword => "guessed_password",
            Self::Identities => "identities",
            Self::Downgrade => "downgrade",
            Self::Night => "night",
            Self::Recipients => "recipients",
            Self::Dormant => "dormant",
            Self::NewAccount => "new_account",
        }
    }

    pub(crate) const fn of(fact: &Fact) -> Self {
        match fact {
            Fact::Place { .. } | Fact::Program { .. } | Fact::Desk { .. } => Self::NewPlace,
            Fact::Spread { .. } => Self::Spread,
            Fact::Volume { .. } => Self::Volume,
            Fact::GuessedBy { .. } | Fact::GuessedAt { .. } => Self::GuessedPassword,
            Fact::Senders { .. } | Fact::Domain { .. } | Fact::Anothers { .. } => Self::Identities,
            Fact::Weaker { .. } | Fact::Password { .. } => Self::Downgrade,
            Fact::Night { .. } => Self::Night,
            Fact::Recipients { .. } => Self::Recipients,
            Fact::Silent { .. } => Self::Dormant,
            Fact::First { .. } => Self::NewAccount,
        }
    }
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody should look at it.
    Medium,
    /// Somebody should look at it now.
    High,
}

impl Severity {
    /// Both, the milder one first.
    pub const ALL: [Self; 2] = [Self::Medium, Self::High];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// How much is raised: each step changes false alarms about twofold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sensitivity {
    /// Less.
    Low,
    /// As is usual.
    #[default]
    Normal,
    /// More.
    High,
}

impl Sensitivity {
    /// The step of this name; none if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Low),
            "normal" => Some(Self::Normal),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    /// The score from which on a day is raised.
    #[must_use]
    pub const fn threshold(self) -> f64 {
        match self {
            Self::Low => -1.25,
            Self::Normal => -1.5,
            Self::High => -1.75,
        }
    }
}

/// A sign of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// What it is about.
    pub signal: Kind,
    /// What it weighs, in decimal logarithms of odds.
    pub weight: f64,
    /// The same in words.
    pub text: String,
}

/// What an alert rests on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
// What later versions add is not there in what earlier ones wrote.
#[serde(default)]
pub struct Evidence {
    /// Messages of its oddest day.
    pub messages: u64,
    /// Messages on a usual day of the account's.
    pub usual_messages: f64,
    /// Strange client addresses of all its days, those of the oddest first; at most 20.
    pub clients: Vec<String>,
    /// Senders that it had not used before, of all its days; at most 20.
    pub senders: Vec<String>,
    /// Failed logins before.
    pub failures: u64,
    /// Messages between 23:00 and 06:00, if they are odd.
    pub night_messages: u64,
    /// Recipients of its messages, if they are odd.
    pub recipients: u64,
}

/// Something odd about an account, from its first day on: what follows within a week is the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Tells it from all others: made of the account and the first day.
    pub id: String,
    /// The kind of its strongest sign.
    pub kind: Kind,
    /// Whose.
    pub account: String,
    /// The sender domain that most of its messages belong to.
    pub domain: String,
    /// How sure it is.
    pub severity: Severity,
    /// The highest score of its days.
    pub score: f64,
    /// The first odd day.
    pub day: Day,
    /// The last odd day.
    pub last_day: Day,
    /// The day whose counts sufficed.
    pub raised_day: Day,
    /// Why, in one sentence.
    pub reason: String,
    /// Every sign, the strongest first.
    pub signals: Vec<Signal>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// The strongest sign that tells of a kind by itself.
pub(crate) fn kind_of(signs: &[Sign]) -> Kind {
    let strongest = signs.iter().max_by(|one, other| one.weight.total_cmp(&other.weight));
    strongest.map_or(Kind::NewPlace, |sign| Kind::of(&sign.fact))
}
