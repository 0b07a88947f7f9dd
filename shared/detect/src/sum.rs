//! A sum in the making: what is known of an account's day, and what was found odd so far.

use crate::customs::{Customs, Past};
use crate::fact::{Fact, Sign};
use crate::habit::DayLearned;
use crate::mark::Mark;
use crate::population::Population;
use crate::today::Today;
use crate::traffic::{AccountDay, ClientDay};

/// Days that are odder than this are not ordinary: nothing is learned of them about what is.
pub(crate) const ORDINARY: f64 = -0.25;

/// What came of weighing an account's day.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) score: f64,
    pub(crate) signs: Vec<Sign>,
    pub(crate) learned: DayLearned,
    /// How rare each client's network is, in their order: from 0, which is its own, to 4, which nobody else uses.
    pub(crate) levels: Vec<u8>,
    pub(crate) values: Vec<Value>,
}

/// How high something odd stood, for the customs.
pub(crate) enum Value {
    Place(Past, usize),
    Spread(f64),
    Program(bool),
    Both(bool),
    Volume(f64),
    VolumeMachine(f64),
    VolumeYoung(f64),
    VolumeThere(f64),
    Guessed(f64),
    Identities(f64),
    AlienDomain(bool),
    Anothers(bool),
    Night(f64),
    NightThere(f64),
    Recipients(f64),
}

impl Judged {
    /// Teaches them how much is sent on an ordinary day, when, and to how many: that is known sooner than from where.
    pub(crate) fn teach_volume(&self, customs: &mut Customs) {
        for value in &self.values {
            match value {
                Value::Volume(x) => customs.volume.learn(*x),
                Value::VolumeMachine(x) => customs.volume_machine.learn(*x),
                Value::Night(x) => customs.night.learn(*x),
                Value::Recipients(x) => customs.recipients.learn(*x),
                _ => {}
            }
        }
    }

    /// Teaches the customs what an ordinary day looks like.
    pub(crate) fn teach(&self, customs: &mut Customs) {
        let yes = |is_so: &bool| f64::from(u8::from(*is_so));
        for value in &self.values {
            match value {
                #[expect(clippy::cast_precision_loss, reason = "at most four")]
                Value::Place(past, level) => customs.place_mut(*past).learn(*level as f64),
                Value::Spread(x) => customs.spread.learn(*x),
                Value::Program(is_new) => customs.program.learn(yes(is_new)),
                Value::Both(is_there) => customs.both.learn(yes(is_there)),
                Value::Volume(x) => customs.volume.learn(*x),
                Value::VolumeMachine(x) => customs.volume_machine.learn(*x),
                Value::VolumeYoung(x) => customs.volume_young.learn(*x),
                Value::VolumeThere(x) => customs.volume_there.learn(*x),
                Value::Guessed(x) => customs.guessed.learn(*x),
                Value::Identities(x) => customs.identities.learn(*x),
                Value::AlienDomain(is_new) => customs.alien_domain.learn(yes(is_new)),
                Value::Anothers(is_new) => customs.anothers.learn(yes(is_new)),
                Value::Night(x) => customs.night.learn(*x),
                Value::NightThere(x) => customs.night_there.learn(*x),
                Value::Recipients(x) => customs.recipients.learn(*x),
            }
        }
    }
}

/// The sum of an account's day, while it is made.
pub(crate) struct Sum<'s> {
    pub(crate) account: &'s str,
    pub(crate) day: &'s AccountDay,
    /// The domain that most of it belongs to.
    pub(crate) domain: Mark,
    pub(crate) today: &'s Today<'s>,
    pub(crate) customs: &'s Customs,
    pub(crate) people: &'s Population,
    pub(crate) levels: Vec<u8>,
    /// The highest of them.
    pub(crate) level: u8,
    pub(crate) signs: Vec<Sign>,
    pub(crate) values: Vec<Value>,
    pub(crate) learned: DayLearned,
}

impl<'s> Sum<'s> {
    pub(crate) fn add(&mut self, weight: f64, fact: Fact) {
        if weight.abs() > 1e-9 {
            self.signs.push(Sign { fact, weight });
        }
    }

    pub(crate) fn is_strange(&self) -> bool {
        self.level >= 1
    }

    /// The clients of this level or above.
    pub(crate) fn clients(&self, level: u8) -> impl Iterator<Item = &'s ClientDay> + Clone {
        let clients = self.day.clients.iter().zip(&self.levels);
        clients.filter(move |(_, of)| **of >= level).map(|(client, _)| client)
    }

    pub(crate) fn networks(&self, level: u8) -> usize {
        let mut networks: Vec<_> =
            self.clients(level).filter_map(|client| Some(client.place?.network)).collect();
        networks.sort_unstable();
        networks.dedup();
        networks.len()
    }

    pub(crate) fn place_fact(&self) -> Fact {
        let level = self.level;
        let clients = self.day.clients.iter().zip(&self.levels);
        let others = clients.filter(|(_, of)| (1..level).contains(*of));
        Fact::Place {
            level,
            messages: self.clients(level).map(|client| client.messages).sum(),
            clients: self.clients(level).map(|client| client.address.clone()).collect(),
            others: others.map(|(client, _)| client.address.clone()).collect(),
            networks: self.networks(level),
        }
    }
}
