//! Each sign by itself.

use crate::customs::Past;
use crate::fact::Fact;
use crate::habit::{Habit, strength};
use crate::network::Place;
use crate::spans::KNOWN;
use crate::sum::{Sum, Value};
use crate::today::{MOVERS, weakened};
use crate::traffic::{Name, Program, float};

/// Days on which an account must have been active, where having two devices is enough to be wrong.
const LONG_KNOWN: u32 = 20;
/// The same, before two networks at most are those of a machine.
const MACHINE: u32 = 10;
/// Names that those who guess try first.
const GUESSED_NAMES: [&str; 16] = [
    "admin",
    "administrator",
    "backup",
    "contact",
    "fax",
    "info",
    "mail",
    "office",
    "postmaster",
    "printer",
    "root",
    "sales",
    "scan",
    "scanner",
    "test",
    "user",
];

impl Sum<'_> {
    /// Adds the signs of a first use.
    pub(crate) fn first(&mut self) {
        let is_rare = !self.levels.is_empty() && self.levels.iter().all(|level| *level >= 3);
        let weight = match self.level {
            _ if is_rare => 3.0,
            0 => 0.0,
            _ => 0.8,
        };
        let local = self.account.split_once('@').map_or(self.account, |(local, _)| local);
        let is_guessed =
            GUESSED_NAMES.contains(&local.trim_end_matches(|c: char| c.is_ascii_digit()));
        let weight = weight + if is_guessed && weight > 0.0 { 0.7 } else { 0.0 };
        self.add(weight, Fact::First { is_rare, is_guessed });
        self.young_volume();
        if self.is_strange() {
            self.guessed(0.0, self.strange_failures(None));
        }
        self.learned.is_strange = self.is_strange();
        self.count_finely();
    }

    fn young_volume(&mut self) -> f64 {
        let messages = self.day.messages;
        self.values.push(Value::VolumeYoung(float(messages)));
        let weight = self.customs.volume_young.weight(float(messages));
        let is_strange = self.is_strange();
        self.add(weight, Fact::Volume { messages, usual: 0.0, most: 0, is_strange });
        weight
    }

    /// Adds the signs of an account that is known. `episode` is the day on which an alert about it began that is still open.
    pub(crate) fn known(&mut self, habit: &Habit, episode: Option<i32>) {
        let today = self.today.number;
        let past = match () {
            () if habit.active < 3 => Past::Young,
            () if habit.networks.len() <= 2 && habit.active >= MACHINE => Past::Machine,
            () => match habit.rare_days(today) {
                rare if rare < 0.4 => Past::Never,
                rare if rare < 2.4 => Past::Once,
                _ => Past::Often,
            },
        };
        let level = usize::from(self.level);
        self.values.push(Value::Place(past, level));
        // Its own places say nothing: whoever is at the usual machine may be a program there.
        if level > 0 {
            self.add(self.customs.place(past).weight_of(level), self.place_fact());
        }
        let rare = self.networks(3);
        self.learned.rare_networks = rare;
        if rare > 0 {
            let most = habit.most_rare;
            let x = float(rare as u64) / (0.9 * float(most as u64)).max(1.0);
            self.values.push(Value::Spread(x));
            let clients = self.clients(3).count();
            self.add(self.customs.spread.weight(x), Fact::Spread { clients, networks: rare, most });
        }
        self.learned.is_strange = self.is_strange();
        self.learned.has_desk = self
            .day
            .clients
            .iter()
            .any(|client| client.place.is_some_and(|place| habit.is_fixed(place.site)));
        if self.is_strange() {
            self.program(habit);
            self.desk(habit, episode);
        }
        let volume = self.volume(habit, past);
        self.count_finely();
        self.night(habit, volume);
        self.recipients(habit);
        self.learned.strange_failures = self.strange_failures(Some(habit));
        if self.is_strange() {
            self.guessed(habit.usual_failures(), self.learned.strange_failures);
        }
        self.identities(habit);
        self.downgrade(habit);
        self.silence(habit);
    }

    fn program(&mut self, habit: &Habit) {
        let mut known = Vec::new();
        for client in self.clients(1) {
            let programs = client.programs.iter().map(|(program, _)| program);
            known.extend(programs.filter(|program| program.is_known()));
        }
        let Some(first) = known.first() else { return };
        // That weighs more, and is the same.
        if self.new_password(habit).is_some() {
            return;
        }
        let new = known.iter().find(|program| !habit.programs.has(program.mark));
        let is_new = new.is_some();
        let program = new.unwrap_or(first);
        let fact = Fact::Program { mechanism: program.mechanism.clone(), tls: program.tls, is_new };
        self.values.push(Value::Program(is_new));
        self.add(self.customs.program.weight_if(is_new), fact);
    }

    /// Whether its desk is there too: whoever is on the road is not at the desk.
    fn desk(&mut self, habit: &Habit, episode: Option<i32>) {
        let Some(usual) = habit.desk_share(self.today.number) else { return };
        let is_there = self.learned.has_desk;
        self.values.push(Value::Both(is_there));
        let both = habit.both.shrunk(self.customs.both_share(), 5.0).clamp(0.02, 0.95);
        let weight = if is_there {
            let again = episode.is_some_and(|day| day < self.today.number);
            (usual.max(0.3) / both).log10().min(1.3) + if again { 0.35 } else { 0.0 }
        } else {
            ((1.02 - usual) / (1.0 - both)).log10().max(-1.3)
        };
        let weight = if self.level >= 3 { weight } else { weight / 5.0 };
        self.add(weight, Fact::Desk { is_there });
    }

    /// Adds the sign of many messages; gives what it weighs.
    fn volume(&mut self, habit: &Habit, past: Past) -> f64 {
        let (messages, usual) = (self.day.messages, habit.mean());
        if past == Past::Young {
            return self.young_volume();
        }
        let most = habit.most(self.today.number);
        let base = (4.0 * usual).max(30.0).max(float(most));
        let x = if messages >= 20 { float(messages) / base } else { 0.0 };
        let (custom, value) = match past {
            Past::Machine => (&self.customs.volume_machine, Value::VolumeMachine(x)),
            _ => (&self.customs.volume, Value::Volume(x)),
        };
        self.values.push(value);
        let in_all = custom.weight(x);
        let mut there = 0.0;
        let strange: u64 = self.clients(1).map(|client| client.messages).sum();
        if self.is_strange() {
            let x = float(strange) / usual.max(1.0);
            self.values.push(Value::VolumeThere(x));
            there = self.customs.volume_there.weight(x);
        }
        let is_strange = there > in_all;
        let messages = if is_strange { strange } else { messages };
        self.add(in_all.max(there), Fact::Volume { messages, usual, most, is_strange });
        in_all.max(there)
    }

    /// Logins that failed at it of late, from places that are not its own.
    fn strange_failures(&self, habit: Option<&Habit>) -> u64 {
        let is_own = |place: Place| {
            habit.is_some_and(|habit| habit.sites.trusts(place.site, self.today.number))
        };
        let lately = &self.today.lately;
        lately.at(self.account, |client| Place::of(client).is_some_and(|place| !is_own(place)))
    }

    /// Whether it was guessed: a strange success after failures, from there or `at` it.
    fn guessed(&mut self, usual: f64, at: u64) {
        let tried = self
            .clients(1)
            .map(|client| (&*client.address, self.today.lately.of_client(&client.address)))
            .max_by_key(|(_, tried)| (tried.accounts, tried.failures));
        let by = tried.filter(|(_, tried)| tried.is_guessing());
        let is_many = float(at) > 2.0 * 3.0 * usual;
        let (level, fact) = match (by, at) {
            (Some((client, tried)), _) => {
                let (failures, accounts) = (tried.failures, tried.accounts);
                (3.0, Some(Fact::GuessedBy { client: client.into(), failures, accounts }))
            }
            (None, 60..) if is_many => (2.0, Some(Fact::GuessedAt { failures: at, days: 3 })),
            (None, 15..) if is_many => (1.0, Some(Fact::GuessedAt { failures: at, days: 3 })),
            _ => (0.0, None),
        };
        self.values.push(Value::Guessed(level));
        if let Some(fact) = fact {
            self.add(self.customs.guessed.weight(level), fact);
        }
    }

    fn identities(&mut self, habit: &Habit) {
        let today = self.today.number;
        let senders = self.day.senders.iter();
        let new: Vec<&Name> = senders.filter(|sender| !habit.senders.has(sender.mark)).collect();
        self.learned.new_senders = new.len();
        if habit.active < KNOWN {
            return;
        }
        let count = float(new.len() as u64) / habit.most_new.max(1.0);
        let x = if habit.senders.trusted(today) > 3 { count / 2.0 } else { count };
        let alien = new.iter().filter_map(|sender| Some(sender.text.rsplit_once('@')?.1));
        let alien = alien.filter(|domain| !self.people.sends_for(domain)).min();
        let anothers = new.iter().find(|sender| self.people.is_anothers(sender.mark));
        self.values.push(Value::Identities(x));
        self.values.push(Value::AlienDomain(alien.is_some()));
        self.values.push(Value::Anothers(anothers.is_some()));
        let weight = self.customs.identities.weight(x);
        let weight = if new.len() == 1 { weight.min(0.6) } else { weight };
        let senders = new.iter().map(|sender| sender.text.clone()).collect();
        let alien = alien.map(|domain| Fact::Domain { domain: domain.into() });
        let anothers = anothers.map(|sender| Fact::Anothers { sender: sender.text.clone() });
        self.add(weight, Fact::Senders { senders });
        if let Some(fact) = alien {
            self.add(self.customs.alien_domain.weight(1.0), fact);
        }
        if let Some(fact) = anothers {
            self.add(self.customs.anothers.weight(1.0), fact);
        }
    }

    fn downgrade(&mut self, habit: &Habit) {
        if let Some(weakest) = weakened(habit, self.day)
            && self.today.weaker(self.domain) <= MOVERS
        {
            let all = self.day.clients.iter().flat_map(|client| &client.programs);
            let weak: Vec<_> =
                all.filter(|(program, _)| strength(program.tls) == Some(weakest)).collect();
            let messages = weak.iter().map(|(_, messages)| *messages).sum();
            let days = self.today.number - habit.first;
            if let Some((program, _)) = weak.first() {
                self.add(4.7, Fact::Weaker { messages, tls: program.tls, days });
            }
        }
        if let Some(program) = self.new_password(habit) {
            self.add(2.6, Fact::Password { mechanism: program.mechanism.clone() });
        }
    }

    /// A password, where it only ever used tokens.
    fn new_password(&self, habit: &Habit) -> Option<&Program> {
        let only_tokens = habit.active >= LONG_KNOWN && habit.only_uses_tokens();
        let passwords = || self.day.programs().filter(|program| program.is_password()).min();
        only_tokens.then(passwords).flatten()
    }

    /// The longer an account is silent that used to send, the odder is it that it sends again.
    fn silence(&mut self, habit: &Habit) {
        let gap = self.today.number - habit.last;
        // The logarithm of how seldom so many days are silent by chance.
        let weight = (0.43 * habit.missed(self.today.number)).min(2.2);
        let weight = weight * if self.level >= 3 { 0.9 } else { 0.3 };
        self.add(weight, Fact::Silent { days: gap });
    }
}
