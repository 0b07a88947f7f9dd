//! How much all that is remembered may weigh.

use super::LogStream;
use crate::proofs::Sink;
use crate::saved;

impl LogStream {
    #[inline]
    pub(super) fn make_room<S: Sink>(&mut self, mark: u64, sink: &mut S) {
        // No less than that is free, whatever else waits.
        if self.formats.weight() + self.relayed.weight() > saved::OWN {
            self.fit(mark, sink);
        }
    }

    #[cold]
    fn fit<S: Sink>(&mut self, mark: u64, sink: &mut S) {
        let budget = match self.carried.frames.are_open() {
            false => self.budget,
            true => {
                let waiting = self.carried.frames.weight();
                self.budget.saturating_sub(waiting).max(saved::OWN)
            }
        };
        if self.formats.weight() + self.relayed.weight() > budget {
            // More than must be: so room is not made again for every line that follows.
            self.relayed.evict(budget / 4, mark, sink);
            let left = (budget / 4 * 3).saturating_sub(self.relayed.weight());
            self.formats.evict(left, mark, sink);
        }
    }
}
