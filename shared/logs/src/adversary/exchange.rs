//! What a client can do to the receive logs of Exchange Server, and to the report of Exchange Online.

use fastrand::Rng;

use super::grammar::{SEEDS, counted, escaped, read, text, without};

const PIECES: &[&str] = &[
    ",authenticated",
    "\",\"",
    "\"",
    ",",
    ",*,boss@x.test,authenticated",
    "boss@x.test",
    "XPROXY SID=08DE2C00000000AA IP=192.0.2.9",
    "X-EXPS EXCHANGEAUTH",
    "250 2.6.0 <1@x.test> [InternalId=1] Queued mail for delivery",
    " Queued mail for delivery",
    "User Name: boss@x.test",
    "AUTH LOGIN",
    "MAIL FROM:<boss@x.test>",
    "TLS protocol SP_PROT_TLS1_0_SERVER ",
    "08DE2C00000000AA",
    "2026-11-23T06:00:00.000Z,EX1\\Client Proxy EX1,08DE2C00000000AA,1,192.0.2.10:587,192.0.2.9:1,>,",
    " ",
    "x",
];

/// A cell, in quotes where it must be.
fn cell(text: &str) -> String {
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A session that writes rows.
struct Session {
    id: &'static str,
    client: &'static str,
    rows: u32,
    log: String,
}

impl Session {
    fn new(id: &'static str, client: &'static str) -> Self {
        let mut session = Self { id, client, rows: 0, log: String::new() };
        session.row("+", "", "");
        session
    }

    fn row(&mut self, event: &str, data: &str, context: &str) {
        self.rows += 1;
        let Self { id, client, rows, .. } = self;
        let (data, context) = (cell(data), cell(context));
        let front = format!("2026-11-23T06:00:01.000Z,EX1\\Client EX1,{id},{rows},192.0.2.10:587");
        self.log += &format!("{front},{client}:50100,{event},{data},{context}\n");
    }

    fn message(&mut self, sender: &str, said: &str) {
        self.row("<", &format!("MAIL FROM:<{sender}> SIZE=9"), "");
        self.row("*", &format!("{};x;1", self.id), "receiving message");
        self.row("<", said, "");
        self.row(">", &format!("250 2.6.0 <{said}> [InternalId=1] Queued mail for delivery"), "");
    }
}

#[test]
fn what_a_client_says_to_exchange_makes_no_message_and_nobody_elses() {
    for seed in 0..SEEDS {
        let rng = &mut Rng::with_seed(seed);
        let said = text(rng, PIECES);
        let sender = format!("\"{}\"@x.test", escaped(&said));
        // Somebody else is logged in.
        let mut boss = Session::new("08DE2C00000000AA", "192.0.2.9");
        boss.row("*", r"CORP\boss", "authenticated");
        let mut stranger = Session::new("08DE2C00000000BB", "198.51.100.7");
        stranger.row("<", &said, "");
        stranger.message(&sender, &said);
        stranger.row("<", &format!("AUTH {}", without(&said, &[' '])), "");
        stranger.row(">", "535 5.7.3 Authentication unsuccessful", "");
        let mut ann = Session::new("08DE2C00000000CC", "192.0.2.1");
        ann.row("<", &format!("EHLO {said}"), "");
        ann.row("*", r"CORP\ann", "authenticated");
        ann.message(&sender, &said);
        let log = [boss.log, stranger.log, ann.log].concat();
        let read = read(&log);
        let sent = (counted(&sender), r"corp\ann".to_owned(), "192.0.2.1".to_owned(), 1);
        assert_eq!(read.submissions, [sent], "seed {seed}\n{log}");
        let refused = (String::new(), "198.51.100.7".to_owned());
        assert_eq!(read.failures, [refused], "seed {seed}\n{log}");
    }
}

#[test]
fn a_sender_in_the_report_makes_no_other_row() {
    let header = "message_id,date,senderName,senderDomain,authMethod,original_client_ip,tls_version,tls_cipher,message_count";
    for seed in 0..SEEDS / 4 {
        let rng = &mut Rng::with_seed(seed);
        let said = format!("x{}", text(rng, PIECES));
        let (id, name) = (cell(&said), cell(&said));
        let row = format!("{id},2026-11-22,{name},x.test,Basic,192.0.2.1,TLS1.2,C,1");
        let read = read(&format!("{header}\n{row}\n"));
        let sent =
            (counted(&format!("{}@x.test", said.trim())), String::new(), "192.0.2.1".to_owned(), 1);
        assert_eq!(read.submissions, [sent], "seed {seed}\n{row}");
    }
}
