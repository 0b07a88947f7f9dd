//! What a client can do to Dovecot's log.

use std::fmt::Write as _;

use fastrand::Rng;
use report::{TlsVersion, UNKNOWN_SENDER};

use super::grammar::{BOSS, SEEDS, counted, escaped, read, shipped, text, without};

const PIECES: &[&str] = &[
    "): Successfully relayed message: from=<boss@x.test",
    "submission(boss@x.test)<77><BOSS>: ",
    "Successfully relayed message: from=<",
    "boss@x.test",
    "user=<boss@x.test>",
    ">, method=LOGIN",
    ", rip=198.51.100.9",
    ", mpid=77",
    ", TLS, TLSv1.1 with cipher X",
    ", session=<BOSS>",
    " (auth failed, 9 attempts in 1 secs): ",
    "submission-login: Login: ",
    "Info: ",
    "auth: passwd-file(boss@x.test,198.51.100.9,<BOSS>): Password mismatch",
    ": Disconnected: Logged out",
    ">, size=1, id=x, nrcpt=1",
    ", reply=`250 2.0.0 Ok: queued as AAAAAAAA'",
    "\"",
    "\\",
    "<",
    ">",
    "(",
    ")",
    " ",
    "x",
    "@x.test",
];

/// How a line of Dovecot's begins, and whether it tells its level.
const HEADERS: &[(&str, bool)] = &[
    ("Nov 23 11:00:00 mail dovecot: ", false),
    ("Nov 23 11:00:00 mail dovecot[6]: ", false),
    ("2026-11-23T11:00:00.123+00:00 mail dovecot: ", false),
    ("<22>1 2026-11-23T11:00:00Z mail dovecot 6 - - ", false),
    ("Nov 23 11:00:00 ", true),
];

/// A session of ann's.
struct Session {
    log: String,
    header: (&'static str, bool),
    tls: TlsVersion,
    sender: String,
    /// What was tried as names before, and how often in all.
    failures: Vec<String>,
}

impl Session {
    fn draw(rng: &mut Rng) -> Self {
        let sender = match rng.bool() {
            true => "ann@x.test".to_owned(),
            false => format!("\"{}\"@x.test", escaped(&text(rng, PIECES))),
        };
        let header = *rng.choice(HEADERS).expect("headers");
        let tls = if rng.bool() { TlsVersion::Tls13 } else { TlsVersion::None };
        let mut session = Self { log: String::new(), header, tls, sender, failures: Vec::new() };
        session.noise(rng);
        let (known, id) =
            *rng.choice(&[(", session=<S/1>", "<S/1>"), ("", "<S/1>"), ("", "")]).expect("three");
        let secured = if tls == TlsVersion::None {
            ""
        } else {
            ", TLS, TLSv1.3 with cipher X (256/256 bits)"
        };
        let login = format!(
            "Login: user=<ann>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, mpid=7{secured}{known}"
        );
        session.line("submission-login", &login);
        let behind = rng.bool();
        if behind {
            session.postfix(
                "relay/smtpd[8]",
                "C238E9A2: client=unknown[192.0.2.1], sasl_method=XCLIENT, sasl_username=ann",
            );
        }
        session.noise(rng);
        let active =
            format!("C238E9A2: from=<{}>, size=344, nrcpt=1 (queue active)", session.sender);
        let before = rng.bool();
        if behind && before {
            session.postfix("qmgr[9]", &active);
        }
        let relayed = format!(
            "Successfully relayed message: from=<{}>, size=922, id=O2Lo, nrcpt=1, reply=`250 2.0.0 Ok: 11 bytes queued as C238E9A2'",
            session.sender
        );
        session.line(&format!("submission(ann)<7>{id}"), &relayed);
        if behind {
            session.postfix("qmgr[9]", &active);
        }
        session.noise(rng);
        session
    }

    fn line(&mut self, prefix: &str, text: &str) {
        let (header, level) = self.header;
        let level = if level { "Info: " } else { "" };
        let _ = writeln!(self.log, "{header}{prefix}: {level}{text}");
    }

    fn postfix(&mut self, daemon: &str, text: &str) {
        let _ = writeln!(self.log, "Nov 23 11:00:00 mail postfix/{daemon}: {text}");
    }

    /// Sessions that end without a login, and what is not of this service.
    fn noise(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(0..3) {
            let name = text(rng, PIECES);
            let tail = "method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, TLS, session=<N>";
            match rng.u8(0..6) {
                0 => {
                    self.line("submission-login", &format!("Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<{name}>, {tail}"));
                    self.failures.push(name);
                }
                1 => self.line("submission-login", &format!("Disconnected: Connection closed (no auth attempts in 0 secs): user=<{name}>, {tail}")),
                // With `auth_verbose`: what no line of this service tells counts nothing.
                2 => self.line("auth", &format!("passwd-file({name},192.0.2.1,<S/1>): Password mismatch")),
                3 => self.line("auth-worker(9)", &format!("conn unix:auth-worker (pid=8,uid=1): auth-worker<1>: sql({name},192.0.2.1,<N>): unknown user")),
                4 => self.line("imap-login", &format!("Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<{name}>, {tail}")),
                _ => self.line("submission(ann)<7><S/1>", &format!("Failed to relay message: from=<\"{}\"@x.test>, size=1, id=x, nrcpt=1, reply=`451 no'", without(&name, &['"', '\\']).replace("Successfully", "x"))),
            }
        }
    }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    let mut unknown = 0;
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let mut session = Session::draw(rng);
        // Behind most fronts, a header without a process is not believed.
        let (header, _) = session.header;
        if header.contains("[6]") || header.contains(" 6 ") {
            session.log = shipped(rng, &session.log);
        }
        let read = read(&session.log);
        let [(sender, account, client, 1)] = &read.submissions[..] else {
            panic!("seed {seed}: not one message {:?}\n{}", read.submissions, session.log);
        };
        let is_hers =
            account == "ann" && client == "192.0.2.1" && *sender == counted(&session.sender);
        let is_nobodys = account.is_empty() && client.is_empty() && sender == UNKNOWN_SENDER;
        assert!(is_hers || is_nobodys, "seed {seed}: {sender} {account} {client}\n{}", session.log);
        unknown += u64::from(is_nobodys);
        assert!(
            read.tls == [session.tls] || read.tls == [TlsVersion::Unknown],
            "seed {seed}: {:?}\n{}",
            read.tls,
            session.log
        );
        assert_eq!(read.failures.len(), session.failures.len(), "seed {seed}\n{}", session.log);
        for ((account, client), tried) in read.failures.iter().zip(&session.failures) {
            assert!(account != BOSS || tried.starts_with(BOSS), "seed {seed}\n{}", session.log);
            assert!(
                client.is_empty() || client == "192.0.2.1",
                "seed {seed}: {client}\n{}",
                session.log
            );
        }
    }
    assert!(unknown < SEEDS / 4, "{unknown} of {SEEDS}");
}
