//! Guessers, and thieves: who is robbed, when and how.

use std::collections::BTreeMap;

use detect::DayTraffic;
use report::TlsVersion;

use super::{Abuse, DAYS, DEVICES, Device, Life, Maker, Manner, Net, Planned};

impl Maker {
    /// Decides who is robbed, when and how.
    pub(super) fn plan(&mut self, count: usize) {
        for number in 0..count / 25 {
            let abuse = Abuse::ALL[number % Abuse::ALL.len()];
            let wanted = match abuse {
                Abuse::Dormant => Life::Leaver,
                _ => Life::Person,
            };
            let who = loop {
                let who = self.rng.usize(0..self.accounts.len());
                let account = &self.accounts[who];
                let is_taken = self.thefts.iter().any(|theft| theft.who == who);
                if account.life == wanted && account.from < 20 && !is_taken {
                    break who;
                }
            };
            let first = match abuse {
                Abuse::Dormant => self.rng.usize(65..86),
                _ => self.rng.usize(30..86),
            };
            let last = (first + self.rng.usize(0..5)).min(DAYS - 1);
            if abuse == Abuse::NewAccount {
                let domain = &self.domains[self.accounts[who].domain];
                let local = ["test", "scan", "backup", "info2", "hr"][self.rng.usize(0..5)];
                let name = format!("{local}{number}@{domain}");
                let account = &mut self.accounts[who];
                (account.senders, account.name) = (vec![name.clone()], name);
                // Nobody else uses it.
                (account.from, account.until) = (DAYS, DAYS);
            }
            let net = if abuse == Abuse::Neighbour { Net::Home } else { Net::Server };
            let addresses = match abuse {
                Abuse::Spread => self.rng.usize(10..60),
                _ => self.rng.usize(1..3),
            };
            let addresses = (0..addresses).map(|_| {
                let [a, b, c] = self.site(net);
                [a, b, c, self.rng.u8(1..255)]
            });
            let addresses = addresses.collect();
            let manner = Manner::of_a_thief(&mut self.fine);
            self.thefts.push(Planned { who, abuse, first, last, addresses, manner });
        }
    }

    /// Guessers, who try everybody, and get nowhere.
    pub(super) fn guess(&mut self, number: usize, traffic: &mut DayTraffic) {
        let mut tried: BTreeMap<(usize, [u8; 4]), u64> = BTreeMap::new();
        let guessers = 3 + self.rng.usize(0..6) + if number % 17 == 3 { 30 } else { 0 };
        for _ in 0..guessers {
            let [a, b, c] = self.site(Net::Server);
            let address = [a, b, c, self.rng.u8(1..255)];
            for _ in 0..self.rng.usize(5..60) {
                let who = self.rng.usize(0..self.accounts.len());
                *tried.entry((who, address)).or_default() += self.rng.u64(1..8);
            }
        }
        for ((who, [a, b, c, d]), failures) in tried {
            traffic.failed(&self.accounts[who].name, &format!("{a}.{b}.{c}.{d}"), failures);
        }
    }

    pub(super) fn steal(&mut self, at: usize, number: usize, traffic: &mut DayTraffic) {
        let Planned { who, abuse, first, addresses, .. } = self.thefts[at].clone();
        let name = self.accounts[who].name.clone();
        let usual = self.accounts[who].devices[0];
        let modern = DEVICES[self.rng.usize(0..4)];
        let messages = match abuse {
            Abuse::Burst => self.rng.u64(150..3000),
            Abuse::Spread => self.rng.u64(60..500),
            Abuse::Guessed => self.rng.u64(5..60),
            Abuse::Dormant | Abuse::Neighbour => self.rng.u64(20..200),
            Abuse::Identities => self.rng.u64(20..300),
            Abuse::Downgrade => self.rng.u64(3..40),
            Abuse::Drip => self.rng.u64(2..9),
            Abuse::NewAccount => self.rng.u64(10..150),
            Abuse::Malware => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "above zero"
                )]
                let many = (self.accounts[who].mean * (15.0 + 60.0 * self.rng.f64())) as u64;
                many.max(100)
            }
        };
        let device = match abuse {
            Abuse::Downgrade => Device {
                mechanism: "LOGIN",
                tls: [TlsVersion::Tls10, TlsVersion::None, TlsVersion::Tls11][self.rng.usize(0..3)],
            },
            Abuse::Malware => usual,
            _ if self.rng.u8(0..3) == 0 => usual,
            _ => modern,
        };
        let addresses = match abuse {
            Abuse::Malware => {
                let [a, b, c] = self.sites(who, number, number % 7 >= 5)[0].0;
                vec![[a, b, c, 10]]
            }
            _ => addresses,
        };
        if abuse == Abuse::Guessed && number == first {
            let address = addresses[0];
            let [a, b, c, d] = address;
            let client = format!("{a}.{b}.{c}.{d}");
            traffic.failed(&name, &client, self.rng.u64(3..60));
            for _ in 0..self.rng.usize(4..60) {
                let other = self.rng.usize(0..self.accounts.len());
                traffic.failed(&self.accounts[other].name, &client, self.rng.u64(1..9));
            }
        }
        let domain = self.domains[self.accounts[who].domain].clone();
        let senders: Vec<String> = match abuse {
            Abuse::Identities => (0..self.rng.usize(3..20))
                .map(|n| match self.rng.u8(0..3) {
                    0 => format!("ceo{n}@bank{}.example.net", self.rng.u8(..)),
                    _ => format!("sales{}@{domain}", self.rng.u16(..)),
                })
                .collect(),
            _ => vec![name],
        };
        let parts = messages.min(60);
        for part in 0..parts {
            let count = messages / parts + u64::from(part < messages % parts);
            let address = addresses[self.rng.usize(0..addresses.len())];
            let sender = senders[self.rng.usize(0..senders.len())].clone();
            self.send(who, &sender, device, address, count, traffic);
        }
        self.count_stolen(at, messages, traffic);
    }
}
