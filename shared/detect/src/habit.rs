//! The habit of an account: a fold over its days, in some hundred bytes.

use report::TlsVersion;

use crate::finer::{FinerDay, FinerHabit};
use crate::mark::Mark;
use crate::network::Network;
use crate::remembered::Remembered;
use crate::traffic::{AccountDay, Program};

/// The most sites, networks and senders that are remembered of an account.
const NAMES: usize = 32;
/// The most programs.
const PROGRAMS: usize = 16;
/// The largest days that are remembered.
const LARGEST: usize = 6;
/// For how many days these count.
const QUARTER: i32 = 90;
/// What a day's volume is worth after another one.
const FADES: f64 = 0.97;
/// What a day in a rare network is worth a day later.
const RARE_FADES: f64 = 0.985;
/// For how long days in rare networks wait before they count: a running episode must not excuse itself.
const WAITS: i32 = 7;

/// How often something was so, of how many days.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    days: f64,
    so: f64,
}

impl Share {
    fn add(&mut self, is_so: bool, fades: f64) {
        self.days = self.days * fades + 1.0;
        self.so = self.so * fades + if is_so { 1.0 } else { 0.0 };
    }

    /// The share, as if it had been seen for some days more at a usual one.
    pub(crate) fn shrunk(&self, usual: f64, days: f64) -> f64 {
        (self.so + usual * days) / (self.days + days)
    }
}

/// What is usual for an account.
#[derive(Clone, Debug)]
pub(crate) struct Habit {
    pub(crate) first: i32,
    pub(crate) last: i32,
    pub(crate) active: u32,
    pub(crate) domain: Mark,
    volume: (f64, f64),
    largest: Vec<(i32, u64)>,
    pub(crate) sites: Remembered<Network, NAMES>,
    pub(crate) networks: Remembered<Network, NAMES>,
    pub(crate) programs: Remembered<Mark, PROGRAMS>,
    pub(crate) senders: Remembered<Mark, NAMES>,
    /// The weakest TLS that it used, as [`strength`] has it; none if none is known.
    pub(crate) weakest: Option<u8>,
    /// Whether it used tokens, and whether passwords.
    tokens: bool,
    passwords: bool,
    /// Of workdays, and of days off: whether it sent, and whether its fixed clients did.
    activity: [Share; 2],
    desk: [Share; 2],
    /// Of strange days: the same.
    pub(crate) both: Share,
    rare: f64,
    rare_at: i32,
    waiting: Vec<i32>,
    /// The most rare networks of a day.
    pub(crate) most_rare: usize,
    /// The most senders of a day that it had not used before; fades.
    pub(crate) most_new: f64,
    failures: Share,
    pub(crate) finer: FinerHabit,
}

/// What was found out about a day, as far as habits learn of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DayLearned {
    pub(crate) is_strange: bool,
    pub(crate) rare_networks: usize,
    /// Whether its fixed clients were there too.
    pub(crate) has_desk: bool,
    pub(crate) strange_failures: u64,
    pub(crate) new_senders: usize,
    pub(crate) finer: FinerDay,
}

/// How strong TLS is; none if that is not known.
pub(crate) const fn strength(tls: TlsVersion) -> Option<u8> {
    match tls {
        TlsVersion::None => Some(0),
        TlsVersion::Tls10 => Some(1),
        TlsVersion::Tls11 => Some(2),
        TlsVersion::Tls12 => Some(3),
        TlsVersion::Tls13 => Some(4),
        TlsVersion::Unknown => None,
    }
}

/// 1 on a Saturday or a Sunday: day 1 is a Monday.
const fn is_day_off(day: i32) -> usize {
    ((day - 1).rem_euclid(7) >= 5) as usize
}

/// What is in more habits now, or in fewer: a network, a site of a domain, or a sender.
pub(crate) enum Change {
    Network(Network),
    Site(Mark, Network),
    Sender(Mark),
}

impl Habit {
    pub(crate) fn new(today: i32) -> Self {
        Self {
            first: today,
            last: today,
            active: 0,
            domain: 0,
            volume: (0.0, 0.0),
            largest: Vec::new(),
            sites: Remembered::default(),
            networks: Remembered::default(),
            programs: Remembered::default(),
            senders: Remembered::default(),
            weakest: None,
            tokens: false,
            passwords: false,
            activity: [Share::default(); 2],
            desk: [Share::default(); 2],
            both: Share::default(),
            rare: 0.0,
            rare_at: today,
            waiting: Vec::new(),
            most_rare: 0,
            most_new: 0.0,
            failures: Share::default(),
            finer: FinerHabit::default(),
        }
    }

    /// Messages on a usual day.
    pub(crate) fn mean(&self) -> f64 {
        let (days, messages) = self.volume;
        if days > 0.0 { messages / days } else { 0.0 }
    }

    /// Messages on the largest day of the last 90.
    pub(crate) fn most(&self, today: i32) -> u64 {
        let days = self.largest.iter().filter(|(day, _)| today - day <= QUARTER);
        days.map(|(_, messages)| *messages).max().unwrap_or(0)
    }

    /// Whether it only ever used tokens.
    pub(crate) const fn only_uses_tokens(&self) -> bool {
        self.tokens && !self.passwords
    }

    /// How often it was in rare networks, of late: but for the last week.
    pub(crate) fn rare_days(&self, today: i32) -> f64 {
        // Most never are.
        let fades = if self.rare > 0.0 { RARE_FADES.powi(today - self.rare_at) } else { 1.0 };
        let mut rare = self.rare * fades;
        for day in self.waiting.iter().filter(|day| today - **day > WAITS) {
            rare += RARE_FADES.powi(today - day - WAITS);
        }
        rare
    }

    /// Whether a site is one of its desks.
    pub(crate) fn is_fixed(&self, site: Network) -> bool {
        self.sites.is_fixed(site)
    }

    /// How often its desks are there on such a day; none if it has none.
    pub(crate) fn desk_share(&self, today: i32) -> Option<f64> {
        let share = &self.desk[is_day_off(today)];
        (self.sites.has_fixed() && share.days >= 3.0).then(|| share.shrunk(0.5, 2.0))
    }

    /// On how many of the days since it last sent it would have sent, as it used to.
    pub(crate) fn missed(&self, today: i32) -> f64 {
        let shares = self.activity.map(|share| share.shrunk(0.0, 1.0));
        let share = |day| shares[is_day_off(day)];
        (self.last + 1..today).take(usize::try_from(QUARTER).unwrap_or(0)).map(share).sum()
    }

    /// Failed logins from strange places on a usual day.
    pub(crate) fn usual_failures(&self) -> f64 {
        if self.failures.days > 0.0 { self.failures.so / self.failures.days } else { 0.0 }
    }

    /// Trusts at once what was learned today: somebody knows that it is the account's own.
    pub(crate) fn own(&mut self, today: i32) {
        self.sites.own(today);
        self.networks.own(today);
        self.programs.own(today);
        self.senders.own(today);
    }

    /// Learns of a day. `is_rare` tells which clients' networks are rare; `change` is told what other habits may want to know.
    pub(crate) fn learn(
        &mut self,
        today: i32,
        day: &AccountDay,
        learned: DayLearned,
        is_rare: impl Iterator<Item = bool>,
        mut change: impl FnMut(Change, bool),
    ) {
        self.silent_until(today);
        let messages = day.messages;
        #[expect(clippy::cast_precision_loss, reason = "messages of a day")]
        let volume = messages as f64;
        self.volume = (self.volume.0 * FADES + 1.0, self.volume.1 * FADES + volume);
        self.largest.retain(|(day, _)| today - day <= QUARTER);
        let at = self.largest.partition_point(|(_, most)| *most >= messages);
        if at < LARGEST {
            self.largest.truncate(LARGEST - 1);
            self.largest.insert(at, (today, messages));
        }
        self.moves_to(day.domain().map_or(0, |domain| domain.mark), &mut change);
        let (domain, mut all_rare) = (self.domain, true);
        for (client, rare) in day.clients.iter().zip(is_rare) {
            all_rare &= rare;
            if let Some(place) = client.place {
                let mut tell = |site, is_new| change(Change::Site(domain, site), is_new);
                self.sites.see(place.site, today, false, &mut tell);
                let mut tell = |network, is_new| change(Change::Network(network), is_new);
                self.networks.see(place.network, today, false, &mut tell);
            }
            for (program, _) in &client.programs {
                self.programs.see(program.mark, today, rare, &mut |_, _| ());
                if !rare {
                    self.sees(program);
                }
            }
        }
        for sender in &day.senders {
            let mut tell = |sender, is_new| change(Change::Sender(sender), is_new);
            self.senders.see(sender.mark, today, all_rare, &mut tell);
        }
        self.activity[is_day_off(today)].add(true, FADES);
        self.desk[is_day_off(today)].add(learned.has_desk, FADES);
        if learned.is_strange {
            self.both.add(learned.has_desk, 1.0);
        }
        if learned.rare_networks > 0 {
            self.waiting.push(today);
            self.most_rare = self.most_rare.max(learned.rare_networks);
        }
        #[expect(clippy::cast_precision_loss, reason = "senders of a day")]
        let new = learned.new_senders as f64;
        // A first day says nothing: everything is new on it.
        if self.active > 0 {
            self.most_new = (self.most_new * FADES).max(new);
        }
        self.suffers(learned.strange_failures);
        self.finer.learn(messages, learned.finer);
        (self.last, self.active) = (today, self.active + 1);
    }

    fn moves_to(&mut self, domain: Mark, change: &mut impl FnMut(Change, bool)) {
        if self.domain != domain {
            // What it has is now another domain's.
            for site in self.sites.all() {
                change(Change::Site(self.domain, site), false);
                change(Change::Site(domain, site), true);
            }
            self.domain = domain;
        }
    }

    fn sees(&mut self, program: &Program) {
        self.weakest = match (self.weakest, strength(program.tls)) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        self.tokens |= program.is_token();
        self.passwords |= program.is_password();
    }

    /// Learns of failed logins of a day, whether it sent or not.
    fn suffers(&mut self, failures: u64) {
        self.failures.days = self.failures.days * FADES + 1.0;
        #[expect(clippy::cast_precision_loss, reason = "failures of a day")]
        let failures = failures as f64;
        self.failures.so = self.failures.so * FADES + failures;
    }

    /// Days on which it did not send: its desks were not there.
    fn silent_until(&mut self, today: i32) {
        if self.active > 0 {
            for day in self.last + 1..today.min(self.last + QUARTER) {
                self.activity[is_day_off(day)].add(false, FADES);
                self.desk[is_day_off(day)].add(false, FADES);
            }
        }
        self.rare = self.rare_days(today);
        self.rare_at = today;
        self.waiting.retain(|day| today - day <= WAITS);
    }
}

#[cfg(test)]
mod tests {
    use report::Day;

    use super::*;
    use crate::mark::number;

    #[test]
    fn saturdays_and_sundays_are_days_off() {
        use chrono::{Datelike as _, Weekday};

        for day in Day::default().iter_days().take(30) {
            let is_off = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
            assert_eq!(is_day_off(number(day)), usize::from(is_off), "{day}");
        }
    }
}
