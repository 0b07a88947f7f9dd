//! People, and machines: when they send, from where, and as whom.

use detect::DayTraffic;

use super::chance::{normal, poisson};
use super::{DEVICES, Device, Life, Maker, Net, Site, Style};

impl Maker {
    pub(super) fn live(
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
                self.accounts[who].trip = Some((until, site));
            }
        }
        if self.accounts[who].trip.is_some_and(|(until, _)| number >= until) {
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
        if let Some((_, site)) = account.trip {
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
