//! How readers learn that the program is to end.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells all who read that they are to store what they have, and end. Clones tell the same.
#[derive(Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Default)]
struct Inner {
    is_told: AtomicBool,
    wake: Mutex<Vec<Box<dyn Fn() + Send>>>,
    told: Condvar,
}

impl Stop {
    /// Tells them. Once is enough.
    pub fn tell(&self) {
        self.0.is_told.store(true, Ordering::SeqCst);
        let wake = self.0.wake.lock().unwrap_or_else(PoisonError::into_inner);
        wake.iter().for_each(|wake| wake());
        self.0.told.notify_all();
    }

    /// Whether it was told.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.0.is_told.load(Ordering::SeqCst)
    }

    /// Waits for so long, or until it is told.
    pub(crate) fn wait(&self, time: Duration) {
        let all = self.0.wake.lock().unwrap_or_else(PoisonError::into_inner);
        // Woken too early or not: whoever waits looks again.
        drop(self.0.told.wait_timeout_while(all, time, |_| !self.is_told()));
    }

    /// Has this done when it is told, or at once if it was: whoever waits for something else must be woken.
    ///
    /// It must not wait for anything itself.
    pub(crate) fn wakes(&self, wake: impl Fn() + Send + 'static) {
        let mut all = self.0.wake.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_told() {
            wake();
        }
        all.push(Box::new(wake));
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_told()).finish()
    }
}
