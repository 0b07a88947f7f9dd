//! What a client can do to Postfix's log.

use std::fmt::Write as _;

use fastrand::Rng;
use report::{TlsVersion, UNKNOWN_SENDER};

use super::grammar::{BOSS, SEEDS, counted, escaped, read, read_on, shipped, text, without};

const TLS_LINE: &str =
    "Anonymous TLS connection established from unknown[192.0.2.1]: TLSv1.3 with cipher X";

const PIECES: &[&str] = &[
    "; from=<boss@x.test> to=<z",
    "; from=<",
    "boss@x.test",
    "> to=<",
    "> proto=ESMTP helo=<h>",
    ": ",
    ", sasl_username=boss@x.test",
    ", sasl_sender=x",
    ", orig_queue_id=4AA0912345",
    ", orig_client=x[198.51.100.9]",
    "6746B99473D: client=x[198.51.100.9], sasl_method=PLAIN, sasl_username=boss@x.test",
    " client=x[198.51.100.9]",
    ">, size=1, nrcpt=1 (queue active)",
    " from unknown[198.51.100.9]",
    ": SASL LOGIN authentication failed: x, sasl_username=boss@x.test",
    "SASL : LOGIN authentication failed: x, sasl_username=boss@x.test",
    " authentication failed",
    "[198.51.100.9]",
    "boss-pc.x.test[198.51.100.9]",
    "message-id=<",
    "\"",
    "\\",
    "<",
    ">",
    ";",
    " ",
    "x",
    "@x.test",
];

/// What smtpd, cleanup and qmgr are called in a log: queue ids join them.
const NAMES: &[[&str; 3]] = &[
    ["postfix/submission/smtpd", "postfix/cleanup", "postfix/qmgr"],
    ["submission/smtpd", "postfix/cleanup", "postfix/oqmgr"],
    ["192.0.2.9/smtpd", "queue/cleanup", "queue/qmgr"],
    ["postfix", "postfix", "postfix"],
    ["postfix/smtps/smtpd", "postfix/cleanup", "postfix/qmgr"],
];

/// A daemon's line in a log: the daemon with its process, and what it says.
type Header = fn(&str, &str) -> String;

const HEADERS: &[Header] = &[
    |daemon, text| format!("Nov 23 11:00:00 mail {daemon}: {text}"),
    |daemon, text| format!("2026-11-23T11:00:00.123456+00:00 mail {daemon}: {text}"),
    |daemon, text| format!("Nov 23 11:00:00 mail mail.info {daemon}: {text}"),
    |daemon, text| format!("Nov 23 11:00:00 <mail.info> mail {daemon}: {text}"),
    |daemon, text| format!("Nov 23 11:00:00 mail {daemon}: [ID 7 mail.info] {text}"),
    |daemon, text| format!("Nov 23 11:00:00 mail {daemon} <Info>: {text}"),
    |daemon, text| format!("Nov 23 11:00:00 x Message forwarded from mail: {daemon}: {text}"),
    |daemon, text| format!("2026-11-23T11:00:00.123456+00:00 INFO    {daemon}: {text}"),
    |daemon, text| format!("Mon 2026-11-23 11:00:00 UTC mail {daemon}: {text}"),
    |daemon, text| format!("nov. 23 11:00:00 mail {daemon}: {text}"),
];

/// The client, whose name is not known.
const CLIENT: &str = "unknown[192.0.2.1]";

/// A session of ann's, and what she says in it.
struct Session {
    names: [&'static str; 3],
    /// What stands for [`CLIENT`] in the log.
    client: &'static str,
    log: String,
    /// The TLS version that may be counted if one is.
    tls: TlsVersion,
    /// Whether nothing but later lines settles it: its end is not logged.
    open: bool,
    header: Header,
    sender: String,
    /// Whether only its own line tells who sent a message, and not the queue manager.
    alone: bool,
    failures: Vec<Option<String>>,
}

/// An address as it is logged: with the quotes that it needs, or without any.
fn address(rng: &mut Rng, quotes: bool) -> String {
    match (rng.u8(0..3), quotes) {
        (0, _) => "ann@x.test".to_owned(),
        (_, true) => format!("\"{}\"@x.test", escaped(&text(rng, PIECES))),
        (_, false) => format!("{}@x.test", without(&text(rng, PIECES), &['"', '\\'])),
    }
}

/// The `AUTH` parameter of `MAIL`, in the forms in which smtpd takes blanks, and without.
fn author(rng: &mut Rng) -> String {
    let text = without(&text(rng, PIECES), &['"', '\\', '<', '>']);
    match rng.u8(0..6) {
        0 => format!(", sasl_sender=\"{text}\""),
        1 => format!(", sasl_sender=<{text}>"),
        2 => format!(", sasl_sender=\"{text}"),
        3 => format!(", sasl_sender={}", without(&text, &[' '])),
        _ => String::new(),
    }
}

impl Session {
    fn draw(rng: &mut Rng, header: Header, client: &'static str) -> Self {
        let quotes = rng.bool();
        let (sender, recipient) = (address(rng, quotes), address(rng, quotes));
        let names = *rng.choice(NAMES).expect("names");
        let (secured, log) = (rng.bool(), String::new());
        let tls = if secured { TlsVersion::Tls13 } else { TlsVersion::None };
        let (failures, open) = (Vec::new(), rng.bool());
        let alone = false;
        let mut session = Self { names, client, header, log, tls, open, sender, alone, failures };
        if rng.bool() {
            // The service is known to log TLS lines.
            session.line(&format!("{}[6]", names[0]), TLS_LINE);
        }
        session.smtpd("connect from unknown[192.0.2.1]");
        if secured {
            session.smtpd(TLS_LINE);
        }
        session.noise(rng);
        session.message(rng, &recipient);
        session.noise(rng);
        let starttls = if secured { " starttls=1" } else { "" };
        if !open {
            session.smtpd(&format!(
                "disconnect from unknown[192.0.2.1] ehlo=2{starttls} auth=1 mail=1 rcpt=1 data=1"
            ));
        }
        session
    }

    fn line(&mut self, tag: &str, text: &str) {
        let text = text.replace(CLIENT, self.client);
        let _ = writeln!(self.log, "{}", (self.header)(tag, &text));
    }

    fn smtpd(&mut self, text: &str) {
        self.line(&format!("{}[7]", self.names[0]), text);
    }

    fn cleanup(&mut self, text: &str) {
        self.line(&format!("{}[8]", self.names[1]), text);
    }

    /// One message that is accepted, and goes one of the ways that there are.
    fn message(&mut self, rng: &mut Rng, recipient: &str) {
        let login = "client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=ann";
        let author = author(rng);
        let envelope = format!("; from=<{}> to=<{recipient}> proto=ESMTP helo=<h>", self.sender);
        let way = rng.u8(0..5);
        if way == 0 {
            self.smtpd(&format!("NOQUEUE: {login}{author}"));
            self.smtpd(&format!(
                "proxy-accept: END-OF-MESSAGE: 250 2.0.0 Ok: queued as 7AB12{envelope}"
            ));
            self.alone = true;
            return;
        }
        if way == 1 {
            let about = recipient.replace('"', "");
            self.smtpd(&format!("NOQUEUE: hold: RCPT from unknown[192.0.2.1]: <{about}>: Recipient address triggers HOLD action{envelope}"));
            self.alone = true;
        }
        self.smtpd(&format!("6746B99473D: {login}{author}"));
        let id = text(rng, PIECES);
        if way == 2 {
            let action = *rng.choice(&["hold", "discard"]).expect("two");
            let subject: String = text(rng, PIECES).chars().take(190).collect();
            let reason = *rng.choice(&["", ": not today"]).expect("two");
            self.cleanup(&format!("6746B99473D: {action}: header Subject: {subject} from unknown[192.0.2.1]{envelope}{reason}"));
            self.alone = true;
        }
        self.cleanup(&format!("6746B99473D: message-id={id}"));
        if way > 2 {
            let active =
                format!("6746B99473D: from=<{}>, size=344, nrcpt=1 (queue active)", self.sender);
            let qmgr = format!("{}[9]", self.names[2]);
            self.line(&qmgr, &active);
            self.line(&qmgr, &active);
        }
    }

    /// Lines that tell of what a client said and prove nothing, and logins that fail.
    fn noise(&mut self, rng: &mut Rng) {
        for _ in 0..rng.usize(0..3) {
            let text = text(rng, PIECES);
            match rng.u8(0..7) {
                0 => self.smtpd(&format!("warning: non-SMTP command from unknown[192.0.2.1]: {text}")),
                1 => self.smtpd(&format!("improper command pipelining after EHLO from unknown[192.0.2.1]: {text}")),
                2 => self.smtpd(&format!("warning: Illegal address syntax from unknown[192.0.2.1] in RCPT command: <{text}>")),
                3 => self.smtpd(&format!("NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <{text}>: no; from=<{text}> to=<{text}> proto=ESMTP helo=<h>")),
                4 => self.cleanup(&format!("7746B99473D: warning: header Subject: {text} from unknown[192.0.2.1]; from=<a@x.test> to=<b@x.test> proto=ESMTP helo=<h>")),
                5 => {
                    self.failures.push(Some(text.chars().take(100).collect()));
                    self.smtpd(&format!("warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: no, sasl_username={}", text.chars().take(100).collect::<String>()));
                }
                _ => {
                    self.failures.push(None);
                    let mechanism = format!("\"x {}\"", without(&text, &['"', '\\']));
                    let mechanism: String = mechanism.chars().take(100).collect();
                    self.smtpd(&format!("warning: unknown[192.0.2.1]: SASL {mechanism} authentication failed: no mechanism available, sasl_username=(unavailable)"));
                }
            }
        }
    }
}

#[test]
fn every_submission_counts_once_and_for_nobody_else() {
    let mut unknown = 0;
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let other = &mut Rng::with_seed(seed + SEEDS);
        let header = *other.choice(HEADERS).expect("headers");
        let (client, name) =
            if other.bool() { (CLIENT, "") } else { ("pc.x.test[192.0.2.1]", "pc.x.test") };
        let mut session = Session::draw(rng, header, client);
        session.log = shipped(rng, &session.log);
        let read = read(&session.log);
        let [(sender, account, client, 1)] = &read.submissions[..] else {
            panic!("seed {seed}: not one message\n{}", session.log);
        };
        assert_eq!(
            (account.as_str(), client.as_str()),
            ("ann", "192.0.2.1"),
            "seed {seed}\n{}",
            session.log
        );
        assert_eq!(read.names, [name], "seed {seed}\n{}", session.log);
        let is_hers = *sender == counted(&session.sender);
        let is_nobodys = session.alone && sender == UNKNOWN_SENDER;
        assert!(is_hers || is_nobodys, "seed {seed}: {sender}\n{}", session.log);
        unknown += u64::from(is_nobodys);
        assert!(
            read.tls == [session.tls] || read.tls == [TlsVersion::Unknown],
            "seed {seed}: {:?}\n{}",
            read.tls,
            session.log
        );
        // What the queue manager tells of waits for no end of the session, and is not counted again there.
        if session.open && !session.alone {
            let later = format!("{}Nov 23 11:02:00 mail CRON[1]: x", session.log);
            let (_, counts, _) = read_on(&later);
            assert_eq!(counts.submissions, read.submissions, "seed {seed}\n{later}");
        }

        assert_eq!(read.failures.len(), session.failures.len(), "seed {seed}\n{}", session.log);
        for ((account, client), tried) in read.failures.iter().zip(&session.failures) {
            // Commas at the end of a line are those of an export.
            let tried = tried.as_deref().unwrap_or_default().trim_end_matches([' ', ',']);
            assert!(
                account.is_empty() || *account == counted(tried),
                "seed {seed}: {account}\n{}",
                session.log
            );
            assert!(account != BOSS || tried == BOSS, "seed {seed}\n{}", session.log);
            assert_eq!(client, "192.0.2.1", "seed {seed}\n{}", session.log);
        }
    }
    assert!(unknown < SEEDS / 4, "{unknown} of {SEEDS}");
}
