//! What is learned of a day.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::customs::Customs;
use crate::habit::{Change, Habit};
use crate::population::Population;
use crate::spans::WARM_UP;
use crate::sum::{Judged, ORDINARY};
use crate::traffic::AccountDay;

/// What everybody learns of a day once all of it is judged: until then, nobody is judged by it.
pub(crate) struct Lessons<'t> {
    customs: Customs,
    changes: Vec<(Change, bool)>,
    /// The domains that somebody sent for.
    domains: HashSet<&'t str, RandomState>,
}

impl<'t> Lessons<'t> {
    pub(crate) fn new(customs: &Customs) -> Self {
        Self { customs: customs.clone(), changes: Vec::new(), domains: HashSet::default() }
    }

    /// Learns what is ordinary, after so many days, if a day is.
    pub(crate) fn learn_ordinary(&mut self, days: i32, judged: &Judged) {
        if judged.score >= ORDINARY {
            return;
        }
        if days >= WARM_UP {
            judged.teach(&mut self.customs);
        } else if days >= WARM_UP / 2 {
            judged.teach_volume(&mut self.customs);
        }
    }

    /// Learns of an account's day, which people may have told to be its own.
    pub(crate) fn learn(
        &mut self,
        habit: &mut Habit,
        today: i32,
        day: &'t AccountDay,
        judged: &Judged,
        is_own: bool,
    ) {
        let is_rare = judged.levels.iter().map(|level| !is_own && *level >= 3);
        let change = |what, is_new| self.changes.push((what, is_new));
        habit.learn(today, day, judged.learned, is_rare, change);
        if is_own {
            habit.own(today);
        }
        if is_own || judged.score < ORDINARY {
            let senders = day.senders.iter();
            let domains = senders.filter_map(|sender| Some(sender.text.rsplit_once('@')?.1));
            self.domains.extend(domains);
        }
    }

    /// Tells others what they have to know; gives what is ordinary from now on.
    pub(crate) fn teach(self, people: &mut Population, accounts: usize) -> Customs {
        people.change(self.changes, accounts);
        self.domains.iter().for_each(|domain| people.add_domain(domain));
        self.customs
    }
}

#[cfg(test)]
mod tests {
    use report::{Day, TlsVersion, UsageKey};

    use crate::alert::Sensitivity;
    use crate::traffic::DayTraffic;
    use crate::watch::Watch;

    #[test]
    fn nobody_is_judged_by_what_is_learned_on_the_same_day() {
        let mut watch = Watch::new(Sensitivity::Normal);
        let days = Day::from_ymd_opt(2026, 9, 28).unwrap_or_default().iter_days();
        let names: Vec<_> = (0..10).map(|person| format!("p{person}@example.test")).collect();
        for (number, day) in days.take(30).enumerate() {
            let mut traffic = DayTraffic::default();
            let mut sent = |name: &str, client, messages| {
                let (domain, mechanism, tls) = ("example.test", "PLAIN", TlsVersion::Tls13);
                let key = UsageKey { domain, sender: name, username: name, mechanism, tls, client };
                traffic.add(&key, messages);
            };
            names.iter().for_each(|name| sent(name, "192.0.2.10", 5));
            if number == 29 {
                // Whoever comes first would make the network one that is known here.
                sent(&names[0], "198.51.100.7", 900);
                sent(&names[9], "198.51.100.7", 900);
            }
            watch.close(day, traffic);
        }
        let scores: Vec<_> = watch.alerts().iter().map(|alert| alert.score.to_bits()).collect();
        assert_eq!(scores.len(), 2);
        assert_eq!(scores[0], scores[1]);
    }
}
