//! What accounts do on the day that is judged, as far as it tells of others.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::failures::Lately;
use crate::finer::{Finer, Since};
use crate::habit::{Habit, strength};
use crate::mark::{Mark, mark};
use crate::network::{Network, Place};
use crate::population::{Habits, Population};
use crate::spans::KNOWN;
use crate::traffic::{AccountDay, ClientDay, DayTraffic};

/// Accounts of a domain that may do the same new thing before it is the domain's.
pub(crate) const MOVERS: u32 = 3;

/// From which [`strength`] on TLS is what everybody may use.
const MODERN: u8 = 3;

/// The day that is judged.
pub(crate) struct Today<'t> {
    pub(crate) number: i32,
    /// How many accounts of a domain use a site.
    movers: HashMap<(Mark, Network), u32, RandomState>,
    /// How many accounts of a domain use weaker TLS than they ever did.
    weaker: HashMap<Mark, u32, RandomState>,
    pub(crate) lately: Lately<'t>,
    pub(crate) finer: Finer,
}

impl<'t> Today<'t> {
    pub(crate) fn of(
        number: i32,
        traffic: &DayTraffic,
        habits: &Habits,
        lately: Lately<'t>,
        since: Since,
    ) -> Self {
        let (mut movers, mut weaker) = (HashMap::default(), HashMap::default());
        // Whoever fails at several accounts and gets in at some has not moved there with them.
        let has_moved = |client: &&ClientDay| !lately.of_client(&client.address).is_at_many();
        let mut sites = Vec::new();
        for (account, day) in traffic.accounts() {
            let domain = day.domain().map_or(0, |domain| domain.mark);
            let clients = day.clients.iter().filter(has_moved);
            sites.clear();
            sites.extend(clients.filter_map(|client| Some(client.place?.site)));
            sites.sort_unstable();
            sites.dedup();
            for site in &sites {
                *movers.entry((domain, *site)).or_default() += 1;
            }
            let is_weak = weakest(day).is_some_and(|weakest| weakest < MODERN);
            let habit = if is_weak { habits.of(mark(account)) } else { None };
            if habit.is_some_and(|habit| weakened(habit, day).is_some()) {
                *weaker.entry(domain).or_default() += 1;
            }
        }
        Self { number, movers, weaker, lately, finer: Finer::of(number, since) }
    }

    /// How many accounts of a domain use weaker TLS than they ever did.
    pub(crate) fn weaker(&self, domain: Mark) -> u32 {
        self.weaker.get(&domain).copied().unwrap_or(0)
    }

    /// How rare a place is for an account: 0 is its own or its domain's; from 1 on it is strange, from 3 on rare, and 4 is
    /// one that nobody else here uses.
    pub(crate) fn level(
        &self,
        people: &Population,
        habit: Option<&Habit>,
        domain: Mark,
        place: Place,
    ) -> u8 {
        let is_own = |habit: &Habit| {
            habit.sites.trusts(place.site, self.number)
                || habit.networks.trusts(place.network, self.number)
        };
        if habit.is_some_and(is_own) {
            return 0;
        }
        let movers =
            self.movers.get(&(domain, place.site)).map_or(0, |movers| movers.saturating_sub(1));
        if movers.max(people.peers(domain, place.site, habit)) >= MOVERS {
            return 0;
        }
        let (others, all) = people.others(place.network, habit);
        match others {
            0 => 4,
            others if others * 400 <= all => 3,
            others if others * 100 <= all => 2,
            _ => 1,
        }
    }
}

fn weakest(day: &AccountDay) -> Option<u8> {
    day.programs().filter_map(|program| strength(program.tls)).min()
}

/// The weakest TLS of a day, if an account that is known never used one as weak, and nobody should.
pub(crate) fn weakened(habit: &Habit, day: &AccountDay) -> Option<u8> {
    let weakest = weakest(day)?;
    let is_weaker = weakest < MODERN && habit.weakest.is_some_and(|usual| weakest < usual);
    (is_weaker && habit.active >= KNOWN).then_some(weakest)
}
