//! What log files hold, without storing anything: what would be counted, what not, and why.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use bootstrap::progress;
use logs::{Arrival, Format, LogStream, Options, Sink, Understanding};
use report::{AuthFailure, Days, Submission, TlsCounts, TlsVersion, grouped};
use unpack::{Line, Pieces};

use crate::clock::Now;
use crate::files::{self, Later, References, Stop};
use crate::understood;
use operator::line;

/// What one log would come to.
#[derive(Debug, Default)]
pub(crate) struct Examined {
    pub(crate) understanding: Understanding,
    lines: u64,
    bytes: u64,
    took: Duration,
    would: Counts,
    open: logs::Load,
    /// How often its times, which name no years, went back by most of one, unforeseen.
    went_back: usize,
    /// Why it was not read to its end.
    failure: Option<String>,
}

/// What would be counted.
#[derive(Debug, Default)]
struct Counts {
    messages: TlsCounts,
    failures: u64,
    temporary: u64,
    rejected: u64,
    /// Why the first of these was rejected.
    reason: String,
}

impl Sink for Counts {
    fn submission(&mut self, _: u64, submission: &Submission<'_>) {
        self.messages.add(submission.tls, submission.messages);
    }

    fn auth_failure(&mut self, _: u64, _: &AuthFailure<'_>) {
        self.failures += 1;
    }

    fn temporary_failure(&mut self, _: u64, _: &AuthFailure<'_>) {
        self.temporary += 1;
    }

    fn rejected(&mut self, _: u64, _: &[u8], reason: &str) {
        if self.rejected == 0 {
            reason.clone_into(&mut self.reason);
        }
        self.rejected += 1;
    }
}

/// Reads a log file, or standard input for `-`, from its beginning to its end.
///
/// # Errors
/// It cannot be opened.
pub(crate) fn examine(name: &Path, options: Options, now: Now) -> Result<Examined> {
    let mut input = files::open(name, options, now, &Stop::default())?;
    let references = input.references(0, options, now)?;
    let mut later = input.later.take();
    let progress = progress::bytes_of(input.name.clone(), input.size());
    let mut lines = Pieces::new(input.text_from(0)?, 0);
    let mut stream = LogStream::new(options);
    let mut examined = Examined::default();
    let began = Instant::now();
    loop {
        let read = lines.read(|line| {
            progress.inc(line.ends - examined.bytes);
            if let Some(later) = &mut later {
                later.line(&line);
            }
            examined.line(line, &mut stream, &references);
        });
        match read {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                examined.failure = Some(error.to_string());
                break;
            }
        }
    }
    if let Some(line) = lines.rest() {
        examined.line(line, &mut stream, &references);
    }
    progress.finish_and_clear();
    examined.went_back = later.as_ref().map_or(0, Later::went_back);
    examined.took = began.elapsed();
    // Told as `ingest` would leave it.
    examined.open = stream.load();
    examined.understanding = stream.understanding();
    Ok(examined)
}

impl Examined {
    fn line(&mut self, line: Line<'_>, stream: &mut LogStream, references: &References) {
        let Line { begins, ends, is_continued, .. } = line;
        self.lines += u64::from(!is_continued);
        self.bytes = ends;
        let arrival = Arrival::in_file(begins, ends, references.at(begins));
        stream.piece(unpack::without_mark(line.text), !is_continued, arrival, &mut self.would);
    }

    /// Whether there was something to read, and nothing or not all of it could be.
    pub(crate) fn is_useless(&self) -> bool {
        self.understanding.is_nothing() || self.failure.is_some()
    }

    /// Prints it.
    pub(crate) fn tell(&self, name: &Path, zone: chrono_tz::Tz) {
        let Self { understanding, lines, would, open, .. } = self;
        let span = understanding.times().map(|(first, last)| {
            let mut days = Days::new(zone);
            (days.day_of(first), days.day_of(last))
        });
        let when = match span {
            Some((first, last)) if first == last => format!(" of {first}"),
            Some((first, last)) => format!(" of {first} to {last}"),
            None => String::new(),
        };
        line(format_args!("{}: {} lines{when} ({zone})", name.display(), grouped(*lines)));
        if let Some(failure) = &self.failure {
            line(format_args!("  cannot be read to its end: {failure}"));
        }
        let servers = understood::counts(understanding.servers());
        if !servers.is_empty() {
            line(format_args!("  of mail servers   {servers}"));
        }
        if understanding.others > 0 {
            line(format_args!("  of other programs {}", grouped(understanding.others)));
        }
        let wrappers = understood::counts(understanding.wrappers());
        if !wrappers.is_empty() {
            line(format_args!("  wrapped in        {wrappers}"));
        }
        let messages = would.messages.total();
        let (counted, failures) = (grouped(messages), grouped(would.failures));
        line(format_args!("  would be counted  {counted} messages, {failures} failed logins"));
        if would.temporary > 0 {
            let temporary = grouped(would.temporary);
            line(format_args!(
                "  not decided       {temporary} logins: the server could not check them"
            ));
        }
        let by_tls = TlsVersion::ALL.map(|tls| (tls.name(), would.messages.get(tls)));
        let by_tls = by_tls.into_iter().filter(|(_, count)| *count > 0);
        if messages > 0 {
            line(format_args!("  TLS               {}", understood::counts(by_tls)));
        }
        if would.rejected > 0 {
            let (count, reason) = (grouped(would.rejected), report::displayed(&would.reason, 120));
            line(format_args!("  quarantined       {count}, the first: {reason}"));
        }
        if open.sessions > 0 || open.messages > 0 {
            let (sessions, messages) =
                (grouped(open.sessions as u64), grouped(open.messages as u64));
            line(format_args!("  open at its end   {sessions} sessions, {messages} messages"));
        }
        for (server, sentence) in understanding.cannot_tell() {
            line(format_args!("  {server}: {sentence}"));
        }
        understood::went_back(self.went_back);
        self.advise();
        understood::not_understood(understanding);
        let seconds = self.took.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let speed = self.bytes as f64 / 1e6 / seconds.max(1e-9);
        line(format_args!("  {seconds:.2} s, {speed:.0} MB/s"));
    }

    /// What the administrator can do so that the log tells more.
    fn advise(&self) {
        let of = |tls: TlsVersion| self.would.messages.get(tls);
        let is_proved = of(TlsVersion::Unknown) < self.would.messages.total();
        let postfix = Format::Postfix.name();
        let is_postfix = self.understanding.servers().any(|(name, _)| name == postfix);
        if is_postfix && of(TlsVersion::Unknown) > 0 && !is_proved {
            line("  no TLS version was logged: set `smtpd_tls_loglevel = 1` in Postfix's main.cf");
        }
    }
}
