//! What an account was seen with, and for how long.

/// Days after which what was seen once belongs to the habit.
const RIPENS: i32 = 10;
/// On how many days a site must have been seen to be a desk, not a phone.
const FIXED: u16 = 5;

/// Something that was seen on some days.
#[derive(Clone, Copy, Debug)]
struct Seen<T> {
    what: T,
    first: i32,
    last: i32,
    days: u16,
    /// Whether it only ever came from rare networks: then it does not ripen.
    is_rare: bool,
}

impl<T> Seen<T> {
    fn is_fixed(&self) -> bool {
        self.days >= FIXED
    }

    /// Whether it belongs to the habit.
    fn is_trusted(&self, today: i32) -> bool {
        let is_usual = self.days >= 3 && self.last - self.first >= 5;
        !self.is_rare && (is_usual || today - self.first > RIPENS)
    }
}

/// Things that were seen; the least and the oldest are forgotten.
#[derive(Clone, Debug)]
pub(crate) struct Remembered<T, const MOST: usize>(Vec<Seen<T>>);

impl<T, const MOST: usize> Default for Remembered<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + PartialEq, const MOST: usize> Remembered<T, MOST> {
    fn find(&self, what: T) -> Option<&Seen<T>> {
        self.0.iter().find(|seen| seen.what == what)
    }

    pub(crate) fn has(&self, what: T) -> bool {
        self.find(what).is_some()
    }

    pub(crate) fn trusts(&self, what: T, today: i32) -> bool {
        self.find(what).is_some_and(|seen| seen.is_trusted(today))
    }

    pub(crate) fn trusted(&self, today: i32) -> usize {
        self.0.iter().filter(|seen| seen.is_trusted(today)).count()
    }

    /// Whether it was seen often enough to be a desk, if it is a site.
    pub(crate) fn is_fixed(&self, what: T) -> bool {
        self.find(what).is_some_and(Seen::is_fixed)
    }

    pub(crate) fn has_fixed(&self) -> bool {
        self.0.iter().any(Seen::is_fixed)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = T> {
        self.0.iter().map(|seen| seen.what)
    }

    /// Trusts at once what was seen today.
    pub(crate) fn own(&mut self, today: i32) {
        for seen in self.0.iter_mut().filter(|seen| seen.last == today) {
            (seen.is_rare, seen.first) = (false, seen.first.min(today - RIPENS));
        }
    }

    /// Takes note of something. Tells of what is new, and of what is forgotten for it.
    pub(crate) fn see(
        &mut self,
        what: T,
        today: i32,
        is_rare: bool,
        tell: &mut impl FnMut(T, bool),
    ) {
        if let Some(seen) = self.0.iter_mut().find(|seen| seen.what == what) {
            if seen.last != today {
                seen.days = seen.days.saturating_add(1);
                seen.last = today;
            }
            if seen.is_rare && !is_rare {
                // From now on it ripens.
                (seen.is_rare, seen.first, seen.days) = (false, today, 1);
            }
            return;
        }
        if self.0.len() >= MOST {
            let oldest = (0..self.0.len()).min_by_key(|at| {
                let seen = &self.0[*at];
                (seen.days.min(3), seen.last)
            });
            if let Some(oldest) = oldest {
                tell(self.0.swap_remove(oldest).what, false);
            }
        }
        tell(what, true);
        self.0.push(Seen { what, first: today, last: today, days: 1, is_rare });
    }
}
