//! What ends without a line that says so: by the log's own time, for lack of room, or with the log.

use super::correlator::{Correlator, STATE_LIMIT};
use super::model::{Session, SessionKey};
use crate::{Arrival, Sink};

/// Log time after which a silent session is taken for ended: no command takes longer.
pub(super) const SESSION_LIFE: i64 = 24 * 3600;
/// How often, in log time, what has expired is looked for.
const SWEEP_EVERY: i64 = 600;

impl Correlator {
    /// Ends every session. Messages that may still reach the queue are kept.
    pub(crate) fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        let mut keys: Vec<_> = self.sessions.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            self.end_session(key, None, mark, sink);
        }
    }

    /// Moves the log's clock on and forgets what has expired by it.
    pub(super) fn advance(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        // One line from the future must not end every session.
        if time <= self.clock || time > arrival.reference.saturating_add(86_400) {
            return;
        }
        self.clock = time;
        if time - self.swept < SWEEP_EVERY {
            return;
        }
        self.swept = time;
        let silent = |(key, session): (&SessionKey, &Session)| {
            (time - session.seen > SESSION_LIFE).then_some(*key)
        };
        let ended: Vec<_> = self.sessions.iter().filter_map(silent).collect();
        for key in ended {
            self.end_session(key, None, arrival.before, sink);
        }
        let weight = &mut self.weight;
        self.messages.retain(|_, message| {
            let keep = message.until >= time;
            if !keep {
                *weight = weight.saturating_sub(message.weight());
            }
            keep
        });
    }

    /// Forgets the oldest until a quarter of the room is free. What was accepted is counted first.
    pub(super) fn evict(&mut self, mark: u64, sink: &mut impl Sink) {
        let goal = STATE_LIMIT / 4 * 3;
        let mut oldest: Vec<_> =
            self.sessions.iter().map(|(k, s)| (s.seen, s.serial, *k)).collect();
        oldest.sort_unstable();
        for (_, _, key) in oldest {
            if self.weight <= goal {
                return;
            }
            self.evicted += 1;
            self.end_session(key, None, mark, sink);
        }
        let mut oldest: Vec<_> = self
            .messages
            .iter()
            .map(|((instance, id), m)| (m.seen, m.serial, *id, *instance))
            .collect();
        oldest.sort_unstable();
        for (_, _, id, instance) in oldest {
            if self.weight <= goal {
                return;
            }
            self.evicted += 1;
            self.remove(instance, id);
        }
    }
}
