//! What is counted more finely than usage: messages at night, and recipients.
//!
//! No old day has these counters, and not every log tells recipients. What is zero is not told either, so that an
//! installation has a counter from the first day on which anybody's is told.

use crate::spans::{KNOWN, WARM_UP};
use crate::traffic::{AccountDay, DayTraffic, float};

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
    pub(crate) fn is_learned(self) -> bool {
        self.0.is_some_and(|days| days >= WARM_UP / 2)
    }

    /// Whether days are judged by it.
    pub(crate) fn is_judged(self) -> bool {
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
        if traffic.has_nights {
            self.night.get_or_insert(today);
        }
        if traffic.has_recipients {
            self.recipients.get_or_insert(today);
        }
    }
}

/// The counters on the day that is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finer {
    pub(crate) night: Grain,
    pub(crate) recipients: Grain,
}

impl Finer {
    pub(crate) fn of(today: i32, since: Since) -> Self {
        let grain = |since: Option<i32>| Grain(since.map(|since| today - since));
        Self { night: grain(since.night), recipients: grain(since.recipients) }
    }

    /// What an account did, as far as it is counted.
    pub(crate) fn day(self, day: &AccountDay) -> FinerDay {
        FinerDay {
            night: self.night.is_counted().then_some(day.night.min(day.messages)),
            beyond: self.recipients.is_counted().then_some(day.beyond),
        }
    }
}

/// What an account did on a day, as far as it was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FinerDay {
    pub(crate) night: Option<u64>,
    pub(crate) beyond: Option<u64>,
}

/// How much of what it does a counter counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Part {
    /// Days on which it sent while there was the counter.
    active: u16,
    /// The same, and messages and what was counted on them: these fade.
    days: f32,
    messages: f32,
    counted: f32,
    /// The most of a day; fades.
    pub(crate) most: f32,
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
    pub(crate) fn is_known(&self) -> bool {
        u32::from(self.active) >= KNOWN
    }

    pub(crate) fn a_message(&self) -> f64 {
        f64::from(self.counted) / f64::from(self.messages).max(1.0)
    }

    /// The messages of a day that may go on: a usual day's, until there are more.
    pub(crate) fn expected(&self, messages: u64) -> f64 {
        let a_day = f64::from(self.messages) / f64::from(self.days).max(1.0);
        float(messages).max(a_day).max(1.0)
    }

    /// Of recipients, how many a message has: fewer, if they are few in all.
    pub(crate) fn reach(&self, messages: u64, beyond: u64) -> f64 {
        let recipients = float(messages.saturating_add(beyond));
        recipients / self.expected(messages) * (recipients / MANY).min(1.0)
    }

    pub(crate) fn a_day(&self) -> f64 {
        f64::from(self.counted) / f64::from(self.days).max(1.0)
    }
}

/// What is usual for an account, as far as it was counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FinerHabit {
    pub(crate) night: Part,
    pub(crate) beyond: Part,
}

impl FinerHabit {
    pub(crate) fn learn(&mut self, messages: u64, day: FinerDay) {
        if let Some(night) = day.night {
            self.night.learn(messages, night, float(night));
        }
        if let Some(beyond) = day.beyond {
            self.beyond.learn(messages, beyond, self.beyond.reach(messages, beyond));
        }
    }
}
