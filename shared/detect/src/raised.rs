//! The alerts so far, and how they are raised.

use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;
use report::Day;

use crate::alert::{Alert, Evidence, Kind, LISTED, Severity, Signal, kind_of};
use crate::case::{EPISODE, Verdicts};
use crate::fact::{Fact, Sign};
use crate::mark::{Mark, mark, number};
use crate::reason::{clause, sentence};
use crate::sum::Judged;
use crate::traffic::AccountDay;

/// Every alert, in the order in which they were raised.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raised {
    pub(crate) alerts: Vec<Alert>,
    /// The last one of each account.
    latest: HashMap<Mark, usize, RandomState>,
}

impl Raised {
    fn latest(&self, account: Mark) -> Option<&Alert> {
        self.latest.get(&account).map(|at| &self.alerts[*at])
    }

    /// The first day of the alert about an account that goes on. What people have decided about does not: what is odd later is
    /// news.
    pub(crate) fn open(&self, account: Mark, today: i32, verdicts: &Verdicts) -> Option<i32> {
        let Alert { account, day, last_day, .. } = self.latest(account)?;
        let last = number(*last_day);
        let is_decided = last < today && verdicts.is_own(account, *last_day).is_some();
        (today - last <= EPISODE && !is_decided).then_some(number(*day))
    }

    /// Whether a day belongs to an alert about an account that is high.
    pub(crate) fn is_high(&self, account: Mark, day: Day) -> bool {
        self.latest(account).is_some_and(|alert| {
            alert.severity == Severity::High && (alert.day..=alert.last_day).contains(&day)
        })
    }

    /// Adds an alert, or to the last one of the account if that `goes_on`.
    pub(crate) fn add(&mut self, account: Mark, new: Alert, goes_on: bool) {
        match self.latest.get(&account).filter(|_| goes_on) {
            Some(at) => merge(&mut self.alerts[*at], new),
            None => {
                self.latest.insert(account, self.alerts.len());
                self.alerts.push(new);
            }
        }
    }
}

pub(crate) fn alert(
    (account, of_day): (&str, &AccountDay),
    day: Day,
    severity: Severity,
    judged: &Judged,
) -> Alert {
    let mut signs: Vec<&Sign> = judged.signs.iter().filter(|sign| sign.weight > 0.0).collect();
    signs.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    let signals = signs.iter().map(|sign| Signal {
        signal: Kind::of(&sign.fact),
        weight: (sign.weight * 100.0).round() / 100.0,
        text: clause(&sign.fact),
    });
    Alert {
        id: format!("{:016x}", mark(&(account, day))),
        kind: kind_of(&judged.signs),
        account: account.to_owned(),
        domain: of_day.domain().map_or_else(String::new, |domain| domain.text.to_string()),
        severity,
        score: (judged.score * 100.0).round() / 100.0,
        day,
        last_day: day,
        raised_day: day,
        reason: sentence(account, &judged.signs),
        signals: signals.collect(),
        evidence: evidence(&judged.signs),
    }
}

fn evidence(signs: &[Sign]) -> Evidence {
    let mut evidence = Evidence::default();
    for sign in signs {
        match &sign.fact {
            Fact::Place { level, messages, clients, others, .. } if *level > 0 => {
                evidence.messages = evidence.messages.max(*messages);
                add(&mut evidence.clients, clients.iter().chain(others));
            }
            Fact::Volume { messages, usual, .. } => {
                evidence.messages = evidence.messages.max(*messages);
                evidence.usual_messages = (usual * 10.0).round() / 10.0;
            }
            Fact::Senders { senders } => add(&mut evidence.senders, senders.iter()),
            Fact::GuessedBy { client, failures, .. } => {
                evidence.failures = *failures;
                add(&mut evidence.clients, [client]);
            }
            Fact::GuessedAt { failures, .. } => evidence.failures = *failures,
            Fact::Night { messages, .. } => evidence.night_messages = *messages,
            Fact::Recipients { recipients, .. } => evidence.recipients = *recipients,
            _ => {}
        }
    }
    evidence
}

/// Adds names that are not listed yet, as long as there is room.
fn add(listed: &mut Vec<String>, names: impl IntoIterator<Item = impl AsRef<str>>) {
    for name in names {
        let name = name.as_ref();
        if listed.len() < LISTED && !listed.iter().any(|one| one == name) {
            listed.push(name.to_owned());
        }
    }
}

/// Adds what was seen later, or is more of the same day.
fn merge(alert: &mut Alert, new: Alert) {
    alert.last_day = alert.last_day.max(new.day);
    alert.severity = alert.severity.max(new.severity);
    if new.score > alert.score {
        // Its oddest day tells most, but whoever sent on another was there, too.
        let before = std::mem::replace(&mut alert.evidence, new.evidence);
        unite(&mut alert.evidence, before);
        (alert.score, alert.kind, alert.reason) = (new.score, new.kind, new.reason);
        alert.signals = new.signals;
    } else {
        unite(&mut alert.evidence, new.evidence);
        let known: BTreeSet<_> = alert.signals.iter().map(|one| one.signal).collect();
        let more = new.signals.into_iter().filter(|one| !known.contains(&one.signal));
        alert.signals.extend(more);
    }
}

/// Adds the names of another day's evidence.
fn unite(evidence: &mut Evidence, other: Evidence) {
    add(&mut evidence.clients, other.clients);
    add(&mut evidence.senders, other.senders);
}
