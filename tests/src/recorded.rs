//! Logs of real servers, as the fixtures hold them, and what one reader counts that never stops.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Timelike as _};
use chrono_tz::Tz;
use fastrand::Rng;
use logs::{Arrival, Format, LogStream, Options, Sink};
use report::{AuthFailure, Submission, UsageKey, domain_of};

use crate::clock::NOW;
use crate::traffic::{self, Expected, Failed, Log};

/// The most lines of a log that are taken: what is joined lies close together.
const LINES: usize = 150;

/// The beginnings of all logs under `fixtures`, line by line, with the names of their folders, in a fixed order.
///
/// # Errors
/// The folder or a log cannot be read.
pub fn logs() -> Result<Vec<(String, Vec<String>)>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut logs = Vec::new();
    for format in fs::read_dir(&root)? {
        for scenario in fs::read_dir(format?.path())? {
            let folder = scenario?.path();
            let name = folder.strip_prefix(&root).unwrap_or(&folder).display().to_string();
            let log = fs::read(folder.join("log")).with_context(|| name.clone())?;
            let log = String::from_utf8_lossy(&log);
            logs.push((name, log.lines().take(LINES).map(str::to_owned).collect()));
        }
    }
    logs.sort();
    Ok(logs)
}

/// A log as something on its way may have written it, and what one reader counts of all its lines.
#[must_use]
pub fn log(lines: Vec<String>, zone: Tz, rng: &mut Rng) -> Log {
    let log = Log { lines, expected: Expected::default() }.dressed(rng);
    Log { expected: counted(&log.lines, zone), ..log }
}

/// What one reader counts that reads all lines, one after the other. The log goes on.
#[must_use]
pub fn counted<'l>(lines: impl IntoIterator<Item = &'l String>, zone: Tz) -> Expected {
    read(lines, zone).1.expected
}

/// The same of a log that ends with them.
#[must_use]
pub fn counted_to_its_end<'l>(lines: impl IntoIterator<Item = &'l String>, zone: Tz) -> Expected {
    let (mut stream, mut counts) = read(lines, zone);
    stream.close(u64::MAX, &mut counts);
    counts.expected
}

/// The lines of several logs in the order of the times that they tell; one that tells none follows the one before it.
#[must_use]
pub fn in_order_of_time<'l>(
    logs: impl IntoIterator<Item = &'l Vec<String>>,
    zone: Tz,
) -> Vec<&'l String> {
    let mut lines = Vec::new();
    for log in logs {
        let mut stream = LogStream::new(Options { format: Format::Auto, zone });
        let mut last = 0;
        for line in log {
            last = stream.time_of(line.as_bytes(), NOW).unwrap_or(last).max(last);
            lines.push((last, line));
        }
    }
    lines.sort_by_key(|(time, _)| *time);
    lines.into_iter().map(|(_, line)| line).collect()
}

fn read<'l>(lines: impl IntoIterator<Item = &'l String>, zone: Tz) -> (LogStream, Counts) {
    let mut counts = Counts { zone, expected: Expected::default() };
    let mut stream = LogStream::new(Options { format: Format::Auto, zone });
    for (number, line) in (1..).zip(lines) {
        stream.line(line.as_bytes(), Arrival::in_record(number, NOW), &mut counts);
    }
    (stream, counts)
}

struct Counts {
    zone: Tz,
    expected: Expected,
}

impl Counts {
    fn local(&self, time: i64) -> DateTime<Tz> {
        DateTime::from_timestamp(time, 0).unwrap_or_default().with_timezone(&self.zone)
    }
}

impl Sink for Counts {
    fn submission(&mut self, _mark: u64, submission: &Submission<'_>) {
        let Submission { sender, account, mechanism, tls, client, .. } = *submission;
        let domain = domain_of(sender, account, "(none)");
        let key = UsageKey { domain, sender, username: account, mechanism, tls, client };
        let local = self.local(submission.time);
        let (day, hour) = (local.date_naive(), u8::try_from(local.hour()).unwrap_or(0));
        let Submission { messages, recipients, .. } = *submission;
        *self.expected.usage.entry(traffic::key(day, &key)).or_default() += messages;
        self.expected.add_finer((day, hour), account, messages, recipients);
    }

    fn auth_failure(&mut self, _mark: u64, failure: &AuthFailure<'_>) {
        let local = self.local(failure.time);
        let key = (local.date_naive(), failure.account.to_owned(), failure.client.to_owned());
        let hour = u8::try_from(local.hour()).unwrap_or(0);
        self.expected.failures.entry(key).or_default().add(Failed::once(hour));
    }

    fn rejected(&mut self, _mark: u64, _line: &[u8], _reason: &str) {}
}
