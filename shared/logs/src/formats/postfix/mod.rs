//! Postfix: which lines together prove that an authenticated client's message was accepted.
//!
//! One message leaves several lines, written by several processes:
//!
//! 1. `smtpd` logs `connect from`, the TLS version, and `QUEUEID: client=…, sasl_username=…` when a
//!    recipient is accepted. Nothing is accepted yet: the client may still give up.
//! 2. `qmgr` logs `QUEUEID: from=<…>, … (queue active)` once the message is in the queue. The first
//!    such line after the `client=` line **is** the submission; later ones are delivery retries.
//! 3. `smtpd` logs `disconnect from` with counts of commands. They tell how many messages the session got accepted, and so
//!    which queue ids were given up.
//!
//! What tells the TLS version, or plaintext, stands in `security`: an accepted message waits for it, but not for long.
//!
//! Sessions are known by (host, program, process); messages by queue id and the name of their Postfix instance, or by
//! another name of the same host.
//!
//! `reader` knows what lines say, by the words of `lines` and `envelope`; `ledger` what is open, and `security` and `ending` what
//! becomes of it; `state` how that is saved, and `earlier` how it was.

mod due;
mod earlier;
mod ending;
mod envelope;
mod fronted;
mod ledger;
mod lines;
mod model;
mod names;
mod reader;
mod security;
mod state;

use crate::format::LogFormat;
use crate::key::Key;
use crate::load::Load;
use crate::place::Arrival;
use crate::proofs::Sink;
use crate::reading::Proofs;
use crate::record::Record;
use crate::saved::StateError;

/// Postfix's syslog lines.
#[derive(Debug, Default)]
pub(crate) struct Postfix(ledger::Ledger);

impl LogFormat for Postfix {
    const NAME: &'static str = "postfix";
    const ABOUT: &'static str = "Postfix, with or without a syslog header";
    const MESSAGES_BEGIN: &'static [u8] = b"";
    const STATE: u8 = state::VERSION;

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(daemon) = reader::Daemon::behind(record) else { return false };
        reader::line(&mut self.0, daemon, record, proofs);
        if self.0.names.are_many() {
            self.forget_names();
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        reader::Daemon::behind(record).is_some()
    }

    fn due(&self) -> i64 {
        self.0.due.time()
    }

    fn settle_due<S: Sink>(&mut self, time: i64, arrival: Arrival, sink: &mut S) {
        self.0.settle_due(time, arrival, sink);
    }

    fn counted_in_front(&mut self, key: Key<'_>) -> bool {
        self.0.counted_in_front(key)
    }

    fn lines_are_missing(&mut self) {
        self.0.lines_are_missing();
    }

    fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        self.0.close(mark, sink);
    }

    fn save(&self) -> Vec<u8> {
        state::save(&self.0)
    }

    fn restore(version: u8, bytes: &[u8]) -> Result<Self, StateError> {
        match version {
            1 => earlier::restore1(bytes).map(Self).ok_or(StateError::Damaged),
            2 | state::VERSION => state::restore(bytes).map(Self).ok_or(StateError::Damaged),
            found => Err(StateError::Version { found, known: state::VERSION }),
        }
    }

    fn weight(&self) -> usize {
        self.0.weight()
    }

    fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
        self.0.evict(down_to, mark, sink);
    }

    fn load(&self) -> Load {
        let (sessions, messages) = (self.0.sessions.len(), self.0.messages.len());
        Load { sessions, messages, evicted: self.0.evicted }
    }

    fn clock(&self) -> i64 {
        self.0.clock
    }
}

impl Postfix {
    /// Forgets names that no session and no message uses: what is saved holds no others.
    fn forget_names(&mut self) {
        if let Some(small) = state::restore(&state::save(&self.0)) {
            self.0 = small;
        }
    }
}

#[cfg(test)]
mod tests;
