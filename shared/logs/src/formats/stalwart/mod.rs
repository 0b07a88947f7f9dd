//! Stalwart: its log as text, and the same events in JSON, as webhooks have them.
//!
//! A line names the client's address and port and the server's port, and these join what it tells of a connection: its
//! TLS version, who logged in, then each message that was queued. Events in JSON have the connection's number besides,
//! which tells them apart for good, also where webhooks are sent again.

mod event;
mod object;
mod text;

use report::TlsVersion;
use serde::{Deserialize, Serialize};

use self::event::{Event, QUEUED};
use crate::client_name::Name;
use crate::counted::Counted;
use crate::format::LogFormat;
use crate::kept::KeptLogin;
use crate::key::Key;
use crate::memory::{Kept, Memory, remembers};
use crate::proofs::{Login, Proof, Sender, Sink};
use crate::reading::Proofs;
use crate::record::Record;
use crate::time::Timestamps;

/// For how long a connection is remembered of which no line speaks, in seconds of the log's own time.
const SILENCE: i64 = 1800;
/// For how long a message of which a webhook told is remembered: webhooks are tried again.
const REMEMBERED: i64 = 3600;
/// The most bytes that these may take.
const ROOM: usize = 60_000;

/// Connections, and messages that webhooks told of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stalwart(Memory<Connection, Counted<REMEMBERED>>);

/// What is known of a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Connection {
    tls: TlsVersion,
    login: Option<KeptLogin>,
}

impl Connection {
    fn new() -> Self {
        Self { tls: TlsVersion::Unknown, login: None }
    }
}

impl Kept for Connection {
    fn life(&self) -> i64 {
        SILENCE
    }

    fn weight(&self) -> usize {
        2 + self.login.as_ref().map_or(0, KeptLogin::weight)
    }
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Smtp,
    /// IMAP, POP3, `ManageSieve`, and HTTP, through which JMAP submits messages.
    Other,
    Unknown,
}

impl LogFormat for Stalwart {
    const NAME: &'static str = "stalwart";
    const ABOUT: &'static str = "Stalwart's log, and its events in JSON";
    const PROGRAMS_BEGIN: &'static [u8] = b"s";
    const MESSAGES_BEGIN: &'static [u8] = b"{IDTWE0123456789";
    const CANNOT_TELL: &'static str = "the mechanism is never told, TLS without a handshake line is unknown, failed logins need the level debug, and listeners must be named after their service";

    remembers!(1);

    #[inline]
    fn line<S: Sink>(&mut self, record: &Record<'_>, proofs: &mut Proofs<'_, S>) -> bool {
        read(record, proofs.times).is_some_and(|event| self.event(&event, record, proofs).is_some())
    }

    fn owns(record: &Record<'_>) -> bool {
        PROGRAMS.contains(&record.program)
    }

    fn time_of(record: &Record<'_>, times: &mut Timestamps) -> Option<i64> {
        read(record, times)?.time
    }
}

/// What else is looked at.
const JOINED: [&str; 5] = [
    "tls.handshake",
    "auth.success",
    "auth.failed",
    "smtp.connection-start",
    "smtp.connection-end",
];

const PROGRAMS: [&[u8]; 3] = [b"stalwart", b"stalwart-mail", b"stalwart-smtp"];

/// Reads an event; none if the message is something else.
fn read<'a>(record: &Record<'a>, times: &mut Timestamps) -> Option<Event<'a>> {
    // Docker's syslog driver names the container: a line with its own clock, level and event is beyond doubt.
    let is_others = record.is_named() && !PROGRAMS.contains(&record.program);
    match record.message.first()? {
        b'{' if !is_others => object::read(record.message, times),
        b'A'..=b'Z' if !is_others => text::read(record, times),
        b'0'..=b'9' => text::read(record, times),
        _ => None,
    }
}

impl Event<'_> {
    /// What tells its connection from all others; none if it does not say.
    fn connection(&self) -> Option<String> {
        let port = self.port.filter(|_| !self.client.is_empty())?;
        Some(match self.span {
            Some(number) => format!("{number}"),
            None => format!("{} {port} {}", self.client, self.local_port.unwrap_or_default()),
        })
    }

    fn service(&self) -> Service {
        let name = self.listener.to_ascii_lowercase();
        let has = |names: &[&str]| names.iter().any(|part| name.contains(part));
        match (has(&["smtp", "submission"]), has(&["http", "jmap", "imap", "pop3", "sieve"])) {
            (true, true) => Service::Unknown,
            (true, false) => Service::Smtp,
            (false, true) => Service::Other,
            (false, false) => match self.local_port {
                Some(25 | 465 | 587 | 2525) => Service::Smtp,
                Some(80 | 443 | 8080 | 8443 | 143 | 993 | 110 | 995 | 4190) => Service::Other,
                _ => Service::Unknown,
            },
        }
    }
}

impl Stalwart {
    /// Joins an event, and counts what it proves; none if it is not what is known of such events.
    fn event<S: Sink>(
        &mut self,
        event: &Event<'_>,
        record: &Record<'_>,
        proofs: &mut Proofs<'_, S>,
    ) -> Option<()> {
        let is_queued = QUEUED.contains(&&*event.kind);
        if !is_queued && !JOINED.contains(&&*event.kind) {
            return Some(());
        }
        match event.service() {
            Service::Smtp => {}
            Service::Other => return Some(()),
            Service::Unknown => return (!is_queued).then_some(()),
        }
        let time = event.time.or(record.time)?;
        if event.kind == "auth.failed" {
            proofs.auth_failure(time, event.account.as_bytes(), event.client.as_bytes());
            return Some(());
        }
        let Some(id) = event.connection() else { return (!is_queued).then_some(()) };
        let key = Key { host: record.host, id: id.as_bytes() };
        self.0.advance(time, proofs.arrival, proofs.sink);
        self.adopt(key, time, event);
        match &*event.kind {
            "smtp.connection-start" | "smtp.connection-end" => {
                // A number is never another connection's, and webhooks may come again, and late.
                if event.span.is_none() {
                    drop(self.0.sessions.take(key));
                }
            }
            "tls.handshake" => self.handshake(key, time, event),
            "auth.success" => self.login(key, time, event),
            _ => self.queued(key, time, event, proofs),
        }
        Some(())
    }

    /// Takes over what was saved before the server's port, or a number, told connections apart.
    fn adopt(&mut self, key: Key<'_>, time: i64, event: &Event<'_>) {
        let Some(port) = event.port else { return };
        let id = format!("{} {port}", event.client);
        let before = Key { host: key.host, id: id.as_bytes() };
        if let Some(connection) = self.0.sessions.take(before) {
            self.0.sessions.put(key, time, connection);
        }
    }

    fn handshake(&mut self, key: Key<'_>, time: i64, event: &Event<'_>) {
        let tls = TlsVersion::from_label(event.version.as_bytes());
        let is_numbered = event.span.is_some();
        self.0.sessions.touch(key, time, Connection::new, |connection| {
            // Who has logged in may ask for TLS after it. A second handshake is another connection's.
            if connection.tls != TlsVersion::Unknown && !is_numbered {
                connection.login = None;
            }
            connection.tls = tls;
        });
    }

    fn login(&mut self, key: Key<'_>, time: i64, event: &Event<'_>) {
        let login = KeptLogin::new(event.account.as_bytes(), b"", event.client.as_bytes());
        let is_numbered = event.span.is_some();
        self.0.sessions.touch(key, time, Connection::new, |connection| {
            // Nobody logs in twice: the port is another connection's now, whose beginning is not logged.
            if connection.login.replace(login).is_some() && !is_numbered {
                connection.tls = TlsVersion::Unknown;
            }
        });
    }

    fn queued<S: Sink>(
        &mut self,
        key: Key<'_>,
        time: i64,
        event: &Event<'_>,
        proofs: &mut Proofs<'_, S>,
    ) {
        let known = self.0.sessions.change(key, time, |connection| connection.clone());
        if let Some(number) = event.queued {
            let (number, mark) = (number.to_string(), proofs.arrival.mark);
            let key = Key { host: b"", id: number.as_bytes() };
            if !self.0.is_first(key, time, ROOM, mark, proofs.sink) {
                return;
            }
        }
        let client = event.client.as_bytes();
        let tls = known.as_ref().map_or(TlsVersion::Unknown, |connection| connection.tls);
        let login = known.as_ref().and_then(|connection| connection.login.as_ref());
        proofs.submission(&Proof {
            time,
            sender: match event.sender.as_deref() {
                Some("<>") => Sender::Logged(b""),
                Some(sender) if !sender.is_empty() => Sender::Logged(sender.as_bytes()),
                _ => Sender::Unknown,
            },
            login: login.map_or(
                Login::Logged { account: b"", mechanism: b"", client, name: Name::Untold },
                Login::Kept,
            ),
            tls,
            messages: 1,
            recipients: event.recipients,
        });
    }
}

#[cfg(test)]
mod tests;
