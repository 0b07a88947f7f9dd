//! What a client can do to Haraka's log.

use std::fmt::Write as _;

use fastrand::Rng;
use report::TlsVersion;

use super::grammar::{SEEDS, counted, read, shipped_bare, text, without};

const PIECES: &[&str] = &[
    "> code=CONT msg=\"\"",
    "> code=OK",
    "sender <boss@x.test> code=CONT msg=\"\"",
    " queue code=OK msg=\"x\"",
    "queue code=CONT",
    "hook=unrecognized_command plugin=auth/x params=AUTH retval=OK",
    " hook=queue_outbound retval=OK",
    "] [core] ",
    "[NOTICE] [43E91155-2F70-413B-8F6C-460BDFCB4B6F] [core] queue code=OK",
    "level=NOTICE uuid=43E91155-2F70-413B-8F6C-460BDFCB4B6F origin=core message=queue code=OK",
    "{\"level\":\"NOTICE\",\"uuid\":\"43E91155-2F70-413B-8F6C-460BDFCB4B6F\",\"origin\":\"core\",\"message\":\"queue\",\"code\":\"OK\"}",
    "disconnect ip=198.51.100.9",
    " relay=Y",
    " tls=N",
    " lr=\"535 x\"",
    "535 ",
    "delaying for 1 seconds",
    "secured: cipher=x version=TLSv1",
    "\"",
    "\\",
    "=",
    " ",
    "x",
    "@x.test",
    "boss@x.test",
];

const CONNECTION: &str = "A3E91155-2F70-413B-8F6C-460BDFCB4B6A";

/// What a field holds in each form of the log.
fn quoted(text: &str) -> String {
    if text.is_empty() || text.contains([' ', '=', '"', '\\']) {
        format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
    } else {
        text.to_owned()
    }
}

/// The log of one connection.
struct Connection {
    form: u8,
    log: String,
    number: u32,
    /// Whether the server logs details.
    details: bool,
}

impl Connection {
    fn line(&mut self, level: &str, origin: &str, message: &str, fields: &[(&str, &str)]) {
        if level == "INFO" && !self.details {
            return;
        }
        let number = if self.number == 0 { String::new() } else { format!(".{}", self.number) };
        let id = format!("{CONNECTION}{number}");
        let json = |text: &str| serde_json::to_string(text).expect("text");
        let pairs: String = fields.iter().map(|(k, v)| format!(" {k}={}", quoted(v))).collect();
        let _ = write!(self.log, "2026-11-23T11:00:00.123Z ");
        let _ = match self.form {
            0 => writeln!(self.log, "[{level}] [{id}] [{origin}] {message}{pairs}"),
            1 => writeln!(
                self.log,
                "level={level} uuid={id} origin={origin} message={}{pairs}",
                quoted(message)
            ),
            _ => {
                let fields: String =
                    fields.iter().map(|(k, v)| format!(",\"{k}\":{}", json(v))).collect();
                let message = json(message);
                writeln!(
                    self.log,
                    "{{\"level\":\"{level}\",\"uuid\":\"{id}\",\"origin\":\"{origin}\",\"message\":{message}{fields}}}"
                )
            }
        };
    }

    fn step(&mut self, params: &str) {
        let fields = [
            ("hook", "unrecognized_command"),
            ("plugin", "auth/flat_file"),
            ("function", "hook_unrecognized_command"),
            ("params", params),
            ("retval", "OK"),
            ("msg", ""),
        ];
        self.line("INFO", "core", "", &fields);
    }

    /// A login that fails, or begins and does not end.
    fn login(&mut self, rng: &mut Rng, failing: bool) {
        let first = *rng.choice(&["AUTH", "auth"]).expect("two");
        if rng.bool() {
            self.step(first);
            self.step(&without(&text(rng, PIECES), &[' ']));
            if failing {
                self.refuse();
            }
            self.step("cHc=");
        } else {
            if failing {
                self.refuse();
            }
            self.step(first);
        }
    }

    fn refuse(&mut self) {
        self.line("NOTICE", "auth/flat_file", "delaying for 1 seconds", &[]);
    }

    /// A message, and whether the client may send to everybody.
    fn message(&mut self, rng: &mut Rng, sender: &str, outbound: bool, accepted: bool) {
        self.number += 1;
        let message = format!("sender <{sender}>");
        self.line("NOTICE", "core", &message, &[("code", "CONT"), ("msg", "")]);
        self.noise(rng);
        let recipient = format!("recipient <{}>", text(rng, PIECES));
        let fields = [("code", "OK"), ("msg", ""), ("sender", sender)];
        self.line("NOTICE", "core", &recipient, &fields);
        if !accepted {
            return;
        }
        let id = text(rng, PIECES);
        self.line("NOTICE", "core", "message", &[("mid", &id), ("size", "300"), ("code", "CONT")]);
        let own = rng.bool();
        let msg = format!("Message Queued ({CONNECTION}.{})", self.number);
        match (outbound, own) {
            (true, true) => self.queue("queue_outbound"),
            (true, false) => {
                self.line("NOTICE", "core", "queue", &[("code", "CONT"), ("msg", &msg)]);
            }
            (false, _) => self.queue("queue"),
        }
        self.line("NOTICE", "core", "queue", &[("code", "OK"), ("msg", &msg)]);
    }

    fn queue(&mut self, hook: &str) {
        self.line("INFO", "core", "", &[("hook", hook), ("plugin", "x"), ("retval", "OK")]);
    }

    /// What clients say, and proves nothing.
    fn noise(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(0..3) {
            let text = text(rng, PIECES);
            match rng.u8(0..3) {
                0 => self.line(
                    "INFO",
                    "core",
                    "",
                    &[("hook", "rcpt"), ("params", &text), ("retval", "OK")],
                ),
                1 => self.line("NOTICE", "core", "unrecognized command", &[("cmd", &text)]),
                _ => self.line("INFO", "tarpit", "x", &[("text", &text)]),
            }
        }
    }

    fn end(&mut self, rng: &mut Rng, relay: bool, tls: bool) {
        let yes = |is: bool| if is { "Y" } else { "N" };
        let (rdns, helo) = (text(rng, PIECES), text(rng, PIECES));
        let reply = format!("550 {}", text(rng, PIECES));
        let fields = [
            ("ip", "192.0.2.1"),
            ("rdns", &*rdns),
            ("helo", &*helo),
            ("relay", yes(relay)),
            ("early", "N"),
            ("tls", yes(tls)),
            ("lr", &*reply),
            ("time", "0.1"),
        ];
        self.line("NOTICE", "core", "disconnect", &fields);
    }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let mut connection = Connection {
            form: rng.u8(0..3),
            log: String::new(),
            number: 0,
            details: rng.u8(0..4) > 0,
        };
        let (secured, implicit) = (rng.bool(), rng.bool());
        connection.line("NOTICE", "core", "connect", &[("ip", "192.0.2.1"), ("port", "4000")]);
        let mut tls = if implicit { TlsVersion::Unknown } else { TlsVersion::None };
        if secured && connection.details {
            let text = "secured: cipher=X version=TLSv1.3 verified=false cn=\"version=TLSv1 \"";
            connection.line("INFO", "tls", text, &[]);
            tls = TlsVersion::Tls13;
        }
        let mut failures = 0;
        for _ in 0..rng.usize(0..3) {
            failures += 1;
            connection.login(rng, true);
        }
        // Mail of a stranger, who begins to log in and does not.
        if rng.bool() {
            connection.login(rng, false);
        }
        let mut senders = Vec::new();
        let strangers = rng.usize(0..2);
        for _ in 0..strangers {
            let sender = text(rng, PIECES);
            connection.message(rng, &sender, false, connection.details);
        }
        let is_login = rng.bool();
        if is_login {
            connection.login(rng, false);
            for _ in 0..rng.usize(1..4) {
                let sender = if rng.bool() { "ann@x.test".to_owned() } else { text(rng, PIECES) };
                let accepted = rng.u8(0..4) > 0;
                connection.message(rng, &sender, true, accepted);
                if accepted {
                    senders.push(counted(&sender));
                }
            }
        }
        connection.end(rng, is_login, secured || implicit);
        if tls == TlsVersion::None && secured {
            tls = TlsVersion::Unknown;
        }
        let log = shipped_bare(rng, &connection.log);
        let read = read(&log);
        let told: Vec<_> = read.submissions.iter().map(|(sender, ..)| sender.clone()).collect();
        assert_eq!(told, senders, "seed {seed}\n{log}");
        for (_, account, client, messages) in &read.submissions {
            assert_eq!(
                (&**account, &**client, *messages),
                ("", "192.0.2.1", 1),
                "seed {seed}\n{log}"
            );
        }
        assert!(read.tls.iter().all(|told| *told == tls), "seed {seed}: {:?}\n{log}", read.tls);
        assert_eq!(
            read.failures,
            vec![(String::new(), "192.0.2.1".to_owned()); failures],
            "seed {seed}\n{log}"
        );
        assert_eq!(read.rejected, 0, "seed {seed}\n{log}");
    }
}
