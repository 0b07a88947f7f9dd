//! The sessions and messages that are open, and what becomes of them.
//!
//! Nothing in here reads a line: [`super::reader`] tells what lines say.

use report::TlsVersion;

use super::lines::Commands;
use super::model::{Accepted, Held, Message, MessageKey, Session, SessionKey};
use super::names::Names;
use crate::pending::{Pending, Waiting};
use crate::place::Arrival;
use crate::proofs::{KeptLogin, Login, Proof, Sender, Sink, submit};

/// Log time after which a silent session is taken for ended: no command takes longer.
pub(super) const SESSION_LIFE: i64 = 24 * 3600;
/// Log time that a message may wait for the queue manager, if its session says it was accepted.
const QUEUE_LAG: i64 = 24 * 3600;
/// The same, if nothing says so.
const UNPROVEN_LAG: i64 = 3600;
/// How often, in log time, what has expired is looked for.
const SWEEP_EVERY: i64 = 600;

/// What is remembered between lines. Deterministic: the same lines lead to the same submissions.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The latest time among the lines that were joined.
    pub(super) clock: i64,
    /// When what has expired was looked for.
    pub(super) swept: i64,
    pub(super) names: Names,
    pub(super) sessions: Pending<SessionKey, Session>,
    pub(super) messages: Pending<MessageKey, Message>,
    /// How often a message was held before its content; while zero, content need not be looked for.
    pub(super) held_without_content: u64,
    /// Sessions and messages forgotten because there were too many.
    pub(super) evicted: u64,
}

/// The process that a line of a session comes from.
#[derive(Clone, Copy)]
pub(super) struct Process {
    /// None without a process id: then nothing tells its sessions apart.
    pub(super) session: Option<SessionKey>,
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    /// When the line was logged.
    pub(super) time: i64,
}

impl Ledger {
    pub(super) fn weight(&self) -> usize {
        self.sessions.weight() + self.messages.weight()
    }

    /// Moves the log's clock on and forgets what has expired by it.
    pub(super) fn advance(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        // One line from the future must not end every session.
        if time <= self.clock || time > arrival.reference.saturating_add(86_400) {
            return;
        }
        self.clock = time;
        if time.saturating_sub(self.swept) < SWEEP_EVERY {
            return;
        }
        self.swept = time;
        for key in self.sessions.expired(time) {
            self.end_session(key, None, arrival.before, sink);
        }
        for key in self.messages.expired(time) {
            self.messages.remove(&key);
        }
    }

    /// Forgets the oldest until so much is free. What was accepted is counted first.
    pub(super) fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
        for key in self.sessions.oldest_first() {
            if self.weight() <= down_to {
                return;
            }
            self.evicted += 1;
            self.end_session(key, None, mark, sink);
        }
        for key in self.messages.oldest_first() {
            if self.weight() <= down_to {
                return;
            }
            self.evicted += 1;
            self.messages.remove(&key);
        }
    }

    /// Ends every session. Messages that may still reach the queue are kept.
    pub(super) fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        for key in self.sessions.oldest_first() {
            self.end_session(key, None, mark, sink);
        }
    }

    /// Changes the session that a line belongs to, which begins if the line is its first; the change is told its serial
    /// number.
    pub(super) fn session<T>(
        &mut self,
        process: Process,
        change: impl FnOnce(u64, &mut Session) -> T,
    ) -> Option<T> {
        touched(&mut self.sessions, process, change)
    }

    /// A transaction begins, or takes over an id that an older one gave up.
    ///
    /// Without a login it only takes the id: nobody authenticated.
    pub(super) fn begin(&mut self, process: Process, key: MessageKey, login: Option<KeptLogin>) {
        let begun = self.session(process, |serial, session| {
            if login.is_some() {
                session.open.push(key.1);
            }
            (serial, session.tls, session.hold_next.take())
        });
        let Some(login) = login else { return self.forget(key) };
        // Without a process id, no line tells which TLS connection this was.
        let (session_serial, tls, held) = begun.unwrap_or((0, Some(TlsVersion::Unknown), None));
        self.held_without_content += u64::from(held.is_some());
        let Process { session, named, time } = process;
        let message = Message { named, session, session_serial, login, tls, held };
        self.messages.insert(key, message, time, time.saturating_add(SESSION_LIFE));
    }

    /// A message is put on hold or discarded, or seen to have its content meanwhile.
    pub(super) fn hold(
        &mut self,
        key: MessageKey,
        sender: impl FnOnce() -> Box<str>,
        time: i64,
        content: bool,
    ) {
        let held_now = self.messages.change(&key, |message| match &mut message.held {
            Some(held) => {
                held.content |= content;
                false
            }
            None => {
                message.held = Some(Held { sender: sender(), time, content });
                true
            }
        });
        self.held_without_content += u64::from(held_now == Some(true) && !content);
    }

    /// The content of a message was seen; tells only of one that is held.
    pub(super) fn content_seen(&mut self, key: MessageKey) {
        self.messages.change(&key, |message| {
            if let Some(held) = &mut message.held {
                held.content = true;
            }
        });
    }

    /// A before-queue proxy has accepted the message of the session's transaction.
    pub(super) fn proxy_accepted(
        &mut self,
        process: Process,
        sender: Box<str>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let accepted = self.session(process, |_, session| {
            let login = session.proxied.take()?;
            session.accepted += 1;
            Some((session.tls, login))
        });
        if let Some((tls, login)) = accepted.flatten() {
            let accepted = Accepted { login, sender, time: process.time, messages: 1 };
            self.count(process.session, tls, accepted, mark, sink);
        }
    }

    /// The queue manager has taken a message on: it was accepted.
    pub(super) fn accept(
        &mut self,
        key: MessageKey,
        sender: &[u8],
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(Waiting { value: message, .. }) = self.messages.remove(&key) else { return };
        let mut tls = message.tls;
        let session = message.session.filter(|session| {
            self.sessions.get(session).is_some_and(|open| open.serial == message.session_serial)
        });
        match session {
            Some(session) => {
                self.sessions.change(&session, |session| {
                    session.accepted += 1;
                    if let Some(at) = session.open.iter().rposition(|open| *open == key.1) {
                        session.open.swap_remove(at);
                    }
                });
            }
            None => tls = tls.or(Some(TlsVersion::Unknown)),
        }
        let (sender, time) = match message.held {
            // The common case: nothing has to be kept, so nothing is copied.
            None if let Some(tls) = tls => {
                let (sender, login) = (Sender::Logged(sender), Login::Kept(&message.login));
                return submit(sink, mark, &Proof { time, sender, login, tls, messages: 1 });
            }
            // Held while its content came: that was its acceptance.
            Some(held) if held.content => (kept_sender(sender), held.time),
            _ => (kept_sender(sender), time),
        };
        let accepted = Accepted { login: message.login, sender, time, messages: 1 };
        self.count(session, tls, accepted, mark, sink);
    }

    /// Hands an accepted message on, or keeps it until its session tells plaintext from TLS.
    fn count(
        &mut self,
        key: Option<SessionKey>,
        tls: Option<TlsVersion>,
        accepted: Accepted,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        if let Some(tls) = tls {
            return emit(&accepted, tls, mark, sink);
        }
        let Some(key) = key.filter(|key| self.sessions.get(key).is_some()) else {
            return emit(&accepted, TlsVersion::Unknown, mark, sink);
        };
        self.sessions.change(&key, |session| session.waiting.add(accepted));
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
        let Self { sessions, messages, .. } = self;
        touched(sessions, process, |serial, session| {
            session.tls = Some(tls);
            for id in &session.open {
                messages.change(&(instance, *id), |message| {
                    if message.session_serial == serial {
                        message.tls = message.tls.or(Some(TlsVersion::None));
                    }
                });
            }
            for accepted in session.waiting.take() {
                emit(&accepted, TlsVersion::None, mark, sink);
            }
        });
    }

    /// Settles everything that a session left open. `commands` are the counts that its last line told.
    pub(super) fn end_session(
        &mut self,
        key: SessionKey,
        commands: Option<Commands>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(ended) = self.sessions.remove(&key) else { return };
        let (serial, session) = (ended.serial, ended.value);
        let service = self.names.service(key.service);
        let (instance, wrapper) = (service.instance, service.wrapper);
        let tls = session.tls.unwrap_or(match commands {
            Some(commands) if commands.starttls == 0 && !wrapper => TlsVersion::None,
            _ => TlsVersion::Unknown,
        });
        for accepted in session.waiting.all() {
            emit(accepted, tls, mark, sink);
        }
        let mut open: Vec<MessageKey> = session.open.iter().map(|id| (instance, *id)).collect();
        open.retain(|key| {
            self.messages.get(key).is_some_and(|open| open.value.session_serial == serial)
        });
        // Accepted by the counts, but not yet by the queue manager's lines.
        let missing = commands.map(|counts| counts.data.saturating_sub(session.accepted) as usize);
        let all_accepted = missing.is_none_or(|missing| missing >= open.len());
        for key in open {
            let Some(mut left) = self.messages.remove(&key) else { continue };
            let message = &mut left.value;
            let tls = *message.tls.get_or_insert(tls);
            let lag = match missing {
                // Every accepted message is known: this one was given up.
                Some(0) => continue,
                Some(_) => QUEUE_LAG,
                None => UNPROVEN_LAG,
            };
            if let Some(Held { sender, time, content }) = message.held.take()
                && (content || all_accepted)
            {
                let login = Login::Kept(&message.login);
                let sender = Sender::Kept(&sender);
                submit(sink, mark, &Proof { time, sender, login, tls, messages: 1 });
                continue;
            }
            message.session = None;
            left.until = self.clock.saturating_add(lag);
            self.messages.put(key, left);
        }
    }

    /// A queue id that no longer belongs to an authenticated client's message.
    pub(super) fn forget(&mut self, key: MessageKey) {
        self.messages.remove(&key);
    }
}

/// See [`Ledger::session`].
fn touched<T>(
    sessions: &mut Pending<SessionKey, Session>,
    process: Process,
    change: impl FnOnce(u64, &mut Session) -> T,
) -> Option<T> {
    let Process { session, named, time } = process;
    let new = || Session { named, ..Session::default() };
    Some(sessions.touch(session?, (time, time.saturating_add(SESSION_LIFE)), new, change))
}

/// An envelope sender that has to wait for a later line.
pub(super) fn kept_sender(raw: &[u8]) -> Box<str> {
    crate::proofs::clean_sender(raw).into()
}

fn emit(accepted: &Accepted, tls: TlsVersion, mark: u64, sink: &mut impl Sink) {
    let Accepted { login, sender, time, messages } = accepted;
    let (sender, login) = (Sender::Kept(sender), Login::Kept(login));
    submit(sink, mark, &Proof { time: *time, sender, login, tls, messages: *messages });
}
