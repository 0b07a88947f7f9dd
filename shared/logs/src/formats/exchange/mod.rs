//! Exchange Server's SMTP receive protocol logs: which rows of a session prove a submission.
//!
//! Up to 2010, one session has everything: the login, and the reply that says that a message was queued. Since 2013 a
//! front end takes the login and hands the client over: the messages are in a session of the hub transport service,
//! which tells whose it is with `XPROXY SID=`. Both logs must then be in one stream.
//!
//! What a client wrote stands in rows of their own, in a cell that Exchange quotes.

mod front;
mod row;

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use self::front::Front;
use self::row::{Row, is_about, sender, split};
use crate::client_name::{KeptName, Named};
use crate::format::LogFormat;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::reading::Proofs;
use crate::record::Record;
use crate::time::Timestamps;
use crate::wrappers::Cells;

/// Log time after which a silent session is taken for ended.
const SESSION_LIFE: i64 = 24 * 3600;
/// How long a session that has ended is known: the log of the hub may come later than that of the front end.
const ENDED_LIFE: i64 = 600;
/// How long a message waits for its front end's session.
const WAIT: i64 = 60;
/// The most messages that wait for one front end's session.
const MOST_WAITING: usize = 64;

/// Exchange Server's receive logs.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    memory: Memory<Session, Waiting>,
    cells: Cells,
}

/// What the rows of one session have told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Session {
    /// Its first row was seen: so a TLS line would have been.
    is_whole: bool,
    /// It has ended.
    is_over: bool,
    /// Another server's account has logged in.
    is_servers: bool,
    tls: Option<TlsVersion>,
    /// The mechanism of the last `AUTH`.
    mechanism: Box<[u8]>,
    login: Option<KeptLogin>,
    attempt: Attempt,
    /// The front end's session that the client was handed over from.
    front: Option<Front>,
    /// The sender that the client named last.
    named: Option<KeptSender>,
    /// The sender of the message that is being received.
    sender: Option<KeptSender>,
    /// What the client says of itself.
    #[serde(skip)]
    helo: KeptName,
    /// Recipients that were accepted since the client named a sender.
    #[serde(skip)]
    recipients: u64,
}

/// How far a login has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Attempt {
    #[default]
    None,
    /// It was refused: the row with this number says so, and the name may follow.
    Refused(u32),
    /// It is counted, by the row with this number.
    Counted(u32),
}

/// Messages of the hub's that wait for the front end's session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Waiting(Vec<Queued>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Queued {
    time: i64,
    sender: Option<KeptSender>,
    /// Without an account.
    login: KeptLogin,
    #[serde(skip)]
    recipients: u64,
}

impl Kept for Session {
    fn life(&self) -> i64 {
        if self.is_over { ENDED_LIFE } else { SESSION_LIFE }
    }

    fn weight(&self) -> usize {
        let login = self.login.as_ref().map_or(0, KeptLogin::weight);
        let front = self.front.as_ref().map_or(0, Front::weight);
        let senders = [&self.sender, &self.named].into_iter().flatten();
        let sender = senders.map(|sender| sender.len()).sum::<usize>();
        24 + self.mechanism.len() + login + front + sender + self.helo.name().len()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        self.login.iter_mut().for_each(|login| each(login));
        self.front.iter_mut().for_each(|front| each(&mut front.helo));
        each(&mut self.helo);
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.recipients);
    }
}

impl Kept for Waiting {
    fn life(&self) -> i64 {
        WAIT
    }

    fn weight(&self) -> usize {
        let queued = |queued: &Queued| {
            20 + queued.login.weight() + queued.sender.as_ref().map_or(0, |sender| sender.len())
        };
        self.0.iter().map(queued).sum()
    }

    fn names(&mut self, each: &mut dyn FnMut(&mut dyn Named)) {
        self.0.iter_mut().for_each(|queued| each(&mut queued.login));
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        self.0.iter_mut().for_each(|queued| each(&mut queued.recipients));
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        for queued in self.0 {
            queued.count(&queued.login, TlsVersion::Unknown, mark, sink);
        }
    }
}

impl Queued {
    fn count(&self, login: &KeptLogin, tls: TlsVersion, mark: u64, sink: &mut impl Sink) {
        let sender = self.sender.as_ref().map_or(Sender::Unknown, Sender::Kept);
        let login = Login::Kept(login);
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

impl LogFormat for Exchange {
    const NAME: &'static str = "exchange";
    const ABOUT: &'static str = "Exchange Server's SMTP receive protocol logs";
    const PROGRAMS_BEGIN: &'static [u8] = b"";
    const MESSAGES_BEGIN: &'static [u8] = b"#0123456789";
    const CANNOT_TELL: &'static str =
        "the hub's log alone names no account: read it with the front end's, sorted by time";

    remembers!(1, memory, |memory| Self { memory, ..Self::default() });

    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        if record.is_named() {
            return false;
        }
        let text = record.message;
        if text.first() == Some(&b'#') {
            return is_about(text);
        }
        let Some(row) = Row::read(text, &mut self.cells, proofs.times) else { return false };
        self.memory.advance(row.time, proofs.arrival, proofs.sink);
        let key = Key { host: record.host, id: row.session };
        let memory = &mut self.memory;
        match row.event {
            b'<' => said(memory, key, row),
            b'>' => replied(memory, key, row, proofs),
            b'*' => noted(memory, key, row, proofs),
            _ => {
                memory.sessions.touch(key, row.time, Session::default, |session| {
                    session.is_whole |= row.event == b'+';
                    session.is_over |= row.event == b'-';
                });
            }
        }
        true
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        Row::read(record.message, &mut Cells::default(), times).map(|row| row.time)
    }
}

/// The client wrote a line.
fn said(memory: &mut Memory<Session, Waiting>, key: Key<'_>, row: Row<'_>) {
    let (verb, rest) = split(row.data);
    let verb = verb.to_ascii_uppercase();
    memory.sessions.touch(key, row.time, Session::default, |session| match &*verb {
        // Servers among themselves say the other.
        b"AUTH" | b"X-EXPS" => {
            session.mechanism = split(rest).0.to_ascii_uppercase().into();
            session.attempt = Attempt::None;
        }
        // Anybody may say it, and is refused elsewhere.
        b"XPROXY" if row.is_proxy => {
            session.front = Front::read(rest);
            (session.named, session.sender) = (None, None);
        }
        b"EHLO" | b"HELO" => session.helo = KeptName::claimed(rest),
        b"XPROXYFROM" => session.front = None,
        b"MAIL" => {
            session.named = sender(rest).map(KeptSender::new);
            session.recipients = 0;
        }
        b"RSET" => (session.named, session.sender, session.recipients) = (None, None, 0),
        _ => {}
    });
}

/// The server replied.
fn replied<S: Sink>(
    memory: &mut Memory<Session, Waiting>,
    key: Key<'_>,
    row: Row<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    if row.data.starts_with(b"250 2.6.0 ") && row.data.ends_with(b"Queued mail for delivery") {
        return queued(memory, key, row, proofs);
    }
    if row.data.starts_with(b"250 2.1.5 ") {
        memory.sessions.change(key, row.time, |session| {
            session.recipients = session.recipients.saturating_add(1);
        });
        return;
    }
    let is_refused = row.data.starts_with(b"535 ");
    if !is_refused && !row.data.starts_with(b"454 4.7.0 ") {
        return;
    }
    let is_open = memory.sessions.touch(key, row.time, Session::default, |session| {
        let is_open = !matches!(session.attempt, Attempt::Counted(_));
        session.attempt = Attempt::Counted(row.number);
        is_open
    });
    match is_open {
        Some(true) if is_refused => proofs.auth_failure(row.time, b"", row.client),
        Some(true) => proofs.temporary_failure(row.time, b"", row.client),
        _ => {}
    }
}

/// A message is in the queue.
fn queued<S: Sink>(
    memory: &mut Memory<Session, Waiting>,
    key: Key<'_>,
    row: Row<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    let (mut sender, mut recipients) = (None, 0);
    memory.sessions.change(key, row.time, |session| {
        let named = session.named.take();
        recipients = std::mem::take(&mut session.recipients);
        sender = session.sender.take().or(named);
    });
    let Some(session) = memory.sessions.get(key) else { return };
    let mark = proofs.arrival.mark;
    let time = row.time;
    proofs.time = Some(time);
    match (&session.front, &session.login) {
        (Some(front), _) => {
            let front_key = Key { host: key.host, id: &front.session };
            let queued = Queued { time, sender, login: front.login(), recipients };
            if let Some(Session { login: Some(login), tls, is_whole, .. }) =
                memory.sessions.get(front_key)
            {
                return queued.count(login, told(*tls, *is_whole), mark, proofs.sink);
            }
            let front: Box<[u8]> = front.session.clone();
            let front = Key { host: key.host, id: &front };
            let left = memory.messages.touch(front, time, Waiting::default, |waiting| {
                let is_full = waiting.0.len() >= MOST_WAITING;
                if is_full {
                    return Some(queued);
                }
                waiting.0.push(queued);
                None
            });
            if let Some(Some(queued)) = left {
                queued.count(&queued.login, TlsVersion::Unknown, mark, proofs.sink);
            }
        }
        (None, Some(login)) if !session.is_servers => {
            let tls = told(session.tls, session.is_whole);
            let login = KeptLogin::clone(login);
            let queued = Queued { time, sender, login: login.clone(), recipients };
            queued.count(&login, tls, mark, proofs.sink);
        }
        // Nobody logged in, or another server.
        _ => {}
    }
}

/// The TLS version of a session: none where its beginning was seen, and no TLS line.
fn told(tls: Option<TlsVersion>, is_whole: bool) -> TlsVersion {
    tls.unwrap_or(if is_whole { TlsVersion::None } else { TlsVersion::Unknown })
}

/// The server notes something.
fn noted<S: Sink>(
    memory: &mut Memory<Session, Waiting>,
    key: Key<'_>,
    row: Row<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    let Row { time, number, client, data, context, .. } = row;
    if context == b"authenticated" {
        memory.sessions.touch(key, time, Session::default, |session| {
            // A machine's account ends so.
            session.is_servers = data.ends_with(b"$");
            let mut login = KeptLogin::new(data, &session.mechanism, client);
            login.set_name(session.helo.name());
            session.login = Some(login);
        });
        return authenticated(memory, key, proofs);
    }
    if context == b"receiving message" {
        // What the client names from now on is refused.
        memory.sessions.change(key, time, |session| session.sender = session.named.take());
    } else if let Some(rest) = context.strip_prefix(b"TLS protocol ") {
        let tls = TlsVersion::from_label(split(rest).0);
        memory.sessions.touch(key, time, Session::default, |session| session.tls = Some(tls));
    } else if context.starts_with(b"Inbound AUTH ")
        && memchr::memmem::find(context, b" failed because of ").is_some()
    {
        memory.sessions.touch(key, time, Session::default, |session| {
            // Exchange may write it twice, with one number.
            if session.attempt != Attempt::Counted(number) {
                session.attempt = Attempt::Refused(number);
            }
        });
    } else if let Some(name) = context.strip_prefix(b"User Name: ") {
        let is_refused = memory.sessions.touch(key, time, Session::default, |session| {
            let is_refused = matches!(session.attempt, Attempt::Refused(_)) && !session.is_servers;
            if is_refused {
                session.attempt = Attempt::Counted(number);
            }
            is_refused
        });
        if is_refused == Some(true) {
            proofs.auth_failure(time, name, client);
        }
    }
}

/// A front end's client has logged in: its messages may have come before.
fn authenticated<S: Sink>(
    memory: &mut Memory<Session, Waiting>,
    key: Key<'_>,
    proofs: &mut Proofs<'_, S>,
) {
    let Some(waiting) = memory.messages.take(key) else { return };
    let Some(session) = memory.sessions.get(key) else { return };
    let Some(login) = &session.login else { return };
    for queued in waiting.0 {
        let tls = told(session.tls, session.is_whole);
        queued.count(login, tls, proofs.arrival.mark, proofs.sink);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::read;

    const FRONT: &str = "08DE2C0000000005";
    const HUB: &str = "08DE2C0000000200";

    /// A row, with data and context as Exchange writes them.
    fn row(second: u32, connector: &str, session: &str, rest: &str) -> String {
        let endpoints = "192.0.2.10:587,198.51.100.7:50100";
        format!(
            "2026-11-23T06:00:{second:02}.000Z,EX1\\{connector} EX1,{session},{second},{endpoints},{rest}\n"
        )
    }

    const TLS: &str = "*,,\"TLS protocol SP_PROT_TLS1_2_SERVER negotiation succeeded using bulk encryption, and so on\"";

    fn logged_in(session: &str) -> [String; 4] {
        [
            row(1, "Client Frontend", session, "+,,"),
            row(2, "Client Frontend", session, TLS),
            row(3, "Client Frontend", session, "<,auth login,"),
            row(4, "Client Frontend", session, r"*,CORP\ann,authenticated"),
        ]
    }

    fn handed_over(sender: &str) -> [String; 5] {
        [
            row(5, "Client Proxy", HUB, "<,X-EXPS EXCHANGEAUTH,"),
            row(
                6,
                "Client Proxy",
                HUB,
                "<,XPROXY SID=08DE2C0000000005 IP=198.51.100.7 PORT=1 DOMAIN=x,",
            ),
            row(7, "Client Proxy", HUB, &format!("<,MAIL FROM:<{sender}> SIZE=9,")),
            row(
                8,
                "Client Proxy",
                HUB,
                &format!("*,{HUB};2026-11-23T06:00:01.100Z;1,receiving message"),
            ),
            row(9, "Client Proxy", HUB, QUEUED),
        ]
    }

    const QUEUED: &str =
        ">,\"250 2.6.0 <1@x.test> [InternalId=3, Hostname=a] Queued mail for delivery\",";

    #[test]
    fn a_message_of_the_hubs_has_the_login_of_its_front_end() {
        let hub = handed_over("Ann@corp.test");
        let told = [r"ann@corp.test corp\ann LOGIN TLS1.2 198.51.100.7 x1"];
        assert_eq!(read(&[logged_in(FRONT).concat(), hub.concat()].concat()).submissions, told);
        assert_eq!(read(&[hub.concat(), logged_in(FRONT).concat()].concat()).submissions, told);
        let alone = ["ann@corp.test   unknown 198.51.100.7 x1"];
        assert_eq!(read(&hub.concat()).submissions, [""; 0], "it waits");
        let later = row(9, "Client Proxy", "08DE2C0000000999", "+,,").replace("T06:00", "T06:02");
        assert_eq!(read(&[hub.concat(), later].concat()).submissions, alone);
    }
    #[test]
    fn up_to_2010_one_session_has_everything() {
        let mail = |sender: &str| row(5, "Client", FRONT, &format!("<,MAIL FROM:<{sender}>,"));
        let receiving = || row(6, "Client", FRONT, &format!("*,{FRONT};x;1,receiving message"));
        let queued = || row(7, "Client", FRONT, QUEUED);
        let login = logged_in(FRONT).concat();
        let log = [
            &*login,
            &mail("a@x.test"),
            &receiving(),
            &mail("boss@x.test"),
            &queued(),
            &mail(""),
            &queued(),
        ];
        let told = [
            r"a@x.test corp\ann LOGIN TLS1.2 198.51.100.7 x1",
            r"<> corp\ann LOGIN TLS1.2 198.51.100.7 x1",
        ];
        assert_eq!(read(&log.concat()).submissions, told);
        // Without a login, and what only another server may say.
        let proxy = row(3, "Default", FRONT, "<,XPROXY SID=08DE2C0000000006 IP=192.0.2.9,");
        let other = logged_in("08DE2C0000000006").concat();
        let log = [&*other, &proxy, &mail("a@x.test"), &receiving(), &queued()];
        assert_eq!(read(&log.concat()).submissions, [""; 0]);
        // A server's own login.
        let server = row(4, "Default", FRONT, r"*,CORP\EX2$,authenticated");
        let log = [&*server, &mail("a@x.test"), &receiving(), &queued()];
        assert_eq!(read(&log.concat()).submissions, [""; 0]);
    }

    #[test]
    fn without_its_beginning_a_session_does_not_prove_plaintext() {
        let parts = logged_in(FRONT);
        let rest =
            [row(5, "Client", FRONT, "<,MAIL FROM:<a@x.test>,"), row(6, "Client", FRONT, QUEUED)]
                .concat();
        for (first, tls) in [(&parts[0], "none"), (&parts[2], "unknown")] {
            let log = [first, &parts[2], &parts[3], &rest];
            let log: String = log.into_iter().map(String::as_str).collect();
            let told = [format!(r"a@x.test corp\ann LOGIN {tls} 198.51.100.7 x1")];
            assert_eq!(read(&log).submissions, told);
        }
    }

    #[test]
    fn a_refused_login_counts_once() {
        let refused = |second| {
            row(second, "Client", FRONT, "*,,Inbound AUTH LOGIN failed because of LogonDenied")
        };
        let named = |second| row(second, "Client", FRONT, "*,,User Name: Ann@x.test");
        let reply = |second, text: &str| row(second, "Client", FRONT, &format!(">,{text},"));
        let auth = |second| row(second, "Client", FRONT, "<,AUTH LOGIN,");
        const DENIED: &str = "535 5.7.3 Authentication unsuccessful";
        for log in [
            [auth(1), refused(2), refused(2), named(2), reply(3, DENIED)],
            [auth(1), refused(2), named(2), refused(2), reply(3, DENIED)],
        ] {
            assert_eq!(read(&log.concat()).failures, ["ann@x.test 198.51.100.7"]);
        }
        let twice = [auth(1), reply(2, DENIED), auth(3), reply(4, DENIED)].concat();
        assert_eq!(read(&twice).failures, [" 198.51.100.7"; 2]);
        let trouble = [auth(1), reply(2, "454 4.7.0 Temporary authentication failure")].concat();
        let read = read(&trouble);
        assert_eq!((read.failures.len(), read.temporary.len()), (0, 1));
    }

    #[test]
    fn what_stands_above_the_rows_and_what_is_no_row() {
        let log =
            "#Software: Microsoft Exchange Server\n#Fields: date-time,connector-id,x\n# comment\n";
        assert!(read(log).rejected.is_empty());
        let whole = row(7, "Client", FRONT, QUEUED);
        for cut in (0..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
            assert!(read(&whole[..cut]).submissions.is_empty());
        }
    }
}
