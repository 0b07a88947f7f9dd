//! The ledger as bytes, so that the next batch of the same log stream goes on from it.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, SESSION_LIFE};
use super::lines::QueueId;
use super::model::{
    Accepted, Held, Message, MessageKey, Proxied, Session, SessionKey, Waits, Whose,
};
use super::names::{Name, Names, Renaming, SavedService};
use crate::client_name::{self, HasNames, Named};
use crate::kept::KeptLogin;
use crate::pending::Waiting;
use crate::recipients::{self, HasRecipients};

/// The version of what [`save`] writes. Version 2 knew no other sessions than those whose `connect` line was seen, and
/// those of untold clients; else it was the same.
pub(super) const VERSION: u8 = 3;

/// Everything that outlives a batch, in a fixed order: the same ledger has the same bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) clock: i64,
    pub(super) swept: i64,
    pub(super) late: i64,
    pub(super) cleanup_is_told: bool,
    /// The serial number of the session that began last.
    pub(super) serial: u64,
    pub(super) evicted: u64,
    pub(super) instances: Vec<Name>,
    pub(super) services: Vec<SavedService>,
    pub(super) sessions: Vec<(SessionKey, SavedSession)>,
    pub(super) messages: Vec<(MessageKey, SavedMessage)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedSession {
    pub(super) named: u16,
    pub(super) serial: u64,
    pub(super) seen: i64,
    pub(super) began: i64,
    pub(super) whose: Whose,
    pub(super) tls: Option<TlsVersion>,
    pub(super) accepted: u32,
    pub(super) open: Vec<QueueId>,
    pub(super) hold_next: Option<Held>,
    pub(super) proxied: Option<Proxied>,
    pub(super) waiting: Vec<Accepted>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedMessage {
    pub(super) named: u16,
    pub(super) session: Option<SessionKey>,
    pub(super) session_serial: u64,
    pub(super) seen: i64,
    pub(super) login: KeptLogin,
    pub(super) tls: Option<TlsVersion>,
    pub(super) content: bool,
    pub(super) held: Option<Held>,
    pub(super) superseded: bool,
    pub(super) until: i64,
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
    let mut saved = Saved {
        clock: ledger.clock,
        swept: ledger.swept,
        late: ledger.late,
        cleanup_is_told: ledger.cleanup_is_told,
        serial: ledger.sessions.serial(),
        evicted: ledger.evicted,
        instances,
        services,
        sessions,
        messages,
    };
    // Writing to memory cannot fail.
    let bytes = postcard::to_extend(&saved, Vec::new()).unwrap_or_default();
    recipients::append(client_name::append(bytes, &mut saved), &mut saved)
}

fn renamed(key: SessionKey, names: &mut Renaming<'_>) -> SessionKey {
    SessionKey { service: names.service(key.service), ..key }
}

/// The ledger that [`save`] wrote; none if the bytes are something else, or contradict themselves.
pub(super) fn restore(bytes: &[u8]) -> Option<Ledger> {
    let (mut saved, behind) = postcard::take_from_bytes::<Saved>(bytes).ok()?;
    recipients::give(client_name::give(behind, &mut saved), &mut saved);
    saved.open()
}

impl HasNames for Saved {
    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        for (_, session) in &mut self.sessions {
            session.proxied.iter_mut().for_each(|proxied| each(&mut proxied.login));
            session.waiting.iter_mut().for_each(|accepted| each(&mut accepted.login));
        }
        self.messages.iter_mut().for_each(|(_, message)| each(&mut message.login));
    }
}

impl HasRecipients for Saved {
    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        for (_, session) in &mut self.sessions {
            session.waiting.iter_mut().for_each(|accepted| each(&mut accepted.recipients));
        }
    }
}

impl Saved {
    /// The ledger that was saved; none if it contradicts itself.
    pub(super) fn open(self) -> Option<Ledger> {
        let names = Names::restore(self.instances, self.services)?;
        let mut ledger = Ledger {
            clock: self.clock,
            swept: self.swept,
            late: self.late,
            cleanup_is_told: self.cleanup_is_told,
            evicted: self.evicted,
            names,
            ..Ledger::default()
        };
        // Numbers beyond it could not be counted on from; nothing that was ever saved has such.
        let is_sound = |serial: u64| serial < u64::MAX / 2;
        is_sound(self.serial).then_some(())?;
        ledger.sessions.go_on_behind(self.serial);
        for (key, session) in self.sessions {
            is_sound(session.serial).then_some(())?;
            ledger.names.knows_service(key.service).then_some(())?;
            let session = session.open()?;
            if let Some(due) = session.value.waiting.due() {
                ledger.due.no_later_than(due);
            }
            ledger.sessions.put(key, session);
        }
        for (key, message) in self.messages {
            ledger.names.knows_instance(key.0).then_some(())?;
            let known = |key: SessionKey| ledger.names.knows_service(key.service);
            message.session.is_none_or(known).then_some(())?;
            let (seen, until) = (message.seen, message.until);
            ledger.messages.insert(key, message.open(), seen, until);
        }
        Some(ledger)
    }
}

impl SavedSession {
    fn of(open: &Waiting<Session>) -> Self {
        let Session { named, began, whose, tls, accepted, open: ids, hold_next, proxied, waiting } =
            open.value.clone();
        let (serial, seen, waiting) = (open.serial, open.seen, waiting.all().to_vec());
        let open = ids;
        Self { named, serial, seen, began, whose, tls, accepted, open, hold_next, proxied, waiting }
    }

    fn open(self) -> Option<Waiting<Session>> {
        let Self { named, serial, seen, began, whose, tls, accepted, open, .. } = self;
        let Self { hold_next, proxied, waiting, .. } = self;
        waiting.iter().all(|accepted| accepted.messages > 0).then_some(())?;
        let waiting = Waits::of(waiting);
        let value =
            Session { named, began, whose, tls, accepted, open, hold_next, proxied, waiting };
        Some(Waiting { serial, seen, until: seen.saturating_add(SESSION_LIFE), value })
    }
}

impl SavedMessage {
    fn of(open: &Waiting<Message>, session: Option<SessionKey>) -> Self {
        let Message { named, session: _, session_serial, login, tls, content, held, superseded } =
            open.value.clone();
        let (seen, until) = (open.seen, open.until);
        Self { named, session, session_serial, seen, login, tls, content, held, superseded, until }
    }

    fn open(self) -> Message {
        let Self { named, session, session_serial, login, tls, content, held, superseded, .. } =
            self;
        Message { named, session, session_serial, login, tls, content, held, superseded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::KeptSender;

    #[test]
    fn a_state_in_which_no_message_waits_for_its_session_is_damaged() {
        let mut ledger = Ledger::default();
        let key = SessionKey { service: 0, pid: 7 };
        ledger.names = Names::restore(
            vec![b"mail".as_slice().into()],
            vec![(b"mail".as_slice().into(), 0, true)],
        )
        .expect("names");
        for (messages, is_sound) in [(1, true), (0, false)] {
            let login = KeptLogin::new(b"ann", b"PLAIN", b"192.0.2.1");
            let sender = KeptSender::new(b"a@x.test");
            let accepted = Accepted { messages, due: 60, ..Accepted::one(login, sender, 0, 0, 0) };
            let value = Session { waiting: Waits::of(vec![accepted]), ..Session::default() };
            ledger.sessions.put(key, Waiting { serial: 1, seen: 0, until: SESSION_LIFE, value });
            assert_eq!(restore(&save(&ledger)).is_some(), is_sound, "{messages}");
        }
    }
}
