//! The ledger as bytes, so that the next batch of the same log stream goes on from it.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, SESSION_LIFE};
use super::lines::QueueId;
use super::model::{Accepted, Held, InstanceId, Message, MessageKey, Session, SessionKey, Waits};
use super::names::{Names, Renaming};
use crate::pending::Waiting;
use crate::proofs::KeptLogin;

/// The version of what [`save`] writes.
pub(super) const VERSION: u8 = 1;

/// Everything that outlives a batch, in a fixed order: the same ledger has the same bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    clock: i64,
    swept: i64,
    /// The serial number of the session that began last.
    serial: u64,
    held_without_content: u64,
    evicted: u64,
    instances: Vec<Box<[u8]>>,
    services: Vec<(Box<[u8]>, InstanceId)>,
    sessions: Vec<(SessionKey, SavedSession)>,
    messages: Vec<(MessageKey, SavedMessage)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedSession {
    named: u16,
    serial: u64,
    seen: i64,
    tls: Option<TlsVersion>,
    accepted: u32,
    open: Vec<QueueId>,
    hold_next: Option<Held>,
    proxied: Option<KeptLogin>,
    waiting: Vec<Accepted>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedMessage {
    named: u16,
    session: Option<SessionKey>,
    session_serial: u64,
    seen: i64,
    login: KeptLogin,
    tls: Option<TlsVersion>,
    held: Option<Held>,
    until: i64,
}

/// The ledger as bytes of version [`VERSION`].
pub(super) fn save(ledger: &Ledger) -> Vec<u8> {
    let mut names = Renaming::of(&ledger.names);
    let mut sessions = Vec::with_capacity(ledger.sessions.len());
    for (key, open) in ledger.sessions.in_order() {
        sessions.push((renamed(*key, &mut names), SavedSession::of(open)));
    }
    let mut messages = Vec::with_capacity(ledger.messages.len());
    for ((instance, id), open) in ledger.messages.in_order() {
        let session = open.value.session.map(|key| renamed(key, &mut names));
        messages.push(((names.instance(*instance), *id), SavedMessage::of(open, session)));
    }
    let (instances, services) = names.finish();
    let saved = Saved {
        clock: ledger.clock,
        swept: ledger.swept,
        serial: ledger.sessions.serial(),
        held_without_content: ledger.held_without_content,
        evicted: ledger.evicted,
        instances,
        services,
        sessions,
        messages,
    };
    // Writing to memory cannot fail.
    postcard::to_extend(&saved, Vec::new()).unwrap_or_default()
}

fn renamed(key: SessionKey, names: &mut Renaming<'_>) -> SessionKey {
    SessionKey { service: names.service(key.service), ..key }
}

/// The ledger that [`save`] wrote; none if the bytes are something else, or contradict themselves.
pub(super) fn restore(bytes: &[u8]) -> Option<Ledger> {
    let saved: Saved = postcard::from_bytes(bytes).ok()?;
    let names = Names::restore(saved.instances, saved.services)?;
    let mut ledger = Ledger {
        clock: saved.clock,
        swept: saved.swept,
        held_without_content: saved.held_without_content,
        evicted: saved.evicted,
        names,
        ..Ledger::default()
    };
    // Numbers beyond it could not be counted on from; nothing that was ever saved has such.
    let is_sound = |serial: u64| serial < u64::MAX / 2;
    is_sound(saved.serial).then_some(())?;
    ledger.sessions.go_on_behind(saved.serial);
    for (key, session) in saved.sessions {
        is_sound(session.serial).then_some(())?;
        ledger.names.knows_service(key.service).then_some(())?;
        ledger.sessions.put(key, session.open()?);
    }
    for (key, message) in saved.messages {
        ledger.names.knows_instance(key.0).then_some(())?;
        let known = |key: SessionKey| ledger.names.knows_service(key.service);
        message.session.is_none_or(known).then_some(())?;
        message.login.is_sound().then_some(())?;
        message.held.as_ref().is_none_or(|held| !held.sender.is_empty()).then_some(())?;
        let (seen, until) = (message.seen, message.until);
        ledger.messages.insert(key, message.open(), seen, until);
    }
    Some(ledger)
}

impl SavedSession {
    fn of(open: &Waiting<Session>) -> Self {
        let Session { named, tls, accepted, open: ids, hold_next, proxied, mut waiting } =
            open.value.clone();
        let (serial, seen, waiting) = (open.serial, open.seen, waiting.take());
        Self { named, serial, seen, tls, accepted, open: ids, hold_next, proxied, waiting }
    }

    fn open(self) -> Option<Waiting<Session>> {
        let Self { named, serial, seen, tls, accepted, open, hold_next, proxied, waiting } = self;
        let logins = waiting.iter().map(|accepted| &accepted.login).chain(&proxied);
        logins.into_iter().all(KeptLogin::is_sound).then_some(())?;
        waiting.iter().all(Accepted::is_sound).then_some(())?;
        let waiting = Waits::of(waiting);
        let value = Session { named, tls, accepted, open, hold_next, proxied, waiting };
        Some(Waiting { serial, seen, until: seen.saturating_add(SESSION_LIFE), value })
    }
}

impl SavedMessage {
    fn of(open: &Waiting<Message>, session: Option<SessionKey>) -> Self {
        let Message { named, session: _, session_serial, login, tls, held } = open.value.clone();
        let (seen, until) = (open.seen, open.until);
        Self { named, session, session_serial, seen, login, tls, held, until }
    }

    fn open(self) -> Message {
        let Self { named, session, session_serial, seen: _, login, tls, held, until: _ } = self;
        Message { named, session, session_serial, login, tls, held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_in_which_nothing_or_nobodys_message_waits_for_its_session_is_damaged() {
        let mut ledger = Ledger::default();
        let key = SessionKey { service: 0, pid: 7 };
        ledger.names =
            Names::restore(vec![b"mail".as_slice().into()], vec![(b"mail".as_slice().into(), 0)])
                .expect("names");
        for (messages, sender, is_sound) in
            [(1, "a@x.test", true), (0, "a@x.test", false), (1, "", false)]
        {
            let login = KeptLogin::new(b"ann", b"PLAIN", b"192.0.2.1");
            let accepted = Accepted { login, sender: sender.into(), time: 0, messages };
            let value = Session { waiting: Waits::of(vec![accepted]), ..Session::default() };
            ledger.sessions.put(key, Waiting { serial: 1, seen: 0, until: SESSION_LIFE, value });
            assert_eq!(restore(&save(&ledger)).is_some(), is_sound, "{messages}");
        }
    }
}
