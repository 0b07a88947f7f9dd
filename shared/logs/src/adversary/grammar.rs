//! Texts that imitate what servers log.

use chrono_tz::Tz;
use fastrand::Rng;
use report::{ACCOUNT_LIMIT, AuthFailure, Submission, TlsVersion, lowered};

use crate::{Arrival, Format, LogStream, Options, Sink};

/// Seeds: the same ones in every run.
pub(super) const SEEDS: u64 = 12_000;

/// In whose name clients would like to send.
pub(super) const BOSS: &str = "boss@x.test";

/// The names of clients that a server has confirmed: no other one stands without parentheses.
const CONFIRMED: [&str; 2] = ["pc.x.test", "pc.example.test"];

/// A text of a few pieces, each of which means something to a server's log; some begin as whole lines do.
pub(super) fn text(rng: &mut Rng, pieces: &[&str]) -> String {
    let length = rng.usize(1..=9);
    let text: String = (0..length).map(|_| *rng.choice(pieces).expect("pieces")).collect();
    let front = FRONTS.get(text.len() % (4 * FRONTS.len())).copied().unwrap_or_default();
    front.to_owned() + &text
}

/// Headers and fronts of lines, which clients may say too.
const FRONTS: &[&str] = &[
    "Nov 23 11:00:00 mail postfix/submission/smtpd[7]: ",
    "<22>1 2026-11-23T11:00:00Z mail postfix/qmgr 9 - - ",
    "2026-11-23 11:00:00 1xVWoN-0001PO-2u <= ",
    "2026-11-23T11:00:00.123456789Z ",
    "2026-11-23T11:00:00.123456789Z stdout F ",
    "mx1-1  | ",
    "[pod/mail-0/postfix] ",
    "mail.log:",
    "mail.info ",
    "[ID 197553 mail.info] ",
    "box 4f2a91c07be3[51234]: ",
];

/// A log as a tool shows it that puts one thing before all its lines; or as it is.
pub(super) fn shipped(rng: &mut Rng, log: &str) -> String {
    let front = match rng.u8(0..16) {
        0 => "2026-11-23T11:00:00.123456789Z ",
        1 => "2026-11-23T11:00:00.123456789Z stdout F ",
        2 => "mx1-1  | ",
        3 => "mx1-1  | 2026-11-23T11:00:00.123456789Z ",
        4 => "[pod/mail-0/postfix] ",
        5 => "/var/log/mail.log.1:",
        6 => "2026-11-23T11:00:00.123000+00:00 mail.log ",
        7 => "Nov 23 11:00:00 box 4f2a91c07be3[51234]: ",
        8 => "Nov 23 11:00:00 box maillog: ",
        9 => "Nov 23 11:00:00 box compose[811]: mx1-1  | ",
        10 => "\u{1b}[36mmx1-1  | \u{1b}[0m",
        _ => return log.to_owned(),
    };
    log.lines().map(|line| format!("{front}{line}\n")).collect()
}

/// The same for a log whose lines have no header of their own: what names another program makes them its lines.
pub(super) fn shipped_bare(rng: &mut Rng, log: &str) -> String {
    let shipped = shipped(rng, log);
    // A stream's name is told from a program's by the header behind it.
    let needs_header = ["Nov 23 11:00:00 box ", "2026-11-23T11:00:00.123000+00:00 mail.log "]
        .iter()
        .any(|front| shipped.starts_with(front));
    if needs_header { log.to_owned() } else { shipped }
}

/// What can stand between quotes: quotes and backslashes escaped.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"")
}

/// A text without some characters.
pub(super) fn without(text: &str, characters: &[char]) -> String {
    text.replace(characters, "")
}

/// A name as it is counted.
pub(super) fn counted(name: &str) -> String {
    lowered(name.as_bytes(), ACCOUNT_LIMIT).into_owned()
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Sender, account, client and messages.
    pub(super) submissions: Vec<(String, String, String, u64)>,
    /// The TLS versions of these.
    pub(super) tls: Vec<TlsVersion>,
    /// The clients' names of these.
    pub(super) names: Vec<String>,
    /// Account and client.
    pub(super) failures: Vec<(String, String)>,
    pub(super) rejected: usize,
}

impl Sink for Counts {
    fn submission(&mut self, _: u64, s: &Submission<'_>) {
        let (sender, account, client) =
            (s.sender.to_owned(), s.account.to_owned(), s.client.to_owned());
        self.submissions.push((sender, account, client, s.messages));
        self.tls.push(s.tls);
        self.names.push(s.client_name.to_owned());
    }

    fn auth_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
        self.failures.push((failure.account.to_owned(), failure.client.to_owned()));
    }

    fn rejected(&mut self, _: u64, _: &[u8], _: &str) {
        self.rejected += 1;
    }
}

/// Reads a log to its end.
pub(super) fn read(log: &str) -> Counts {
    let (mut stream, mut counts, mark) = read_on(log);
    stream.close(mark + 1, &mut counts);
    for name in &counts.names {
        assert!(is_nobody_elses(name), "{name}\n{log}");
    }
    counts
}

/// Whether a client's name is none, one that was confirmed, or one that says itself that it was not.
fn is_nobody_elses(name: &str) -> bool {
    let claimed = name.strip_prefix('(').and_then(|name| name.strip_suffix(')'));
    match claimed {
        Some(claimed) => !claimed.is_empty() && !claimed.contains(['(', ')', ' ']),
        None => name.is_empty() || CONFIRMED.contains(&name),
    }
}

/// Reads a log that goes on; where it is.
pub(super) fn read_on(log: &str) -> (LogStream, Counts, u64) {
    let mut stream = LogStream::new(Options { format: Format::Auto, zone: Tz::UTC });
    let mut counts = Counts::default();
    let mut mark = 0;
    for line in log.lines() {
        mark += 2;
        let arrival = Arrival { mark, before: mark - 1, reference: 1_795_435_200 };
        stream.line(line.as_bytes(), arrival, &mut counts);
    }
    (stream, counts, mark)
}
