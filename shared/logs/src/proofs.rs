//! What lines prove, on its way to whoever counts it.
//!
//! Names in a log are bytes of strangers' choice. A format hands them on as they stand, and here they become fit to
//! be stored, compared and shown: nowhere else.

use std::borrow::Cow;

use report::{
    ACCOUNT_LIMIT, AuthFailure, SENDER_LIMIT, Submission, TlsVersion, UNKNOWN_SENDER,
    client_address, lowered,
};

use crate::client_name::{Name, Named as _};
use crate::kept::{KeptLogin, KeptSender, clean_mechanism, clean_sender};
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
    /// How many recipients these have together; 0 if the log does not tell, or not in time.
    pub(crate) recipients: u64,
}

/// An envelope sender (MAIL FROM).
pub(crate) enum Sender<'a> {
    /// As logged; empty is the null reverse-path.
    Logged(&'a [u8]),
    /// Clean already: it waited for a later line.
    Kept(&'a KeptSender),
    /// The log tells none.
    Unknown,
}

/// Who authenticated, and from where.
pub(crate) enum Login<'a> {
    /// As logged; what the log does not tell is empty.
    Logged { account: &'a [u8], mechanism: &'a [u8], client: &'a [u8], name: Name<'a> },
    /// Clean already: it waited for a later line.
    Kept(&'a KeptLogin),
}

/// Puts aside what claims to be an event or a record and is not a good one: without the secrets in it, for people read it.
///
/// It is the only way there: what a sink puts aside came through here.
pub fn reject(sink: &mut impl Sink, mark: u64, raw: &[u8], reason: &str) {
    let reason = without_secrets(reason.as_bytes());
    sink.rejected(mark, &fit_to_keep(raw), &String::from_utf8_lossy(&reason));
}

/// Bytes without the secrets in them. Those of text in UTF-16 stand between NULs, and none of these are kept then.
fn fit_to_keep(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0, raw).is_none() {
        return without_secrets(raw);
    }
    let text: Vec<u8> = raw.iter().copied().filter(|byte| *byte != 0).collect();
    match without_secrets(&text) {
        Cow::Owned(clean) => clean.into(),
        Cow::Borrowed(_) => without_secrets(raw),
    }
}

/// Counts messages where there is no line: when a log is closed, or room is made.
pub(crate) fn submit(sink: &mut impl Sink, mark: u64, proof: &Proof<'_>) {
    let (raw_account, raw_mechanism, raw_client, raw_name);
    let ((account, mechanism, client), client_name) = match &proof.login {
        Login::Logged { account, mechanism, client, name } => {
            raw_account = lowered(account, ACCOUNT_LIMIT);
            raw_mechanism = clean_mechanism(mechanism);
            raw_client = client_address(client);
            raw_name = name.of(&raw_client);
            ((&*raw_account, &*raw_mechanism, &*raw_client), &*raw_name)
        }
        Login::Kept(kept) => (kept.parts(), kept.name()),
    };
    let sender: Cow<'_, str> = match proof.sender {
        // Mostly people send as what they log in as, and that is clean already.
        Sender::Logged(raw)
            if raw == account.as_bytes() && (1..=SENDER_LIMIT).contains(&raw.len()) =>
        {
            account.into()
        }
        Sender::Logged(raw) => clean_sender(raw),
        Sender::Kept(kept) => (&**kept).into(),
        Sender::Unknown => UNKNOWN_SENDER.into(),
    };
    let Proof { time, tls, messages, recipients, .. } = *proof;
    let submission = Submission {
        time,
        sender: &sender,
        account,
        mechanism,
        tls,
        client,
        client_name,
        messages,
        recipients,
    };
    sink.submission(mark, &submission);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Collected;

    #[test]
    fn a_sender_is_clean_whether_it_is_the_account_or_not() {
        let mut collected = Collected::default();
        let (mechanism, client, name) = (&b"plain"[..], &b"192.0.2.1"[..], Name::Untold);
        let long = "x".repeat(300);
        let texts = ["a@x.test", "A@X.test", "", &long];
        for (sender, account) in texts.iter().flat_map(|one| texts.map(|other| (one, other))) {
            let account = account.as_bytes();
            let proof = Proof {
                time: 0,
                sender: Sender::Logged(sender.as_bytes()),
                login: Login::Logged { account, mechanism, client, name },
                tls: TlsVersion::Tls12,
                messages: 1,
                recipients: 0,
            };
            submit(&mut collected, 0, &proof);
            let told = collected.submissions.pop().unwrap_or_default();
            let expected = [&clean_sender(sender.as_bytes()), " "].concat();
            assert!(told.starts_with(&expected), "{told}");
        }
    }

    #[test]
    fn what_a_log_says_is_clean_whichever_way_it_comes() {
        let mut collected = Collected::default();
        let name = Name::Claimed(b"(Pc)");
        let kept = KeptLogin::named(b"Ann\x07", b"plain", b"2001:DB8::1", name);
        let (account, mechanism, client) = (&b"Ann\x07"[..], &b"plain"[..], &b"2001:DB8::1"[..]);
        for (sender, login) in [
            (Sender::Logged(b"A@X.test"), Login::Logged { account, mechanism, client, name }),
            (Sender::Kept(&KeptSender::new(b"A@X.test")), Login::Kept(&kept)),
        ] {
            let proof = Proof {
                time: 0,
                sender,
                login,
                tls: TlsVersion::Tls12,
                messages: 1,
                recipients: 0,
            };
            submit(&mut collected, 0, &proof);
        }
        let expected = "a@x.test ann\u{fffd} PLAIN TLS1.2 2001:db8::1 x1";
        assert_eq!(collected.submissions, [expected, expected]);
        assert_eq!(collected.names, ["(pc)", "(pc)"]);
    }
}
