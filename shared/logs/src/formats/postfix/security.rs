//! What tells the TLS version of a session's messages, or that there was none.
//!
//! 1. A TLS line, which comes before the messages that it is about.
//! 2. That there is none, in a session whose lines are known from its `connect` on, of a service that is known to log
//!    them (`smtpd_tls_loglevel`): it was plaintext. If lines may be late, a while must pass first.
//! 3. The counts of commands in `disconnect from`: without `STARTTLS` it was plaintext, with it the version is unknown.
//!
//! A message waits for one of them for a minute of the log's own time, and is then counted as of an unknown version: a
//! session can stay open for hours, and a process that was killed never ends its own.

use report::TlsVersion;

use super::ledger::{Ledger, Process, emit, touched};
use super::lines::{Commands, Peer};
use super::model::{Accepted, SessionKey};
use crate::proofs::Sink;

/// Log time for which an accepted message waits at least, from the last line before it on.
const WAIT: i64 = 60;
/// Waiting ends at multiples of so much log time, so that what has waited long enough is seldom looked for.
const STEP: i64 = 15;
/// How far another host's clock may be ahead and the wait still be as long; with a clock that is further ahead it is
/// shorter. All three together are less than two minutes.
const SKEW: i64 = 30;
/// Log time after a late line for which more of them are expected.
const DISORDER: i64 = 600;

impl Ledger {
    /// A session begins; whatever its process left open before is over.
    pub(super) fn connected(
        &mut self,
        process: Process,
        peer: Peer,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(key) = process.session else { return };
        let is_late = self.sessions.get(&key).is_some_and(|open| {
            let session = &open.value;
            let nothing_sent = session.accepted == 0 && session.open.is_empty();
            let began_now = process.time == session.began && session.tls.is_some() && nothing_sent;
            session.peer.is_none() && (process.time < session.began || began_now)
        });
        if is_late {
            self.late = self.clock;
        } else {
            self.end_session(key, None, mark, sink);
        }
        self.session(process, |_, session| session.peer = Some(peer));
    }

    /// A TLS line of a session: what came before the handshake was plaintext.
    pub(super) fn tls_started(
        &mut self,
        process: Process,
        tls: TlsVersion,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(key) = process.session else { return };
        let instance = self.names.service(key.service).instance;
        self.names.learn_tls(key.service);
        let Self { sessions, messages, .. } = self;
        // A line that is older than those it follows here came late: the handshake was before them.
        let at = |begun: i64| if process.time < begun { tls } else { TlsVersion::None };
        touched(sessions, process, |serial, session| {
            session.tls = Some(tls);
            for id in &session.open {
                let key = (instance, *id);
                let Some(begun) = messages.get(&key).map(|open| open.seen) else { continue };
                messages.change(&key, |message| {
                    if message.session_serial == serial {
                        message.tls = message.tls.or(Some(at(begun)));
                    }
                });
            }
            for accepted in session.waiting.take() {
                emit(&accepted, at(accepted.begun), mark, sink);
            }
        });
    }

    /// Hands an accepted message on, or keeps it until something tells plaintext from TLS.
    pub(super) fn count(
        &mut self,
        key: Option<SessionKey>,
        tls: Option<TlsVersion>,
        mut accepted: Accepted,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        if let Some(tls) = tls {
            return emit(&accepted, tls, mark, sink);
        }
        let Some(key) = key.filter(|key| self.sessions.get(key).is_some()) else {
            return emit(&accepted, TlsVersion::Unknown, mark, sink);
        };
        let in_order = self.clock.saturating_sub(self.late) > DISORDER;
        let client = accepted.login.parts().2;
        if in_order && self.without_tls_line(key, client) == TlsVersion::None {
            return emit(&accepted, TlsVersion::None, mark, sink);
        }
        let from = self.clock.min(accepted.time.saturating_add(SKEW));
        accepted.due = (from.saturating_add(WAIT).div_euclid(STEP) + 1).saturating_mul(STEP);
        self.due.no_later_than(accepted.due);
        self.sessions.change(&key, |session| session.waiting.add(accepted));
    }

    /// Counts what has waited long enough.
    pub(super) fn settle(&mut self, time: i64, mark: u64, sink: &mut impl Sink) {
        self.due = Default::default();
        for key in self.sessions.keys_of(|session| session.waiting.due().is_some()) {
            let settled = self
                .sessions
                .change(&key, |session| (session.waiting.take_due(time), session.waiting.due()));
            let Some((settled, next)) = settled else { continue };
            for accepted in settled {
                let tls = self.without_tls_line(key, accepted.login.parts().2);
                emit(&accepted, tls, mark, sink);
            }
            if let Some(next) = next {
                self.due.no_later_than(next);
            }
        }
    }

    /// What it means that no TLS line was logged for a session, and that none is expected: plaintext or unknown.
    ///
    /// Another server that speaks for the client, and whose address is in the `connect` line, may have ended its TLS.
    fn without_tls_line(&self, key: SessionKey, client: &str) -> TlsVersion {
        let would_log_tls = self.names.service(key.service).would_log_tls();
        let peer = self.sessions.get(&key).and_then(|open| open.value.peer);
        match peer.filter(|_| would_log_tls) {
            Some(peer) if peer.is(client) => TlsVersion::None,
            _ => TlsVersion::Unknown,
        }
    }

    /// What the end of a session tells of the TLS of its messages for which there was no TLS line before.
    ///
    /// `commands` are the counts that its last line told; none if it did not tell them, or did not come.
    pub(super) fn told_at_end(
        &mut self,
        key: SessionKey,
        commands: Option<Commands>,
    ) -> impl Fn(&Self, &str) -> TlsVersion + use<> {
        let open = self.sessions.get(&key).map(|open| (open.value.tls, open.value.peer.is_some()));
        let (tls, connected) = open.unwrap_or_default();
        let begins_with_tls = self.names.service(key.service).may_begin_with_tls;
        let by_counts = match commands {
            Some(Commands { xclient: true, .. }) => Some(TlsVersion::Unknown),
            _ if tls.is_some() => tls,
            Some(Commands { starttls: 0, .. }) if !begins_with_tls => Some(TlsVersion::None),
            Some(Commands { starttls, .. }) => {
                if starttls > 0 && connected {
                    self.names.unlearn_tls(key.service);
                }
                Some(TlsVersion::Unknown)
            }
            None => None,
        };
        move |ledger, client| by_counts.unwrap_or_else(|| ledger.without_tls_line(key, client))
    }
}
