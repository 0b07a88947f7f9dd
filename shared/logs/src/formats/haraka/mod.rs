//! Haraka: what its own log tells of a connection, which is not who logged in.
//!
//! `line` reads a line in any of the three forms; here lines of a connection are joined.

mod line;

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use self::line::{Line, Whose};
use crate::client_name::{Name, Named};
use crate::format::LogFormat;
use crate::kept::{KeptLogin, KeptSender};
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink, submit};
use crate::reading::Proofs;
use crate::record::Record;
use crate::text::number;
use crate::time::Timestamps;

/// How long a connection may say nothing: longer than Haraka lets one wait, and than a large message takes.
const CONNECTION: i64 = 3600;
/// How long an accepted message waits for the end of its connection, in seconds of the log's time.
const MESSAGE: i64 = 60;

/// Haraka's own log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Haraka(Memory<Connection, Message>);

/// What is known of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Connection {
    client: Box<str>,
    tls: TlsVersionOrUnknown,
    /// Whether its beginning was logged.
    begun: bool,
    /// Whether anything was logged of it that a log without details does not have.
    detailed: bool,
    login: LoginState,
    /// Whether a login that failed was logged.
    failed: bool,
    transaction: Transaction,
    /// Transactions whose messages wait for its end.
    waiting: Vec<u32>,
}

/// What the lines about `AUTH` have told. They say that each step was answered, and not how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LoginState {
    /// The last login was begun, and did not fail as far as is known.
    tried: bool,
    /// Another one before it, too.
    earlier: bool,
    /// The password was refused; the answer is yet to be logged.
    refused: bool,
}

/// The last transaction of a connection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Transaction {
    /// None if the log does not tell it.
    sender: Option<KeptSender>,
    route: Route,
    /// Those that were accepted, once the message is told of.
    #[serde(skip)]
    recipients: u64,
}

/// Where a message is queued, which tells whether the client may send to everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Route {
    #[default]
    Unknown,
    /// Where those are who may.
    Outbound,
    /// Where those are who may not.
    Inbound,
}

/// A version of TLS; unknown until a line tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TlsVersionOrUnknown(TlsVersion);

impl Default for TlsVersionOrUnknown {
    fn default() -> Self {
        Self(TlsVersion::Unknown)
    }
}

/// A message that was accepted, and waits for the end of its connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Message {
    time: i64,
    sender: Option<KeptSender>,
    login: KeptLogin,
    tls: TlsVersion,
    /// Whether it counts if the end is not told.
    counts: bool,
    #[serde(skip)]
    recipients: u64,
}

impl Kept for Connection {
    fn life(&self) -> i64 {
        CONNECTION
    }

    fn weight(&self) -> usize {
        let sender = self.transaction.sender.as_ref().map_or(0, |sender| sender.len());
        24 + self.client.len() + sender + 3 * self.waiting.len()
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.transaction.recipients);
    }
}

impl Kept for Message {
    fn life(&self) -> i64 {
        MESSAGE
    }

    fn weight(&self) -> usize {
        16 + self.sender.as_ref().map_or(0, |sender| sender.len()) + self.login.weight()
    }

    fn recipients(&mut self, each: &mut dyn FnMut(&mut u64)) {
        each(&mut self.recipients);
    }

    fn settle(self, mark: u64, sink: &mut impl Sink) {
        if self.counts {
            self.count(mark, sink);
        }
    }
}

impl Message {
    fn count(&self, mark: u64, sink: &mut impl Sink) {
        let sender = self.sender.as_ref().map_or(Sender::Unknown, Sender::Kept);
        let login = Login::Kept(&self.login);
        submit(
            sink,
            mark,
            &Proof {
                time: self.time,
                sender,
                login,
                tls: self.tls,
                messages: 1,
                recipients: self.recipients,
            },
        );
    }
}

impl LogFormat for Haraka {
    const NAME: &'static str = "haraka";
    const ABOUT: &'static str = "Haraka's own log, without accounts";
    const PROGRAMS_BEGIN: &'static [u8] = b"hHn";
    const MESSAGES_BEGIN: &'static [u8] = b"0123456789[l{";
    const CANNOT_TELL: &'static str = "accounts and mechanisms are not in this log, nor the TLS version on port 465: the plugin in shared/logs/haraka tells all of it";

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        let Some(whose) = line::read(record, proofs.times) else { return false };
        if let Whose::Line(line) = whose
            && *line.origin != *b"outbound"
        {
            let time = line.time.or(record.time).unwrap_or(proofs.arrival.reference);
            self.0.advance(time, proofs.arrival, proofs.sink);
            self.joined(&line, time, proofs);
        }
        true
    }

    fn owns(record: &Record<'_>) -> bool {
        line::is_harakas(record)
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        line::time_of(record, times)
    }

    remembers!(1);
}

impl Haraka {
    fn joined<S: Sink>(&mut self, line: &Line<'_>, time: i64, proofs: &mut Proofs<'_, S>) {
        // Ids of connections are unique, wherever they are logged.
        let key = Key { host: b"", id: line.connection };
        if line.says(b"disconnect") {
            self.disconnected(key, line, time, proofs);
            return;
        }
        let is_accepted = line.says(b"queue") && line.get("code").as_deref() == Some(b"OK");
        let mut accepted = None;
        let failed = self.0.sessions.touch(key, time, Connection::default, |connection| {
            connection.detailed |= line.is_detail;
            if is_accepted {
                accepted = connection.accepted(time);
            }
            let failed = connection.tell(line);
            failed.then(|| connection.client.clone())
        });
        if let Some(client) = failed.flatten() {
            proofs.auth_failure(time, b"", client.as_bytes());
        }
        if let Some(message) = accepted {
            let id = message_id(line.connection, line.transaction);
            self.0.messages.put(Key { host: b"", id: &id }, time, message);
            let messages = &self.0.messages;
            let waits = |number: &u32| {
                messages.get(Key { host: b"", id: &message_id(line.connection, *number) }).is_some()
            };
            self.0.sessions.change(key, time, |connection| {
                connection.waiting.retain(waits);
                connection.waiting.push(line.transaction);
            });
        }
    }

    /// The end of a connection tells whether the client might send to everybody, and whether TLS was on.
    fn disconnected<S: Sink>(
        &mut self,
        key: Key<'_>,
        line: &Line<'_>,
        time: i64,
        proofs: &mut Proofs<'_, S>,
    ) {
        let connection = self.0.sessions.take(key).unwrap_or_default();
        let client = line.get("ip").unwrap_or_default();
        let is_refused = line.get("lr").is_some_and(|reply| reply.starts_with(b"535"));
        if is_refused && !connection.failed {
            proofs.auth_failure(time, b"", &client);
        }
        let may_send = line.get("relay").as_deref() == Some(b"Y");
        let is_plain = line.get("tls").as_deref() == Some(b"N");
        let name = name(line, &report::client_address(&client));
        for number in connection.waiting {
            let id = message_id(key.id, number);
            let Some(message) = self.0.messages.take(Key { host: b"", id: &id }) else { continue };
            if may_send {
                let is_unknown = message.tls == TlsVersion::Unknown;
                let tls = if is_unknown && is_plain { TlsVersion::None } else { message.tls };
                let mut message = Message { tls, ..message };
                message.login.set_name(&name);
                message.count(proofs.arrival.mark, proofs.sink);
                proofs.time = Some(message.time);
            }
        }
    }
}

/// The client's name, as the end of its connection tells it: `rdns=pc.example.test helo=pc`. Haraka does not look whether
/// a name leads back to the address.
fn name(line: &Line<'_>, client: &str) -> String {
    let (reverse, helo) = (line.get("rdns"), line.get("helo"));
    // What stands there where there is none.
    let none = [&b"NXDOMAIN"[..], b"DNSERROR", b"Unknown"];
    let reverse = reverse.filter(|name| !none.contains(&&**name)).unwrap_or_default();
    match Name::Reverse(&reverse).of(client) {
        name if name.is_empty() => Name::Claimed(&helo.unwrap_or_default()).of(client).into_owned(),
        name => name.into_owned(),
    }
}

/// The id of the message of a transaction.
fn message_id(connection: &[u8], transaction: u32) -> Vec<u8> {
    let mut id = connection.to_vec();
    id.push(b'.');
    id.extend_from_slice(transaction.to_string().as_bytes());
    id
}

impl Connection {
    /// Takes note of a line; true if it tells of a login that failed.
    fn tell(&mut self, line: &Line<'_>) -> bool {
        if line.says(b"connect") {
            let client = line.get("ip").unwrap_or_default();
            self.client = report::client_address(&client).into();
            self.begun = true;
        } else if let Some(sender) = line.sender() {
            let sender = Some(KeptSender::new(sender));
            self.transaction = Transaction { sender, ..Transaction::default() };
        } else if line.says(b"message") {
            // Accepted, deferred and refused: `rcpts=2/0/1`.
            let told = line.get("rcpts").unwrap_or_default();
            let accepted = told.split(|byte| *byte == b'/').next().and_then(number);
            self.transaction.recipients = accepted.map_or(0, u64::from);
        } else if line.says(b"queue") {
            self.queued(line.get("code").as_deref());
        } else if *line.origin == *b"tls" {
            self.secured(&line.message);
        } else if *line.origin != *b"core" {
            return self.refused(&line.message);
        } else if let Some(hook) = line.get("hook") {
            self.hooked(&hook, line);
        }
        false
    }

    fn queued(&mut self, code: Option<&[u8]>) {
        match code {
            // No plugin took it, so that Haraka delivers it: which is for those only who may send to everybody.
            Some(b"CONT") => self.transaction.route = Route::Outbound,
            Some(b"OK") => self.transaction = Transaction::default(),
            _ => {}
        }
    }

    /// `secured: cipher=… version=TLSv1.3 verified=…`, of STARTTLS only.
    fn secured(&mut self, message: &[u8]) {
        let Some(rest) = message.strip_prefix(b"secured: ") else { return };
        let mut pairs = crate::logfmt::Pairs::of(rest).take(2);
        if let Some(version) = pairs.find(|pair| pair.key == b"version") {
            self.tls = TlsVersionOrUnknown(TlsVersion::from_label(&version.text()));
        }
    }

    /// `delaying for 1 seconds`: so plugins answer who knew no password. It comes before the answer.
    fn refused(&mut self, message: &[u8]) -> bool {
        let seconds = message.strip_prefix(b"delaying for ");
        let is_so = seconds.is_some_and(|rest| rest.ends_with(b" seconds"));
        self.failed |= is_so;
        self.login.refused |= is_so;
        is_so
    }

    fn hooked(&mut self, hook: &[u8], line: &Line<'_>) {
        if line.get("retval").as_deref() != Some(b"OK") {
            return;
        }
        match hook {
            b"queue" => self.transaction.route = Route::Inbound,
            b"queue_outbound" => self.transaction.route = Route::Outbound,
            b"unrecognized_command" => {
                let is_first =
                    line.get("params").is_some_and(|first| first.eq_ignore_ascii_case(b"AUTH"));
                self.login.step(is_first);
            }
            _ => {}
        }
    }

    /// A message was accepted; none if its client surely did not log in.
    fn accepted(&mut self, time: i64) -> Option<Message> {
        let Transaction { sender, route, recipients } = std::mem::take(&mut self.transaction);
        // A log without details does not tell of logins, nor does one that begins later than the connection.
        let may_have = self.login.tried || self.login.earlier || !(self.begun && self.detailed);
        (may_have && route != Route::Inbound).then(|| Message {
            time,
            sender,
            login: KeptLogin::new(b"", b"", self.client.as_bytes()),
            tls: self.tls.0,
            counts: route == Route::Outbound,
            recipients,
        })
    }
}

impl LoginState {
    /// A plugin has answered a command: `AUTH`, or what a client says next to log in.
    fn step(&mut self, is_first: bool) {
        if self.refused {
            (self.tried, self.refused) = (false, false);
        } else if is_first {
            self.earlier |= self.tried;
            self.tried = true;
        }
    }
}

#[cfg(test)]
mod tests;
