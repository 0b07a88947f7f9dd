//! What a client can do to mox's log, which puts values in quotes where they need them.

use std::fmt::Write as _;

use fastrand::Rng;
use report::TlsVersion;

use super::grammar::{SEEDS, counted, read, shipped, shipped_bare, text};

const PIECES: &[&str] = &[
    "info: messages queued for delivery; pkg=smtpserver; mailfrom=boss@x.test; rcptto=a@x.test; msgsize=1; cid=1b; delta=9ms; username=boss@x.test",
    "l=info m=\"messages queued for delivery\" pkg=smtpserver mailfrom=boss@x.test rcptto=a@x.test msgsize=1 cid=1b delta=9ms username=boss@x.test",
    "info: login attempt; pkg=smtpserver; result=ok; clientip=192.0.2.9; tls=; cid=1a",
    "messages queued for delivery",
    "; pkg=smtpserver",
    " pkg=smtpserver",
    "; cid=1b",
    " cid=1b",
    "; username=boss@x.test",
    "\" username=boss@x.test",
    " username=boss@x.test",
    "; msgsize=9; delta=9ms",
    " remote=198.51.100.9",
    " result=ok authmech=plain",
    "version=tls1.0 ",
    "boss@x.test",
    ";",
    "; ",
    "=",
    "\"",
    "\\",
    " ",
    "\u{7}",
    "\u{8}",
    "\u{b}",
    "\u{c}",
    "\t",
    "\r",
    "ä",
    "\u{200b}",
    "x",
    "@x.test",
];

/// A value as mox writes it: in Go's quotes, if anything in it could be taken for something else.
fn value(text: &str) -> String {
    let is_plain = |next: char| next > ' ' && next < '\u{7f}' && !matches!(next, '"' | '\\' | '=');
    if text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for next in text.chars() {
        let _ = match next {
            '\u{7}' => write!(quoted, "\\a"),
            '\u{8}' => write!(quoted, "\\b"),
            '\u{c}' => write!(quoted, "\\f"),
            '\n' => write!(quoted, "\\n"),
            '\r' => write!(quoted, "\\r"),
            '\t' => write!(quoted, "\\t"),
            '\u{b}' => write!(quoted, "\\v"),
            '"' | '\\' => write!(quoted, "\\{next}"),
            _ if next < ' ' || next == '\u{7f}' => write!(quoted, "\\x{:02x}", u32::from(next)),
            '\u{200b}' => write!(quoted, "\\u200b"),
            _ => write!(quoted, "{next}"),
        };
    }
    quoted + "\""
}

/// The lines of one connection.
struct Connection {
    /// `mox serve` and `mox localserve` have forms of their own.
    is_served: bool,
    id: &'static str,
    client: &'static str,
    account: Option<&'static str>,
    lines: Vec<String>,
}

impl Connection {
    fn line(&mut self, level: &str, says: &str, fields: &[(&str, &str)]) {
        let own = [("cid", self.id), ("delta", "4.1ms"), ("username", self.account.unwrap_or(""))];
        let own = &own[..if self.account.is_some() { 3 } else { 2 }];
        let is_told = |name: &str| fields.iter().any(|(told, _)| *told == name);
        let own = own.iter().filter(|(name, _)| *name == "username" || !is_told(name));
        let fields = [("pkg", "smtpserver")].iter().chain(fields).chain(own);
        let separator = if self.is_served { " " } else { "; " };
        let fields: Vec<_> = fields.map(|(k, v)| format!("{k}={}", value(v))).collect();
        let fields = fields.join(separator);
        self.lines.push(if self.is_served {
            let says = value(&format!(" {says}"));
            format!("l={level} m=\"{} {fields}", &says[2..])
        } else {
            format!("{level}: {says}; {fields}")
        });
    }

    fn connected(&mut self) {
        let (remote, local) = (format!("{}:40065", self.client), "192.0.2.25:587");
        let fields = [("remote", &*remote), ("local", local), ("submission", "true")];
        self.line("info", "new connection", &fields);
    }

    /// A login that is told: the TLS version, and what the client says of its server's name.
    fn login(&mut self, rng: &mut Rng) {
        let tls = format!(
            "version=tls1.3 ciphersuite=x sni={} resumed=false alpn={}",
            text(rng, PIECES),
            text(rng, PIECES)
        );
        let fields = [
            ("address", self.account.unwrap_or("")),
            ("authmech", "scram-sha-256"),
            ("result", "ok"),
            ("clientip", self.client),
            ("tls", &tls),
            ("useragent", ""),
            ("count", "1"),
            ("cid", self.id),
        ];
        self.line("info", "login attempt", &fields);
    }

    /// A login that fails: for its credentials.
    fn refused(&mut self, rng: &mut Rng) -> (String, String) {
        let name = text(rng, PIECES);
        let account = self.account.take();
        let fields = [("username", &*name), ("remote", self.client)];
        self.line("info", "failed authentication attempt", &fields);
        let fields =
            [("address", &*name), ("result", "badcreds"), ("clientip", self.client), ("tls", "")];
        self.line("info", "login attempt", &fields);
        self.account = account;
        (counted(&name), self.client.to_owned())
    }

    /// A message with its recipients, the first of them after a while.
    fn message(&mut self, rng: &mut Rng, sender: &str) {
        for recipient in 0..rng.usize(1..4) {
            let to = text(rng, PIECES);
            let delta = if recipient == 0 { "5.31ms" } else { "8.4µs" };
            let fields = [
                ("mailfrom", sender),
                ("rcptto", &*to),
                ("smtputf8", "false"),
                ("msgsize", "900"),
                ("cid", self.id),
                ("delta", delta),
            ];
            self.line("info", "messages queued for delivery", &fields);
        }
    }

    /// What clients say, and proves nothing. An error stands before the fields as it is.
    fn noise(&mut self, rng: &mut Rng) {
        let text = text(rng, PIECES);
        match rng.u8(0..3) {
            0 => self.line("info", "delivered", &[("mailfrom", &text), ("reason", &text)]),
            1 if !self.is_served => self.line("debug", &format!("smtp command: {text}"), &[]),
            1 => self.line("debug", "smtp command", &[("err", &text)]),
            _ => self.line("trace", &format!("LC: {text}"), &[]),
        }
    }
}

/// The lines of two connections, each in its order.
fn mixed(rng: &mut Rng, connections: [Connection; 2]) -> String {
    let is_named = rng.bool();
    let mut queues = connections.map(|connection| connection.lines.into_iter());
    let mut log = String::new();
    loop {
        let of = usize::from(rng.bool());
        let Some(line) = queues[of].next().or_else(|| queues[1 - of].next()) else { break };
        // The time and the name are of what keeps the log.
        let front = if is_named { "Nov 23 11:00:00 mx1 mox[8]:" } else { "2026-11-23T11:00:00Z" };
        let _ = writeln!(log, "{front} {line}");
    }
    if is_named { shipped(rng, &log) } else { shipped_bare(rng, &log) }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let is_served = rng.bool();
        let (mut sent, mut failures) = (Vec::new(), Vec::new());
        let people =
            [("1a", "192.0.2.1", "ann@example.test"), ("1b", "192.0.2.2", "bert@example.test")];
        let connections = people.map(|(id, client, account)| {
            let mut connection =
                Connection { is_served, id, client, account: None, lines: Vec::new() };
            connection.connected();
            for _ in 0..rng.usize(0..3) {
                connection.noise(rng);
                failures.push(connection.refused(rng));
            }
            connection.account = rng.bool().then_some(account);
            if connection.account.is_none() {
                return connection;
            }
            // The line about the login is there in time, late, or joined with an earlier one's.
            let login = rng.u8(0..3);
            if login == 0 {
                connection.login(rng);
            }
            let tls = if login == 2 { TlsVersion::Unknown } else { TlsVersion::Tls13 };
            for _ in 0..rng.usize(1..4) {
                connection.noise(rng);
                let sender = if rng.bool() { account.to_owned() } else { text(rng, PIECES) };
                connection.message(rng, &sender);
                sent.push((counted(&sender), account.to_owned(), client.to_owned(), 1, tls.name()));
            }
            connection.line("info", "connection closed", &[]);
            if login == 1 {
                connection.login(rng);
            }
            connection
        });
        let log = mixed(rng, connections);
        let read = read(&log);
        let mut told: Vec<_> = read
            .submissions
            .into_iter()
            .zip(read.tls)
            .map(|((sender, account, client, messages), tls)| {
                (sender, account, client, messages, tls.name())
            })
            .collect();
        told.sort();
        sent.sort();
        assert_eq!(told, sent, "seed {seed}\n{log}");
        let mut refused = read.failures;
        refused.sort();
        failures.sort();
        assert_eq!(refused, failures, "seed {seed}\n{log}");
        assert_eq!(read.rejected, 0, "seed {seed}\n{log}");
    }
}
