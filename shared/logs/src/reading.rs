//! A line that is being read, and where what it proves goes.

use report::{ACCOUNT_LIMIT, AuthFailure, client_address, lowered};

use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::place::Arrival;
use crate::proofs::{Proof, Sink, reject, submit};
use crate::relayed::Relayed;
use crate::repeats::LastFailure;
use crate::time::Timestamps;

/// A line being read: where it stands, and where what it proves goes.
pub(crate) struct Proofs<'r, S> {
    pub(crate) arrival: Arrival,
    pub(crate) times: &'r mut Timestamps,
    pub(crate) sink: &'r mut S,
    /// When the last of them happened, in seconds since 1970.
    pub(crate) time: Option<i64>,
    /// The last failed login among them.
    pub(crate) failure: Option<Box<LastFailure>>,
    /// Messages that two servers tell of.
    pub(crate) relayed: &'r mut Relayed,
    /// When a message was counted that the server behind knows, and its queue id there.
    pub(crate) relayed_as: Option<(i64, Box<[u8]>)>,
}

impl<S: Sink> Proofs<'_, S> {
    /// Counts messages at the line's own place.
    pub(crate) fn submission(&mut self, proof: &Proof<'_>) {
        self.submission_at(self.arrival.mark, proof);
    }

    /// Counts messages at another place than the line's: see [`Arrival::before`].
    pub(crate) fn submission_at(&mut self, mark: u64, proof: &Proof<'_>) {
        self.time = Some(proof.time);
        submit(self.sink, mark, proof);
    }

    /// Says that the message that was just counted is the one that the server behind took over under this queue id:
    /// what that server's own lines tell of it does not count.
    pub(crate) fn relayed_as(&mut self, time: i64, queue_id: &[u8]) {
        self.relayed_as = Some((time, queue_id.into()));
    }

    /// Hands on an accepted message that another server spoke for, with its sender, login and recipients: it counts if no
    /// line of that server's does.
    pub(crate) fn fronted(
        &mut self,
        time: i64,
        key: Key<'_>,
        accepted: (KeptSender, KeptLogin, u64),
    ) {
        self.time = Some(time);
        self.relayed.wait(key, (time, self.arrival), accepted, self.sink);
    }

    /// Counts a login that failed, of an account and a client as logged.
    pub(crate) fn auth_failure(&mut self, time: i64, account: &[u8], client: &[u8]) {
        let (account, client) = (lowered(account, ACCOUNT_LIMIT), client_address(client));
        let failure = AuthFailure { time, account: &account, client: &client };
        self.sink.auth_failure(self.arrival.mark, &failure);
        self.time = Some(time);
        self.failure = Some(Box::new(LastFailure::new(&failure)));
    }

    /// Counts a login that the server could not judge, of an account and a client as logged.
    pub(crate) fn temporary_failure(&mut self, time: i64, account: &[u8], client: &[u8]) {
        let (account, client) = (lowered(account, ACCOUNT_LIMIT), client_address(client));
        let failure = AuthFailure { time, account: &account, client: &client };
        self.sink.temporary_failure(self.arrival.mark, &failure);
    }

    /// Puts a line aside that claims to be an event and is not a good one.
    pub(crate) fn rejected(&mut self, line: &[u8], reason: &str) {
        reject(self.sink, self.arrival.mark, line, reason);
    }
}
