//! All accounts together: what is in how many habits.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use foldhash::fast::RandomState;

use crate::habit::{Change, Habit};
use crate::mark::{Mark, mark};
use crate::network::Network;

/// Everybody's habits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Habits {
    /// One after the other, as accounts became known: they are large, and each day goes through most.
    habits: Vec<Habit>,
    /// Where an account's is.
    at: HashMap<Mark, usize, RandomState>,
}

impl Habits {
    pub(crate) fn len(&self) -> usize {
        self.habits.len()
    }

    pub(crate) fn of(&self, account: Mark) -> Option<&Habit> {
        self.at.get(&account).map(|at| &self.habits[*at])
    }

    /// An account's habit, which may be a new one.
    pub(crate) fn of_mut(&mut self, account: Mark, today: i32) -> &mut Habit {
        let at = *self.at.entry(account).or_insert(self.habits.len());
        if at == self.habits.len() {
            self.habits.push(Habit::new(today));
        }
        &mut self.habits[at]
    }
}

/// How many habits have what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Population {
    accounts: usize,
    networks: HashMap<Network, u32, RandomState>,
    /// By domain of the account.
    sites: HashMap<(Mark, Network), u32, RandomState>,
    senders: HashMap<Mark, u32, RandomState>,
    sender_domains: HashSet<Mark, RandomState>,
}

impl Population {
    /// How many habits of other accounts have a network, and how many habits there are.
    pub(crate) fn others(&self, network: Network, habit: Option<&Habit>) -> (usize, usize) {
        let own = u32::from(habit.is_some_and(|habit| habit.networks.has(network)));
        let all = self.networks.get(&network).copied().unwrap_or(0);
        (all.saturating_sub(own) as usize, self.accounts)
    }

    /// How many other accounts of a domain use a site.
    pub(crate) fn peers(&self, domain: Mark, site: Network, habit: Option<&Habit>) -> u32 {
        let is_own = |habit: &Habit| habit.domain == domain && habit.sites.has(site);
        let all = self.sites.get(&(domain, site)).copied().unwrap_or(0);
        all.saturating_sub(u32::from(habit.is_some_and(is_own)))
    }

    /// Whether anybody sends for a domain.
    pub(crate) fn sends_for(&self, domain: &str) -> bool {
        self.sender_domains.contains(&mark(domain))
    }

    /// Whether a sender is one other account's alone.
    pub(crate) fn is_anothers(&self, sender: Mark) -> bool {
        self.senders.get(&sender) == Some(&1)
    }

    /// Takes note of what changed in habits, of which there are so many.
    pub(crate) fn change(&mut self, changes: Vec<(Change, bool)>, accounts: usize) {
        for (what, is_new) in changes {
            match what {
                Change::Network(network) => count(&mut self.networks, network, is_new),
                Change::Site(domain, site) => count(&mut self.sites, (domain, site), is_new),
                Change::Sender(sender) => count(&mut self.senders, sender, is_new),
            }
        }
        self.accounts = accounts;
    }

    /// Takes note that somebody sends for a domain.
    pub(crate) fn add_domain(&mut self, domain: &str) {
        self.sender_domains.insert(mark(domain));
    }
}

fn count<K: Hash + Eq>(counts: &mut HashMap<K, u32, RandomState>, what: K, is_new: bool) {
    let count = counts.entry(what).or_default();
    *count = if is_new { *count + 1 } else { count.saturating_sub(1) };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use report::{TlsVersion, UsageKey};

    use super::*;
    use crate::habit::DayLearned;
    use crate::traffic::DayTraffic;

    #[test]
    fn what_is_counted_is_what_habits_have() {
        let (mut habits, mut people) = (Habits::default(), Population::default());
        for today in 1..60_u32 {
            let mut traffic = DayTraffic::default();
            // Some move from domain to domain, and have more sites than are remembered.
            for (person, moves) in [(0, 90), (1, 7), (2, 3)] {
                let (username, domain) = (format!("p{person}"), format!("d{}", today / moves % 3));
                let sender = format!("s{}@{domain}", today % (40 + person));
                for client in [today % 5, today * (1 + person)] {
                    let client = format!("192.{client}.{}.1", today / 4);
                    let key = UsageKey {
                        domain: &domain,
                        sender: &sender,
                        username: &username,
                        mechanism: "PLAIN",
                        tls: TlsVersion::Tls13,
                        client: &client,
                    };
                    traffic.add(&key, 1);
                }
            }
            let (mut changes, today) = (Vec::new(), today.cast_signed());
            for (account, day) in traffic.accounts() {
                let (rare, learned) = (std::iter::repeat(false), DayLearned::default());
                let change = |what, is_new| changes.push((what, is_new));
                habits.of_mut(mark(account), today).learn(today, day, learned, rare, change);
            }
            people.change(changes, habits.len());
        }
        let (mut networks, mut sites, mut senders) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for habit in &habits.habits {
            habit.networks.all().for_each(|network| *networks.entry(network).or_default() += 1);
            let sites_of = habit.sites.all();
            sites_of.for_each(|site| *sites.entry((habit.domain, site)).or_default() += 1);
            habit.senders.all().for_each(|sender| *senders.entry(sender).or_default() += 1);
        }
        assert!(people.sites.len() > sites.len(), "nothing was forgotten");
        assert_eq!(counted(&people.networks), networks);
        assert_eq!(counted(&people.sites), sites);
        assert_eq!(counted(&people.senders), senders);
    }

    fn counted<K: Copy + Ord>(counts: &HashMap<K, u32, RandomState>) -> BTreeMap<K, u32> {
        counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(what, count)| (*what, *count))
            .collect()
    }
}
