//! maddy: a line that tells who sends, and one that tells that the message was accepted.

use std::borrow::Cow;

use memchr::{memchr, memmem};
use report::TlsVersion;
use serde::{Deserialize, Serialize};

use crate::address::without_port;
use crate::client_name::{Name, Named};
use crate::format::LogFormat;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::record::Record;
use crate::time::Timestamps;

/// How long a message may take from its sender to its end, in seconds of the log's time.
const MESSAGE: i64 = 3600;
/// Within which a failed login is told by all who tell it.
const FAILURE: i64 = 60;

/// maddy's log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maddy(Memory<Failures, Message>);

/// How often each part of the server has told of failed logins from one address and port: two may tell of the same one.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Failures {
    mechanisms: u32,
    session: u32,
}

impl Kept for Failures {
    fn life(&self) -> i64 {
        FAILURE
    }

    fn weight(&self) -> usize {
        2
    }
}

/// A message of a client that has logged in.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    sender: KeptSender,
    login: KeptLogin,
}

impl Kept for Message {
    fn life(&self) -> i64 {
        MESSAGE
    }

    fn weight(&self) -> usize {
        4 + self.sender.len() + self.login.weight()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }
}

impl LogFormat for Maddy {
    const NAME: &'static str = "maddy";
    const ABOUT: &'static str = "maddy's log, without TLS versions";
    const CANNOT_TELL: &'static str = "it never logs TLS or the mechanism";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        match record.message {
            [.., b'}'] => self.with_fields(record, proofs),
            _ => is_maddys(record),
        }
    }

    fn owns(record: &Record<'_>) -> bool {
        is_maddys(record)
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        Line::of(record, times)?.time
    }

    remembers!(1);
}

fn is_maddys(record: &Record<'_>) -> bool {
    record.program == b"maddy"
}

/// A line that tells something: `submission: accepted`, and an object behind it.
struct Line<'a> {
    time: Option<i64>,
    /// Which part of the server says it.
    who: &'a [u8],
    says: &'a [u8],
    fields: Fields<'a>,
}

/// The fields that matter.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    msg_id: Cow<'a, str>,
    #[serde(borrow, default)]
    sender: Cow<'a, str>,
    /// What the client says of itself.
    #[serde(borrow, default)]
    src_host: Cow<'a, str>,
    #[serde(borrow, default)]
    src_ip: Cow<'a, str>,
    #[serde(borrow, default)]
    username: Cow<'a, str>,
}

const SAYINGS: &[&[u8]] = &[
    b"incoming message",
    b"accepted",
    b"aborted",
    b"DATA error",
    b"RCPT ok",
    b"RCPT error",
    b"MAIL FROM error",
    b"authentication failed",
];

impl<'a> Line<'a> {
    fn of(record: &Record<'a>, times: &mut Timestamps) -> Option<Self> {
        let text = record.message.strip_suffix(b"}").map(|_| record.message)?;
        // Who says it can pass for a program.
        let may_be_who =
            [&b"submission"[..], b"smtp"].iter().any(|who| record.program.starts_with(who));
        let is_who = record.pid.is_none() && may_be_who;
        if record.is_named() && !is_maddys(record) && !is_who {
            return None;
        }
        let mut rest = text;
        let is_timed = text[0].is_ascii_digit() && !is_who;
        if is_timed {
            rest = &text[memchr(b' ', &text[..text.len().min(40)])
                .filter(|at| text[at - 1] == b'Z')?
                + 1..];
        }
        let who = if is_who {
            record.program
        } else {
            let colon = memmem::find(&rest[..rest.len().min(64)], b": ")?;
            let who;
            (who, rest) = (&rest[..colon], &rest[colon + 2..]);
            who
        };
        let says = *SAYINGS.iter().find(|says| rest.starts_with(says))?;
        let object = rest[says.len()..].trim_ascii_start();
        if !object.starts_with(b"{") || memchr(b' ', who).is_some() {
            return None;
        }
        let fields = serde_json::from_slice(object).ok()?;
        let time = if is_timed { Some(times.rfc3339(text)?.0) } else { None };
        Some(Self { time, who, says, fields })
    }
}

impl Maddy {
    #[inline(never)]
    fn with_fields<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(line) = Line::of(record, proofs.times) else { return is_maddys(record) };
        let time = line.time.or(record.time).unwrap_or(proofs.arrival.reference);
        self.0.advance(time, proofs.arrival, proofs.sink);
        self.joined(record, &line, time, proofs);
        true
    }

    fn joined<S: Sink>(
        &mut self,
        record: &Record<'_>,
        line: &Line<'_>,
        time: i64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let Fields { msg_id, sender, src_host, src_ip, username } = &line.fields;
        let client = without_port(src_ip.as_bytes());
        let key = Key { host: record.host, id: msg_id.as_bytes() };
        match line.says {
            b"authentication failed" => {
                let is_mechanisms = line.who.ends_with(b"/sasl");
                let key = Key { host: record.host, id: src_ip.as_bytes() };
                let is_new = self.0.sessions.touch(key, time, Failures::default, |failures| {
                    let before = failures.mechanisms.max(failures.session);
                    let told = if is_mechanisms {
                        &mut failures.mechanisms
                    } else {
                        &mut failures.session
                    };
                    *told = told.saturating_add(1);
                    *told > before
                });
                if is_new == Some(true) {
                    proofs.auth_failure(time, username.as_bytes(), client);
                }
            }
            // Development versions have no id here: such a message cannot be told from others.
            _ if msg_id.is_empty() => {}
            b"incoming message" => {
                self.0.messages.take(key);
                if !username.is_empty() {
                    let name = Name::Claimed(src_host.as_bytes());
                    let login = KeptLogin::named(username.as_bytes(), b"", client, name);
                    let sender = KeptSender::new(sender.as_bytes());
                    self.0.messages.put(key, time, Message { sender, login });
                }
            }
            b"accepted" => {
                let Some(message) = self.0.messages.take(key) else { return };
                let (sender, login) = (Sender::Kept(&message.sender), Login::Kept(&message.login));
                let tls = TlsVersion::Unknown;
                proofs.submission(&Proof { time, sender, login, tls, messages: 1, recipients: 0 });
            }
            b"aborted" | b"DATA error" => _ = self.0.messages.take(key),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::read;

    const SENDING: &str = r#"submission: incoming message	{"msg_id":"7e3f7780","sender":"Team@x.test","src_host":"h","src_ip":"[2001:db8::1]:46828","username":"ann@x.test"}"#;
    const ACCEPTED: &str = r#"submission: accepted	{"msg_id":"7e3f7780"}"#;
    const ANN: &str = "team@x.test ann@x.test  unknown 2001:db8::1 x1";

    fn log(front: &str, lines: &[&str]) -> String {
        lines.iter().map(|line| format!("{front}{line}\n")).collect()
    }

    #[test]
    fn what_was_accepted_counts_for_who_sent_it() {
        let recipient = r#"submission: RCPT ok	{"msg_id":"7e3f7780","rcpt":"b@y.test"}"#;
        for front in [
            "",
            "2026-11-23T11:00:00.123Z ",
            "Nov 23 11:00:00 mail maddy[7]: ",
            "maddy-1  | ",
            "2026-11-23T11:00:00.123456789Z stdout F ",
        ] {
            let told = read(&log(front, &[SENDING, recipient, ACCEPTED, ACCEPTED]));
            assert_eq!(told.submissions, [ANN], "{front}");
        }
        assert_eq!(
            read(&log("Nov 23 11:00:00 mail sshd[7]: ", &[SENDING, ACCEPTED])).submissions,
            [""; 0]
        );
    }

    #[test]
    fn what_was_given_up_or_nobodys_does_not_count() {
        let aborted = r#"submission: aborted	{"msg_id":"7e3f7780"}"#;
        let failed = r#"submission: DATA error	{"msg_id":"7e3f7780","reason":"x"}"#;
        for between in [aborted, failed] {
            assert_eq!(read(&log("", &[SENDING, between, ACCEPTED])).submissions, [""; 0]);
        }
        let stranger = SENDING.replace(r#","username":"ann@x.test""#, "");
        assert_eq!(read(&log("", &[&stranger, ACCEPTED])).submissions, [""; 0]);
        assert_eq!(read(&log("", &[SENDING, &stranger, ACCEPTED])).submissions, [""; 0]);
        let unnamed = SENDING.replace("7e3f7780", "");
        let accepted = ACCEPTED.replace("7e3f7780", "");
        assert_eq!(read(&log("", &[&unnamed, &accepted])).submissions, [""; 0]);
    }

    #[test]
    fn a_failed_login_that_two_parts_tell_of_counts_once() {
        let told =
            r#"authentication failed	{"reason":"x","src_ip":"192.0.2.1:4000","username":"Ann"}"#;
        let (mechanism, session) =
            (format!("submission/sasl: {told}"), format!("submission: {told}"));
        let read = read(&log("", &[&mechanism, &session, &mechanism, &session, &session]));
        assert_eq!(read.failures, ["ann 192.0.2.1"; 3]);
    }
}
