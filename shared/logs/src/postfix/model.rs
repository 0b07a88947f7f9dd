//! What the correlator remembers: sessions, and messages on their way.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use super::lines::{Login, QueueId};

/// A (host, program) pair, by its place in [`Correlator::services`].
pub(super) type ServiceId = u32;
/// A (host, Postfix instance) pair, by its place in [`Correlator::queues`].
pub(super) type InstanceId = u32;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) instance: InstanceId,
    /// TLS from the first byte (RFC 8314, section 3): plaintext is impossible.
    pub(super) wrapper: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SessionKey {
    pub(super) service: ServiceId,
    pub(super) pid: u32,
}

/// An SMTP session that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    pub(super) serial: u64,
    pub(super) seen: i64,
    /// Set once a TLS line was logged.
    pub(super) tls: Option<TlsVersion>,
    /// Messages of this session known to be accepted.
    pub(super) accepted: u32,
    /// Queue ids whose fate is open.
    pub(super) open: Vec<QueueId>,
    /// Set if a recipient's check holds or discards the message that has no queue id yet.
    pub(super) hold_next: Option<Held>,
    /// The login of the transaction that goes through a before-queue proxy.
    pub(super) proxied: Option<Login>,
    /// Accepted, but plaintext or TLS is told only at the session's end.
    pub(super) waiting: Vec<Accepted>,
}

/// Messages accepted from one sender within a quarter of an hour.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Accepted {
    pub(super) login: Login,
    pub(super) sender: Box<str>,
    pub(super) time: i64,
    pub(super) messages: u64,
}

/// A message whose `client=` line was seen and whose acceptance was not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Message {
    /// Bytes of the names by which it is known.
    pub(super) named: u16,
    pub(super) session: Option<SessionKey>,
    pub(super) serial: u64,
    pub(super) seen: i64,
    pub(super) login: Login,
    pub(super) tls: Option<TlsVersion>,
    /// Set if the message was put on hold, or is discarded.
    pub(super) held: Option<Held>,
    /// When it is given up.
    pub(super) until: i64,
}

/// A message that was put on hold, or is discarded: the queue manager stays silent about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) sender: Box<str>,
    pub(super) time: i64,
    /// Its content was seen: a recipient's check can hold a message before there is any.
    pub(super) content: bool,
}

impl Session {
    pub(super) fn new(named: u16, serial: u64, seen: i64) -> Self {
        let (open, waiting) = (Vec::new(), Vec::new());
        let (hold_next, proxied) = (None, None);
        Self { named, serial, seen, tls: None, accepted: 0, open, hold_next, proxied, waiting }
    }

    pub(super) fn weight(&self) -> usize {
        let waiting: usize = self.waiting.iter().map(Accepted::weight).sum();
        let held = self.hold_next.as_ref().map_or(0, |held| held.sender.len());
        let proxied = self.proxied.as_ref().map_or(0, Login::weight);
        // Both its service's name and its instance's may be its own.
        48 + 2 * usize::from(self.named) + self.open.len() * 25 + waiting + held + proxied
    }
}

impl Accepted {
    pub(super) fn login(&self) -> &Login {
        &self.login
    }

    pub(super) fn weight(&self) -> usize {
        32 + self.login.weight() + self.sender.len()
    }
}

impl Message {
    pub(super) fn weight(&self) -> usize {
        64 + usize::from(self.named)
            + self.login.weight()
            + self.held.as_ref().map_or(0, |held| held.sender.len())
    }
}
