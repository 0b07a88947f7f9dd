//! What each line says, told to the ledger.

use super::envelope;
use super::ledger::{Ledger, Process};
use super::lines::{self, Failure, Peer, QueueId};
use super::model::{Held, MessageKey, SessionKey};
use super::names;
use crate::kept::KeptSender;
use crate::key::Key;
use crate::proofs::Sink;
use crate::reading::Proofs;
use crate::record::Record;
use crate::text::near;

/// The daemon behind a syslog tag such as `postfix/submission/smtpd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Daemon {
    /// Receives mail over SMTP.
    Smtpd,
    /// Moves messages through the queue.
    Qmgr,
    /// Writes messages into the queue.
    Cleanup,
    /// Takes messages from local programs.
    Pickup,
    /// Starts the others.
    Master,
    /// Any other part of Postfix: its lines prove nothing here.
    Other,
    /// The tag was cut before it: what it logged tells.
    Untold,
}

impl Daemon {
    /// Reads a syslog tag; none if it is not Postfix's.
    #[inline]
    fn of(program: &[u8]) -> Option<Self> {
        // What is asked of every line must be cheap: how the tag ends, and no search for where that begins.
        let is = |end: &[u8]| program.ends_with(end);
        match program.last_chunk() {
            Some(b"mtpd") if is(b"/smtpd") => return Some(Self::Smtpd),
            Some(b"qmgr") if is(b"/qmgr") || is(b"/oqmgr") || is(b"/nqmgr") => {
                return Some(Self::Qmgr);
            }
            Some(b"anup") if is(b"/cleanup") => return Some(Self::Cleanup),
            Some(b"ckup") if is(b"/pickup") => return Some(Self::Pickup),
            _ => {}
        }
        if !program.starts_with(b"postfix") {
            return None;
        }
        if program.ends_with(b"/master") {
            return Some(Self::Master);
        }
        if near(b'/', program).is_some() {
            return Some(Self::Other);
        }
        names::is_cut(program).then_some(Self::Untold)
    }

    /// The daemon that a record is by; none if it is not Postfix's.
    #[inline]
    pub(super) fn behind(record: &Record<'_>) -> Option<Self> {
        match Self::of(record.program) {
            Some(Self::Other) if names::is_cut_within(record) => Some(Self::Untold),
            daemon => daemon,
        }
    }

    /// Which daemon a message is by, whose tag does not tell: texts of strangers stand at the beginning of none.
    fn by(message: &[u8]) -> Self {
        match lines::queue_id(message) {
            Some((_, rest)) if rest.starts_with(b"from=<") => Self::Qmgr,
            Some((_, rest)) if rest.starts_with(b"uid=") => Self::Pickup,
            None if lines::is_new_configuration(message) => Self::Master,
            // Its lines and those of cleanup, which has no session, are read alike.
            _ => Self::Smtpd,
        }
    }
}

/// Reads one line of Postfix's.
pub(super) fn line<S: Sink>(
    ledger: &mut Ledger,
    daemon: Daemon,
    record: &Record<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    let time = record.time.unwrap_or(proofs.arrival.reference);
    ledger.advance(time, proofs.arrival, proofs.sink);
    if record.host.len() + record.program.len() > names::LONGEST {
        return;
    }
    let message = record.message;
    match if daemon == Daemon::Untold { Daemon::by(message) } else { daemon } {
        Daemon::Smtpd => smtpd(ledger, record, time, proofs),
        Daemon::Qmgr => {
            if message.last() == Some(&b')')
                && let Some((id, rest)) = lines::queue_id(message)
                && let Some(active) = lines::queue_active(rest)
            {
                let key = message_key(ledger, record, id);
                let (mark, sink) = (proofs.arrival.mark, &mut *proofs.sink);
                if let Some(login) = ledger.accept(key, active, time, mark, sink) {
                    let id = &message[..message.len() - rest.len() - 2];
                    let accepted = (KeptSender::new(active.sender), login, active.recipients);
                    proofs.fronted(time, Key { host: record.host, id }, accepted);
                }
            }
        }
        Daemon::Cleanup => {
            if let Some((id, rest)) = lines::queue_id(message) {
                message_line(ledger, record, (id, rest), time, KeptSender::new);
            }
        }
        Daemon::Pickup => {
            // A queue id that a local program's message takes over.
            if let Some((id, _)) = lines::queue_id(message) {
                let key = message_key(ledger, record, id);
                ledger.take_over(key);
            }
        }
        Daemon::Master => {
            if lines::is_new_configuration(message) {
                ledger.names.forget_tls_of(record);
            }
        }
        Daemon::Other | Daemon::Untold => {}
    }
}

fn message_key(ledger: &mut Ledger, record: &Record<'_>, id: QueueId) -> MessageKey {
    (ledger.names.instance_of(record), id)
}

fn process(ledger: &mut Ledger, record: &Record<'_>, time: i64) -> Process {
    let named = record.host.len() + record.program.len();
    let service = record.pid.map(|pid| (ledger.names.service_of(record), pid));
    Process {
        session: service.map(|(service, pid)| SessionKey { service, pid }),
        may_be_several: names::may_lack_digits(record),
        named: u16::try_from(named).unwrap_or(u16::MAX),
        time,
    }
}

fn smtpd<S: Sink>(ledger: &mut Ledger, record: &Record<'_>, time: i64, proofs: &mut Proofs<'_, S>) {
    let message = record.message;
    let (mark, sink) = (proofs.arrival.mark, &mut *proofs.sink);
    match message.first() {
        Some(b'c') if let Some(client) = message.strip_prefix(b"connect from ") => {
            let process = process(ledger, record, time);
            ledger.connected(process, Peer::of(client), mark, sink);
        }
        Some(b'd') if message.starts_with(b"disconnect from ") => {
            let process = process(ledger, record, time);
            ledger.disconnected(process, lines::commands(&message[16..]), mark, sink);
        }
        Some(b'w') => {
            if let Some(warning) = message.strip_prefix(b"warning: ") {
                self::warning(ledger, record, warning, time, proofs);
            }
        }
        Some(b'A' | b'T' | b'U' | b'V') if let Some((peer, tls)) = lines::tls_version(message) => {
            let process = process(ledger, record, time);
            ledger.tls_started(process, peer, tls, mark, sink);
        }
        _ => transaction(ledger, record, time, proofs),
    }
}

fn transaction<S: Sink>(
    ledger: &mut Ledger,
    record: &Record<'_>,
    time: i64,
    proofs: &mut Proofs<'_, S>,
) {
    let message = record.message;
    let unqueued = message.strip_prefix(b"NOQUEUE: ");
    let queued = lines::queue_id(message).filter(|_| unqueued.is_none());
    let rest = unqueued.or(queued.map(|(_, rest)| rest)).unwrap_or(message);
    if let Some(client) = rest.strip_prefix(b"client=") {
        let (login, process) = (lines::login(client), process(ledger, record, time));
        match queued {
            Some((id, _)) => {
                let key = match process.session {
                    Some(SessionKey { service, .. }) => {
                        (ledger.names.service(service).instance, id)
                    }
                    None => message_key(ledger, record, id),
                };
                ledger.begin(process, key, login, proofs.arrival.mark, proofs.sink);
            }
            // A before-queue proxy decides about what follows.
            None => ledger.begin_proxied(process, login),
        }
    } else if rest.starts_with(b"proxy-accept: END-OF-MESSAGE") {
        let process = process(ledger, record, time);
        let sender = told_sender(rest, typed_sender);
        ledger.proxy_accepted(process, sender, proofs.arrival.mark, proofs.sink);
    } else if let Some(queued) = queued {
        message_line(ledger, record, queued, time, typed_sender);
    } else if unqueued.is_some() && lines::is_kept_from_queue(rest) {
        // The check of the first recipient runs before there is a queue id.
        let held = held(rest, time, typed_sender);
        let process = process(ledger, record, time);
        ledger.session(process, |_, session| session.hold_next = Some(held));
    } else if unqueued.is_some() && rest.starts_with(b"reject: ") {
        // The recipient that would have been held was refused after all.
        let process = process(ledger, record, time);
        ledger.session(process, |_, session| session.hold_next = None);
    }
}

/// What smtpd or cleanup does about a message.
fn message_line(
    ledger: &mut Ledger,
    record: &Record<'_>,
    (id, rest): (QueueId, &[u8]),
    time: i64,
    sender: fn(&[u8]) -> KeptSender,
) {
    if rest.starts_with(b"message-id=") {
        let key = message_key(ledger, record, id);
        ledger.content_seen(key);
    } else if lines::is_kept_from_queue(rest) {
        let key = message_key(ledger, record, id);
        ledger.hold(key, || held(rest, time, sender), lines::is_of_content(rest));
    } else if lines::is_refused(rest) {
        let key = message_key(ledger, record, id);
        ledger.forget(key);
    }
}

fn held(rest: &[u8], time: i64, sender: fn(&[u8]) -> KeptSender) -> Held {
    Held { sender: told_sender(rest, sender), time, discarded: lines::is_discarded(rest) }
}

/// The sender of a message that the queue manager does not tell of.
fn told_sender(rest: &[u8], sender: fn(&[u8]) -> KeptSender) -> KeptSender {
    envelope::sender(rest).map_or_else(KeptSender::unknown, sender)
}

/// A sender as the client typed it, which is what smtpd logs.
///
/// Cleanup and the queue manager log what was made of it: a name without a domain gets one, which smtpd's lines do not
/// tell. So such a name is nobody's: it would be a second one of somebody whom the other lines call by the whole address.
fn typed_sender(raw: &[u8]) -> KeptSender {
    if raw.is_empty() || raw.contains(&b'@') { KeptSender::new(raw) } else { KeptSender::unknown() }
}

fn warning<S: Sink>(
    ledger: &mut Ledger,
    record: &Record<'_>,
    warning: &[u8],
    time: i64,
    proofs: &mut Proofs<'_, S>,
) {
    if let Some(failed) = lines::auth_failure(warning) {
        let account = failed.account.unwrap_or(b"");
        match failed.why {
            Failure::Refused => proofs.auth_failure(time, account, failed.client),
            Failure::Temporary => proofs.temporary_failure(time, account, failed.client),
            Failure::NotTried => {}
        }
    } else if let Some((id, rest)) = lines::queue_id(warning)
        && rest.starts_with(b"queue file size limit exceeded")
    {
        let key = message_key(ledger, record, id);
        ledger.forget(key);
    }
}
