//! Lines that wait for others, of several processes.

use serde::{Deserialize, Serialize};

/// The most lines that may wait: as many processes write at the same time.
const LINES: usize = 32;

/// The lines, the one that has waited longest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Waiting<T>(Vec<T>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Waiting<T> {
    /// Takes the line that is meant, if it waits.
    pub(super) fn take(&mut self, is_meant: impl Fn(&T) -> bool) -> Option<T> {
        self.0.iter().position(is_meant).map(|at| self.0.remove(at))
    }

    /// Lets a line wait, in the place of the one that has waited longest if there are too many.
    pub(super) fn put(&mut self, line: T) {
        if self.0.len() == LINES {
            self.0.remove(0);
        }
        self.0.push(line);
    }

    pub(super) fn lines(&self) -> &[T] {
        &self.0
    }

    /// Whether there are no more than there can be.
    pub(super) const fn is_sound(&self) -> bool {
        self.0.len() <= LINES
    }

    /// Forgets those that have waited longest as long as all are too heavy.
    pub(super) fn evict(&mut self, are_too_heavy: impl Fn(&[T]) -> bool) {
        while !self.0.is_empty() && are_too_heavy(&self.0) {
            self.0.remove(0);
        }
    }
}
