//! Messages of sessions in which another server speaks for the client (`sasl_method=XCLIENT`).

use report::TlsVersion;

use super::ledger::Ledger;
use super::lines::QueueId;
use super::model::{Message, MessageKey};
use crate::key::Key;

impl Message {
    /// Whether another server took the login: then there is no mechanism, and nothing here tells of TLS.
    pub(super) fn is_fronted(&self) -> bool {
        self.tls == Some(TlsVersion::Unknown) && self.login.parts().1.is_empty()
    }
}

impl Ledger {
    /// A line of the server in front has counted a message, known here by a queue id. False if it is not open here.
    pub(super) fn counted_in_front(&mut self, key: Key<'_>) -> bool {
        let open = QueueId::of(key.id).and_then(|id| self.fronted(key.host, id));
        let Some(key) = open else { return false };
        let Some(open) = self.messages.remove(&key) else { return false };
        let message = open.value;
        let session = message.session.filter(|session| {
            self.sessions.get(session).is_some_and(|open| open.serial == message.session_serial)
        });
        if let Some(session) = session {
            self.sessions.change(&session, |session| {
                session.accepted += 1;
                session.open.retain(|open| *open != key.1);
            });
        }
        true
    }

    /// The open message of this queue id that another server speaks for: this host's, or else any other's.
    fn fronted(&self, host: &[u8], id: QueueId) -> Option<MessageKey> {
        let is_fronted =
            |key: &MessageKey| self.messages.get(key).is_some_and(|open| open.value.is_fronted());
        let here = self.names.on_host(host).iter().map(|instance| (*instance, id));
        here.into_iter()
            .find(is_fronted)
            .or_else(|| self.messages.first_key(|key, message| key.1 == id && message.is_fronted()))
    }
}
