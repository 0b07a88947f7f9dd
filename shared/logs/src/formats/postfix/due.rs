//! When something is to be done.

/// A moment, in the log's own time, of something that is to be done; the end of time if there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due(i64);

impl Default for Due {
    fn default() -> Self {
        Self(i64::MAX)
    }
}

impl Due {
    /// There is also something to do at this moment.
    pub(super) fn no_later_than(&mut self, time: i64) {
        self.0 = self.0.min(time);
    }

    pub(super) fn time(self) -> i64 {
        self.0
    }

    #[inline]
    pub(super) fn has_come(self, time: i64) -> bool {
        self.0 <= time
    }
}
