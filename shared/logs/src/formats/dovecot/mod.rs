//! Dovecot's submission service: one line proves a message, and tells its sender, account and the server behind.
//!
//! What the line of the login told of mechanism, client and TLS is remembered until the session ends.

mod lines;

use lines::{Fields, Line, Prefix};
use report::TlsVersion;
use serde::{Deserialize, Serialize};

use crate::client_name::Name;
use crate::format::LogFormat;
use crate::kept::KeptLogin;
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::record::Record;

/// Log time after which a silent session is taken for ended: no client is let be idle for longer.
const SESSION_LIFE: i64 = 24 * 3600;

/// A client that has logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    /// Mechanism and client, without the account: the line of a message tells that.
    login: KeptLogin,
    tls: TlsVersion,
}

impl Kept for Session {
    fn life(&self) -> i64 {
        SESSION_LIFE
    }

    fn weight(&self) -> usize {
        4 + self.login.weight()
    }
}

/// Lines of Dovecot's submission service.
#[derive(Debug, Default)]
pub(crate) struct Dovecot(Memory<Session, ()>);

impl LogFormat for Dovecot {
    const NAME: &'static str = "dovecot";
    const ABOUT: &'static str = "Dovecot's submission service";
    const PROGRAMS_BEGIN: &'static [u8] = b"ds";
    const MESSAGES_BEGIN: &'static [u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const CANNOT_TELL: &'static str = "the TLS version needs %k in login_log_format_elements (2.4: %{ssl_security}); logins that fail before one that succeeds are not counted, and only the last account of others is named";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let reference = record.time.unwrap_or(proofs.arrival.reference);
        if let Some((time, text)) = lines::headed(record.message, reference, proofs.times) {
            let record = Record { time: Some(time), ..*record };
            self.read(&record, lines::line(text), proofs);
            return true;
        }
        if lines::is_service(record.program) {
            self.read(record, lines::line_of(record.program, record.message), proofs);
            return true;
        }
        if !Self::owns(record) {
            return false;
        }
        self.read(record, lines::line(record.message), proofs);
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        // A container may be called so, and its lines have headers of their own.
        let is_plain = || record.message.first().is_some_and(u8::is_ascii_lowercase);
        (record.program == b"dovecot" && is_plain()) || lines::is_service(record.program)
    }

    remembers!(1);
}

impl Dovecot {
    fn read<S: Sink>(&mut self, record: &Record<'_>, line: Line<'_>, proofs: &mut Proofs<'_, S>) {
        if line == Line::Other {
            return;
        }
        let time = record.time.unwrap_or(proofs.arrival.reference);
        self.0.advance(time, proofs.arrival, proofs.sink);
        let host = record.host;
        match line {
            Line::Login(fields) => self.login(host, time, &fields),
            Line::Failed { tried, temporary, fields } => {
                failed(time, tried, temporary, &fields, proofs)
            }
            Line::Relayed { prefix, sender, recipients, queue_id } => {
                self.relayed((host, time), prefix, sender, recipients, proofs);
                if let Some(id) = queue_id {
                    proofs.relayed_as(time, id);
                }
            }
            Line::Ended(Prefix { pid, session, .. }) => {
                for id in [pid, session] {
                    self.0.sessions.take(Key { host, id });
                }
            }
            Line::Other => {}
        }
    }

    fn login(&mut self, host: &[u8], time: i64, fields: &Fields<'_>) {
        let Fields { mechanism, client, pid, session, tls, .. } = *fields;
        let new = Session { login: KeptLogin::new(b"", mechanism, client), tls };
        if !session.is_empty() {
            self.0.sessions.put(Key { host, id: session }, time, new.clone());
        }
        if pid.is_empty() {
            return;
        }
        let key = Key { host, id: pid };
        // A process may serve several sessions: what is told of it is what is so for all of them.
        let new = match self.0.sessions.get(key) {
            Some(other) if *other != new => other.and(&new),
            _ => new,
        };
        self.0.sessions.put(key, time, new);
    }

    /// Counts a message.
    fn relayed<S: Sink>(
        &mut self,
        (host, time): (&[u8], i64),
        prefix: Option<Prefix<'_>>,
        sender: Option<&[u8]>,
        recipients: u64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let mut known = None;
        if let Some(Prefix { pid, session, .. }) = prefix {
            let ids = [session, pid].into_iter().filter(|id| !id.is_empty());
            known = ids
                .filter_map(|id| {
                    self.0.sessions.change(Key { host, id }, time, |known| known.clone())
                })
                .next();
        }
        let (_, mechanism, client) =
            known.as_ref().map_or(("", "", ""), |known| known.login.parts());
        let tls = known.as_ref().map_or(TlsVersion::Unknown, |known| known.tls);
        let account = prefix.map_or(&b""[..], |prefix| prefix.user);
        proofs.submission(&Proof {
            time,
            sender: sender.map_or(Sender::Unknown, Sender::Logged),
            login: Login::Logged {
                account,
                mechanism: mechanism.as_bytes(),
                client: client.as_bytes(),
                name: Name::Untold,
            },
            tls,
            messages: 1,
            recipients,
        });
    }
}

impl Session {
    /// What is so for both.
    fn and(&self, other: &Self) -> Self {
        let (_, mechanism, client) = self.login.parts();
        let (_, other_mechanism, other_client) = other.login.parts();
        let both =
            |one: &str, other: &str| if one == other { one.to_owned() } else { String::new() };
        let (mechanism, client) = (both(mechanism, other_mechanism), both(client, other_client));
        Self {
            login: KeptLogin::new(b"", mechanism.as_bytes(), client.as_bytes()),
            tls: if self.tls == other.tls { self.tls } else { TlsVersion::Unknown },
        }
    }
}

/// Counts the logins of a session that were tried in vain. Only the last one's account is told.
fn failed<S: Sink>(
    time: i64,
    tried: u32,
    temporary: bool,
    fields: &Fields<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    const MOST: u32 = 1000;
    for number in (0..tried.min(MOST)).rev() {
        let account = if number == 0 { fields.user } else { b"" };
        match temporary {
            true => proofs.temporary_failure(time, account, fields.client),
            false => proofs.auth_failure(time, account, fields.client),
        }
    }
}

#[cfg(test)]
mod tests;
