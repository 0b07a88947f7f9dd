//! What becomes of alerts: each is a case that people work on until it is resolved.

use std::collections::BTreeMap;

use report::Day;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Severity};

/// For how many days after its last sign what an account does belongs to the same alert.
pub(crate) const EPISODE: i32 = 7;
/// Days after its last sign on which a case ends by itself.
pub const QUIET: i64 = 14;

/// How a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has looked at it.
    Open,
    /// Somebody looks into it.
    Acknowledged,
    /// It is known what it was.
    Resolved,
    /// It was over before anybody could have been told: its days were read later.
    Historic,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Acknowledged, Self::Resolved, Self::Historic];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
            Self::Historic => "historic",
        }
    }

    /// Whether somebody has to do something about it.
    #[must_use]
    pub const fn needs_attention(self) -> bool {
        matches!(self, Self::Open | Self::Acknowledged)
    }
}

/// What a case was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The account was in strange hands: nothing is learned of these days.
    Real,
    /// The owner did it: what was odd about these days is the account's own from now on.
    Expected,
    /// Nobody knows.
    Unclear,
}

impl Resolution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Real, Self::Expected, Self::Unclear];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Expected => "expected",
            Self::Unclear => "unclear",
        }
    }
}

/// Who decided what about a case, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// When, in seconds since 1970.
    pub at: i64,
    /// The day on which it was decided.
    pub day: Day,
    /// What whoever it was is called; empty if the case ended by itself.
    pub by: String,
    /// What they noted; may be empty.
    pub note: String,
}

/// That somebody was told of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When, in seconds since 1970.
    pub at: i64,
    /// How sure the case was then.
    pub severity: Severity,
}

/// An alert, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What is odd.
    #[serde(flatten)]
    pub alert: Alert,
    /// How it stands.
    pub status: Status,
    /// What it was, once it is resolved.
    pub resolution: Option<Resolution>,
    /// When it was raised, in seconds since 1970.
    pub raised_at: i64,
    /// When it was raised, became surer or began again, whichever was last, in seconds since 1970.
    #[serde(default)]
    pub news_at: i64,
    /// The last decision about it.
    pub decision: Option<Decision>,
    /// Whether it was muted when accounts were last judged.
    #[serde(default)]
    pub was_muted: bool,
    /// The day on which it was seen that it is muted no longer.
    #[serde(default)]
    pub unmuted_day: Option<Day>,
    /// That somebody was told of it, by the name of the channel.
    #[serde(default)]
    pub notices: BTreeMap<String, Notice>,
}

impl Case {
    /// An alert that was raised at `now`, in seconds since 1970, and that nobody has looked at.
    #[must_use]
    pub fn raised(alert: Alert, now: i64) -> Self {
        Self {
            alert,
            status: Status::Open,
            resolution: None,
            raised_at: now,
            news_at: now,
            decision: None,
            was_muted: false,
            unmuted_day: None,
            notices: BTreeMap::new(),
        }
    }

    pub(crate) fn new(alert: &Alert, today: Day, now: i64) -> Self {
        let new = Self::raised(alert.clone(), now);
        if new.is_quiet(today) { Self { status: Status::Historic, ..new } } else { new }
    }

    /// The case after a decision.
    #[must_use]
    pub fn decided(&self, status: Status, resolution: Option<Resolution>, by: Decision) -> Self {
        Self { status, resolution, decision: Some(by), ..self.clone() }
    }

    /// Whether people should be told of it, who were told of what it was `before`.
    #[must_use]
    pub fn is_news(&self, before: Option<&Self>) -> bool {
        let before = before.map(|before| before.news_at);
        self.waits() && !self.was_muted && before.is_none_or(|before| before < self.news_at)
    }

    /// Whether nobody has looked at what was new about it last.
    pub(crate) fn waits(&self) -> bool {
        let decided = self.decision.as_ref().map(|decision| decision.at);
        match self.status {
            Status::Open => true,
            // Whoever looks into it knows what it was then.
            Status::Acknowledged => decided.is_some_and(|decided| decided < self.news_at),
            Status::Resolved | Status::Historic => false,
        }
    }

    /// Adds what was seen of it now.
    pub(crate) fn see(&mut self, alert: &Alert, now: i64) {
        let own = &mut self.alert;
        let has_more = alert.last_day > own.last_day;
        let covers = alert.day <= own.day && alert.last_day >= own.last_day;
        let (day, raised_day) = (own.day.min(alert.day), own.raised_day.min(alert.raised_day));
        let last_day = own.last_day.max(alert.last_day);
        let severity = own.severity.max(alert.severity);
        // What has left the retention is known here alone.
        let strongest = if covers || alert.score > own.score { alert.clone() } else { own.clone() };
        let id = own.id.clone();
        if severity > own.severity {
            self.news_at = now;
        }
        *own = Alert { id, day, last_day, raised_day, severity, ..strongest };
        if has_more && self.begins_again() {
            (self.status, self.resolution, self.news_at) = (Status::Open, None, now);
            self.notices.clear();
        }
    }

    /// Whether more of the same is news: nobody knew what it was, and it goes on.
    fn begins_again(&self) -> bool {
        let decided = self.decision.as_ref().map(|decision| decision.day);
        self.resolution == Some(Resolution::Unclear)
            && decided.is_none_or(|day| self.alert.last_day > day)
    }

    /// Whether it is known what these days were: others are another case.
    fn is_known(&self) -> bool {
        matches!(self.resolution, Some(Resolution::Real | Resolution::Expected))
    }

    /// Whether nobody has seen or done anything about it for long.
    pub(crate) fn is_quiet(&self, today: Day) -> bool {
        let decided = self.decision.as_ref().map(|decision| decision.day);
        let last = [decided, self.unmuted_day].into_iter().flatten().max();
        let last = last.map_or(self.alert.last_day, |day| day.max(self.alert.last_day));
        (today - last).num_days() > QUIET
    }

    pub(crate) fn is_same_as(&self, alert: &Alert) -> bool {
        let days = |from: Day, to: Day| (from - to).num_days();
        let episode = i64::from(EPISODE);
        self.alert.account == alert.account
            && days(alert.day, self.alert.last_day) <= episode
            && days(self.alert.day, alert.last_day) <= episode
            && (!self.is_known() || alert.day <= self.alert.last_day)
    }
}

/// What people have told of accounts' days: whether what was odd was their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts(BTreeMap<Box<str>, Vec<(Day, Day, bool)>>);

impl Verdicts {
    /// What the cases tell that were resolved.
    #[must_use]
    pub fn of(cases: &[Case]) -> Self {
        let mut verdicts: BTreeMap<Box<str>, Vec<_>> = BTreeMap::new();
        for case in cases {
            let is_own = match case.resolution {
                Some(Resolution::Real) => false,
                Some(Resolution::Expected) => true,
                Some(Resolution::Unclear) | None => continue,
            };
            let Alert { account, day, last_day, .. } = &case.alert;
            let days = verdicts.entry(account.as_str().into()).or_default();
            days.push((*day, *last_day, is_own));
        }
        Self(verdicts)
    }

    /// Whether what an account did on a day was its own; none if nobody has told.
    pub(crate) fn is_own(&self, account: &str, day: Day) -> Option<bool> {
        let days = self.0.get(account)?;
        let told = days.iter().find(|(first, last, _)| (*first..=*last).contains(&day));
        told.map(|(.., is_own)| *is_own)
    }
}
