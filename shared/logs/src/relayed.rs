//! Messages that two servers of one log tell of: the one that a client spoke to, and the one behind it, which took the
//! message over under a queue id.
//!
//! The one in front knows the client's login, mechanism and TLS, so its line counts. The one behind lets a message of
//! a session that another server speaks in wait for it, and counts it if no such line comes.

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use crate::client_name::Named;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::memory::{Kept, Memory};
use crate::place::Arrival;
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::saved::{Section, StateError, Unreadable};

/// The version of its section.
const VERSION: u8 = 1;
/// For how many seconds of the log's own time either line waits for the other; with the memory's steps, a minute.
const WAIT: i64 = 48;
/// How far the lines of one server may come behind the other's and still be waited for as long.
const LATE: i64 = 30;

/// A message that was counted, and that the server behind has not told of.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Told;

impl Kept for Told {
    fn life(&self) -> i64 {
        WAIT
    }

    fn weight(&self) -> usize {
        0
    }
}

/// An accepted message that the server in front may tell of.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Accepted {
    login: KeptLogin,
    sender: KeptSender,
    time: i64,
    #[serde(skip)]
    recipients: u64,
}

impl Kept for Accepted {
    fn life(&self) -> i64 {
        WAIT
    }

    fn weight(&self) -> usize {
        16 + self.login.weight() + self.sender.len()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.recipients);
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        let (sender, login) = (Sender::Kept(&self.sender), Login::Kept(&self.login));
        let tls = TlsVersion::Unknown;
        submit(
            sink,
            mark,
            &Proof {
                time: self.time,
                sender,
                login,
                tls,
                messages: 1,
                recipients: self.recipients,
            },
        );
    }
}

/// What one line has told of such messages, and the other has not.
#[derive(Debug, Default)]
pub(crate) struct Relayed(Memory<Told, Accepted>);

impl Relayed {
    /// The name of its section in a saved state, among those of formats.
    pub(crate) const NAME: &'static str = "relayed";

    /// See [`LogFormat::due`](crate::format::LogFormat::due).
    #[inline]
    pub(crate) fn due(&self) -> i64 {
        self.0.due()
    }

    /// See [`LogFormat::settle_due`](crate::format::LogFormat::settle_due).
    pub(crate) fn settle_due(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        self.0.settle_due(time, arrival, sink);
    }

    /// Moves the clock on, and settles what has waited long enough by it.
    pub(crate) fn advance(&mut self, time: i64, arrival: Arrival, sink: &mut impl Sink) {
        self.0.advance(time, arrival, sink);
    }

    /// Lets an accepted message wait for the line of the server in front, if that did not come before.
    pub(crate) fn wait(
        &mut self,
        key: Key<'_>,
        (time, arrival): (i64, Arrival),
        (sender, login, recipients): (KeptSender, KeptLogin, u64),
        sink: &mut impl Sink,
    ) {
        self.advance(time, arrival, sink);
        if self.0.sessions.take_anywhere(key).is_some() {
            return;
        }
        // Queue ids are used again.
        if let Some(before) = self.0.messages.take(key) {
            before.settle(arrival.mark, sink);
        }
        let from = self.from(time);
        self.0.messages.put(key, from, Accepted { login, sender, time, recipients });
    }

    /// A message was counted by the line of the server in front: whether the server behind has told of it.
    pub(crate) fn take(&mut self, key: Key<'_>) -> bool {
        self.0.messages.take_anywhere(key).is_some()
    }

    /// Remembers that it was counted, for a line of the server behind that comes late.
    pub(crate) fn remember(&mut self, key: Key<'_>, time: i64) {
        let from = self.from(time);
        self.0.sessions.put(key, from, Told);
    }

    /// From which moment on the other line is waited for: two servers' logs may come one behind the other.
    fn from(&self, time: i64) -> i64 {
        self.0.clock().clamp(time, time.saturating_add(LATE))
    }

    /// Messages that wait, and how many were ever forgotten for lack of room.
    pub(crate) fn load(&self) -> (usize, u64) {
        let load = self.0.load();
        (load.messages, load.evicted)
    }

    /// See [`LogFormat::weight`](crate::format::LogFormat::weight).
    #[inline]
    pub(crate) fn weight(&self) -> usize {
        self.0.weight()
    }

    /// See [`LogFormat::evict`](crate::format::LogFormat::evict).
    pub(crate) fn evict(&mut self, down_to: usize, mark: u64, sink: &mut impl Sink) {
        self.0.evict(down_to, mark, sink);
    }

    /// See [`LogFormat::close`](crate::format::LogFormat::close).
    pub(crate) fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        self.0.close(mark, sink);
    }

    /// Its section; none if there is nothing to remember.
    pub(crate) fn save(&self) -> Option<Section> {
        let bytes = self.0.save();
        let format = || Self::NAME.to_owned();
        (!bytes.is_empty()).then(|| Section { format: format(), version: VERSION, bytes })
    }

    /// Goes on from its section.
    ///
    /// # Errors
    /// A later version wrote it, or it is damaged.
    pub(crate) fn restore(section: Section) -> Result<Self, Unreadable> {
        let Section { format, version, bytes } = section;
        let reason = if version > VERSION {
            StateError::Version { found: version, known: VERSION }
        } else {
            match Memory::restore(&bytes) {
                Some(memory) => return Ok(Self(memory)),
                None => StateError::Damaged,
            }
        };
        Err(Unreadable { section: Some(format), reason, bytes })
    }
}
