//! How well accounts in strange hands are told from others, over an [`organisation`](crate::organisation)'s days.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use detect::{Alert, Sensitivity, Severity, Watch};

use crate::organisation::{Abuse, History, Style, Theft, history};

/// How long after its last day a theft still explains an alert.
const AFTER: i64 = 7;
/// An account is watched for so long after it was last seen.
const SEEN: usize = 28;
/// Days in which nothing is raised.
const WARM_UP: usize = 14;

/// What came of some histories.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Thefts of each kind, those that were raised within a day, and those that were high.
    pub thefts: BTreeMap<Abuse, [u64; 3]>,
    /// Weeks of an account that was seen in the last four.
    pub account_weeks: f64,
    /// Alerts that nothing explains, and the high ones of them.
    pub false_alarms: [u64; 2],
    /// What watching took.
    pub took: Duration,
}

impl AddAssign for Judged {
    fn add_assign(&mut self, other: Self) {
        for (abuse, counts) in other.thefts {
            let sums = self.thefts.entry(abuse).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.account_weeks += other.account_weeks;
        for (sum, count) in self.false_alarms.iter_mut().zip(other.false_alarms) {
            *sum += count;
        }
        self.took += other.took;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of thefts and alerts")]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / (all as f64).max(1.0)
}

impl Judged {
    fn recall(&self, of: impl Fn(Abuse) -> bool, column: usize) -> f64 {
        let sum = |column: usize| {
            self.thefts
                .iter()
                .filter(|(abuse, _)| of(**abuse))
                .map(|(_, counts)| counts[column])
                .sum()
        };
        share(sum(column), sum(0))
    }

    /// The share of loud thefts that were raised within a day.
    #[must_use]
    pub fn loud(&self) -> f64 {
        self.recall(Abuse::is_loud, 1)
    }

    /// The share of all thefts.
    #[must_use]
    pub fn all(&self) -> f64 {
        self.recall(|_| true, 1)
    }

    /// The share of all thefts that were raised as high.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.recall(|_| true, 2)
    }

    /// False alarms in a thousand account-weeks; of all, and of high ones.
    #[must_use]
    pub fn false_alarms_per_thousand(&self) -> [f64; 2] {
        self.false_alarms.map(|count| 1000.0 * share(count, 1) / self.account_weeks.max(1e-9))
    }
}

/// Whether a theft explains an alert.
#[must_use]
pub fn explains(theft: &Theft, alert: &Alert) -> bool {
    let days = (alert.raised_day - theft.last).num_days();
    theft.account == alert.account && alert.raised_day >= theft.first && days <= AFTER
}

/// Watches one organisation.
#[must_use]
pub fn judge(style: Style, accounts: usize, seed: u64) -> Judged {
    let History { days, thefts } = history(style, accounts, seed);
    let (mut watch, mut judged) = (Watch::new(Sensitivity::Normal), Judged::default());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (number, (day, traffic)) in days.into_iter().enumerate() {
        seen.extend(traffic.names().map(|name| (name.to_owned(), number)));
        if number >= WARM_UP {
            let watched = seen.values().filter(|last| number - **last < SEEN).count();
            judged.account_weeks += share(watched as u64, 1) / 7.0;
        }
        let begun = Instant::now();
        watch.close(day, traffic);
        judged.took += begun.elapsed();
    }
    for theft in &thefts {
        let raised = watch.alerts().iter().find(|alert| {
            explains(theft, alert) && (alert.raised_day - theft.first).num_days() <= 1
        });
        let is_high = raised.is_some_and(|alert| alert.severity == Severity::High);
        let counts = judged.thefts.entry(theft.abuse).or_default();
        for (count, is_so) in counts.iter_mut().zip([true, raised.is_some(), is_high]) {
            *count += u64::from(is_so);
        }
    }
    for alert in watch.alerts() {
        if !thefts.iter().any(|theft| explains(theft, alert)) {
            judged.false_alarms[0] += 1;
            judged.false_alarms[1] += u64::from(alert.severity == Severity::High);
        }
    }
    judged
}
