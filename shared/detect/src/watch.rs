//! Watching accounts: day after day, each is judged by its habit, and then learned from.

use std::collections::{BTreeSet, HashMap};

use report::Day;

use crate::alert::{Alert, Evidence, Kind, Sensitivity, Severity, Signal, kind_of};
use crate::case::{EPISODE, Verdicts};
use crate::customs::Customs;
use crate::fact::{Fact, Sign};
use crate::failures::Failures;
use crate::finer::Since;
use crate::habit::{mark, number};
use crate::population::Population;
use crate::reason::{clause, sentence};
use crate::spans::WARM_UP;
use crate::sum::{Judged, ORDINARY};
use crate::today::Today;
use crate::traffic::DayTraffic;
use crate::weigh::weigh;

/// From how much above the threshold on an alert is high.
const HIGH: f64 = 1.25;
/// Names listed in evidence.
const LISTED: usize = 20;

/// Everybody's habits, what is ordinary here, and the alerts so far.
///
/// Days are given in order: [`judge`](Self::judge) as often as there is more of a day, [`close`](Self::close) once when it is
/// over.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    sensitivity: Sensitivity,
    verdicts: Verdicts,
    people: Population,
    customs: Customs,
    failures: Failures,
    alerts: Vec<Alert>,
    /// The last alert of each account.
    latest: HashMap<Box<str>, usize>,
    began: Option<i32>,
    /// Since when there are finer counters.
    since: Since,
}

impl Watch {
    /// Nobody is known yet.
    #[must_use]
    pub fn new(sensitivity: Sensitivity) -> Self {
        Self { sensitivity, ..Self::default() }
    }

    /// The same, told what people know of what was raised before: of days that were an account's own everything is learned, of
    /// those that were not nothing.
    #[must_use]
    pub fn told(self, verdicts: Verdicts) -> Self {
        Self { verdicts, ..self }
    }

    /// Every alert, in the order in which they were raised.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The first day on which anybody sent; none if nobody did.
    #[must_use]
    pub fn began(&self) -> Option<Day> {
        self.began.and_then(Day::from_num_days_from_ce_opt)
    }

    /// How many accounts are known.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.people.len()
    }

    /// Judges what is there of a day, and raises alerts.
    pub fn judge(&mut self, day: Day, traffic: &DayTraffic) {
        self.raise(day, traffic);
    }

    /// Judges a whole day, and learns of it.
    pub fn close(&mut self, day: Day, traffic: DayTraffic) {
        let judged = self.raise(day, &traffic);
        let today = number(day);
        if let Some(known) = self.began.map(|began| today - began) {
            for ((account, _), judged) in traffic.accounts().zip(&judged) {
                let is_anothers = self.verdicts.is_own(account, day) == Some(false);
                if judged.score >= ORDINARY || is_anothers {
                    continue;
                }
                if known >= WARM_UP {
                    judged.teach(&mut self.customs);
                } else if known >= WARM_UP / 2 {
                    judged.teach_volume(&mut self.customs);
                }
            }
        }
        for ((account, of_day), judged) in traffic.accounts().zip(&judged) {
            if self.is_in_strange_hands(account, day) {
                continue;
            }
            let is_own = self.verdicts.is_own(account, day) == Some(true);
            let is_rare = judged.levels.iter().map(|level| !is_own && *level >= 3);
            self.people.change(account, today, |habit, tell| {
                habit.learn(today, of_day, judged.learned, is_rare, tell);
                if is_own {
                    habit.own(today);
                }
            });
            if is_own || judged.score < ORDINARY {
                of_day.senders.iter().for_each(|sender| self.people.add_sender(&sender.text));
            }
        }
        self.failures.add(today, traffic.failures);
    }

    fn is_warm(&self, today: i32) -> bool {
        self.began.is_some_and(|began| today - began >= WARM_UP)
    }

    /// Whether a day belongs to an alert that is high, unless people know better: nothing is learned of it.
    fn is_in_strange_hands(&self, account: &str, day: Day) -> bool {
        if let Some(is_own) = self.verdicts.is_own(account, day) {
            return !is_own;
        }
        self.latest.get(account).map(|at| &self.alerts[*at]).is_some_and(|alert| {
            alert.severity == Severity::High && (alert.day..=alert.last_day).contains(&day)
        })
    }

    fn raise(&mut self, day: Day, traffic: &DayTraffic) -> Vec<Judged> {
        let today = number(day);
        if self.began.is_none() && traffic.names().next().is_some() {
            self.began = Some(today);
        }
        self.since.note(today, traffic);
        let lately = self.failures.until(today, &traffic.failures);
        let of_today = Today::of(today, traffic, &self.people, lately, self.since);
        let mut all = Vec::new();
        for (account, of_day) in traffic.accounts() {
            let episode = self.open(account, today).map(|at| number(self.alerts[at].day));
            let judged = weigh((account, of_day), &of_today, &self.people, &self.customs, episode);
            all.push(judged);
        }
        if self.is_warm(today) {
            let threshold = self.sensitivity.threshold();
            for ((account, of_day), judged) in traffic.accounts().zip(&all) {
                if judged.score >= threshold {
                    let domain = of_day.domain().map_or("", |domain| &domain.text);
                    self.add(account, domain, day, judged);
                }
            }
        }
        all
    }

    /// The alert about an account that goes on. What people have decided about does not: what is odd later is news.
    fn open(&self, account: &str, today: i32) -> Option<usize> {
        let at = *self.latest.get(account)?;
        let last = self.alerts[at].last_day;
        let is_decided = number(last) < today && self.verdicts.is_own(account, last).is_some();
        (today - number(last) <= EPISODE && !is_decided).then_some(at)
    }

    fn add(&mut self, account: &str, domain: &str, day: Day, judged: &Judged) {
        let is_high = judged.score >= self.sensitivity.threshold() + HIGH;
        let severity = if is_high { Severity::High } else { Severity::Medium };
        let new = alert(account, domain, day, severity, judged);
        match self.open(account, number(day)) {
            Some(at) => merge(&mut self.alerts[at], new),
            None => {
                self.latest.insert(account.into(), self.alerts.len());
                self.alerts.push(new);
            }
        }
    }
}

fn alert(account: &str, domain: &str, day: Day, severity: Severity, judged: &Judged) -> Alert {
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
        domain: domain.to_owned(),
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
    let listed = |names: &[Box<str>]| -> Vec<String> {
        names.iter().take(LISTED).map(|name| String::from(&**name)).collect()
    };
    for sign in signs {
        match &sign.fact {
            Fact::Place { level, messages, clients, .. } if *level > 0 => {
                evidence.messages = evidence.messages.max(*messages);
                evidence.clients = listed(clients);
            }
            Fact::Volume { messages, usual, .. } => {
                evidence.messages = evidence.messages.max(*messages);
                evidence.usual_messages = (usual * 10.0).round() / 10.0;
            }
            Fact::Senders { senders } => evidence.senders = listed(senders),
            Fact::GuessedBy { failures, .. } | Fact::GuessedAt { failures, .. } => {
                evidence.failures = *failures;
            }
            Fact::Night { messages, .. } => evidence.night_messages = *messages,
            Fact::Recipients { recipients, .. } => evidence.recipients = *recipients,
            _ => {}
        }
    }
    evidence
}

/// Adds what was seen later, or is more of the same day.
fn merge(alert: &mut Alert, new: Alert) {
    alert.last_day = alert.last_day.max(new.day);
    alert.severity = alert.severity.max(new.severity);
    if new.score > alert.score {
        // Its oddest day tells most.
        (alert.score, alert.kind, alert.reason) = (new.score, new.kind, new.reason);
        (alert.signals, alert.evidence) = (new.signals, new.evidence);
    } else {
        let known: BTreeSet<_> = alert.signals.iter().map(|one| one.signal).collect();
        let more = new.signals.into_iter().filter(|one| !known.contains(&one.signal));
        alert.signals.extend(more);
    }
}
