//! All accounts together: what is in how many habits.

use std::collections::{HashMap, HashSet};

use crate::habit::{Change, Habit, Mark, mark};
use crate::network::Network;

/// Everybody's habits, and how many have what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Population {
    habits: HashMap<Box<str>, Habit>,
    networks: HashMap<Network, u32>,
    /// By domain of the account.
    sites: HashMap<(Mark, Network), u32>,
    senders: HashMap<Mark, u32>,
    sender_domains: HashSet<Mark>,
}

impl Population {
    pub(crate) fn len(&self) -> usize {
        self.habits.len()
    }

    pub(crate) fn habit(&self, account: &str) -> Option<&Habit> {
        self.habits.get(account)
    }

    /// How many habits of other accounts have a network, and how many habits there are.
    pub(crate) fn others(&self, network: Network, habit: Option<&Habit>) -> (usize, usize) {
        let own = u32::from(habit.is_some_and(|habit| habit.networks.has(network)));
        let all = self.networks.get(&network).copied().unwrap_or(0);
        (all.saturating_sub(own) as usize, self.habits.len())
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

    /// Changes a habit, which may be a new one.
    pub(crate) fn change(
        &mut self,
        account: &str,
        today: i32,
        change: impl FnOnce(&mut Habit, &mut dyn FnMut(Change, bool)),
    ) {
        if !self.habits.contains_key(account) {
            self.habits.insert(account.into(), Habit::new(today));
        }
        let Some(habit) = self.habits.get_mut(account) else { return };
        let before = habit.domain;
        let Self { networks, sites, senders, .. } = self;
        let mut changes = Vec::new();
        change(habit, &mut |what, is_new| changes.push((what, is_new)));
        let domain = habit.domain;
        if before != domain && before != 0 {
            // What it has is now another domain's.
            for site in habit.sites.all() {
                let was_there = !changes.iter().any(|(what, is_new)| {
                    *is_new && matches!(what, Change::Site(new) if *new == site)
                });
                if was_there {
                    count(sites, (before, site), false);
                    count(sites, (domain, site), true);
                }
            }
        }
        for (what, is_new) in changes {
            match what {
                Change::Network(network) => count(networks, network, is_new),
                Change::Site(site) if is_new => count(sites, (domain, site), true),
                Change::Site(site) => {
                    count(sites, (if before == 0 { domain } else { before }, site), false);
                }
                Change::Sender(sender) => count(senders, sender, is_new),
            }
        }
    }

    /// Takes note that somebody sends for a domain.
    pub(crate) fn add_sender(&mut self, sender: &str) {
        if let Some((_, domain)) = sender.rsplit_once('@') {
            self.sender_domains.insert(mark(domain));
        }
    }
}

fn count<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, u32>, what: K, is_new: bool) {
    let count = counts.entry(what).or_default();
    *count = if is_new { *count + 1 } else { count.saturating_sub(1) };
}
