//! What waits for later lines: sessions, and messages on their way.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use super::lines::{Peer, QueueId};
use crate::kept::{KeptLogin, KeptSender};
use crate::pending::Weigh;

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
    /// When its first line was logged.
    pub(super) began: i64,
    pub(super) whose: Whose,
    /// Set once a TLS line was logged.
    pub(super) tls: Option<TlsVersion>,
    /// Messages of this session known to be accepted.
    pub(super) accepted: u32,
    /// Queue ids whose fate is open.
    pub(super) open: Vec<QueueId>,
    /// Set if a recipient's check holds or discards the message that has no queue id yet.
    pub(super) hold_next: Option<Held>,
    /// The transaction that goes through a before-queue proxy.
    pub(super) proxied: Option<Proxied>,
    /// Accepted, but nothing has told plaintext from TLS.
    pub(super) waiting: Waits,
}

impl Session {
    /// What is known of the TLS of a client's message that begins; it may be another's than the lines before.
    pub(super) fn tls_of(&mut self, client: &str) -> Option<TlsVersion> {
        if self.whose.peer().is_some_and(|peer| !peer.is_same(client)) {
            self.whose = Whose::Several;
        }
        if self.whose == Whose::Several { Some(TlsVersion::Unknown) } else { self.tls }
    }
}

/// Whose the lines of a session are. Stored: a kind that is added stands last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Whose {
    /// Its `connect` line was not seen, and no TLS line.
    #[default]
    Untold,
    /// The client's that its `connect` line tells.
    Connected(Peer),
    /// The client's that its TLS line tells: its `connect` line was not seen.
    Secured(Peer),
    /// Of several clients: one may speak for others, a tag that lost its end has made several processes one, or lines
    /// between are missing. What is told of TLS, and counted at the end, is nobody's then.
    Several,
}

impl Whose {
    /// Whom its `connect` line tells.
    pub(super) fn connected(self) -> Option<Peer> {
        match self {
            Self::Connected(peer) => Some(peer),
            _ => None,
        }
    }

    /// Whose TLS line came, or `connect` line, if only one client's did.
    pub(super) fn peer(self) -> Option<Peer> {
        match self {
            Self::Connected(peer) | Self::Secured(peer) => Some(peer),
            Self::Untold | Self::Several => None,
        }
    }
}

/// A transaction that a before-queue proxy decides about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Proxied {
    pub(super) login: KeptLogin,
    /// Set if the client came through another server that ended its TLS.
    pub(super) tls: Option<TlsVersion>,
    /// When its `client=` line was logged.
    pub(super) begun: i64,
}

/// Messages that wait for what tells plaintext from TLS, and what they weigh: a session may have very many.
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

    /// Those that have waited long enough, which wait no longer.
    pub(super) fn take_due(&mut self, time: i64) -> Vec<Accepted> {
        let (due, left) = self.take().into_iter().partition(|accepted| accepted.due <= time);
        *self = Self::of(left);
        due
    }

    /// When the first of them will have waited long enough; none if none waits.
    pub(super) fn due(&self) -> Option<i64> {
        self.all.iter().map(|accepted| accepted.due).min()
    }

    /// Lets messages wait, together with others of the last few that are just like them.
    pub(super) fn add(&mut self, accepted: Accepted) {
        // A quarter of an hour lies within one day in every zone.
        let same = |known: &&mut Accepted| {
            known.time.div_euclid(900) == accepted.time.div_euclid(900)
                && known.due == accepted.due
                && known.sender == accepted.sender
                && known.login == accepted.login
        };
        match self.all.iter_mut().rev().take(4).find(same) {
            Some(known) => {
                let recipients = accepted.recipients_at_least();
                known.recipients = known.recipients_at_least().saturating_add(recipients);
                known.messages += accepted.messages;
            }
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
    pub(super) sender: KeptSender,
    pub(super) time: i64,
    pub(super) messages: u64,
    /// How many recipients these have together, as far as it is told.
    #[serde(skip)]
    pub(super) recipients: u64,
    /// When the transaction of the first was begun.
    pub(super) begun: i64,
    /// Log time from which on nothing more is waited for.
    pub(super) due: i64,
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
    /// Its content was seen: a recipient's check can hold a message before there is any.
    pub(super) content: bool,
    /// Set if the message was put on hold, or is discarded.
    pub(super) held: Option<Held>,
    /// Another transaction of the host has its queue id: only a line of its own name still means it.
    pub(super) superseded: bool,
}

/// A message that was put on hold, or is discarded: the queue manager stays silent about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) sender: KeptSender,
    pub(super) time: i64,
    /// Discarded: nothing of it will ever be in the queue.
    pub(super) discarded: bool,
}

impl Weigh for Session {
    #[inline]
    fn weight(&self) -> usize {
        let waiting = self.waiting.weight;
        let held = self.hold_next.as_ref().map_or(0, |held| held.sender.len());
        let proxied = self.proxied.as_ref().map_or(0, |proxied| 16 + proxied.login.weight());
        // Both its service's name and its instance's may be its own.
        96 + 2 * usize::from(self.named) + self.open.len() * 25 + waiting + held + proxied
    }
}

impl Weigh for Message {
    #[inline]
    fn weight(&self) -> usize {
        68 + usize::from(self.named)
            + self.login.weight()
            + self.held.as_ref().map_or(0, |held| held.sender.len())
    }
}

impl Accepted {
    /// One message, whose transaction was `begun` then.
    pub(super) fn one(
        login: KeptLogin,
        sender: KeptSender,
        time: i64,
        begun: i64,
        recipients: u64,
    ) -> Self {
        Self { login, sender, time, messages: 1, recipients, begun, due: 0 }
    }

    /// One of each message that tells none.
    fn recipients_at_least(&self) -> u64 {
        self.recipients.max(self.messages)
    }

    fn weight(&self) -> usize {
        48 + self.login.weight() + self.sender.len()
    }
}
