//! Watching accounts: day after day, each is judged by its habit, and then learned from.

use report::Day;

use crate::alert::{Alert, Sensitivity, Severity};
use crate::case::Verdicts;
use crate::customs::Customs;
use crate::failures::Failures;
use crate::finer::Since;
use crate::lessons::Lessons;
use crate::mark::{mark, number};
use crate::population::{Habits, Population};
use crate::raised::{Raised, alert};
use crate::spans::WARM_UP;
use crate::sum::Judged;
use crate::today::Today;
use crate::traffic::DayTraffic;
use crate::weigh::weigh;

/// From how much above the threshold on an alert is high.
const HIGH: f64 = 1.25;

/// Everybody's habits, what is ordinary here, and the alerts so far.
///
/// Days are given in order: [`judge`](Self::judge) as often as there is more of a day, [`close`](Self::close) once when it is
/// over.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    sensitivity: Sensitivity,
    verdicts: Verdicts,
    habits: Habits,
    people: Population,
    customs: Customs,
    failures: Failures,
    raised: Raised,
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
        &self.raised.alerts
    }

    /// The first day on which anybody sent; none if nobody did.
    #[must_use]
    pub fn began(&self) -> Option<Day> {
        self.began.and_then(Day::from_num_days_from_ce_opt)
    }

    /// How many accounts are known.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.habits.len()
    }

    /// Judges what is there of a day, and raises alerts.
    pub fn judge(&mut self, day: Day, traffic: &DayTraffic) {
        self.go_through(day, traffic, None);
    }

    /// Judges a whole day, and learns of it.
    pub fn close(&mut self, day: Day, traffic: DayTraffic) {
        let mut lessons = Lessons::new(&self.customs);
        self.go_through(day, &traffic, Some(&mut lessons));
        self.customs = lessons.teach(&mut self.people, self.habits.len());
        self.failures.add(number(day), traffic.failures);
    }

    /// Judges accounts, and raises alerts. Whatever is learned of each is learned with it at hand: to come back to everybody's
    /// habit takes longer than to judge by it.
    fn go_through<'t>(
        &mut self,
        day: Day,
        traffic: &'t DayTraffic,
        mut lessons: Option<&mut Lessons<'t>>,
    ) {
        let today = number(day);
        if self.began.is_none() && traffic.names().next().is_some() {
            self.began = Some(today);
        }
        let days = self.began.map_or(0, |began| today - began);
        self.since.note(today, traffic);
        let lately = self.failures.until(today, &traffic.failures);
        let of_today = Today::of(today, traffic, &self.habits, lately, self.since);
        let threshold = self.sensitivity.threshold();
        let mut judged = Judged::default();
        for (account, of_day) in traffic.accounts() {
            let who = mark(account);
            let episode = self.raised.open(who, today, &self.verdicts);
            let (habit, known) = (self.habits.of(who), (&self.people, &self.customs));
            judged = weigh((account, of_day), habit, &of_today, known, episode, judged);
            if days >= WARM_UP && judged.score >= threshold {
                let is_high = judged.score >= threshold + HIGH;
                let severity = if is_high { Severity::High } else { Severity::Medium };
                let new = alert((account, of_day), day, severity, &judged);
                self.raised.add(who, new, episode.is_some());
            }
            let Some(lessons) = &mut lessons else { continue };
            let told = self.verdicts.is_own(account, day);
            if told != Some(false) {
                lessons.learn_ordinary(days, &judged);
            }
            // Nothing is learned of a day in strange hands, unless people know better.
            if told.unwrap_or_else(|| !self.raised.is_high(who, day)) {
                let habit = self.habits.of_mut(who, today);
                lessons.learn(habit, today, of_day, &judged, told.is_some());
            }
        }
    }
}
