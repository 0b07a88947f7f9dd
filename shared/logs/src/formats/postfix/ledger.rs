//! The sessions and messages that are open, and what becomes of them.
//!
//! Nothing in here reads a line: [`super::reader`] tells what lines say.

use report::TlsVersion;

use super::due::Due;
use super::lines::{Active, Authenticated, QueueId};
use super::model::{Accepted, Held, Message, MessageKey, Proxied, Session, SessionKey};
use super::names::Names;
use crate::kept::{KeptLogin, KeptSender};
use crate::pending::{Pending, Waiting};
use crate::place::Arrival;
use crate::proofs::{Login, Proof, Sender, Sink, submit};

/// Log time after which a silent session is taken for ended: no command takes longer.
pub(super) const SESSION_LIFE: i64 = 24 * 3600;
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
    /// The mark of the line that was read last; not saved, for no line is read in two batches.
    pub(super) line: u64,
    /// From which log time on an accepted message has waited long enough; never before one has.
    pub(super) due: Due,
    /// When the last line came that was older than one before it.
    pub(super) late: i64,
    /// The log holds cleanup's lines.
    pub(super) cleanup_is_told: bool,
    /// Sessions and messages forgotten because there were too many.
    pub(super) evicted: u64,
}

/// The process that a line of a session comes from.
#[derive(Clone, Copy)]
pub(super) struct Process {
    /// None without a process id: then nothing tells its sessions apart.
    pub(super) session: Option<SessionKey>,
    /// Its number may have lost digits: then sessions of others look like its own.
    pub(super) may_be_several: bool,
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    /// When the line was logged.
    pub(super) time: i64,
}

impl Ledger {
    pub(super) fn weight(&self) -> usize {
        self.sessions.weight() + self.messages.weight() + self.names.weight()
    }

    /// Moves the log's clock on, and settles and forgets what has waited long enough by it.
    #[inline]
    pub(super) fn advance(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        let before = arrival.behind(self.line);
        self.line = arrival.mark;
        if time != self.clock || self.due.has_come(time) {
            self.moved(time, Arrival { before, ..arrival }, sink);
        }
    }

    /// See [`LogFormat::settle_due`](crate::format::LogFormat::settle_due): the sessions of what was due may have ended, and
    /// then a ledger that was restored would not have been called.
    pub(super) fn settle_due(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        if !arrival.is_outrun(time) && self.settle(time, arrival.behind(self.line), sink) {
            self.line = arrival.mark;
        }
    }

    fn moved(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        if arrival.is_outrun(time) {
            return;
        }
        if self.due.has_come(time) {
            self.settle(time, arrival.before, sink);
        }
        match time.cmp(&self.clock) {
            std::cmp::Ordering::Less => self.late = self.clock,
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => {
                self.clock = time;
                if time.saturating_sub(self.swept) >= SWEEP_EVERY {
                    self.sweep(arrival.before, sink);
                }
            }
        }
    }

    fn sweep(&mut self, mark: u64, sink: &mut impl Sink) {
        self.swept = self.clock;
        for key in self.sessions.expired(self.clock) {
            self.end_session(key, None, mark, sink);
        }
        for key in self.messages.expired(self.clock) {
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
        if self.weight() > down_to {
            self.names.forget_tls();
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
    pub(super) fn begin(
        &mut self,
        process: Process,
        key: MessageKey,
        client: Option<Authenticated>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let mut before = None;
        let begun = self.session(process, |serial, session| {
            before = session.open.last().copied();
            let tls = client.as_ref().and_then(|client| {
                session.open.push(key.1);
                session.tls_of(client.login.parts().2)
            });
            (serial, tls, session.hold_next.take())
        });
        if let (Some(session), Some(before)) = (process.session, before) {
            self.transaction_is_over(session, before, mark, sink);
        }
        let Some(Authenticated { login, fronted }) = client else { return self.take_over(key) };
        self.supersede(key);
        // Without a process id, no line tells which TLS connection this was.
        let (session_serial, tls, held) = begun.unwrap_or((0, Some(TlsVersion::Unknown), None));
        let tls = if fronted { Some(TlsVersion::Unknown) } else { tls };
        let Process { session, named, time, .. } = process;
        let message = Message {
            named,
            session,
            session_serial,
            login,
            tls,
            content: false,
            held,
            superseded: false,
        };
        self.messages.insert(key, message, time, time.saturating_add(SESSION_LIFE));
    }

    /// Counts a message that is held or discarded with its content, and was not refused, when the session's next
    /// transaction begins: the session may stay open for long.
    fn transaction_is_over(
        &mut self,
        session: SessionKey,
        id: QueueId,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let key = (self.names.service(session.service).instance, id);
        let is_kept = self.messages.get(&key).is_some_and(|open| {
            open.value.content && open.value.held.is_some() && open.value.session == Some(session)
        });
        if !is_kept {
            return;
        }
        let Some(Waiting { value: message, seen: begun, .. }) = self.messages.remove(&key) else {
            return;
        };
        self.sessions.change(&session, |session| {
            session.accepted += 1;
            session.open.retain(|open| *open != id);
        });
        if let Some(Held { sender, time, .. }) = message.held {
            let accepted = Accepted::one(message.login, sender, time, begun, 0);
            self.count(Some(session), message.tls, accepted, mark, sink);
        }
    }

    /// A transaction begins about which a before-queue proxy decides.
    pub(super) fn begin_proxied(&mut self, process: Process, client: Option<Authenticated>) {
        let proxied = client.map(|Authenticated { login, fronted }| {
            let tls = fronted.then_some(TlsVersion::Unknown);
            Proxied { login, tls, begun: process.time }
        });
        self.session(process, |_, session| session.proxied = proxied);
    }

    /// A message is put on hold or discarded, or seen to have its content meanwhile.
    pub(super) fn hold(&mut self, key: MessageKey, held: impl FnOnce() -> Held, content: bool) {
        self.change(key, |message| {
            message.content |= content;
            message.held.get_or_insert_with(held);
        });
    }

    /// The content of a message was seen.
    pub(super) fn content_seen(&mut self, key: MessageKey) {
        self.cleanup_is_told = true;
        if self.messages.change(&key, |message| message.content = true).is_none()
            && let Some(other) = self.under_another_name(key)
        {
            self.messages.change(&other, |message| message.content = true);
        }
    }

    /// A before-queue proxy has accepted the message of the session's transaction.
    pub(super) fn proxy_accepted(
        &mut self,
        process: Process,
        sender: KeptSender,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let accepted = self.session(process, |_, session| {
            let proxied = session.proxied.take()?;
            session.accepted += 1;
            let tls = session.tls_of(proxied.login.parts().2);
            Some((proxied.tls.or(tls), proxied))
        });
        if let Some((tls, Proxied { login, begun, .. })) = accepted.flatten() {
            let accepted = Accepted::one(login, sender, process.time, begun, 0);
            self.count(process.session, tls, accepted, mark, sink);
        }
    }

    /// The queue manager has taken a message on: it was accepted. If another server speaks for the client, the message
    /// is not counted here, and its login is given back.
    pub(super) fn accept(
        &mut self,
        mut key: MessageKey,
        Active { sender, recipients }: Active<'_>,
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) -> Option<KeptLogin> {
        let mut open = self.messages.remove(&key);
        if open.is_none()
            && let Some(other) = self.under_another_name(key)
        {
            (key, open) = (other, self.messages.remove(&other));
        }
        let Waiting { value: message, seen: begun, .. } = open?;
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
            None if message.is_fronted() => return Some(message.login),
            None if let Some(tls) = tls => {
                let (sender, login) = (Sender::Logged(sender), Login::Kept(&message.login));
                submit(sink, mark, &Proof { time, sender, login, tls, messages: 1, recipients });
                return None;
            }
            // Held while its content came: that was its acceptance.
            Some(held) if message.content => (KeptSender::new(sender), held.time),
            _ => (KeptSender::new(sender), time),
        };
        let accepted = Accepted::one(message.login, sender, time, begun, recipients);
        self.count(session, tls, accepted, mark, sink);
        None
    }

    /// A queue id that no longer belongs to an authenticated client's message.
    pub(super) fn forget(&mut self, key: MessageKey) {
        if self.messages.remove(&key).is_none()
            && let Some(other) = self.under_another_name(key)
        {
            self.messages.remove(&other);
        }
    }

    /// A queue id that another message takes over.
    pub(super) fn take_over(&mut self, key: MessageKey) {
        self.messages.remove(&key);
        self.supersede(key);
    }

    /// Whoever has this queue id under another name of the host has given it up, or is of another instance that has it by
    /// chance: then lines of its own name will tell.
    fn supersede(&mut self, key: MessageKey) {
        while let Some(other) = self.under_another_name(key) {
            self.messages.change(&other, |message| message.superseded = true);
        }
    }

    /// The key of the message that a line means which knows its queue id by another name of the host, if one is open.
    #[inline]
    fn under_another_name(&self, (instance, id): MessageKey) -> Option<MessageKey> {
        let names = self.names.of_host(instance);
        if names.len() < 2 {
            return None;
        }
        let others = names.iter().filter(|other| **other != instance).map(|other| (*other, id));
        let open = others.filter_map(|key| {
            let open = self.messages.get(&key)?;
            (!open.value.superseded).then_some((open.serial, key))
        });
        open.max().map(|(_, key)| key)
    }

    /// Changes a message of which a line tells.
    fn change(&mut self, key: MessageKey, change: impl FnOnce(&mut Message)) {
        if self.messages.get(&key).is_some() {
            self.messages.change(&key, change);
        } else if let Some(other) = self.under_another_name(key) {
            self.messages.change(&other, change);
        }
    }
}

/// See [`Ledger::session`].
pub(super) fn touched<T>(
    sessions: &mut Pending<SessionKey, Session>,
    process: Process,
    change: impl FnOnce(u64, &mut Session) -> T,
) -> Option<T> {
    let Process { session, named, time, .. } = process;
    let new = || Session { named, began: time, ..Session::default() };
    Some(sessions.touch(session?, (time, time.saturating_add(SESSION_LIFE)), new, change))
}

/// Counts messages that were kept.
pub(super) fn emit(accepted: &Accepted, tls: TlsVersion, mark: u64, sink: &mut impl Sink) {
    let Accepted { login, sender, time, messages, recipients, .. } = accepted;
    let (sender, login) = (Sender::Kept(sender), Login::Kept(login));
    submit(
        sink,
        mark,
        &Proof { time: *time, sender, login, tls, messages: *messages, recipients: *recipients },
    );
}
