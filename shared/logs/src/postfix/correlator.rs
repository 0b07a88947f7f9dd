//! Joins Postfix's lines into submissions.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use report::{
    ACCOUNT_LIMIT, AuthFailure, NULL_SENDER, SENDER_LIMIT, Submission, TlsVersion, client_address,
    lowered,
};

use super::Daemon;
use super::expiry::SESSION_LIFE;
use super::lines::{self, Commands, Login, QueueId};
use super::model::{Accepted, Held, InstanceId, Message, Service, ServiceId, Session, SessionKey};
use crate::envelope::Envelope;
use crate::{Arrival, Sink};

/// Log time that a message may wait for the queue manager, if its session says it was accepted.
const QUEUE_LAG: i64 = 24 * 3600;
/// The same, if nothing says so.
const UNPROVEN_LAG: i64 = 3600;
/// The most bytes of host and program together: no real names are longer.
const LONGEST_NAME: usize = 400;
/// Bytes that the state may take when stored: a DynamoDB item holds 400 KB.
pub(super) const STATE_LIMIT: usize = 300_000;

/// What is remembered between lines. Deterministic: the same lines lead to the same submissions.
#[derive(Debug)]
pub(crate) struct Correlator {
    pub(super) clock: i64,
    pub(super) swept: i64,
    pub(super) serial: u64,
    pub(super) services: Vec<Service>,
    pub(super) instances: u32,
    /// `host NUL program` and `host NUL instance`.
    pub(super) service_ids: HashMap<Box<[u8]>, ServiceId, RandomState>,
    pub(super) instance_ids: HashMap<Box<[u8]>, InstanceId, RandomState>,
    pub(super) sessions: HashMap<SessionKey, Session, RandomState>,
    pub(super) messages: HashMap<(InstanceId, QueueId), Message, RandomState>,
    pub(super) scratch: Vec<u8>,
    /// The names met last: the next line mostly has the same.
    pub(super) last_service: (Vec<u8>, ServiceId),
    pub(super) last_instance: (Vec<u8>, InstanceId),
    pub(super) weight: usize,
    /// How many names may be known before those no longer used are forgotten.
    pub(super) names_limit: usize,
    /// How often a message was held before its content; while zero, content need not be looked for.
    pub(super) held_without_content: usize,
    /// Sessions and messages forgotten because there were too many.
    pub(super) evicted: u64,
}

impl Correlator {
    /// Sessions and messages remembered, and how many were forgotten for lack of room.
    pub(crate) fn load(&self) -> (usize, usize, u64) {
        (self.sessions.len(), self.messages.len(), self.evicted)
    }

    /// The latest time seen.
    pub(crate) fn clock(&self) -> i64 {
        self.clock
    }

    /// Reads one line of Postfix's.
    pub(crate) fn line(
        &mut self,
        daemon: Daemon,
        envelope: &Envelope<'_>,
        arrival: Arrival,
        sink: &mut impl Sink,
    ) {
        if envelope.host.len() + envelope.program.len() > LONGEST_NAME {
            return;
        }
        let time = envelope.time.unwrap_or(arrival.reference);
        let message = envelope.message;
        match daemon {
            Daemon::Smtpd => {
                self.advance(time, arrival, sink);
                self.smtpd(envelope, time, arrival.mark, sink);
            }
            Daemon::Qmgr => {
                if message.last() == Some(&b')')
                    && let Some((id, rest)) = lines::queue_id(message)
                    && let Some(sender) = lines::queue_active(rest)
                {
                    self.advance(time, arrival, sink);
                    let instance = self.instance(envelope);
                    if let Some(message) = self.remove(instance, id) {
                        self.accept(id, message, sender, time, arrival.mark, sink);
                    }
                }
            }
            Daemon::Cleanup => {
                if let Some((id, rest)) = lines::queue_id(message) {
                    self.cleanup(envelope, id, rest, time);
                }
            }
            Daemon::Pickup => {
                // A queue id that a local program's message takes over.
                if let Some((id, _)) = lines::queue_id(message) {
                    let instance = self.instance(envelope);
                    self.remove(instance, id);
                }
            }
            Daemon::Other => {}
        }
        if self.weight > STATE_LIMIT {
            self.evict(arrival.mark, sink);
        }
        if self.services.len() + self.instances as usize > self.names_limit {
            self.forget_names();
        }
    }

    fn smtpd(&mut self, envelope: &Envelope<'_>, time: i64, mark: u64, sink: &mut impl Sink) {
        let message = envelope.message;
        match message.first() {
            Some(b'c') if message.starts_with(b"connect from ") => {
                if let Some(key) = self.session_key(envelope) {
                    self.end_session(key, None, mark, sink);
                    self.session(envelope, time);
                }
            }
            Some(b'd') if message.starts_with(b"disconnect from ") => {
                if let Some(key) = self.session_key(envelope) {
                    self.end_session(key, lines::commands(&message[16..]), mark, sink);
                }
            }
            Some(b'w') => {
                if let Some(warning) = message.strip_prefix(b"warning: ") {
                    self.warning(envelope, warning, time, mark, sink);
                }
            }
            Some(b'A' | b'T' | b'U' | b'V') if let Some(tls) = lines::tls_version(message) => {
                if let Some(key) = self.session_key(envelope) {
                    self.session(envelope, time);
                    self.tls_started(key, tls, time, mark, sink);
                }
            }
            _ => self.transaction(envelope, time, mark, sink),
        }
    }

    fn transaction(&mut self, envelope: &Envelope<'_>, time: i64, mark: u64, sink: &mut impl Sink) {
        let message = envelope.message;
        let proxied = message.strip_prefix(b"NOQUEUE: ");
        let queued = lines::queue_id(message).filter(|_| proxied.is_none());
        let rest = proxied.or(queued.map(|(_, rest)| rest)).unwrap_or(message);
        if let Some(client) = rest.strip_prefix(b"client=") {
            let login = lines::login(client);
            match queued {
                Some((id, _)) => self.begin(envelope, id, login, time),
                None => self.begin_proxied(envelope, login, time),
            }
        } else if rest.starts_with(b"proxy-accept: END-OF-MESSAGE") {
            self.proxy_accept(envelope, rest, time, mark, sink);
        } else if let Some((id, rest)) = queued
            && lines::is_kept_from_queue(rest)
        {
            self.hold(envelope, id, rest, time, false);
        } else if proxied.is_some() && lines::is_kept_from_queue(rest) {
            self.hold_next(envelope, rest, time);
        } else if proxied.is_some() && rest.starts_with(b"reject: ") {
            // The recipient that would have been held was refused after all.
            self.reweigh(envelope, time, |session| session.hold_next = None);
        }
    }

    /// `QUEUEID: client=`: a transaction begins, or takes over an id that an older one gave up.
    fn begin(&mut self, envelope: &Envelope<'_>, id: QueueId, login: Option<Login>, time: i64) {
        let instance = self.instance(envelope);
        self.remove(instance, id);
        let key = self.session_key(envelope);
        let begun = self.reweigh(envelope, time, |session| {
            let held = session.hold_next.take();
            if login.is_some() {
                session.open.push(id);
            }
            (session.tls, session.serial, held)
        });
        let Some(login) = login else { return };
        // Without a process id, no line tells which TLS connection this was.
        let (tls, serial, held) = begun.unwrap_or((Some(TlsVersion::Unknown), 0, None));
        self.held_without_content += usize::from(held.is_some());
        let until = time + SESSION_LIFE;
        let named = named(envelope);
        let message = Message { named, session: key, serial, seen: time, login, tls, held, until };
        self.weight += message.weight();
        self.messages.insert((instance, id), message);
    }

    /// `NOQUEUE: client=`: a before-queue proxy decides about what follows.
    fn begin_proxied(&mut self, envelope: &Envelope<'_>, login: Option<Login>, time: i64) {
        self.reweigh(envelope, time, |session| session.proxied = login);
    }

    /// `NOQUEUE: hold:`: the check of the first recipient runs before there is a queue id.
    fn hold_next(&mut self, envelope: &Envelope<'_>, rest: &[u8], time: i64) {
        let sender = sender_of(lines::envelope_sender(rest).unwrap_or(b""));
        let held = Held { sender, time, content: false };
        self.reweigh(envelope, time, |session| session.hold_next = Some(held));
    }

    /// Changes the session of a line, and what it weighs.
    fn reweigh<T>(
        &mut self,
        envelope: &Envelope<'_>,
        time: i64,
        change: impl FnOnce(&mut Session) -> T,
    ) -> Option<T> {
        let session = self.session(envelope, time)?;
        let before = session.weight();
        let changed = change(session);
        let after = session.weight();
        self.weight = (self.weight + after).saturating_sub(before);
        Some(changed)
    }

    fn cleanup(&mut self, envelope: &Envelope<'_>, id: QueueId, rest: &[u8], time: i64) {
        if lines::is_kept_from_queue(rest) {
            self.hold(envelope, id, rest, time, true);
        } else if rest.starts_with(b"message-id=") {
            if self.held_without_content > 0 {
                self.content_seen(envelope, id);
            }
        } else if rest.starts_with(b"milter-reject: END-OF-MESSAGE")
            || rest.starts_with(b"reject: ")
            || rest == b"canceled"
            || rest == b"discarded"
        {
            let instance = self.instance(envelope);
            self.remove(instance, id);
        }
    }

    fn hold(
        &mut self,
        envelope: &Envelope<'_>,
        id: QueueId,
        rest: &[u8],
        time: i64,
        content: bool,
    ) {
        let instance = self.instance(envelope);
        let Some(message) = self.messages.get_mut(&(instance, id)) else { return };
        match &mut message.held {
            Some(held) => held.content |= content,
            None => {
                let sender = sender_of(lines::envelope_sender(rest).unwrap_or(b""));
                self.weight += sender.len();
                message.held = Some(Held { sender, time, content });
                self.held_without_content += usize::from(!content);
            }
        }
    }

    fn content_seen(&mut self, envelope: &Envelope<'_>, id: QueueId) {
        let instance = self.instance(envelope);
        if let Some(message) = self.messages.get_mut(&(instance, id))
            && let Some(held) = &mut message.held
        {
            held.content = true;
        }
    }

    fn warning(
        &mut self,
        envelope: &Envelope<'_>,
        warning: &[u8],
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        if let Some((address, account)) = lines::auth_failure(warning) {
            let account = lowered(account.unwrap_or(b""), ACCOUNT_LIMIT);
            let client = client_address(address);
            sink.auth_failure(mark, &AuthFailure { time, account: &account, client: &client });
        } else if let Some((id, rest)) = lines::queue_id(warning)
            && rest.starts_with(b"queue file size limit exceeded")
        {
            let instance = self.instance(envelope);
            self.remove(instance, id);
        }
    }

    fn proxy_accept(
        &mut self,
        envelope: &Envelope<'_>,
        rest: &[u8],
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(key) = self.session_key(envelope) else { return };
        let Some(sender) = lines::envelope_sender(rest).map(sender_of) else { return };
        let accepted = self.reweigh(envelope, time, |session| {
            let login = session.proxied.take()?;
            session.accepted += 1;
            Some((session.tls, login))
        });
        if let Some((tls, login)) = accepted.flatten() {
            let accepted = Accepted { login, sender, time, messages: 1 };
            self.count(Some(key), tls, accepted, mark, sink);
        }
    }

    /// The queue manager has taken the message on.
    fn accept(
        &mut self,
        id: QueueId,
        message: Message,
        sender: &[u8],
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let mut tls = message.tls;
        let session = message.session.and_then(|key| self.sessions.get_mut(&key));
        let session = session.filter(|session| session.serial == message.serial);
        let waits = session.is_some();
        if let Some(session) = session {
            session.accepted += 1;
            if let Some(at) = session.open.iter().rposition(|open| *open == id) {
                session.open.swap_remove(at);
                self.weight = self.weight.saturating_sub(25);
            }
        } else {
            tls = tls.or(Some(TlsVersion::Unknown));
        }
        let (sender, time) = match message.held {
            None if let Some(tls) = tls => {
                let sender = lowered(sender, SENDER_LIMIT);
                let sender = if sender.is_empty() { NULL_SENDER } else { &sender };
                let (account, mechanism, client) = message.login.parts();
                let submission =
                    Submission { time, sender, account, mechanism, tls, client, messages: 1 };
                return sink.submission(mark, &submission);
            }
            // Held while its content came: that was its acceptance.
            Some(held) if held.content => (sender_of(sender), held.time),
            _ => (sender_of(sender), time),
        };
        let accepted = Accepted { login: message.login, sender, time, messages: 1 };
        self.count(message.session.filter(|_| waits), tls, accepted, mark, sink);
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
        let Some(session) = key.and_then(|key| self.sessions.get_mut(&key)) else {
            return emit(&accepted, TlsVersion::Unknown, mark, sink);
        };
        // A quarter of an hour lies within one day in every zone.
        let same = |known: &&mut Accepted| {
            known.time.div_euclid(900) == accepted.time.div_euclid(900)
                && known.sender == accepted.sender
                && known.login == accepted.login
        };
        match session.waiting.iter_mut().rev().take(4).find(same) {
            Some(known) => known.messages += accepted.messages,
            None => {
                self.weight += accepted.weight();
                session.waiting.push(accepted);
            }
        }
    }

    fn tls_started(
        &mut self,
        key: SessionKey,
        tls: TlsVersion,
        time: i64,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let instance = self.services[key.service as usize].instance;
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.tls = Some(tls);
        session.seen = time;
        // What came before the handshake was plaintext.
        for id in &session.open {
            if let Some(message) = self.messages.get_mut(&(instance, *id))
                && message.serial == session.serial
            {
                message.tls = message.tls.or(Some(TlsVersion::None));
            }
        }
        for accepted in session.waiting.drain(..) {
            self.weight = self.weight.saturating_sub(accepted.weight());
            emit(&accepted, TlsVersion::None, mark, sink);
        }
    }

    /// Settles everything that the session left open.
    pub(super) fn end_session(
        &mut self,
        key: SessionKey,
        commands: Option<Commands>,
        mark: u64,
        sink: &mut impl Sink,
    ) {
        let Some(mut session) = self.sessions.remove(&key) else { return };
        self.weight = self.weight.saturating_sub(session.weight());
        let service = &self.services[key.service as usize];
        let (instance, wrapper) = (service.instance, service.wrapper);
        let tls = session.tls.unwrap_or(match commands {
            Some(commands) if commands.starttls == 0 && !wrapper => TlsVersion::None,
            _ => TlsVersion::Unknown,
        });
        for accepted in session.waiting.drain(..) {
            emit(&accepted, tls, mark, sink);
        }
        let open: Vec<_> = std::mem::take(&mut session.open)
            .into_iter()
            .filter_map(|id| {
                let message = self.messages.get(&(instance, id))?;
                (message.serial == session.serial).then_some(id)
            })
            .collect();
        // Accepted by the counts, but not yet by the queue manager's lines.
        let missing = commands.map(|counts| counts.data.saturating_sub(session.accepted) as usize);
        let all_accepted = missing.is_none_or(|missing| missing >= open.len());
        for id in open {
            let Some(mut message) = self.remove(instance, id) else { continue };
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
                let accepted = Accepted { login: message.login, sender, time, messages: 1 };
                emit(&accepted, tls, mark, sink);
                continue;
            }
            message.session = None;
            message.until = self.clock + lag;
            self.weight += message.weight();
            self.messages.insert((instance, id), message);
        }
    }

    pub(super) fn remove(&mut self, instance: InstanceId, id: QueueId) -> Option<Message> {
        let message = self.messages.remove(&(instance, id))?;
        self.weight = self.weight.saturating_sub(message.weight());
        Some(message)
    }

    fn session(&mut self, envelope: &Envelope<'_>, time: i64) -> Option<&mut Session> {
        let key = self.session_key(envelope)?;
        let session = self.sessions.entry(key).or_insert_with(|| {
            self.serial += 1;
            let session = Session::new(named(envelope), self.serial, time);
            self.weight += session.weight();
            session
        });
        session.seen = time;
        Some(session)
    }

    fn session_key(&mut self, envelope: &Envelope<'_>) -> Option<SessionKey> {
        let pid = envelope.pid?;
        Some(SessionKey { service: self.service(envelope), pid })
    }

    fn service(&mut self, envelope: &Envelope<'_>) -> ServiceId {
        let (host, program) = (envelope.host, envelope.program);
        if is_joined(&self.last_service.0, host, program) {
            return self.last_service.1;
        }
        join(&mut self.scratch, host, program);
        let id = match self.service_ids.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => {
                let name: Box<[u8]> = self.scratch.as_slice().into();
                let instance = self.instance(envelope);
                self.add_service(name, instance)
            }
        };
        join(&mut self.last_service.0, host, program);
        self.last_service.1 = id;
        id
    }

    pub(super) fn add_service(&mut self, name: Box<[u8]>, instance: InstanceId) -> ServiceId {
        let id = ServiceId::try_from(self.services.len()).unwrap_or(ServiceId::MAX);
        self.services.push(Service { instance, wrapper: is_wrapper(&name) });
        self.service_ids.insert(name, id);
        id
    }

    fn instance(&mut self, envelope: &Envelope<'_>) -> InstanceId {
        let program = envelope.program;
        let end = program.iter().position(|byte| *byte == b'/').unwrap_or(program.len());
        let (host, instance) = (envelope.host, &program[..end]);
        if is_joined(&self.last_instance.0, host, instance) {
            return self.last_instance.1;
        }
        join(&mut self.scratch, host, instance);
        let id = match self.instance_ids.get(self.scratch.as_slice()) {
            Some(id) => *id,
            None => {
                let id = self.instances;
                self.instances += 1;
                self.instance_ids.insert(self.scratch.as_slice().into(), id);
                id
            }
        };
        join(&mut self.last_instance.0, host, instance);
        self.last_instance.1 = id;
        id
    }
}

/// Services that begin with TLS: `smtps` and `submissions` in Postfix's own `master.cf`, `ssmtp`
/// and `urd` as port 465 was called before, or the port itself.
fn is_wrapper(name: &[u8]) -> bool {
    let program = name.rsplit(|byte| *byte == 0).next().unwrap_or(name);
    program
        .split(|byte| *byte == b'/')
        .any(|part| matches!(part, b"smtps" | b"submissions" | b"ssmtp" | b"urd" | b"465"))
}

fn named(envelope: &Envelope<'_>) -> u16 {
    u16::try_from(envelope.host.len() + envelope.program.len()).unwrap_or(u16::MAX)
}

fn join(text: &mut Vec<u8>, host: &[u8], name: &[u8]) {
    text.clear();
    text.extend_from_slice(host);
    text.push(0);
    text.extend_from_slice(name);
}

fn is_joined(text: &[u8], host: &[u8], name: &[u8]) -> bool {
    text.len() == host.len() + 1 + name.len()
        && text[host.len()] == 0
        && text.ends_with(name)
        && text.starts_with(host)
}

fn sender_of(text: &[u8]) -> Box<str> {
    if text.is_empty() { NULL_SENDER.into() } else { lowered(text, SENDER_LIMIT).into() }
}

fn emit(accepted: &Accepted, tls: TlsVersion, mark: u64, sink: &mut impl Sink) {
    let (account, mechanism, client) = accepted.login.parts();
    let Accepted { sender, time, messages, .. } = accepted;
    let (time, messages) = (*time, *messages);
    sink.submission(mark, &Submission { time, sender, account, mechanism, tls, client, messages });
}
