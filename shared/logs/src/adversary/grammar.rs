//! Texts that imitate what servers log.

use chrono_tz::Tz;
use fastrand::Rng;
use report::{ACCOUNT_LIMIT, AuthFailure, Submission, TlsVersion, lowered};

use crate::{Arrival, Format, LogStream, Options, Sink};

/// Seeds: the same ones in every run.
pub(super) const SEEDS: u64 = 12_000;

/// In whose name clients would like to send.
pub(super) const BOSS: &str = "boss@x.test";

/// A text of a few pieces, each of which means something to a server's log.
pub(super) fn text(rng: &mut Rng, pieces: &[&str]) -> String {
    let length = rng.usize(1..=9);
    (0..length).map(|_| *rng.choice(pieces).expect("pieces")).collect()
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
    counts
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
