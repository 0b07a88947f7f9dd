//! At what hours people send, and to how many at once: what the finer counters tell.

use detect::DayTraffic;
use fastrand::Rng;

use super::chance::{normal, poisson};
use super::{Life, Maker, Manner, Net, Style};

/// How many of some things are so, each by itself.
fn part(of: u64, share: f64, rng: &mut Rng) -> u64 {
    if of > 200 {
        #[expect(clippy::cast_precision_loss, reason = "messages of a day")]
        return poisson(of as f64 * share, rng).min(of);
    }
    (0..of).map(|_| u64::from(rng.f64() < share)).sum()
}

impl Manner {
    pub(super) fn of(life: Life, style: Style, rng: &mut Rng) -> Self {
        let (lateness, shifts) = match style {
            Style::Office => (0.006, 2),
            Style::Hoster => (0.012, 3),
            Style::Campus => (0.04, 4),
        };
        let late = (lateness * (normal(rng) * 1.2).exp()).min(0.6);
        let night = if rng.u32(0..100) < shifts { 0.2 + 0.4 * rng.f64() } else { 0.0 };
        let beyond = 0.35 * (normal(rng) * 0.8).exp();
        let lists = (normal(rng) - 5.0).exp().min(0.2);
        // Secretaries, and whoever organises something.
        let beyond = if rng.u8(0..25) == 0 { 4.0 + 20.0 * rng.f64() } else { beyond };
        let person = Self { night, late, beyond, lists };
        match life {
            Life::Person | Life::Seldom | Life::Leaver => person,
            Life::Shared => Self { late: (2.0 * late).min(0.6), ..person },
            Life::Machine => {
                let night = match rng.u8(0..100) {
                    // A nightly job; something that never rests; a scanner.
                    0..35 => 0.5 + 0.5 * rng.f64(),
                    35..65 => 7.0 / 24.0,
                    _ => 0.0,
                };
                let beyond = match rng.u8(0..100) {
                    0..75 => 0.0,
                    75..95 => 1.0 + 7.0 * rng.f64(),
                    _ => 20.0 + 40.0 * rng.f64(),
                };
                Self { night, late: 0.002, beyond, lists: 0.0 }
            }
            Life::Newsletter => {
                let night = if rng.u8(0..4) == 0 { 0.9 } else { 0.0 };
                // A message each, or a message to all.
                let lists = if rng.bool() { 0.125 } else { 0.0 };
                Self { night, late: 0.025, beyond: 0.05, lists }
            }
        }
    }

    /// Whoever robs an account lives by his own clock; some write to many at once.
    pub(super) fn of_a_thief(rng: &mut Rng) -> Self {
        let night = if rng.u8(0..100) < 42 { 0.4 + 0.6 * rng.f64() } else { 0.1 * rng.f64() };
        let many = rng.u8(0..100) < 35;
        let beyond = if many { 5.0 * (rng.f64() * 3.0).exp() } else { 0.3 * rng.f64() };
        Self { night, late: 0.0, beyond, lists: 0.0 }
    }
}

impl Maker {
    /// How much of a trip's messages seem to leave at night: where the clock is another one.
    pub(super) fn zone(&mut self, net: Net) -> f64 {
        let odds = if matches!(net, Net::Hotel) { 0.5 } else { 0.1 };
        if self.fine.f64() < odds { 0.2 + 0.6 * self.fine.f64() } else { 0.0 }
    }

    /// Counts finely what somebody sent on a day.
    pub(super) fn count(&mut self, who: usize, messages: u64, traffic: &mut DayTraffic) {
        let (life, trip) = (self.accounts[who].life, self.accounts[who].trip);
        if life == Life::Machine && self.fine.u32(0..1500) == 0 {
            // The job runs at another time.
            self.accounts[who].manner = Manner::of(life, self.style, &mut self.fine);
        }
        let Manner { mut night, late, beyond, lists } = self.accounts[who].manner;
        if self.fine.f64() < late {
            night = night.max(0.1 + 0.5 * self.fine.f64());
        }
        if self.fine.u32(0..700) == 0 {
            // Something must be ready by tomorrow.
            night = night.max(0.4 + 0.6 * self.fine.f64());
        }
        if let Some((_, _, zone)) = trip {
            night = night.max(zone);
        }
        let at_night = part(messages, night, &mut self.fine);
        let spread = (normal(&mut self.fine) * 0.8).exp();
        #[expect(clippy::cast_precision_loss, reason = "messages of a day")]
        let mut recipients = poisson(messages as f64 * beyond * spread, &mut self.fine);
        if self.fine.f64() < lists {
            recipients += match life {
                Life::Newsletter => self.fine.u64(100..3000),
                // A few dozen mostly, seldom everybody.
                _ => {
                    let many = (15.0 * normal(&mut self.fine).abs().exp()).min(500.0);
                    poisson(many, &mut self.fine)
                }
            };
        }
        self.tell(who, at_night, recipients, traffic);
    }

    /// Counts finely what a thief sent on a day.
    pub(super) fn count_stolen(&mut self, at: usize, messages: u64, traffic: &mut DayTraffic) {
        let (who, Manner { night, beyond, .. }) = (self.thefts[at].who, self.thefts[at].manner);
        let at_night = part(messages, night, &mut self.fine);
        #[expect(clippy::cast_precision_loss, reason = "messages of a day")]
        let recipients = poisson(messages as f64 * beyond, &mut self.fine);
        self.tell(who, at_night, recipients, traffic);
    }

    /// As an ingestion does: what is zero is not told.
    fn tell(&self, who: usize, at_night: u64, recipients: u64, traffic: &mut DayTraffic) {
        let name = &self.accounts[who].name;
        if at_night > 0 {
            traffic.night(name, at_night);
        }
        if recipients > 0 {
            traffic.recipients(name, recipients);
        }
    }
}
