//! The present of tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2026-11-24T12:00Z, the present of every test.
pub const NOW: i64 = 1_795_521_600;

/// A clock that a test sets: it begins at [`NOW`].
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }
}

impl Clock {
    /// The present, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Makes it another time.
    pub fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }
}
