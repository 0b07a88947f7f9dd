//! Ninety days of an invented organisation's mail, with accounts that are taken over: what detection is measured by.
//!
//! People have desks, homes and phones, travel, fall ill, change devices, merge mail and lend each other their names; offices
//! move; guessers try everybody. Thieves come in every way that is known. Nothing here looks at how detection works.

mod chance;
mod fine;
mod people;
mod thieves;

use detect::DayTraffic;
use fastrand::Rng;
use report::{Day, TlsVersion, UsageKey};

use self::chance::networks;

/// What kind of organisation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Three domains, offices with lines of their own, few trips.
    Office,
    /// Many small customers, who send from homes and servers.
    Hoster,
    /// Many trips, phones and odd hours.
    Campus,
}

impl Style {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Office, Self::Hoster, Self::Campus];
}

/// How somebody abuses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Abuse {
    /// Many messages from a new place.
    Burst,
    /// Few messages each from many networks.
    Spread,
    /// A guessed password, and few messages.
    Guessed,
    /// An account that nobody uses any more.
    Dormant,
    /// Many senders.
    Identities,
    /// Old TLS, or none, and few messages.
    Downgrade,
    /// Few messages from a new place, day after day.
    Drip,
    /// From a network that many here use.
    Neighbour,
    /// An account that was made, or never used before.
    NewAccount,
    /// A program on the usual machine.
    Malware,
}

impl Abuse {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Burst,
        Self::Spread,
        Self::Guessed,
        Self::Dormant,
        Self::Identities,
        Self::Downgrade,
        Self::Drip,
        Self::Neighbour,
        Self::NewAccount,
        Self::Malware,
    ];

    /// Whether it is one that any watch should see.
    #[must_use]
    pub const fn is_loud(self) -> bool {
        !matches!(self, Self::Drip | Self::Neighbour | Self::NewAccount | Self::Malware)
    }
}

/// An account that was taken over.
#[derive(Clone, Debug)]
pub struct Theft {
    /// Whose.
    pub account: String,
    /// How.
    pub abuse: Abuse,
    /// The first day.
    pub first: Day,
    /// The last day.
    pub last: Day,
}

/// The days, in order, and what was done in them.
pub struct History {
    /// What happened on each day.
    pub days: Vec<(Day, DayTraffic)>,
    /// What thieves did.
    pub thefts: Vec<Theft>,
}

const DAYS: usize = 90;

/// A way to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Device {
    mechanism: &'static str,
    tls: TlsVersion,
}

const DEVICES: [Device; 6] = [
    Device { mechanism: "PLAIN", tls: TlsVersion::Tls13 },
    Device { mechanism: "PLAIN", tls: TlsVersion::Tls12 },
    Device { mechanism: "LOGIN", tls: TlsVersion::Tls13 },
    Device { mechanism: "LOGIN", tls: TlsVersion::Tls12 },
    Device { mechanism: "XOAUTH2", tls: TlsVersion::Tls13 },
    Device { mechanism: "CRAM-MD5", tls: TlsVersion::Tls12 },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Person,
    Machine,
    Newsletter,
    Shared,
    Seldom,
    /// Uses it until some day, and never again.
    Leaver,
}

/// A site, as the beginning of its addresses.
type Site = [u8; 3];

/// At what hours somebody sends, and to how many at once.
#[derive(Clone, Copy)]
struct Manner {
    /// The share of its messages that leave at night, day by day.
    night: f64,
    /// The odds that a day becomes a late one.
    late: f64,
    /// Recipients of a message beyond the first.
    beyond: f64,
    /// The odds of a day with a message to a long list.
    lists: f64,
}

struct Account {
    name: String,
    domain: usize,
    life: Life,
    mean: f64,
    weekends: f64,
    home: Site,
    phone: u8,
    devices: Vec<Device>,
    senders: Vec<String>,
    from: usize,
    until: usize,
    manner: Manner,
    /// Until when, where, and how much of its messages leave at night there.
    trip: Option<(usize, Site, f64)>,
    /// A provider of tunnels that it uses for some time.
    tunnel: Option<(usize, usize, Site)>,
    others: Vec<Site>,
}

struct World {
    homes: Vec<[u8; 2]>,
    phones: Vec<[u8; 2]>,
    hotels: Vec<[u8; 2]>,
    servers: Vec<[u8; 2]>,
}

/// A theft that is planned.
#[derive(Clone)]
struct Planned {
    who: usize,
    abuse: Abuse,
    first: usize,
    last: usize,
    addresses: Vec<[u8; 4]>,
    manner: Manner,
}

struct Maker {
    rng: Rng,
    /// For what is counted more finely: without it, all else is the same.
    fine: Rng,
    style: Style,
    /// Local parts.
    name: fn(usize) -> String,
    world: World,
    domains: Vec<String>,
    /// Each domain's own lines.
    offices: Vec<Vec<Site>>,
    accounts: Vec<Account>,
    thefts: Vec<Planned>,
}

/// A history of so many accounts.
#[must_use]
pub fn history(style: Style, accounts: usize, seed: u64) -> History {
    history_of(style, accounts, seed, usual_name)
}

/// The same of people with other names: the local part of each one's is given by the number.
#[must_use]
pub fn history_of(style: Style, accounts: usize, seed: u64, name: fn(usize) -> String) -> History {
    let mut days = Vec::new();
    let maker = Maker::new(style, accounts, seed, name);
    let thefts = maker.live(|day, traffic| days.push((day, traffic)));
    History { thefts, days }
}

/// The local part of an address.
#[must_use]
pub fn usual_name(number: usize) -> String {
    format!("u{number}")
}

/// The same, day by day; gives what thieves did.
pub fn live(
    style: Style,
    accounts: usize,
    seed: u64,
    each: impl FnMut(Day, DayTraffic),
) -> Vec<Theft> {
    Maker::new(style, accounts, seed, usual_name).live(each)
}

/// A day: the first is a Monday.
fn day(number: usize) -> Day {
    let start = Day::from_ymd_opt(2026, 3, 2).unwrap_or_default();
    start + chrono::Days::new(number as u64)
}

impl Maker {
    fn live(mut self, mut each: impl FnMut(Day, DayTraffic)) -> Vec<Theft> {
        for number in 0..DAYS {
            each(day(number), self.day(number));
        }
        let thefts = self.thefts.iter().map(|theft| Theft {
            account: self.accounts[theft.who].name.clone(),
            abuse: theft.abuse,
            first: day(theft.first),
            last: day(theft.last),
        });
        thefts.collect()
    }

    fn new(style: Style, count: usize, seed: u64, name: fn(usize) -> String) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5eed << 8 ^ style as u64);
        let mut taken = Vec::new();
        let many = count / 100 + 12;
        let world = World {
            homes: networks(many, 24, &mut taken, &mut rng),
            phones: networks(4, 48, &mut taken, &mut rng),
            hotels: networks(400, 64, &mut taken, &mut rng),
            servers: networks(500, 130, &mut taken, &mut rng),
        };
        let domains = match style {
            Style::Office => 3,
            Style::Hoster => count / 8,
            Style::Campus => 1,
        };
        let domains: Vec<_> =
            (0..domains).map(|number| format!("d{number}.example.test")).collect();
        let mut maker = Self {
            rng,
            fine: Rng::with_seed(seed ^ 0xf19e << 8 ^ style as u64),
            style,
            name,
            world,
            offices: vec![Vec::new(); domains.len()],
            domains,
            accounts: Vec::new(),
            thefts: Vec::new(),
        };
        for domain in 0..maker.domains.len() {
            let lines = match style {
                Style::Office => 3,
                Style::Hoster => usize::from(maker.rng.u8(0..3) == 0),
                Style::Campus => 8,
            };
            for _ in 0..lines {
                let site = maker.site(Net::Home);
                maker.offices[domain].push(site);
            }
        }
        for number in 0..count {
            let account = maker.account(number);
            maker.accounts.push(account);
        }
        maker.plan(count);
        maker
    }

    fn site(&mut self, net: Net) -> Site {
        let from = match net {
            Net::Home => &self.world.homes,
            Net::Hotel => &self.world.hotels,
            Net::Server => &self.world.servers,
        };
        // Some are used by many more than others.
        let at = match net {
            Net::Home => {
                let part = self.rng.f64();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a place in a list"
                )]
                let at = (part * part * from.len() as f64) as usize;
                at
            }
            _ => self.rng.usize(0..from.len()),
        };
        let [a, b] = from[at];
        [a, b, self.rng.u8(..)]
    }

    fn day(&mut self, number: usize) -> DayTraffic {
        let mut traffic = DayTraffic::default();
        let is_weekend = number % 7 >= 5;
        let is_holiday = self.style != Style::Campus && (44..47).contains(&number);
        for domain in 0..self.domains.len() {
            // An office moves, or gets another line.
            if !self.offices[domain].is_empty() && self.rng.u32(0..400) == 0 {
                let site = self.site(Net::Home);
                let at = self.rng.usize(0..self.offices[domain].len());
                self.offices[domain][at] = site;
            }
        }
        for who in 0..self.accounts.len() {
            self.act(who, number, is_weekend || is_holiday, &mut traffic);
        }
        self.guess(number, &mut traffic);
        for at in 0..self.thefts.len() {
            if (self.thefts[at].first..=self.thefts[at].last).contains(&number) {
                self.steal(at, number, &mut traffic);
            }
        }
        traffic
    }

    fn send(
        &self,
        who: usize,
        sender: &str,
        device: Device,
        client: [u8; 4],
        messages: u64,
        traffic: &mut DayTraffic,
    ) {
        let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        let [a, b, c, d] = client;
        let client = format!("{a}.{b}.{c}.{d}");
        let key = UsageKey {
            domain,
            sender,
            username: &self.accounts[who].name,
            mechanism: device.mechanism,
            tls: device.tls,
            client: &client,
        };
        traffic.add(&key, messages);
    }
}

/// Which networks a site is taken from.
#[derive(Clone, Copy)]
enum Net {
    Home,
    Hotel,
    Server,
}
