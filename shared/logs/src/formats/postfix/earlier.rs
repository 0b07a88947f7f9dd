//! What earlier versions saved, as this one would have.

use report::TlsVersion;
use serde::Deserialize;

use super::ledger::Ledger;
use super::lines::QueueId;
use super::model::{Accepted, Held, InstanceId, MessageKey, Proxied, SessionKey, Whose};
use super::names::Name;
use super::state::{Saved, SavedMessage, SavedSession};
use crate::kept::{KeptLogin, KeptSender};

/// Version 1: messages waited for the end of their session, and for nothing else.
#[derive(Debug, Deserialize)]
struct Saved1 {
    clock: i64,
    swept: i64,
    serial: u64,
    _held_without_content: u64,
    evicted: u64,
    instances: Vec<Name>,
    services: Vec<(Name, InstanceId)>,
    sessions: Vec<(SessionKey, Session1)>,
    messages: Vec<(MessageKey, Message1)>,
}

#[derive(Debug, Deserialize)]
struct Session1 {
    named: u16,
    serial: u64,
    seen: i64,
    tls: Option<TlsVersion>,
    accepted: u32,
    open: Vec<QueueId>,
    hold_next: Option<Held1>,
    proxied: Option<KeptLogin>,
    waiting: Vec<Accepted1>,
}

#[derive(Debug, Deserialize)]
struct Message1 {
    named: u16,
    session: Option<SessionKey>,
    session_serial: u64,
    seen: i64,
    login: KeptLogin,
    tls: Option<TlsVersion>,
    held: Option<Held1>,
    until: i64,
}

#[derive(Debug, Deserialize)]
struct Held1 {
    sender: KeptSender,
    time: i64,
    content: bool,
}

#[derive(Debug, Deserialize)]
struct Accepted1 {
    login: KeptLogin,
    sender: KeptSender,
    time: i64,
    messages: u64,
}

/// The ledger that version 1 saved; none if the bytes are something else, or contradict themselves.
pub(super) fn restore1(bytes: &[u8]) -> Option<Ledger> {
    let saved: Saved1 = postcard::from_bytes(bytes).ok()?;
    let services = saved.services.into_iter().map(|(name, instance)| (name, instance, false));
    let clock = saved.clock;
    let sessions = saved.sessions.into_iter().map(|(key, session)| (key, session.now(clock)));
    let messages = saved.messages.into_iter().map(|(key, message)| (key, message.now()));
    let saved = Saved {
        clock,
        swept: saved.swept,
        late: 0,
        cleanup_is_told: false,
        serial: saved.serial,
        evicted: saved.evicted,
        instances: saved.instances,
        services: services.collect(),
        sessions: sessions.collect(),
        messages: messages.collect(),
    };
    saved.open()
}

impl Session1 {
    /// What waits has waited long enough a minute after the last line that was read.
    fn now(self, clock: i64) -> SavedSession {
        let Self { named, serial, seen, tls, accepted, open, hold_next, proxied, waiting } = self;
        let due = clock.saturating_add(60);
        let waiting = waiting.into_iter().map(|one| {
            let Accepted1 { login, sender, time, messages } = one;
            Accepted { login, sender, time, messages, recipients: 0, begun: time, due }
        });
        SavedSession {
            named,
            serial,
            seen,
            began: seen,
            // Whether its beginning was read was not kept.
            whose: Whose::Untold,
            tls,
            accepted,
            open,
            hold_next: hold_next.map(Held1::now),
            proxied: proxied.map(|login| Proxied { login, tls: None, begun: seen }),
            waiting: waiting.collect(),
        }
    }
}

impl Held1 {
    fn now(self) -> Held {
        Held { sender: self.sender, time: self.time, discarded: false }
    }
}

impl Message1 {
    fn now(self) -> SavedMessage {
        let Self { named, session, session_serial, seen, login, tls, held, until } = self;
        let content = held.as_ref().is_some_and(|held| held.content);
        let held = held.map(Held1::now);
        let superseded = false;
        SavedMessage {
            named,
            session,
            session_serial,
            seen,
            login,
            tls,
            content,
            held,
            superseded,
            until,
        }
    }
}
