//! What was counted already, for logs that may tell the same message again.

use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::memory::{Kept, Memory};
use crate::proofs::Sink;

/// That what has a key was counted: it is remembered for so many seconds of the log's own time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counted<const LIFE: i64>;

impl<const LIFE: i64> Kept for Counted<LIFE> {
    const WAITS: bool = false;

    fn life(&self) -> i64 {
        LIFE
    }

    fn weight(&self) -> usize {
        0
    }
}

impl<S: Kept, const LIFE: i64> Memory<S, Counted<LIFE>> {
    /// Whether a message is told for the first time, as far as that is remembered: the oldest are forgotten where all take
    /// more than `room` bytes. The clock must have been moved on by its line.
    pub(crate) fn is_first(
        &mut self,
        key: Key<'_>,
        time: i64,
        room: usize,
        mark: u64,
        sink: &mut impl Sink,
    ) -> bool {
        if self.messages.get(key).is_some() {
            return false;
        }
        // What comes late is told again late, too.
        let now = if self.clock() > 0 { self.clock() } else { time };
        self.messages.put(key, now, Counted);
        if self.messages.weight() > room {
            let others = self.weight() - self.messages.weight();
            self.evict_messages(others + room / 4 * 3, mark, sink);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Arrival;
    use crate::testing::Collected;

    type Ids = Memory<(), Counted<600>>;

    fn is_first(ids: &mut Ids, id: &str, time: i64, room: usize) -> bool {
        let mut told = Collected::default();
        ids.advance(time, Arrival { mark: 2, before: 1, reference: time }, &mut told);
        let key = Key { host: b"", id: id.as_bytes() };
        ids.is_first(key, time, room, 2, &mut told)
    }

    #[test]
    fn what_is_told_again_is_known_for_a_while() {
        let mut ids = Ids::default();
        assert!(is_first(&mut ids, "a", 1000, 999));
        assert!(!is_first(&mut ids, "a", 1000, 999) && !is_first(&mut ids, "a", 1600, 999));
        assert!(is_first(&mut ids, "b", 1500, 999), "it comes late");
        assert!(!is_first(&mut ids, "b", 2190, 999));
        let mut restored = Ids::restore(&ids.save()).expect("its own");
        assert!(!is_first(&mut restored, "b", 1500, 999));
        assert!(is_first(&mut restored, "a", 2190, 999));
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_nothing_waits() {
        let mut ids = Ids::default();
        for number in 0..1000 {
            assert!(is_first(&mut ids, &number.to_string(), 1000 + number, 2000));
            assert!(ids.weight() <= 2000, "{number}");
        }
        assert!(!is_first(&mut ids, "999", 2000, 2000) && !is_first(&mut ids, "930", 2000, 2000));
        assert!(is_first(&mut ids, "800", 2000, 2000));
        assert_eq!((ids.load(), ids.due()), (crate::Load::default(), i64::MAX));
    }
}
