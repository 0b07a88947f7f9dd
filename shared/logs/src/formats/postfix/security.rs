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
use super::model::{Accepted, Session, SessionKey, Whose};
use crate::kept::KeptLogin;
use crate::pending::Waiting;
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
        let mut whose = Whose::Connected(peer);
        if let Some(open) = self.sessions.get(&key) {
            let session = &open.value;
            let nothing_sent = session.accepted == 0 && session.open.is_empty();
            let began_now = process.time == session.began && session.tls.is_some() && nothing_sent;
            let is_late = process.time < session.began || began_now;
            match session.whose {
                Whose::Untold if is_late => self.late = self.clock,
                Whose::Secured(own) if is_late && own == peer => self.late = self.clock,
                _ => {
                    // No process has two sessions at once, but two have one each.
                    if process.may_be_several {
                        whose = Whose::Several;
                    }
                    self.end_session(key, None, mark, sink);
                }
            }
        }
        self.session(process, |_, session| session.whose = whose);
    }

    /// A session ends. `commands` are the counts that its last line tells, and whose.
    pub(super) fn disconnected(
        &mut self,
        process: Process,
        commands: Option<(Peer, Commands)>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(key) = process.session else { return };
        let of_several = |open: &Waiting<Session>| open.value.whose == Whose::Several;
        let go_on = process.may_be_several && self.sessions.get(&key).is_some_and(of_several);
        self.end_session(key, commands, mark, sink);
        // Those of the other processes go on, and which they are is not told.
        if go_on {
            self.session(process, |_, session| session.whose = Whose::Several);
        }
    }

    /// Lines are missing, which may have begun or ended any session, or its TLS.
    pub(super) fn lines_are_missing(&mut self) {
        for key in self.sessions.keys_of(|session| session.whose != Whose::Several) {
            self.sessions.change(&key, |session| session.whose = Whose::Several);
        }
    }

    /// A TLS line of a session: what its client sent before the handshake was plaintext.
    pub(super) fn tls_started(
        &mut self,
        process: Process,
        peer: Peer,
        tls: TlsVersion,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(key) = process.session else { return };
        let instance = self.names.service(key.service).instance;
        self.names.learn_tls(key.service);
        let Self { sessions, messages, .. } = self;
        // A line that is older than those it follows here came late: the handshake was before them.
        let at = |begun: i64, login: &KeptLogin| {
            if !peer.is_same(login.parts().2) {
                TlsVersion::Unknown
            } else if process.time < begun {
                tls
            } else {
                TlsVersion::None
            }
        };
        touched(sessions, process, |serial, session| {
            session.tls = Some(tls);
            session.whose = match session.whose {
                Whose::Untold => Whose::Secured(peer),
                whose if whose.peer() == Some(peer) => whose,
                _ => Whose::Several,
            };
            for id in &session.open {
                let key = (instance, *id);
                let Some(begun) = messages.get(&key).map(|open| open.seen) else { continue };
                messages.change(&key, |message| {
                    if message.session_serial == serial {
                        message.tls = message.tls.or_else(|| Some(at(begun, &message.login)));
                    }
                });
            }
            for accepted in session.waiting.take() {
                emit(&accepted, at(accepted.begun, &accepted.login), mark, sink);
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
        if in_order && self.without_tls_line(key).of(accepted.login.parts().2) == TlsVersion::None {
            return emit(&accepted, TlsVersion::None, mark, sink);
        }
        let from = self.clock.min(accepted.time.saturating_add(SKEW));
        accepted.due = (from.saturating_add(WAIT).div_euclid(STEP) + 1).saturating_mul(STEP);
        self.due.no_later_than(accepted.due);
        self.sessions.change(&key, |session| session.waiting.add(accepted));
    }

    /// Counts what has waited long enough; whether there was any.
    pub(super) fn settle(&mut self, time: i64, mark: u64, sink: &mut impl Sink) -> bool {
        let mut any = false;
        self.due = Default::default();
        for key in self.sessions.keys_of(|session| session.waiting.due().is_some()) {
            let settled = self
                .sessions
                .change(&key, |session| (session.waiting.take_due(time), session.waiting.due()));
            let Some((settled, next)) = settled else { continue };
            let told = self.without_tls_line(key);
            any |= !settled.is_empty();
            for accepted in settled {
                emit(&accepted, told.of(accepted.login.parts().2), mark, sink);
            }
            if let Some(next) = next {
                self.due.no_later_than(next);
            }
        }
        any
    }

    /// What it means that no TLS line was logged for a session, and that none is expected.
    fn without_tls_line(&self, key: SessionKey) -> Proof {
        let would_log_tls = self.names.service(key.service).would_log_tls();
        let peer = self.sessions.get(&key).and_then(|open| open.value.whose.connected());
        Proof::NoTlsLine(peer.filter(|_| would_log_tls))
    }

    /// What the end of a session tells of the TLS of its messages for which there was no TLS line before.
    ///
    /// `commands` are the counts that its client's last line told; none if it did not tell them, or did not come.
    pub(super) fn told_at_end(
        &mut self,
        key: SessionKey,
        session: &Session,
        commands: Option<(Peer, Commands)>,
    ) -> Proof {
        let service = self.names.service(key.service);
        let begins_with_tls = service.may_begin_with_tls;
        match (commands, session.tls) {
            (Some((_, Commands { xclient: true, .. })), _) => Proof::Untold,
            _ if session.whose == Whose::Several => Proof::Untold,
            (_, Some(tls)) => Proof::Told(tls, session.whose.peer()),
            (Some((peer, Commands { starttls: 0, .. })), None) if !begins_with_tls => {
                Proof::Told(TlsVersion::None, Some(peer))
            }
            (Some((_, Commands { starttls, .. })), None) => {
                if starttls > 0 && session.whose.connected().is_some() {
                    self.names.unlearn_tls(key.service);
                }
                Proof::Untold
            }
            (None, None) => {
                Proof::NoTlsLine(session.whose.connected().filter(|_| service.would_log_tls()))
            }
        }
    }
}

/// What tells the TLS version of a session's messages.
#[derive(Clone, Copy, Debug)]
pub(super) enum Proof {
    /// A line did, of this peer's; of an unknown one only where an earlier version has kept it.
    Told(TlsVersion, Option<Peer>),
    /// Nothing does.
    Untold,
    /// That there was no TLS line, in a session of this peer's, if there would have been one.
    NoTlsLine(Option<Peer>),
}

impl Proof {
    /// The TLS version of a client's message.
    ///
    /// Another server that speaks for the client, and whose address is in the `connect` line, may have ended its TLS.
    pub(super) fn of(&self, client: &str) -> TlsVersion {
        match self {
            Self::Told(tls, peer) if peer.is_none_or(|peer| peer.is_same(client)) => *tls,
            Self::NoTlsLine(Some(peer)) if peer.is(client) => TlsVersion::None,
            Self::Told(..) | Self::Untold | Self::NoTlsLine(_) => TlsVersion::Unknown,
        }
    }
}
