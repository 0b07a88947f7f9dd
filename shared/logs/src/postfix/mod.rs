//! Postfix: which lines together prove that an authenticated client's message was accepted.
//!
//! One message leaves several lines, written by several processes:
//!
//! 1. `smtpd` logs `connect from`, the TLS version, and `QUEUEID: client=…, sasl_username=…` when a
//!    recipient is accepted. Nothing is accepted yet: the client may still give up.
//! 2. `qmgr` logs `QUEUEID: from=<…>, … (queue active)` once the message is in the queue. The first
//!    such line after the `client=` line **is** the submission; later ones are delivery retries.
//! 3. `smtpd` logs `disconnect from` with counts of commands. Where no TLS line was logged, they tell
//!    plaintext (no `starttls=`) from TLS of an unknown version; they also tell how many messages
//!    the session got accepted, and so which queue ids were given up.
//!
//! Sessions are known by (host, program, process); messages by (host, Postfix instance, queue id).

mod correlator;
mod expiry;
mod lines;
mod model;
mod state;

pub(crate) use correlator::Correlator;
pub(crate) use state::Snapshot;

/// The daemon behind a syslog tag such as `postfix/submission/smtpd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// Receives mail over SMTP.
    Smtpd,
    /// Moves messages through the queue.
    Qmgr,
    /// Writes messages into the queue.
    Cleanup,
    /// Takes messages from local programs.
    Pickup,
    /// Any other part of Postfix: its lines prove nothing here.
    Other,
}

impl Daemon {
    /// Reads a syslog tag; none if it is not Postfix's.
    #[inline]
    pub(crate) fn of(program: &[u8]) -> Option<Self> {
        let slash = program.iter().rposition(|byte| *byte == b'/')?;
        Some(match &program[slash + 1..] {
            b"smtpd" => Self::Smtpd,
            b"qmgr" => Self::Qmgr,
            b"cleanup" => Self::Cleanup,
            b"pickup" => Self::Pickup,
            _ if program.starts_with(b"postfix") => Self::Other,
            _ => return None,
        })
    }
}
