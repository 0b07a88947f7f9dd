//! People, and machines: when they send, from where, and as whom.

use detect::DayTraffic;
use fastrand::Rng;

use super::chance::{normal, poisson};

use super::{Account, DAYS, DEVICES, Device, Life, Maker, Manner, Net, Site, Style};

impl Maker {
    pub(super) fn account(&mut self, number: usize) -> Account {
        let domain = match self.style {
            Style::Hoster => number / 8 % self.domains.len(),
            _ => number % self.domains.len(),
        };
        let life = match (self.style, self.rng.u32(0..100)) {
            (Style::Office, 0..8) | (Style::Hoster, 0..14) | (Style::Campus, 0..4) => Life::Machine,
            (_, 14..16) => Life::Newsletter,
            (_, 16..19) => Life::Shared,
            (_, 19..29) => Life::Seldom,
            (_, 29..33) => Life::Leaver,
            _ => Life::Person,
        };
        let spread = (normal(&mut self.rng) * 0.9).exp();
        let mean = match life {
            Life::Machine => 12.0 * (normal(&mut self.rng)).exp(),
            Life::Shared => 15.0 * spread,
            Life::Seldom => 1.5,
            _ => 4.5 * spread,
        };
        let home = match life {
            Life::Machine if self.rng.bool() => self.site(Net::Server),
            _ => self.site(Net::Home),
        };
        let device = |rng: &mut Rng| DEVICES[[0, 0, 0, 1, 1, 2, 3, 4, 4, 5][rng.usize(0..10)]];
        let devices = match life {
            Life::Machine | Life::Newsletter => vec![device(&mut self.rng)],
            _ => vec![device(&mut self.rng), device(&mut self.rng)],
        };
        let name = format!("{}@{}", (self.name)(number), self.domains[domain]);
        let mut senders = vec![name.clone()];
        if self.rng.u8(0..10) == 0 {
            senders.push(format!("team{}@{}", self.rng.u8(0..20), self.domains[domain]));
        }
        let from = if self.rng.u8(0..12) == 0 { self.rng.usize(1..DAYS) } else { 0 };
        let until = if life == Life::Leaver { self.rng.usize(5..30) } else { DAYS };
        let tunnel =
            (self.rng.u32(0..100) < if self.style == Style::Office { 2 } else { 4 }).then(|| {
                let begins = self.rng.usize(0..DAYS);
                (begins, begins + self.rng.usize(5..60), self.site(Net::Server))
            });
        let others = match life {
            Life::Shared => (0..4).map(|_| self.site(Net::Home)).collect(),
            _ => Vec::new(),
        };
        Account {
            name,
            domain,
            life,
            mean,
            weekends: if self.rng.u8(0..4) == 0 { 0.6 } else { 0.08 },
            home,
            phone: self.rng.u8(0..4),
            devices,
            senders,
            from: if life == Life::Leaver { 0 } else { from },
            until,
            manner: Manner::of(life, self.style, &mut self.fine),
            trip: None,
            tunnel,
            others,
        }
    }

    pub(super) fn act(
        &mut self,
        who: usize,
        number: usize,
        is_off: bool,
        traffic: &mut DayTraffic,
    ) {
        let account = &self.accounts[who];
        if number < account.from || number >= account.until {
            return;
        }
        let (life, mean, domain) = (account.life, account.mean, account.domain);
        if life == Life::Person && account.trip.is_none() {
            let odds = match self.style {
                Style::Office => 400,
                Style::Hoster => 300,
                Style::Campus => 110,
            };
            if self.rng.u32(0..odds) == 0 {
                let net = if self.rng.bool() { Net::Hotel } else { Net::Home };
                let (until, site) = (number + self.rng.usize(2..8), self.site(net));
                let zone = self.zone(net);
                self.accounts[who].trip = Some((until, site, zone));
            }
        }
        if self.accounts[who].trip.is_some_and(|(until, ..)| number >= until) {
            self.accounts[who].trip = None;
        }
        if self.rng.u32(0..700) == 0 {
            // A new device, seldom an old one.
            let at = if self.rng.u32(0..60) == 0 { 5 } else { self.rng.usize(0..5) };
            let devices = &mut self.accounts[who].devices;
            let place = self.rng.usize(0..devices.len());
            devices[place] = DEVICES[at];
        }
        if self.rng.u32(0..60) == 0 {
            // Lines at home change.
            let home = self.accounts[who].home;
            self.accounts[who].home = if self.rng.u8(0..8) == 0 {
                self.site(Net::Home)
            } else {
                [home[0], home[1], self.rng.u8(..)]
            };
            if life == Life::Machine {
                self.accounts[who].home = home;
            }
        }
        let account = &self.accounts[who];
        let works = if is_off { account.weekends } else { 0.85 };
        let works = match life {
            Life::Machine => 0.97,
            Life::Seldom => 0.06,
            Life::Newsletter => 0.3,
            _ => works,
        };
        if self.rng.f64() > works {
            return;
        }
        let mut messages = 1 + poisson(mean * (normal(&mut self.rng) * 0.4).exp(), &mut self.rng);
        if life == Life::Newsletter && self.rng.u8(0..8) == 0 {
            messages = self.rng.u64(300..3000);
        }
        if self.rng.u32(0..2500) == 0 {
            // A mail merge.
            messages = self.rng.u64(40..400);
        }
        let sites = self.sites(who, number, is_off);
        for message in 0..messages.min(40) {
            let part =
                messages / messages.min(40) + u64::from(message < messages % messages.min(40));
            let (site, device) = sites[self.rng.usize(0..sites.len())];
            let sender = self.sender(who, domain);
            self.send(who, &sender, device, [site[0], site[1], site[2], 10], part, traffic);
        }
        self.count(who, messages, traffic);
        if self.rng.u32(0..400) == 0 {
            // An old password somewhere.
            let site = self.accounts[who].home;
            let failures = self.rng.u64(5..80);
            let client = format!("{}.{}.{}.10", site[0], site[1], site[2]);
            traffic.failed(&self.accounts[who].name, &client, failures);
        }
    }

    /// From where it sends today, and with what.
    pub(super) fn sites(&mut self, who: usize, number: usize, is_off: bool) -> Vec<(Site, Device)> {
        let account = &self.accounts[who];
        let (desk, mobile) = (account.devices[0], *account.devices.last().unwrap_or(&DEVICES[0]));
        if matches!(account.life, Life::Machine | Life::Newsletter) {
            return vec![(account.home, desk)];
        }
        let [a, b] = self.world.phones[usize::from(account.phone)];
        let phone = [a, b, self.rng.u8(..)];
        if let Some((_, site, _)) = account.trip {
            let mut sites = vec![(site, mobile), (site, mobile)];
            if self.rng.bool() {
                sites.push((phone, mobile));
            }
            // Somebody works at the desk, or a program there goes on.
            if self.rng.u8(0..10) == 0 {
                sites.push((account.home, desk));
            }
            return sites;
        }
        let office = &self.offices[account.domain];
        let mut sites = Vec::new();
        if !office.is_empty() && !is_off {
            let line = office[who % office.len()];
            sites.extend([(line, desk), (line, desk)]);
        }
        if sites.is_empty() || self.rng.u8(0..3) == 0 {
            sites.push((account.home, desk));
        }
        if self.rng.u8(0..3) == 0 {
            sites.push((phone, mobile));
        }
        if let Some((begins, ends, site)) = account.tunnel
            && (begins..ends).contains(&number)
        {
            sites.push((site, desk));
        }
        if !account.others.is_empty() {
            let other = account.others[self.rng.usize(0..account.others.len())];
            sites.push((other, mobile));
        }
        if self.rng.u32(0..150) == 0 {
            let cafe = self.site(Net::Home);
            sites.push((cafe, mobile));
        }
        sites
    }

    pub(super) fn sender(&mut self, who: usize, domain: usize) -> String {
        if self.rng.u32(0..3000) == 0 {
            // A colleague's name, a new alias, or a friend's domain.
            return match self.rng.u8(0..6) {
                0 => format!("friend{}@f{}.example.org", self.rng.u8(..), self.rng.u8(..)),
                1..3 => {
                    let other = self.rng.usize(0..self.accounts.len());
                    let other = &self.accounts[other];
                    match other.domain == domain {
                        true => other.name.clone(),
                        false => format!("team{}@{}", self.rng.u8(0..40), self.domains[domain]),
                    }
                }
                _ => format!("alias{}@{}", self.rng.u16(..), self.domains[domain]),
            };
        }
        let senders = &self.accounts[who].senders;
        senders[self.rng.usize(0..senders.len())].clone()
    }
}
