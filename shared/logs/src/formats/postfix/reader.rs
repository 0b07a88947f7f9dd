//! What each line says, told to the ledger.

use report::UNKNOWN_SENDER;

use super::envelope;
use super::ledger::{Ledger, Process, kept_sender};
use super::lines::{self, QueueId};
use super::model::{Held, MessageKey, SessionKey};
use super::names;
use crate::proofs::{Proofs, Sink};
use crate::record::Record;

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
    /// Any other part of Postfix: its lines prove nothing here.
    Other,
}

impl Daemon {
    /// Reads a syslog tag; none if it is not Postfix's.
    #[inline]
    pub(super) fn of(program: &[u8]) -> Option<Self> {
        let slash = program.iter().rposition(|byte| *byte == b'/')?;
        Some(match &program[slash + 1..] {
            b"smtpd" => Self::Smtpd,
            b"qmgr" => Self::Qmgr,
            b"cleanup" => Self::Cleanup,
            b"pickup" => Self::Pickup,
            _ if program.starts_with(b"postfix") => Self::Other,
            _ => return None,
        })
    }
}

/// Reads one line of Postfix's.
pub(super) fn line<S: Sink>(
    ledger: &mut Ledger,
    daemon: Daemon,
    record: &Record<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    if record.host.len() + record.program.len() > names::LONGEST {
        return;
    }
    let time = record.time.unwrap_or(proofs.arrival.reference);
    let message = record.message;
    match daemon {
        Daemon::Smtpd => {
            ledger.advance(time, proofs.arrival, proofs.sink);
            smtpd(ledger, record, time, proofs);
        }
        Daemon::Qmgr => {
            if message.last() == Some(&b')')
                && let Some((id, rest)) = lines::queue_id(message)
                && let Some(sender) = lines::queue_active(rest)
            {
                ledger.advance(time, proofs.arrival, proofs.sink);
                let key = message_key(ledger, record, id);
                ledger.accept(key, sender, time, proofs.arrival.mark, proofs.sink);
            }
        }
        Daemon::Cleanup => {
            if let Some((id, rest)) = lines::queue_id(message) {
                cleanup(ledger, record, id, rest, time);
            }
        }
        Daemon::Pickup => {
            // A queue id that a local program's message takes over.
            if let Some((id, _)) = lines::queue_id(message) {
                let key = message_key(ledger, record, id);
                ledger.forget(key);
            }
        }
        Daemon::Other => {}
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
        named: u16::try_from(named).unwrap_or(u16::MAX),
        time,
    }
}

fn smtpd<S: Sink>(ledger: &mut Ledger, record: &Record<'_>, time: i64, proofs: &mut Proofs<'_, S>) {
    let message = record.message;
    let (mark, sink) = (proofs.arrival.mark, &mut *proofs.sink);
    match message.first() {
        Some(b'c') if message.starts_with(b"connect from ") => {
            let process = process(ledger, record, time);
            if let Some(key) = process.session {
                ledger.end_session(key, None, mark, sink);
                ledger.session(process, |_, _| ());
            }
        }
        Some(b'd') if message.starts_with(b"disconnect from ") => {
            if let Some(key) = process(ledger, record, time).session {
                ledger.end_session(key, lines::commands(&message[16..]), mark, sink);
            }
        }
        Some(b'w') => {
            if let Some(warning) = message.strip_prefix(b"warning: ") {
                self::warning(ledger, record, warning, time, proofs);
            }
        }
        Some(b'A' | b'T' | b'U' | b'V') if let Some(tls) = lines::tls_version(message) => {
            let process = process(ledger, record, time);
            ledger.tls_started(process, tls, mark, sink);
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
                let key = message_key(ledger, record, id);
                ledger.begin(process, key, login);
            }
            // A before-queue proxy decides about what follows.
            None => {
                ledger.session(process, |_, session| session.proxied = login);
            }
        }
    } else if rest.starts_with(b"proxy-accept: END-OF-MESSAGE") {
        let process = process(ledger, record, time);
        ledger.proxy_accepted(process, told_sender(rest), proofs.arrival.mark, proofs.sink);
    } else if let Some((id, rest)) = queued
        && lines::is_kept_from_queue(rest)
    {
        hold(ledger, record, id, rest, time, false);
    } else if unqueued.is_some() && lines::is_kept_from_queue(rest) {
        // The check of the first recipient runs before there is a queue id.
        let held = Held { sender: told_sender(rest), time, content: false };
        let process = process(ledger, record, time);
        ledger.session(process, |_, session| session.hold_next = Some(held));
    } else if unqueued.is_some() && rest.starts_with(b"reject: ") {
        // The recipient that would have been held was refused after all.
        let process = process(ledger, record, time);
        ledger.session(process, |_, session| session.hold_next = None);
    }
}

fn cleanup(ledger: &mut Ledger, record: &Record<'_>, id: QueueId, rest: &[u8], time: i64) {
    if lines::is_kept_from_queue(rest) {
        hold(ledger, record, id, rest, time, true);
    } else if rest.starts_with(b"message-id=") {
        // Every message has such a line: it is looked up only while it can matter.
        if ledger.held_without_content > 0 {
            let key = message_key(ledger, record, id);
            ledger.content_seen(key);
        }
    } else if rest.starts_with(b"milter-reject: END-OF-MESSAGE")
        || rest.starts_with(b"reject: ")
        || rest == b"canceled"
        || rest == b"discarded"
    {
        let key = message_key(ledger, record, id);
        ledger.forget(key);
    }
}

fn hold(
    ledger: &mut Ledger,
    record: &Record<'_>,
    id: QueueId,
    rest: &[u8],
    time: i64,
    content: bool,
) {
    let key = message_key(ledger, record, id);
    ledger.hold(key, || told_sender(rest), time, content);
}

/// The sender of a message that the queue manager does not tell of.
fn told_sender(rest: &[u8]) -> Box<str> {
    envelope::sender(rest).map_or_else(|| UNKNOWN_SENDER.into(), kept_sender)
}

fn warning<S: Sink>(
    ledger: &mut Ledger,
    record: &Record<'_>,
    warning: &[u8],
    time: i64,
    proofs: &mut Proofs<'_, S>,
) {
    if let Some((client, account)) = lines::auth_failure(warning) {
        proofs.auth_failure(time, account.unwrap_or(b""), client);
    } else if let Some((id, rest)) = lines::queue_id(warning)
        && rest.starts_with(b"queue file size limit exceeded")
    {
        let key = message_key(ledger, record, id);
        ledger.forget(key);
    }
}
