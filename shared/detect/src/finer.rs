//! What is counted more finely than usage: messages at night, and recipients.
//!
//! No old day has these counters, and not every log tells recipients. What is zero is not told either, so that an
//! installation has a counter from the first day on which anybody's is told.

use crate::fact::Fact;
use crate::habit::Habit;
use crate::sum::{Sum, Value, float};
use crate::today::KNOWN;
use crate::traffic::DayTraffic;
use crate::watch::WARM_UP;

/// What a day is worth after another one.
const FADES: f32 = 0.97;
/// What the largest day is worth after another one.
const MOST_FADES: f32 = 0.985;
/// From how many recipients on they are many by themselves.
const MANY: f64 = 60.0;

/// For how many days an installation has had a counter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grain(Option<i32>);

impl Grain {
    const fn is_counted(self) -> bool {
        self.0.is_some()
    }

    /// Whether what is ordinary may be learned.
    fn is_learned(self) -> bool {
        self.0.is_some_and(|days| days >= WARM_UP / 2)
    }

    /// Whether days are judged by it.
    fn is_judged(self) -> bool {
        self.0.is_some_and(|days| days >= WARM_UP)
    }
}

/// Since when an installation has had which counter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Since {
    night: Option<i32>,
    recipients: Option<i32>,
}

impl Since {
    /// Takes note of what a day has.
    pub(crate) fn note(&mut self, today: i32, traffic: &DayTraffic) {
        if !traffic.night.is_empty() {
            self.night.get_or_insert(today);
        }
        if !traffic.recipients.is_empty() {
            self.recipients.get_or_insert(today);
        }
    }
}

/// The counters of the day that is judged.
pub(crate) struct Finer<'t> {
    traffic: &'t DayTraffic,
    night: Grain,
    recipients: Grain,
}

impl<'t> Finer<'t> {
    pub(crate) fn of(today: i32, since: Since, traffic: &'t DayTraffic) -> Self {
        let grain = |since: Option<i32>| Grain(since.map(|since| today - since));
        Self { traffic, night: grain(since.night), recipients: grain(since.recipients) }
    }

    /// An account's messages at night, of all; none if nobody's are counted.
    fn night(&self, account: &str, messages: u64) -> Option<u64> {
        let night = self.traffic.night.get(account).copied().unwrap_or(0);
        self.night.is_counted().then_some(night.min(messages))
    }

    /// Recipients of an account's messages beyond the first of each; none if nobody's are counted.
    fn beyond(&self, account: &str) -> Option<u64> {
        let beyond = self.traffic.recipients.get(account).copied().unwrap_or(0);
        self.recipients.is_counted().then_some(beyond)
    }
}

/// What an account did on a day, as far as it was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FinerDay {
    night: Option<u64>,
    beyond: Option<u64>,
}

/// How much of what it does a counter counts.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    /// Days on which it sent while there was the counter.
    active: u16,
    /// The same, and messages and what was counted on them: these fade.
    days: f32,
    messages: f32,
    counted: f32,
    /// The most of a day; fades.
    most: f32,
}

#[expect(clippy::cast_possible_truncation, reason = "habits need no more digits")]
const fn short(number: f64) -> f32 {
    number as f32
}

impl Part {
    fn learn(&mut self, messages: u64, counted: u64, size: f64) {
        self.active = self.active.saturating_add(1);
        self.days = self.days * FADES + 1.0;
        self.messages = self.messages * FADES + short(float(messages));
        self.counted = self.counted * FADES + short(float(counted));
        self.most = (self.most * MOST_FADES).max(short(size));
    }

    /// Whether it is known well enough to say what it never does.
    fn is_known(&self) -> bool {
        u32::from(self.active) >= KNOWN
    }

    fn a_message(&self) -> f64 {
        f64::from(self.counted) / f64::from(self.messages).max(1.0)
    }

    fn a_day(&self) -> f64 {
        f64::from(self.counted) / f64::from(self.days).max(1.0)
    }
}

/// What is usual for an account, as far as it was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FinerHabit {
    night: Part,
    beyond: Part,
}

impl FinerHabit {
    pub(crate) fn learn(&mut self, messages: u64, day: FinerDay) {
        if let Some(night) = day.night {
            self.night.learn(messages, night, float(night));
        }
        if let Some(beyond) = day.beyond {
            self.beyond.learn(messages, beyond, reach(messages, beyond));
        }
    }
}

/// Recipients of a message: fewer, if they are few in all.
fn reach(messages: u64, beyond: u64) -> f64 {
    let recipients = float(messages.saturating_add(beyond));
    recipients / float(messages).max(1.0) * (recipients / MANY).min(1.0)
}

impl Sum<'_> {
    /// What is learned of the day's counters.
    pub(crate) fn count_finely(&mut self) {
        let (finer, messages) = (&self.today.finer, self.day.messages);
        self.learned.finer = FinerDay {
            night: finer.night(self.account, messages),
            beyond: finer.beyond(self.account),
        };
    }

    /// Adds the sign of messages at night, of which a long day has some too: `volume` is what the day's weighs.
    pub(crate) fn night(&mut self, habit: &Habit, volume: f64) {
        let (usual, grain) = (habit.finer.night, self.today.finer.night);
        let Some(night) = self.learned.finer.night.filter(|_| usual.is_known()) else { return };
        let share = 4.0 * usual.a_message() * float(self.day.messages);
        let x = float(night) / share.max(f64::from(usual.most)).max(1.0);
        let is_strange = self.is_strange();
        let (custom, value) = if is_strange {
            (&self.customs.night_there, Value::NightThere(x))
        } else {
            (&self.customs.night, Value::Night(x))
        };
        if grain.is_learned() {
            self.values.push(value);
        }
        if grain.is_judged() {
            let weight = custom.weight_at(x);
            let weight = weight - 0.7 * weight.min(volume).max(0.0);
            let never = usual.counted <= 0.0;
            self.add(weight, Fact::Night { messages: night, usual: usual.a_day(), never });
        }
    }

    /// Adds the sign of far more recipients a message than usual.
    pub(crate) fn recipients(&mut self, habit: &Habit) {
        let (usual, grain) = (habit.finer.beyond, self.today.finer.recipients);
        let Some(beyond) = self.learned.finer.beyond.filter(|_| usual.is_known()) else { return };
        let messages = self.day.messages;
        let a_message = 1.0 + usual.a_message();
        let x = reach(messages, beyond) / (2.0 * a_message).max(f64::from(usual.most));
        if grain.is_learned() {
            self.values.push(Value::Recipients(x));
        }
        if grain.is_judged() {
            let recipients = messages.saturating_add(beyond);
            let fact = Fact::Recipients { recipients, messages, usual: a_message };
            self.add(self.customs.recipients.weight_at(x), fact);
        }
    }
}
