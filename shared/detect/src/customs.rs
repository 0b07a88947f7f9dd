//! What is ordinary here: how often each odd thing is seen on ordinary days.
//!
//! A weight is the decimal logarithm of how much more often something is seen on bad days than on ordinary ones. Bad days
//! are too few to learn of, so theirs are constants. Ordinary days are learned from each installation: where everybody
//! travels, travelling says little.

/// The least and the most that one sign may weigh.
const LIGHTEST: f64 = -1.3;
const HEAVIEST: f64 = 4.6;

/// A level of something odd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// From which value on.
    pub(crate) from: f64,
    /// The share of ordinary days at this level or above, before anything was learned.
    pub(crate) ordinary: f64,
    /// The share of bad days.
    pub(crate) bad: f64,
}

/// Levels of one odd thing, and how often they were seen.
#[derive(Clone, Debug)]
pub(crate) struct Custom {
    levels: &'static [Level],
    seen: Vec<u64>,
    days: u64,
}

impl Custom {
    pub(crate) fn new(levels: &'static [Level]) -> Self {
        Self { levels, seen: vec![0; levels.len()], days: 0 }
    }

    /// Learns of an ordinary day.
    pub(crate) fn learn(&mut self, value: f64) {
        self.days += 1;
        // Levels rise, and most days are below the first.
        let reached = self.levels.iter().take_while(|level| value >= level.from);
        self.seen.iter_mut().zip(reached).for_each(|(seen, _)| *seen += 1);
    }

    /// The share of ordinary days at a level or above.
    #[expect(clippy::cast_precision_loss, reason = "counts of days")]
    fn ordinary(&self, at: usize) -> f64 {
        let Some(level) = self.levels.get(at) else { return 0.0 };
        let known = (40.0 / level.ordinary).min(4000.0);
        (self.seen[at] as f64 + level.ordinary * known) / (self.days as f64 + known)
    }

    fn at_least(&self, at: usize) -> f64 {
        self.levels[at].bad.log10() - self.ordinary(at).log10()
    }

    /// What a value weighs that is this high or higher: nothing below the first level; between two, in between.
    pub(crate) fn weight(&self, value: f64) -> f64 {
        let Some(at) = self.levels.iter().rposition(|level| value >= level.from) else {
            return 0.0;
        };
        let here = self.at_least(at);
        let weight = match self.levels.get(at + 1) {
            Some(next) => {
                let from = self.levels[at].from;
                let part = (value / from).ln() / (next.from / from).ln();
                here + part * (self.at_least(at + 1) - here)
            }
            None => here,
        };
        weight.clamp(LIGHTEST, HEAVIEST)
    }

    /// What a value weighs by the level that it is exactly at.
    pub(crate) fn weight_at(&self, value: f64) -> f64 {
        self.weight_of(self.levels.iter().take_while(|level| value >= level.from).count())
    }

    /// What weighs exactly this level, of which 0 is below the first.
    pub(crate) fn weight_of(&self, level: usize) -> f64 {
        let bad = |at: usize| match at {
            0 => 1.0,
            at => self.levels.get(at - 1).map_or(0.0, |level| level.bad),
        };
        let ordinary = |at: usize| match at {
            0 => 1.0,
            at => self.ordinary(at - 1),
        };
        let bad = (bad(level) - bad(level + 1)).max(1e-3);
        let ordinary = (ordinary(level) - ordinary(level + 1)).max(1e-6);
        (bad / ordinary).log10().clamp(LIGHTEST, HEAVIEST)
    }

    /// What it weighs whether something is so.
    pub(crate) fn weight_if(&self, is_so: bool) -> f64 {
        self.weight_of(usize::from(is_so))
    }
}

/// Levels from their values: where each begins, its share of ordinary days and that of bad ones.
macro_rules! levels {
    ($($name:ident: [$(($from:expr, $ordinary:expr, $bad:expr)),+ $(,)?],)+) => {$(
        const $name: &[Level] =
            &[$(Level { from: $from, ordinary: $ordinary, bad: $bad }),+];
    )+};
}

levels! {
    PLACE_NEVER: [(1.0, 2e-2, 0.92), (2.0, 5e-3, 0.84), (3.0, 3e-3, 0.76), (4.0, 1.5e-3, 0.6)],
    PLACE_ONCE: [(1.0, 0.1, 0.92), (2.0, 4e-2, 0.84), (3.0, 3e-2, 0.76), (4.0, 1.5e-2, 0.6)],
    PLACE_OFTEN: [(1.0, 0.2, 0.92), (2.0, 0.1, 0.84), (3.0, 8e-2, 0.76), (4.0, 4e-2, 0.6)],
    PLACE_MACHINE: [(1.0, 3e-3, 0.92), (2.0, 1.5e-3, 0.84), (3.0, 1e-3, 0.76), (4.0, 7e-4, 0.6)],
    PLACE_YOUNG: [(1.0, 0.1, 0.92), (2.0, 3e-2, 0.84), (3.0, 1.6e-2, 0.76), (4.0, 8e-3, 0.6)],
    SPREAD: [(2.0, 0.2, 0.42), (3.0, 4e-2, 0.38), (4.0, 1e-2, 0.35), (5.0, 4e-3, 0.32), (7.0, 1e-3, 0.28), (10.0, 3e-4, 0.25)],
    PROGRAM: [(1.0, 6e-2, 0.6)],
    BOTH: [(1.0, 0.2, 0.5)],
    VOLUME: [
        (1.0, 1.2e-2, 0.7), (1.5, 4e-3, 0.65), (2.0, 2e-3, 0.6), (3.0, 9e-4, 0.55), (4.0, 5e-4, 0.5), (6.0, 2.5e-4, 0.45),
        (8.0, 1.6e-4, 0.4), (12.0, 7e-5, 0.35), (16.0, 4e-5, 0.3), (32.0, 1.5e-5, 0.25), (64.0, 6e-6, 0.2),
    ],
    VOLUME_MACHINE: [
        (1.0, 0.12, 0.3), (1.5, 4e-2, 0.28), (2.0, 2e-2, 0.26), (3.0, 9e-3, 0.24), (4.0, 5e-3, 0.22), (6.0, 2.5e-3, 0.2),
        (8.0, 1.6e-3, 0.18), (12.0, 7e-4, 0.16), (16.0, 4e-4, 0.14), (32.0, 1.5e-4, 0.12), (64.0, 6e-5, 0.1),
    ],
    VOLUME_YOUNG: [(20.0, 6e-2, 0.45), (100.0, 8e-3, 0.35), (300.0, 3e-3, 0.25)],
    VOLUME_THERE: [(1.0, 0.16, 0.6), (2.0, 6e-2, 0.5), (3.0, 3e-2, 0.42), (5.0, 7e-3, 0.35), (10.0, 2e-3, 0.27), (20.0, 6e-4, 0.2)],
    GUESSED: [(1.0, 2e-2, 0.2), (2.0, 6e-3, 0.15), (3.0, 1e-4, 0.12)],
    IDENTITIES: [(1.0, 4e-3, 0.25), (2.0, 4e-4, 0.12), (3.0, 1e-4, 0.11), (4.0, 4e-5, 0.1), (8.0, 1e-5, 0.08)],
    ALIEN_DOMAIN: [(1.0, 6e-4, 0.12)],
    ANOTHERS: [(1.0, 6e-4, 0.08)],
    NIGHT: [(2.0, 1e-2, 0.45), (4.0, 3e-3, 0.4), (8.0, 6e-4, 0.33), (16.0, 1.5e-4, 0.26), (32.0, 5e-5, 0.2)],
    NIGHT_THERE: [(1.0, 0.15, 0.48), (2.0, 6e-2, 0.45), (4.0, 2.5e-2, 0.4), (8.0, 1e-2, 0.33), (16.0, 3e-3, 0.26), (32.0, 1e-3, 0.2)],
    RECIPIENTS: [(1.0, 2e-2, 0.35), (2.0, 4e-3, 0.32), (4.0, 8e-4, 0.28), (8.0, 1e-4, 0.24), (16.0, 1e-5, 0.2)],
}

/// An account's past, as far as it tells how odd a strange place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    Machine,
    Young,
    Never,
    Once,
    Often,
}

/// What is ordinary here.
#[derive(Clone, Debug)]
pub(crate) struct Customs {
    places: [Custom; 5],
    pub(crate) spread: Custom,
    pub(crate) program: Custom,
    pub(crate) both: Custom,
    pub(crate) volume: Custom,
    pub(crate) volume_machine: Custom,
    pub(crate) volume_young: Custom,
    pub(crate) volume_there: Custom,
    pub(crate) guessed: Custom,
    pub(crate) identities: Custom,
    pub(crate) alien_domain: Custom,
    pub(crate) anothers: Custom,
    pub(crate) night: Custom,
    /// The same, given a strange place: where the clock may be another one.
    pub(crate) night_there: Custom,
    pub(crate) recipients: Custom,
}

impl Default for Customs {
    fn default() -> Self {
        let places = [PLACE_MACHINE, PLACE_YOUNG, PLACE_NEVER, PLACE_ONCE, PLACE_OFTEN];
        Self {
            places: places.map(Custom::new),
            spread: Custom::new(SPREAD),
            program: Custom::new(PROGRAM),
            both: Custom::new(BOTH),
            volume: Custom::new(VOLUME),
            volume_machine: Custom::new(VOLUME_MACHINE),
            volume_young: Custom::new(VOLUME_YOUNG),
            volume_there: Custom::new(VOLUME_THERE),
            guessed: Custom::new(GUESSED),
            identities: Custom::new(IDENTITIES),
            alien_domain: Custom::new(ALIEN_DOMAIN),
            anothers: Custom::new(ANOTHERS),
            night: Custom::new(NIGHT),
            night_there: Custom::new(NIGHT_THERE),
            recipients: Custom::new(RECIPIENTS),
        }
    }
}

impl Customs {
    pub(crate) fn place(&self, past: Past) -> &Custom {
        &self.places[past as usize]
    }

    pub(crate) fn place_mut(&mut self, past: Past) -> &mut Custom {
        &mut self.places[past as usize]
    }

    /// The share of strange days on which an account's usual clients are there too.
    pub(crate) fn both_share(&self) -> f64 {
        self.both.ordinary(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_often_weighs_less() {
        let mut custom = Custom::new(VOLUME);
        let before = [1.0, 2.0, 4.0, 8.0, 64.0, 1000.0].map(|value| custom.weight(value));
        assert!(before.is_sorted(), "{before:?}");
        assert!((custom.weight(0.5)).abs() < f64::EPSILON);
        for day in 0..10_000 {
            custom.learn(if day % 20 == 0 { 5.0 } else { 0.1 });
        }
        assert!(custom.weight(4.0) < before[2] - 1.0, "{}", custom.weight(4.0));
        assert!(custom.weight(64.0) > 2.0);
    }

    #[test]
    fn levels_weigh_what_they_are() {
        let customs = Customs::default();
        let place = customs.place(Past::Never);
        let weights: Vec<_> = (0..=4).map(|level| place.weight_of(level)).collect();
        assert!(weights.is_sorted() && weights[0] < -1.0 && weights[4] > 2.5, "{weights:?}");
        assert!(customs.place(Past::Often).weight_of(4) < weights[4]);
        assert!(customs.program.weight_if(true) > 0.9 && customs.program.weight_if(false) < 0.0);
    }
}
