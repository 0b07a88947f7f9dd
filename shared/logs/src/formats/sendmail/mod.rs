//! Sendmail: the `from=` line of a message that was collected whole, unless it is refused afterwards.
//!
//! TLS and login stand in lines of their own, before the message and without its queue id: a process serves one
//! connection, and joins them.

mod lines;

use memchr::{memchr, memmem};
use report::TlsVersion;
use serde::{Deserialize, Serialize};

use self::lines::{
    Collected, client, client_end, cut, cut_last, field, is_refusal, name, queue_id,
};
use crate::client_name::Named;
use crate::format::LogFormat;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::reading::Proofs;
use crate::record::Record;
use crate::text::number;

/// For how many seconds a connection is remembered of which no line speaks: for as long as Sendmail waits for a
/// command.
const SESSION: i64 = 3600;
/// For how many seconds a message waits for the line that it is refused.
const MESSAGE: i64 = 50;

/// Sendmail's syslog lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sendmail(Memory<Session, Message>);

/// What the lines of a process have told of the connection that it serves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Session {
    tls: Option<TlsVersion>,
    login: Option<KeptLogin>,
    /// The queue id of the message that waits.
    message: Option<Box<[u8]>>,
}

/// A message that was collected whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Message {
    /// When, in seconds since 1970.
    time: i64,
    /// None if its line can be read in several ways.
    sender: Option<KeptSender>,
    login: KeptLogin,
    tls: TlsVersion,
    /// The process that took it, which is the one to refuse it.
    pid: Option<u32>,
    #[serde(skip)]
    recipients: u64,
}

impl Kept for Session {
    fn life(&self) -> i64 {
        SESSION
    }

    fn weight(&self) -> usize {
        let message = self.message.as_ref().map_or(0, |id| id.len());
        4 + self.login.as_ref().map_or(0, |login| 4 + login.weight()) + message
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        self.login.iter_mut().for_each(|login| each(login));
    }
}

impl Kept for Message {
    fn life(&self) -> i64 {
        MESSAGE
    }

    fn weight(&self) -> usize {
        16 + self.sender.as_ref().map_or(0, |sender| sender.len()) + self.login.weight()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        each(&mut self.login);
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.recipients);
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        submit(sink, mark, &self.proof());
    }
}

impl Message {
    fn proof(&self) -> Proof<'_> {
        let sender = self.sender.as_ref().map_or(Sender::Unknown, Sender::Kept);
        let login = Login::Kept(&self.login);
        Proof {
            time: self.time,
            sender,
            login,
            tls: self.tls,
            messages: 1,
            recipients: self.recipients,
        }
    }
}

impl LogFormat for Sendmail {
    const NAME: &'static str = "sendmail";
    const ABOUT: &'static str = "Sendmail's syslog lines";
    const PROGRAMS_BEGIN: &'static [u8] = b"s";
    const MESSAGES_BEGIN: &'static [u8] = b"";
    const CANNOT_TELL: &'static str = "failed DIGEST-MD5 logins name no account; without process numbers, account and mechanism are empty";
    remembers!(1);

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if !Self::owns(record) {
            return false;
        }
        let time = record.time.unwrap_or(proofs.arrival.reference);
        self.0.advance(time, proofs.arrival, proofs.sink);
        let message = record.message;
        if let Some(rest) = message.strip_prefix(b"STARTTLS=server, relay=") {
            self.secured(record, time, rest, proofs);
        } else if let Some(rest) = message.strip_prefix(b"AUTH=server, relay=") {
            self.logged_in(record, time, rest, proofs);
        } else if let Some((id, text)) = queue_id(message) {
            self.of_message(record, time, id, text, proofs);
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        // `sm-mta`, `sm-msp-queue`, or as it is called.
        record.program.starts_with(b"sm-") || record.program.starts_with(b"sendmail")
    }
}

impl Sendmail {
    /// A client has begun TLS: nothing before it counts for what follows.
    fn secured<S: Sink>(
        &mut self,
        record: &Record<'_>,
        time: i64,
        rest: &[u8],
        proofs: &mut Proofs<'_, S>,
    ) {
        let Some(pid) = record.pid else { return };
        let key = Key { host: record.host, id: &pid.to_be_bytes() };
        self.stands(key, b"", proofs);
        let label = field(rest, b", version=").unwrap_or_default();
        let tls = Some(TlsVersion::from_label(label));
        self.0.sessions.put(key, time, Session { tls, ..Session::default() });
    }

    /// A client has logged in: `name [192.0.2.1], authid=ann@example.org, mech=PLAIN, bits=0`.
    fn logged_in<S: Sink>(
        &mut self,
        record: &Record<'_>,
        time: i64,
        rest: &[u8],
        proofs: &mut Proofs<'_, S>,
    ) {
        let Some(pid) = record.pid else { return };
        let key = Key { host: record.host, id: &pid.to_be_bytes() };
        self.stands(key, b"", proofs);
        let Some((relay, rest)) = cut(rest, b", authid=") else { return };
        // A mechanism is one word, an account may be several.
        let (account, rest) = cut_last(rest, b", mech=").unwrap_or((rest, b""));
        let mechanism = rest.split(|byte| *byte == b',').next().unwrap_or_default();
        let login = KeptLogin::named(account, mechanism, client(relay), name(relay));
        self.0.sessions.touch(key, time, Session::default, |session| {
            // Nobody logs in twice: it is another connection, and this one's TLS was not logged.
            if session.login.replace(login).is_some() {
                session.tls = None;
            }
        });
    }

    /// A line that begins with a queue id.
    fn of_message<S: Sink>(
        &mut self,
        record: &Record<'_>,
        time: i64,
        id: &[u8],
        text: &[u8],
        proofs: &mut Proofs<'_, S>,
    ) {
        let session = record.pid.unwrap_or_default().to_be_bytes();
        let session = Key { host: record.host, id: &session };
        if record.pid.is_some() {
            self.stands(session, id, proofs);
        }
        let key = Key { host: record.host, id };
        match text {
            [b'f', b'r', b'o', b'm', b'=', ..] => {
                if let Some(collected) = Collected::read(text) {
                    self.collected(record, time, (session, key), &collected);
                }
            }
            [b't', b'o', b'=', ..] => {
                let Some(message) = self.0.messages.get(key) else { return };
                let delivers = memmem::find(text, b", mailer=").is_some();
                if message.pid != record.pid {
                    // Only what is in the queue is delivered by another process.
                    let taken = self.0.messages.take(key);
                    taken.iter().for_each(|message| proofs.submission(&message.proof()));
                } else if !delivers {
                    self.refused(record, key);
                }
            }
            [b'A', b'U', b'T', b'H', ..] => {
                self.0.sessions.change(session, time, |_| ());
                failed(text, time, proofs);
            }
            _ if is_refusal(text) => self.refused(record, key),
            _ => {}
        }
    }

    /// A process goes on to another message than the one that waits: that one was not refused.
    fn stands<S: Sink>(&mut self, session: Key<'_>, id: &[u8], proofs: &mut Proofs<'_, S>) {
        let Self(memory) = self;
        let waiting = memory.sessions.get(session).and_then(|session| session.message.as_ref());
        let Some(waiting) = waiting.filter(|waiting| ***waiting != *id) else { return };
        if let Some(message) = memory.messages.take(Key { host: session.host, id: waiting }) {
            proofs.submission(&message.proof());
        }
    }

    /// A message was collected whole, and waits for its refusal.
    fn collected(
        &mut self,
        record: &Record<'_>,
        time: i64,
        (session, key): (Key<'_>, Key<'_>),
        collected: &Collected<'_>,
    ) {
        let mut tls = if collected.secure { TlsVersion::Unknown } else { TlsVersion::None };
        let relay = collected.relay;
        let mut login = KeptLogin::named(b"", b"", client(relay), name(relay));
        if record.pid.is_some() {
            self.0.sessions.touch(session, time, Session::default, |session| {
                if let Some(version) = session.tls.filter(|_| collected.secure) {
                    tls = version;
                }
                // A connection whose lines are lost may have had the process before.
                if let Some(known) = &session.login
                    && known.parts().2 == login.parts().2
                {
                    login = known.clone();
                }
                session.message = Some(key.id.into());
            });
        }
        let (sender, recipients) = (collected.sender.map(KeptSender::new), collected.recipients);
        let message = Message { time, sender, login, tls, pid: record.pid, recipients };
        self.0.messages.put(key, time, message);
    }

    /// The process that took a message refuses it.
    fn refused(&mut self, record: &Record<'_>, key: Key<'_>) {
        if self.0.messages.get(key).is_some_and(|message| message.pid == record.pid) {
            self.0.messages.take(key);
        }
    }
}

/// Counts a login that failed:
/// `AUTH failure (PLAIN): authentication failure (-13) SASL(-13): text, user=ann, relay=name [192.0.2.1]`.
fn failed<S: Sink>(text: &[u8], time: i64, proofs: &mut Proofs<'_, S>) -> Option<()> {
    let (_, rest) = cut(text.strip_prefix(b"AUTH failure (")?, b"): ")?;
    let (_, rest) = cut(rest, b" (-")?;
    let (code, detail) = rest.split_at(memchr(b')', rest)?);
    // A recipient may read like that too, but does not end a line.
    let (detail, relay) = cut_last(detail, b", relay=")?;
    client_end(relay)?;
    // What the library says of a name may repeat it, with a mark that it holds.
    let account = match cut(detail, b", user=") {
        Some((_, account)) if cut(account, b", user=").is_none() => account,
        _ => b"",
    };
    match number(code)? {
        // Wrong password, not allowed, expired, disabled, no such user, locked.
        13 | 14 | 18 | 19 | 20 | 21 => proofs.auth_failure(time, account, client(relay)),
        // Trouble of the library, of a service behind it, or nothing to verify with.
        1 | 2 | 3 | 8 | 24 | 26 => proofs.temporary_failure(time, account, client(relay)),
        _ => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Collected, read};

    const TLS: &str = "STARTTLS=server, relay=pc.example.test [192.0.2.1], version=TLSv1.2, verify=NO, cipher=X, bits=256/256";
    const LOGIN: &str = "AUTH=server, relay=pc.example.test [192.0.2.1], authid=ann@example.org, mech=PLAIN, bits=0";
    const RELAY: &str = "daemon=MSA, relay=pc.example.test [192.0.2.1]";
    const ANN: &str = "ann@example.org ann@example.org PLAIN TLS1.2 192.0.2.1 x1";

    /// Lines `SECOND PID TEXT` of one server.
    fn log(lines: &[(u32, u32, &str)]) -> Collected {
        let line = |(second, pid, text): &(u32, u32, &str)| {
            let (minute, second) = (second / 60, second % 60);
            format!("Nov 23 11:{minute:02}:{second:02} mail sm-mta[{pid}]: {text}\n")
        };
        read(&lines.iter().map(line).collect::<String>())
    }

    fn from(id: &str, protocol: &str) -> String {
        format!(
            "{id}: from=<ann@example.org>, size=9, class=0, nrcpts=1, msgid=<a@b>, proto={protocol}, {RELAY}"
        )
    }

    #[test]
    fn a_message_counts_once_when_nothing_can_refuse_it_any_more() {
        let message = from("6AN900aB000007", "ESMTPSA");
        let accepted = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*message)];
        let with = |more: &[(u32, u32, &str)]| log(&[&accepted[..], more].concat()).submissions;
        assert_eq!(with(&[(50, 8, "alias database rebuilt")]), [""; 0]);
        assert_eq!(with(&[(61, 8, "alias database rebuilt")]), [ANN]);
        let to =
            "6AN900aB000007: to=<r@example.net>, delay=00:00:00, mailer=esmtp, pri=9, stat=Sent";
        assert_eq!(with(&[(2, 9, to), (3, 9, to), (99, 9, to)]), [ANN]);
        let next =
            "6AN900aC000007: from=<b@example.org>, size=0, class=0, nrcpts=0, proto=ESMTPSA, ";
        assert_eq!(with(&[(2, 7, &format!("{next}{RELAY}"))]), [ANN]);
        assert_eq!(with(&[(2, 7, TLS)]), [ANN]);
        // The log of another server does not know it.
        assert_eq!(with(&[(2, 7, "6AN900aB000007: milter=x, quarantine=later")]), [""; 0]);
    }

    #[test]
    fn a_refusal_takes_the_message_back() {
        let message = from("6AN900aB000007", "ESMTPSA");
        for refusal in [
            "message size (115511) exceeds maximum (60000)",
            "Milter: data, reject=451 4.7.1 later",
            "Milter: data, reject=550 5.7.1 no",
            "SYSERR(root): collect: Cannot write ./df6AN900aB000007",
            "to=<r@example.net>, delay=00:00:00, pri=9, stat=no",
        ] {
            let refusal = format!("6AN900aB000007: {refusal}");
            let lines = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*message), (1, 7, &*refusal)];
            assert_eq!(
                log(&[&lines[..], &[(99, 8, "x")]].concat()).submissions,
                [""; 0],
                "{refusal}"
            );
            // Another process cannot.
            let lines = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*message), (1, 8, &*refusal)];
            assert_eq!(
                log(&[&lines[..], &[(99, 8, "x")]].concat()).submissions,
                [ANN],
                "{refusal}"
            );
        }
        for taken in ["Milter: data, discard", "discarded", "milter=lab, quarantine=later"] {
            let taken = format!("6AN900aB000007: {taken}");
            let lines = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*message), (1, 7, &*taken)];
            assert_eq!(log(&[&lines[..], &[(99, 8, "x")]].concat()).submissions, [ANN], "{taken}");
        }
    }

    #[test]
    fn what_was_not_collected_whole_or_is_a_strangers_is_no_message() {
        let beginning = "6AN900aB000007: from=<ann@example.org>, size=9, class=0";
        for rest in [
            "nrcpts=0, msgid=<a@b>, proto=ESMTPSA",
            "nrcpts=1, proto=ESMTPSA",
            "nrcpts=1, bodytype=8BITMIME, proto=ESMTPSA",
            "nrcpts=1, msgid=<a@b>, proto=ESMTPS",
            "nrcpts=1, msgid=<a@b>, proto=ESMTP",
            "nrcpts=1, msgid=<a@b>, proto=ESMTPSA, daemon=x, relay=x [192.0.2.9], proto=ESMTPS",
            "nrcpts=1, msgid=<a@b>, bodytype=8BITMIME",
        ] {
            let line = format!("{beginning}, {rest}, {RELAY}");
            let lines = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*line), (99, 7, "x")];
            assert_eq!(log(&lines).submissions, [""; 0], "{line}");
        }
        let own = format!("{beginning}, nrcpts=1, msgid=<a@b>, relay=root@localhost");
        assert_eq!(log(&[(1, 7, &own), (99, 7, "x")]).submissions, [""; 0]);
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let count =
            |lines: &[(u32, u32, &str)]| log(&[lines, &[(199, 8, "x")]].concat()).submissions;
        let (secure, plain) = (from("6AN900aB000007", "ESMTPSA"), from("6AN900aB000007", "ESMTPA"));
        assert_eq!(count(&[(1, 7, &secure)]), ["ann@example.org   unknown 192.0.2.1 x1"]);
        assert_eq!(count(&[(1, 7, &plain)]), ["ann@example.org   none 192.0.2.1 x1"]);
        let known = "ann@example.org ann@example.org PLAIN";
        assert_eq!(
            count(&[(0, 7, LOGIN), (1, 7, &secure)]),
            [format!("{known} unknown 192.0.2.1 x1")]
        );
        // Another connection of the same process's number.
        assert_eq!(
            count(&[(0, 7, TLS), (0, 7, LOGIN), (1, 7, LOGIN), (2, 7, &plain)]),
            [format!("{known} none 192.0.2.1 x1")]
        );
        let other = secure.replace("192.0.2.1", "IPv6:2001:db8:0:0:0:0:0:5");
        assert_eq!(
            count(&[(0, 7, TLS), (0, 7, LOGIN), (1, 7, &other)]),
            ["ann@example.org   TLS1.2 2001:db8::5 x1"]
        );
        let forged = secure.replace(']', "] (may be forged)");
        assert_eq!(count(&[(0, 7, TLS), (0, 7, LOGIN), (1, 7, &forged)]), [ANN]);
    }

    #[test]
    fn a_sender_is_read_where_it_ends() {
        let count = |sender: &str, id: &str| {
            let line = format!(
                "6AN900aB000007: from={sender}, size=9, class=-60, nrcpts=12, {id}bodytype=8BITMIME, proto=ESMTPSA, {RELAY}"
            );
            let lines = [(0, 7, TLS), (0, 7, LOGIN), (1, 7, &*line), (99, 7, "x")];
            let counted = log(&lines).submissions;
            counted
                .iter()
                .map(|line| line.replace(" ann@example.org PLAIN TLS1.2 192.0.2.1 x1", ""))
                .collect::<Vec<_>>()
        };
        let id = "msgid=<a@b>, ";
        assert_eq!(count("<Ann@Example.org>", id), ["ann@example.org"]);
        assert_eq!(count("ann@example.org", id), ["ann@example.org"]);
        assert_eq!(count("<>", id), ["<>"]);
        assert_eq!(count("<NONE>", id), ["(unknown)"]);
        let forged = ", size=1, class=0, nrcpts=1, msgid=<x>, proto=ESMTPSA, relay=x [192.0.2.9]";
        assert_eq!(count(&format!("<\"x>{forged}\"@x.test>"), id).len(), 1);
        assert_eq!(count(&format!("<\"x>{forged}\"@x.test>"), ""), [""; 0]);
        assert_eq!(count("<a@x.test>", &format!("msgid=<y{forged}>, ")), ["a@x.test"]);
        assert_eq!(count(&format!("<a@x.test>(x{forged})"), id), ["(unknown)"]);
        assert_eq!(count(&format!("<{}", "a".repeat(199)), id), ["(unknown)"]);
    }

    #[test]
    fn a_failed_login_counts_where_the_password_was_judged() {
        let failure = |reason: &str, user: &str| {
            let line = format!(
                "6AN900aB000007: AUTH failure (PLAIN): {reason}{user}, relay=x [192.0.2.5]"
            );
            let read = log(&[(1, 7, &*line)]);
            (read.failures, read.temporary)
        };
        let told = |line: &str| vec![line.to_owned()];
        let wrong =
            "authentication failure (-13) SASL(-13): authentication failure: checkpass failed";
        assert_eq!(
            failure(wrong, ", user=Ann@example.org"),
            (told("ann@example.org 192.0.2.5"), vec![])
        );
        assert_eq!(failure(wrong, ", user="), (told(" 192.0.2.5"), vec![]));
        assert_eq!(failure(wrong, ""), (told(" 192.0.2.5"), vec![]));
        assert_eq!(failure(wrong, ", user=x, user=boss@x.test"), (told(" 192.0.2.5"), vec![]));
        assert_eq!(
            failure("generic failure (-1) SASL(-1): x", ", user=ann"),
            (vec![], told("ann 192.0.2.5"))
        );
        assert_eq!(
            failure("no mechanism available (-4) SASL(-4): x", ", user=ann"),
            (vec![], vec![])
        );
    }
}
