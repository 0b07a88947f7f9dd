//! What a log proved, as text, for tests.

use chrono_tz::Tz;
use report::{AuthFailure, Submission};

use crate::formats::Format;
use crate::place::Arrival;
use crate::proofs::Sink;
use crate::stream::{LogStream, Options};

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    pub(crate) submissions: Vec<String>,
    /// The clients' names of these.
    pub(crate) names: Vec<String>,
    /// Their recipients, as far as they are told.
    pub(crate) recipients: Vec<u64>,
    pub(crate) failures: Vec<String>,
    pub(crate) temporary: Vec<String>,
    pub(crate) rejected: Vec<String>,
}

impl Sink for Collected {
    fn submission(&mut self, _: u64, s: &Submission<'_>) {
        let Submission { sender, account, mechanism, tls, client, messages, .. } = s;
        let tls = tls.name();
        self.names.push(s.client_name.to_owned());
        self.recipients.push(s.recipients);
        self.submissions.push(format!("{sender} {account} {mechanism} {tls} {client} x{messages}"));
    }

    fn auth_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
        self.failures.push(format!("{} {}", failure.account, failure.client));
    }

    fn temporary_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
        self.temporary.push(format!("{} {}", failure.account, failure.client));
    }

    fn rejected(&mut self, _: u64, _: &[u8], reason: &str) {
        self.rejected.push(reason.to_owned());
    }
}

pub(crate) const REFERENCE: i64 = 1_795_435_200; // 2026-11-23T12:00Z

pub(crate) fn options() -> Options {
    Options { format: Format::Auto, zone: Tz::UTC }
}

pub(crate) fn feed(stream: &mut LogStream, log: &str, collected: &mut Collected) {
    for (number, line) in log.lines().enumerate() {
        let mark = number as u64 * 2;
        let arrival = Arrival { mark: mark + 2, before: mark + 1, reference: REFERENCE };
        stream.line(line.trim_start().as_bytes(), arrival, collected);
    }
}

/// Reads a log twice: at once, and with its state saved and restored before every line.
pub(crate) fn read(log: &str) -> Collected {
    let mut whole = Collected::default();
    feed(&mut LogStream::new(options()), log, &mut whole);

    let (mut parts, mut state) = (Collected::default(), Vec::new());
    for line in log.lines() {
        let (mut stream, unreadable) = LogStream::restore(options(), &state);
        assert_eq!(unreadable, []);
        feed(&mut stream, &format!("{line}\n"), &mut parts);
        state = stream.save();
    }
    assert_eq!(whole, parts, "cut into batches of one line");
    whole
}
