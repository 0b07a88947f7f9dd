//! What lines prove, on its way to whoever counts it.
//!
//! Names in a log are bytes of strangers' choice. A format hands them on as they stand, and here they become fit to
//! be stored, compared and shown: nowhere else.

use std::borrow::Cow;

use report::{
    ACCOUNT_LIMIT, AuthFailure, MECHANISM_LIMIT, NULL_SENDER, SENDER_LIMIT, Submission, TlsVersion,
    UNKNOWN_SENDER, client_address, lowered, uppered,
};
use serde::{Deserialize, Serialize};

use crate::secrets::without_secrets;

/// Takes what a log proves. `mark` is the place in the log, as given in [`Arrival`](crate::Arrival).
pub trait Sink {
    /// Messages were accepted.
    fn submission(&mut self, mark: u64, submission: &Submission<'_>);
    /// An authentication failed: the credentials were refused.
    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>);
    /// An authentication failed for the server's own trouble, which did not judge the credentials.
    fn temporary_failure(&mut self, _mark: u64, _failure: &AuthFailure<'_>) {}
    /// A line claims to be an event and is not a good one. What may be a secret is left out of both.
    fn rejected(&mut self, mark: u64, line: &[u8], reason: &str);
}

/// That an authenticated client's messages were accepted, in the log's own words.
pub(crate) struct Proof<'a> {
    /// When, in seconds since 1970.
    pub(crate) time: i64,
    pub(crate) sender: Sender<'a>,
    pub(crate) login: Login<'a>,
    pub(crate) tls: TlsVersion,
    pub(crate) messages: u64,
}

/// An envelope sender (MAIL FROM).
pub(crate) enum Sender<'a> {
    /// As logged; empty is the null reverse-path.
    Logged(&'a [u8]),
    /// Clean already: it waited for a later line.
    Kept(&'a str),
    /// The log tells none.
    Unknown,
}

/// Who authenticated, and from where.
pub(crate) enum Login<'a> {
    /// As logged; what the log does not tell is empty.
    Logged { account: &'a [u8], mechanism: &'a [u8], client: &'a [u8] },
    /// Clean already: it waited for a later line.
    Kept(&'a KeptLogin),
}

/// Puts a line aside that claims to be an event and is not a good one: without the secrets in it, for people read it.
pub(crate) fn reject(sink: &mut impl Sink, mark: u64, line: &[u8], reason: &str) {
    let reason = without_secrets(reason.as_bytes());
    sink.rejected(mark, &without_secrets(line), &String::from_utf8_lossy(&reason));
}

/// Counts messages where there is no line: when a log is closed, or room is made.
pub(crate) fn submit(sink: &mut impl Sink, mark: u64, proof: &Proof<'_>) {
    let sender: Cow<'_, str> = match proof.sender {
        Sender::Logged(raw) => clean_sender(raw),
        Sender::Kept(clean) => clean.into(),
        Sender::Unknown => UNKNOWN_SENDER.into(),
    };
    let (raw_account, raw_mechanism, raw_client);
    let (account, mechanism, client) = match &proof.login {
        Login::Logged { account, mechanism, client } => {
            raw_account = lowered(account, ACCOUNT_LIMIT);
            raw_mechanism = uppered(mechanism, MECHANISM_LIMIT);
            raw_client = client_address(client);
            (&*raw_account, &*raw_mechanism, &*raw_client)
        }
        Login::Kept(kept) => kept.parts(),
    };
    let (time, tls, messages) = (proof.time, proof.tls, proof.messages);
    let submission =
        Submission { time, sender: &sender, account, mechanism, tls, client, messages };
    sink.submission(mark, &submission);
}

/// An envelope sender as it is counted.
pub(crate) fn clean_sender(raw: &[u8]) -> Cow<'_, str> {
    if raw.is_empty() { NULL_SENDER.into() } else { lowered(raw, SENDER_LIMIT) }
}

/// A login that waits for a later line: clean, and so bounded, in one allocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptLogin {
    /// Account, mechanism and client address, one behind the other.
    text: Box<str>,
    account: u16,
    mechanism: u16,
}

impl KeptLogin {
    /// Keeps what a line tells of a login.
    pub(crate) fn new(account: &[u8], mechanism: &[u8], client: &[u8]) -> Self {
        let account = lowered(account, ACCOUNT_LIMIT);
        let mechanism = uppered(mechanism, MECHANISM_LIMIT);
        let text = [&*account, &*mechanism, &*client_address(client)].concat();
        // The limits of the parts keep both far below 65,536.
        let length = |part: &str| u16::try_from(part.len()).unwrap_or(0);
        Self { account: length(&account), mechanism: length(&mechanism), text: text.into() }
    }

    /// Account, mechanism and client address.
    pub(crate) fn parts(&self) -> (&str, &str, &str) {
        let (account, rest) = self.text.split_at(usize::from(self.account));
        let (mechanism, client) = rest.split_at(usize::from(self.mechanism));
        (account, mechanism, client)
    }

    /// Bytes that it takes.
    pub(crate) fn weight(&self) -> usize {
        self.text.len()
    }

    /// A stored login whose lengths do not fit its text must not be used.
    pub(crate) fn is_sound(&self) -> bool {
        let account = usize::from(self.account);
        let both = account + usize::from(self.mechanism);
        self.text.is_char_boundary(account) && self.text.is_char_boundary(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Collected;

    #[test]
    fn what_a_log_says_is_clean_whichever_way_it_comes() {
        let mut collected = Collected::default();
        let kept = KeptLogin::new(b"Ann\x07", b"plain", b"2001:DB8::1");
        let (account, mechanism, client) = (&b"Ann\x07"[..], &b"plain"[..], &b"2001:DB8::1"[..]);
        for (sender, login) in [
            (Sender::Logged(b"A@X.test"), Login::Logged { account, mechanism, client }),
            (Sender::Kept("a@x.test"), Login::Kept(&kept)),
        ] {
            let proof = Proof { time: 0, sender, login, tls: TlsVersion::Tls12, messages: 1 };
            submit(&mut collected, 0, &proof);
        }
        let expected = "a@x.test ann\u{fffd} PLAIN TLS1.2 2001:db8::1 x1";
        assert_eq!(collected.submissions, [expected, expected]);
        assert_eq!(clean_sender(b""), "<>");
    }
}
