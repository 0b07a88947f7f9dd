//! mox: one line for each recipient of a message that was submitted, joined with what its connection logged.

use std::borrow::Cow;

use memchr::memmem;
use report::TlsVersion;
use serde::{Deserialize, Serialize};

use crate::address::without_port;
use crate::format::LogFormat;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::logfmt::{Pairs, pair};
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::reading::Proofs;
use crate::record::Record;

/// How long a connection may say nothing, in seconds of the log's time.
const CONNECTION: i64 = 3600;
/// How long a message waits for the line about its login: it is written on the side, and can be late.
const LOGIN: i64 = 60;
/// Lines of one message follow each other at once; between two messages the client says several things, and a queue is
/// written to the disk. In nanoseconds.
const AT_ONCE: f64 = 1_000_000.0;

/// mox's log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mox(Memory<Connection, Message>);

/// What is known of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Connection {
    client: Box<str>,
    /// The login that succeeded last, and its TLS version.
    login: Option<(KeptLogin, TlsVersion)>,
    is_closed: bool,
    /// The message whose recipients are being logged: sender, size and account.
    last: Option<(KeptSender, Box<str>, Box<str>)>,
    /// Numbers of messages that wait for a login.
    waiting: Vec<u32>,
    messages: u32,
}

impl Kept for Connection {
    fn life(&self) -> i64 {
        if self.is_closed { LOGIN } else { CONNECTION }
    }

    fn weight(&self) -> usize {
        let last = self.last.as_ref().map_or(0, |(a, b, c)| a.len() + b.len() + c.len());
        let login = self.login.as_ref().map_or(0, |(login, _)| login.weight());
        16 + self.client.len() + login + last + 3 * self.waiting.len()
    }
}

/// A message that waits for the line about its login.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    time: i64,
    sender: KeptSender,
    login: KeptLogin,
    tls: TlsVersion,
}

impl Kept for Message {
    fn life(&self) -> i64 {
        LOGIN
    }

    fn weight(&self) -> usize {
        12 + self.sender.len() + self.login.weight()
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        let (sender, login) = (Sender::Kept(&self.sender), Login::Kept(&self.login));
        submit(
            sink,
            mark,
            &Proof { time: self.time, sender, login, tls: self.tls, messages: 1, recipients: 0 },
        );
    }
}

impl LogFormat for Mox {
    const NAME: &'static str = "mox";
    const ABOUT: &'static str = "mox's log";
    const PROGRAMS_BEGIN: &'static [u8] = b"mipewfdt";
    const MESSAGES_BEGIN: &'static [u8] = b"lipewfdt";
    const CANNOT_TELL: &'static str = "it has no message ids: recipients logged at once with the same sender and size are taken as one message; LOGIN has no mechanism";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(line) = Line::of(record) else { return is_moxs(record) };
        if line.fields.next_is(b"pkg", b"smtpserver") {
            let time = record.time.unwrap_or(proofs.arrival.reference);
            self.0.advance(time, proofs.arrival, proofs.sink);
            self.joined(record, &line, time, proofs);
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        is_moxs(record)
    }

    remembers!(1);
}

fn is_moxs(record: &Record<'_>) -> bool {
    record.program == b"mox"
}

const LEVELS: &[&[u8]] = &[
    b"info",
    b"print",
    b"error",
    b"warn",
    b"fatal",
    b"debug",
    b"trace",
    b"traceauth",
    b"tracedata",
];

/// A line: what it says, and its fields.
struct Line<'a> {
    says: Cow<'a, [u8]>,
    fields: Fields<'a>,
}

/// Fields, the package that logged them first.
#[derive(Clone, Copy)]
struct Fields<'a>(Pairs<'a>);

impl<'a> Fields<'a> {
    fn next_is(mut self, key: &[u8], text: &[u8]) -> bool {
        self.0.next().is_some_and(|pair| pair.key == key && *pair.text() == *text)
    }

    /// A field's text; empty if it is not there.
    fn get(mut self, key: &[u8]) -> Cow<'a, [u8]> {
        self.0.find(|pair| pair.key == key).map(|pair| pair.text()).unwrap_or_default()
    }
}

impl<'a> Line<'a> {
    fn of(record: &Record<'a>) -> Option<Self> {
        let text = record.message;
        // A level that stands before a colon can pass for a program.
        let is_level = record.pid.is_none() && LEVELS.contains(&record.program);
        if record.is_named() && !is_level && !is_moxs(record) {
            return None;
        }
        if text.starts_with(b"l=") && !is_level {
            let (level, rest) = pair(text)?;
            let (says, rest) = pair(rest)?;
            let is_own = LEVELS.contains(&&*level.text()) && says.key == b"m";
            let says = says.text();
            return (is_own && rest.starts_with(b"pkg="))
                .then_some(Self { says, fields: Fields(Pairs::of(rest)) });
        }
        let text = if is_level {
            text
        } else {
            // Behind `info`, `error` or `traceauth`: the question is asked of most lines of any log.
            let colon = [4, 5, 9].into_iter().find(|at| text.get(*at) == Some(&b':'))?;
            let rest = text[colon + 1..].strip_prefix(b" ")?;
            LEVELS.contains(&&text[..colon]).then_some(rest)?
        };
        let at = memmem::find(text, b"; pkg=")?;
        let fields = Fields(Pairs::between_semicolons(&text[at + 2..]));
        Some(Self { says: text[..at].into(), fields })
    }
}

impl Mox {
    fn joined<S: Sink>(
        &mut self,
        record: &Record<'_>,
        line: &Line<'_>,
        time: i64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let fields = line.fields;
        let connection = fields.get(b"cid");
        let key = Key { host: record.host, id: &connection };
        let sessions = &mut self.0.sessions;
        match &*line.says {
            b"new connection" => {
                let client = fields.get(b"remote");
                let client = report::client_address(without_port(&client)).into();
                sessions.put(key, time, Connection { client, ..Connection::default() });
            }
            b"login attempt" if *fields.get(b"result") == *b"ok" => {
                self.login(key, fields, time, proofs)
            }
            b"failed authentication attempt" => {
                let (account, client) = (fields.get(b"username"), fields.get(b"remote"));
                proofs.auth_failure(time, &account, without_port(&client));
            }
            b"messages queued for delivery" | b"message queued for delivery" => {
                self.queued(key, fields, time, proofs);
            }
            says if says == b"connection closed" || says.starts_with(b"connection closed: ") => {
                sessions.change(key, time, |connection| connection.is_closed = true);
            }
            _ => {}
        }
    }

    /// A login succeeded; what its connection has submitted before this line came is counted.
    fn login<S: Sink>(
        &mut self,
        key: Key<'_>,
        fields: Fields<'_>,
        time: i64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let (mechanism, client) = (fields.get(b"authmech"), fields.get(b"clientip"));
        let tls = tls(&fields.get(b"tls"));
        let waiting = self.0.sessions.touch(key, time, Connection::default, |connection| {
            let client = report::client_address(&client);
            if !client.is_empty() {
                connection.client = client.into();
            }
            let login = KeptLogin::new(b"", &mechanism, connection.client.as_bytes());
            connection.login = Some((login, tls));
            std::mem::take(&mut connection.waiting)
        });
        for number in waiting.unwrap_or_default() {
            let id = message_id(key.id, number);
            let Some(message) = self.0.messages.take(Key { id: &id, ..key }) else { continue };
            let (account, ..) = message.login.parts();
            let login = KeptLogin::new(account.as_bytes(), &mechanism, &client);
            proofs.time = Some(message.time);
            Message { login, tls, ..message }.settle(proofs.arrival.mark, proofs.sink);
        }
    }

    /// A recipient of a message; the first of them counts the message.
    fn queued<S: Sink>(
        &mut self,
        key: Key<'_>,
        fields: Fields<'_>,
        time: i64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let (sender, account) = (fields.get(b"mailfrom"), fields.get(b"username"));
        let (size, delta) = (fields.get(b"msgsize"), fields.get(b"delta"));
        if account.is_empty() {
            return;
        }
        let text =
            |text: &[u8]| -> Box<str> { report::lowered(text, report::ACCOUNT_LIMIT).into() };
        let sender = KeptSender::new(&sender);
        let this = (sender.clone(), text(&size), text(&account));
        let is_at_once = nanoseconds(&delta).is_none_or(|delta| delta < AT_ONCE);
        let told = self.0.sessions.touch(key, time, Connection::default, |connection| {
            if is_at_once && connection.last.as_ref() == Some(&this) {
                return None;
            }
            connection.last = Some(this);
            let client = connection.client.as_bytes();
            if let Some((login, tls)) = &connection.login {
                let (_, mechanism, client) = login.parts();
                let login = KeptLogin::new(&account, mechanism.as_bytes(), client.as_bytes());
                return Some((Message { time, sender, login, tls: *tls }, None));
            }
            let login = KeptLogin::new(&account, b"", client);
            connection.messages += 1;
            connection.waiting.push(connection.messages);
            let message = Message { time, sender, login, tls: TlsVersion::Unknown };
            Some((message, Some(connection.messages)))
        });
        match told.flatten() {
            Some((message, Some(number))) => {
                let id = message_id(key.id, number);
                self.0.messages.put(Key { id: &id, ..key }, time, message);
            }
            Some((message, None)) => {
                message.settle(proofs.arrival.mark, proofs.sink);
                proofs.time = Some(time);
            }
            None => {}
        }
    }
}

/// The id of a message that waits.
fn message_id(connection: &[u8], number: u32) -> Vec<u8> {
    let mut id = connection.to_vec();
    id.push(b'.');
    id.extend_from_slice(number.to_string().as_bytes());
    id
}

/// `version=tls1.3 ciphersuite=…`; empty without TLS.
fn tls(text: &[u8]) -> TlsVersion {
    if text.is_empty() {
        return TlsVersion::None;
    }
    let Some(version) = text.strip_prefix(b"version=") else { return TlsVersion::Unknown };
    let version = version.split(|byte| *byte == b' ').next().unwrap_or_default();
    TlsVersion::from_label(&version.to_ascii_uppercase())
}

/// A duration as Go writes one that is shorter than a minute.
fn nanoseconds(text: &[u8]) -> Option<f64> {
    let text = str::from_utf8(text).ok()?;
    let end = text.find(|next: char| !next.is_ascii_digit() && next != '.')?;
    let (number, unit) = (text[..end].parse::<f64>().ok()?, &text[end..]);
    let factor = match unit {
        "ns" => 1.0,
        "µs" | "μs" | "us" => 1e3,
        "ms" => 1e6,
        // Longer ones only need to be long.
        _ => 1e9,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use crate::testing::read;

    const CONNECTED: &str = "info: new connection; pkg=smtpserver; remote=192.0.2.1:49485; local=127.0.0.1:1587; submission=true; tls=false; viahttps=false; listener=local; cid=1a; delta=\"95.502µs\"";
    const LOGGED_IN: &str = "info: login attempt; pkg=smtpserver; address=ann@x.test; account=ann; protocol=submission; authmech=scram-sha-256; result=ok; clientip=192.0.2.1; localip=127.0.0.1; tls=\"version=tls1.3 ciphersuite=tls_aes_128_gcm_sha256 sni= resumed=false alpn=\"; useragent=; tlspubkeyfp=; count=1; cid=1a; username=ann@x.test";

    fn queued(recipient: &str, size: u32, delta: &str) -> String {
        format!(
            "info: messages queued for delivery; pkg=smtpserver; mailfrom=team@x.test; rcptto={recipient}; smtputf8=false; msgsmtputf8=false; msgsize={size}; cid=1a; delta={delta}; username=ann@x.test"
        )
    }

    fn log(lines: &[&str]) -> String {
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("2026-11-23T11:00:{at:02}Z {line}\n"))
            .collect()
    }

    const ANN: &str = "team@x.test ann@x.test SCRAM-SHA-256 TLS1.3 192.0.2.1 x1";

    #[test]
    fn recipients_of_a_message_count_once() {
        let (first, second) =
            (queued("a@y.test", 900, "4.1ms"), queued("b@y.test", 900, "\"9.5µs\""));
        let (third, fourth) =
            (queued("a@y.test", 901, "\"9.5µs\""), queued("c@y.test", 901, "3.2ms"));
        let told = read(&log(&[CONNECTED, LOGGED_IN, &first, &second, &third, &fourth]));
        assert_eq!(told.submissions, [ANN; 3]);
    }

    #[test]
    fn a_login_that_is_told_late_is_waited_for() {
        let (first, second) =
            (queued("a@y.test", 900, "4.1ms"), queued("b@y.test", 900, "\"9.5µs\""));
        let closed =
            "info: connection closed; pkg=smtpserver; cid=1a; delta=1.4ms; username=ann@x.test";
        let told = read(&log(&[CONNECTED, &first, &second, closed, LOGGED_IN]));
        assert_eq!(told.submissions, [ANN]);
        let later = format!(
            "{}2026-11-23T11:02:00Z info: x; pkg=smtpserver\n",
            log(&[CONNECTED, &first, &second])
        );
        assert_eq!(read(&later).submissions, ["team@x.test ann@x.test  unknown 192.0.2.1 x1"]);
    }

    #[test]
    fn both_forms_are_read_and_no_other_programs_lines() {
        let fields = |line: &str| {
            let (level, rest) = line.split_once(": ").expect("a level");
            let (says, rest) = rest.split_once("; ").expect("fields");
            format!("l={level} m=\"{says}\" {}", rest.replace("; ", " "))
        };
        let lines = [CONNECTED.to_owned(), LOGGED_IN.to_owned(), queued("a@y.test", 900, "4.1ms")];
        let lines = lines.map(|line| fields(&line));
        let all: Vec<_> = lines.iter().map(String::as_str).collect();
        assert_eq!(read(&log(&all)).submissions, [ANN]);
        let named = |name: &str| -> String {
            all.iter().map(|line| format!("Nov 23 11:00:00 mail {name}[7]: {line}\n")).collect()
        };
        assert_eq!(read(&named("mox")).submissions, [ANN]);
        assert_eq!(read(&named("sshd")).submissions, [""; 0]);
    }

    #[test]
    fn logins_that_failed_are_those_of_submission() {
        let failed = "info: failed authentication attempt; pkg=smtpserver; username=\"a \\\"b; remote=192.0.2.9\"; remote=192.0.2.1; cid=1a; delta=13ms";
        let other = failed.replace("smtpserver", "imapserver");
        assert_eq!(read(&log(&[failed, &other])).failures, ["a \"b; remote=192.0.2.9 192.0.2.1"]);
    }
}
