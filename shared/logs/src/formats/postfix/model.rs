//! What waits for later lines: sessions, and messages on their way.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use super::lines::QueueId;
use crate::pending::Weigh;
use crate::proofs::KeptLogin;

/// A (host, program) pair, by its number among the names.
pub(super) type ServiceId = u32;
/// A (host, Postfix instance) pair, by its number among the names.
pub(super) type InstanceId = u32;

/// A queue id, which is unique within its instance.
pub(super) type MessageKey = (InstanceId, QueueId);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SessionKey {
    pub(super) service: ServiceId,
    pub(super) pid: u32,
}

/// An SMTP session that has not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    /// Set once a TLS line was logged.
    pub(super) tls: Option<TlsVersion>,
    /// Messages of this session known to be accepted.
    pub(super) accepted: u32,
    /// Queue ids whose fate is open.
    pub(super) open: Vec<QueueId>,
    /// Set if a recipient's check holds or discards the message that has no queue id yet.
    pub(super) hold_next: Option<Held>,
    /// The login of the transaction that goes through a before-queue proxy.
    pub(super) proxied: Option<KeptLogin>,
    /// Accepted, but plaintext or TLS is told only at the session's end.
    pub(super) waiting: Waits,
}

/// Messages that wait for their session's end, and what they weigh: a session may have very many.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    all: Vec<Accepted>,
    weight: usize,
}

impl Waits {
    pub(super) fn of(all: Vec<Accepted>) -> Self {
        let weight = all.iter().map(Accepted::weight).sum();
        Self { all, weight }
    }

    pub(super) fn all(&self) -> &[Accepted] {
        &self.all
    }

    /// All of them, which wait no longer.
    pub(super) fn take(&mut self) -> Vec<Accepted> {
        std::mem::take(self).all
    }

    /// Lets messages wait, together with others of the last few that are just like them.
    pub(super) fn add(&mut self, accepted: Accepted) {
        // A quarter of an hour lies within one day in every zone.
        let same = |known: &&mut Accepted| {
            known.time.div_euclid(900) == accepted.time.div_euclid(900)
                && known.sender == accepted.sender
                && known.login == accepted.login
        };
        match self.all.iter_mut().rev().take(4).find(same) {
            Some(known) => known.messages += accepted.messages,
            None => {
                self.weight += accepted.weight();
                self.all.push(accepted);
            }
        }
    }
}

/// Messages accepted from one sender within a quarter of an hour.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) login: KeptLogin,
    pub(super) sender: Box<str>,
    pub(super) time: i64,
    pub(super) messages: u64,
}

impl Accepted {
    /// A stored one that tells of no message, or of nobody's, must not be used.
    pub(super) fn is_sound(&self) -> bool {
        self.messages > 0 && !self.sender.is_empty()
    }
}

/// A message whose `client=` line was seen and whose acceptance was not.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    /// Its session, while that has not ended.
    pub(super) session: Option<SessionKey>,
    /// Which session of that process it was: another may have the same key later. 0 without any.
    pub(super) session_serial: u64,
    pub(super) login: KeptLogin,
    pub(super) tls: Option<TlsVersion>,
    /// Set if the message was put on hold, or is discarded.
    pub(super) held: Option<Held>,
}

/// A message that was put on hold, or is discarded: the queue manager stays silent about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) sender: Box<str>,
    pub(super) time: i64,
    /// Its content was seen: a recipient's check can hold a message before there is any.
    pub(super) content: bool,
}

impl Weigh for Session {
    fn weight(&self) -> usize {
        let waiting = self.waiting.weight;
        let held = self.hold_next.as_ref().map_or(0, |held| held.sender.len());
        let proxied = self.proxied.as_ref().map_or(0, KeptLogin::weight);
        // Both its service's name and its instance's may be its own.
        48 + 2 * usize::from(self.named) + self.open.len() * 25 + waiting + held + proxied
    }
}

impl Weigh for Message {
    fn weight(&self) -> usize {
        64 + usize::from(self.named)
            + self.login.weight()
            + self.held.as_ref().map_or(0, |held| held.sender.len())
    }
}

impl Accepted {
    fn weight(&self) -> usize {
        32 + self.login.weight() + self.sender.len()
    }
}
