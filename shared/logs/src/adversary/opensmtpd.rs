//! What a client can do to OpenSMTPD's log.

use std::fmt::Write as _;

use fastrand::Rng;
use report::{TlsVersion, UNKNOWN_SENDER};

use super::grammar::{BOSS, SEEDS, counted, escaped, read, shipped, text, without};

const PIECES: &[&str] = &[
    "from=<boss@x.test> to=<",
    "> to=<",
    "boss@x.test",
    " smtp authentication user=boss@x.test result=ok",
    " result=ok",
    " result=permfail",
    "d132b465a28b2c7c smtp message msgid=70d45f1b size=1 nrcpt=1 proto=ESMTP",
    "smtp envelope evpid=70d45f1b9746e352 from=<",
    "smtp connected address=198.51.100.9 host=x",
    "address=198.51.100.9",
    "ciphers=TLSv1.1:X:1",
    "\"",
    "\\",
    r"\M-C\^I\040",
    "\u{fc}\u{142}",
    "<",
    ">",
    " ",
    "x",
    "@x.test",
];

const HEADERS: &[&str] = &[
    "Nov 23 11:00:00 mail smtpd[387]: ",
    "2026-11-23T11:00:00.123456+00:00 mail smtpd[387]: ",
    "Nov 23 11:00:00 mail mail.info smtpd[387]: ",
    "<22>1 2026-11-23T11:00:00Z mail smtpd 387 - - ",
];

/// A session of ann's.
struct Session {
    log: String,
    header: &'static str,
    sender: String,
    failures: Vec<String>,
}

impl Session {
    fn draw(rng: &mut Rng) -> Self {
        let mut address = || match rng.u8(0..3) {
            0 => "ann@x.test".to_owned(),
            1 => format!("\"{}\"@x.test", escaped(&text(rng, PIECES))),
            _ => format!("{}@x.test", without(&text(rng, PIECES), &['"', '\\', ' '])),
        };
        let (sender, recipient) = (address(), address());
        let header = *rng.choice(HEADERS).expect("headers");
        let mut session = Self { log: String::new(), header, sender, failures: Vec::new() };
        let name = without(&text(rng, PIECES), &[' ']);
        session.line(&format!("connected address=192.0.2.1 host={name}"));
        session.line("tls ciphers=TLSv1.2:ECDHE-ECDSA-AES256-GCM-SHA384:256");
        session.noise(rng);
        session.line("authentication user=ann result=ok");
        session.noise(rng);
        session.line("message msgid=70d45f1a size=1100 nrcpt=2 proto=ESMTP");
        let (from, to) = (&session.sender, recipient);
        let envelopes =
            [2, 3].map(|n| format!("envelope evpid=70d45f1a9746e35{n} from=<{from}> to=<{to}>"));
        for envelope in envelopes {
            session.line(&envelope);
        }
        session.noise(rng);
        session.line("disconnected reason=quit");
        session
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.log, "{}d132b465a28b2c7b smtp {text}", self.header);
    }

    fn noise(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(0..3) {
            let text = text(rng, PIECES);
            match rng.u8(0..3) {
                0 => {
                    self.line(&format!("authentication user={} result=permfail", visible(&text)));
                    self.failures.push(text);
                }
                1 => self.line(&format!(
                    "failed-command command=\"{text}\" result=\"500 5.5.1 Invalid command\""
                )),
                _ => {
                    let _ = writeln!(
                        self.log,
                        "{}d132b46c948ff708 mda delivery evpid=461387b9b4fee841 from=<{text}> to=<a@x.test> user=a result=Ok",
                        self.header
                    );
                }
            }
        }
    }
}

/// A user's name as the server writes it, which is `vis` with its escapes for blanks.
fn visible(name: &str) -> String {
    let byte = |byte: u8| {
        let meta = if byte < 128 { "" } else { "M" };
        match byte & 127 {
            b'\\' if byte < 128 => r"\\".to_owned(),
            b' ' => format!("\\{byte:03o}"),
            127 => format!(r"\{meta}^?"),
            control @ ..32 => format!(r"\{meta}^{}", char::from(control + b'@')),
            other if byte < 128 => char::from(other).to_string(),
            other => format!(r"\M-{}", char::from(other)),
        }
    };
    name.bytes().map(byte).collect()
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    let mut unknown = 0;
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let mut session = Session::draw(rng);
        session.log = shipped(rng, &session.log);
        let read = read(&session.log);
        let [(sender, account, client, 1)] = &read.submissions[..] else {
            panic!("seed {seed}: not one message {:?}\n{}", read.submissions, session.log);
        };
        assert_eq!((&**account, &**client), ("ann", "192.0.2.1"), "seed {seed}\n{}", session.log);
        let is_nobodys = sender == UNKNOWN_SENDER;
        assert!(
            is_nobodys || *sender == counted(&session.sender),
            "seed {seed}: {sender}\n{}",
            session.log
        );
        unknown += u64::from(is_nobodys);
        assert_eq!(read.tls, [TlsVersion::Tls12], "seed {seed}\n{}", session.log);
        assert_eq!(read.failures.len(), session.failures.len(), "seed {seed}\n{}", session.log);
        for ((account, client), tried) in read.failures.iter().zip(&session.failures) {
            assert_eq!(*account, counted(tried), "seed {seed}\n{}", session.log);
            assert!(account != BOSS || tried == BOSS, "seed {seed}\n{}", session.log);
            assert_eq!(client, "192.0.2.1", "seed {seed}\n{}", session.log);
        }
    }
    assert!(unknown < SEEDS / 4, "{unknown} of {SEEDS}");
}
