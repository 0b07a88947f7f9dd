//! Mail server log lines in, SMTP AUTH submissions out.
//!
//! A [`LogStream`] reads the lines of one log in order and tells a [`Sink`] what they prove:
//! messages that authenticated clients submitted and that were accepted, and authentications that
//! failed. It understands Postfix, Exim and JSON events, each with or without a syslog header.
//!
//! Nothing here reads a clock, a file or the environment. Reading is deterministic: the same saved
//! state and the same lines give the same submissions, in the same places, however the lines are
//! cut into batches. Exactly-once counting stands on that.

mod envelope;
mod event;
mod exim;
mod postfix;
mod time;

use chrono_tz::Tz;
use report::{AuthFailure, Submission};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use envelope::{Envelope, LastHeader};
use event::Object;
use postfix::{Correlator, Daemon};
use time::Timestamps;

/// Takes what a log proves. `mark` is the place in the log, as given in [`Arrival`].
pub trait Sink {
    /// Messages were accepted.
    fn submission(&mut self, mark: u64, submission: &Submission<'_>);
    /// An authentication failed.
    fn auth_failure(&mut self, mark: u64, failure: &AuthFailure<'_>);
    /// A line claims to be an event and is not a good one.
    fn rejected(&mut self, mark: u64, line: &[u8], reason: &str);
}

/// Which format a log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Found out line by line.
    #[default]
    Auto,
    /// Postfix only.
    Postfix,
    /// Exim's main log only.
    Exim,
    /// JSON only; a line that is not JSON is rejected.
    Json,
}

/// How to read a log.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The format, or that it is to be found out.
    pub format: Format,
    /// The zone of timestamps that name none.
    pub zone: Tz,
}

/// Where and when a line arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The line's own place; what it proves is counted there.
    pub mark: u64,
    /// The place just before the line, behind the previous one: what has expired by the time the
    /// line arrives is counted there.
    pub before: u64,
    /// When the line arrived, in seconds since 1970: settles years that are not written, and stands
    /// in for a missing timestamp.
    pub reference: i64,
}

/// A saved state that cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// Written by a version of this program that is not known here.
    #[error("state has version {0}, known is {VERSION}")]
    Version(u8),
    /// Not what this program writes.
    #[error("state is damaged")]
    Damaged,
}

/// What a log stream has seen and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions that have not ended.
    pub sessions: usize,
    /// Messages whose acceptance is open.
    pub messages: usize,
    /// Sessions and messages forgotten for lack of room, ever.
    pub evicted: u64,
}

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    postfix: postfix::Snapshot,
}

/// The reader of one log.
#[derive(Debug)]
pub struct LogStream {
    format: Format,
    times: Timestamps,
    header: LastHeader,
    postfix: Correlator,
}

impl LogStream {
    /// Begins a log.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            format: options.format,
            times: Timestamps::new(options.zone),
            header: LastHeader::default(),
            postfix: Correlator::new(),
        }
    }

    /// Goes on where [`save`](Self::save) left off; nothing saved begins anew.
    ///
    /// # Errors
    /// The state is of another version, or damaged.
    pub fn restore(options: Options, state: &[u8]) -> Result<Self, StateError> {
        let mut new = Self::new(options);
        match state {
            [] => {}
            [VERSION, state @ ..] => {
                let saved: Saved = postcard::from_bytes(state).map_err(|_| StateError::Damaged)?;
                new.postfix = Correlator::restore(saved.postfix).ok_or(StateError::Damaged)?;
            }
            [version, ..] => return Err(StateError::Version(*version)),
        }
        Ok(new)
    }

    /// What must be remembered between batches: at most about 300 KB.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let saved = Saved { postfix: self.postfix.snapshot() };
        // Writing to memory cannot fail; an empty state would begin anew.
        postcard::to_extend(&saved, vec![VERSION]).unwrap_or_default()
    }

    /// The latest time among the lines that were joined into sessions; 0 if there was none.
    #[must_use]
    pub fn clock(&self) -> i64 {
        self.postfix.clock()
    }

    /// The time of a line, if it has one of its own.
    pub fn time_of(&mut self, line: &[u8], reference: i64) -> Option<i64> {
        envelope::read(trimmed(line), reference, &mut self.times).time
    }

    /// What is held at present.
    #[must_use]
    pub fn load(&self) -> Load {
        let (sessions, messages, evicted) = self.postfix.load();
        Load { sessions, messages, evicted }
    }

    /// Reads one line, without its line end.
    pub fn line(&mut self, line: &[u8], arrival: Arrival, sink: &mut impl Sink) {
        let line = trimmed(line);
        match (self.format, line.first()) {
            (_, None) => {}
            (Format::Auto | Format::Json, Some(b'{')) if line.last() == Some(&b']') => {
                self.array(line, arrival, sink);
            }
            (Format::Auto | Format::Json, Some(b'{')) => self.object(line, arrival, sink),
            (Format::Auto, Some(b'[')) if line.get(1).is_none_or(|next| b"{ ]".contains(next)) => {
                self.array(line, arrival, sink);
            }
            (Format::Json, Some(b'[' | b']')) => self.array(line, arrival, sink),
            (Format::Json, Some(_)) => sink.rejected(arrival.mark, line, "not a JSON object"),
            _ => self.text(line, arrival, sink),
        }
    }

    /// Says that the log is over: nothing that is still open will be settled by a later line.
    ///
    /// Accepted messages that waited for the end of their session are counted at `mark`.
    pub fn close(&mut self, mark: u64, sink: &mut impl Sink) {
        self.postfix.close(mark, sink);
    }

    fn text(&mut self, line: &[u8], arrival: Arrival, sink: &mut impl Sink) {
        if let Some(envelope) = self.header.read(line, arrival.reference) {
            return self.message(&envelope, arrival, sink);
        }
        if self.format != Format::Postfix
            && let Some((time, rest)) = exim::stamp(line, &mut self.times)
            && exim::has_message_id(rest)
        {
            return exim::line(rest, time, arrival.mark, sink);
        }
        let envelope = envelope::read(line, arrival.reference, &mut self.times);
        self.header.remember(line, arrival.reference, &envelope);
        self.message(&envelope, arrival, sink);
    }

    fn message(&mut self, envelope: &Envelope<'_>, arrival: Arrival, sink: &mut impl Sink) {
        let (postfix, exim) = match self.format {
            Format::Auto => (true, true),
            Format::Postfix => (true, false),
            Format::Exim => (false, true),
            Format::Json => (true, true),
        };
        if postfix && let Some(daemon) = Daemon::of(envelope.program) {
            return self.postfix.line(daemon, envelope, arrival, sink);
        }
        let program = envelope.program.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if exim && (program.is_empty() || program.starts_with(b"exim")) {
            let message = exim::after_pid(envelope.message);
            let outer = envelope.time.unwrap_or(arrival.reference);
            let (time, text) = exim::stamp(message, &mut self.times).unwrap_or((outer, message));
            exim::line(text, time, arrival.mark, sink);
        }
    }

    fn object(&mut self, line: &[u8], arrival: Arrival, sink: &mut impl Sink) {
        match event::read(line, arrival.mark, &mut self.times, sink) {
            Ok(Object::Event | Object::Other) => {}
            Ok(Object::Wrapped(wrapped)) => {
                let message = trimmed(&wrapped.message);
                let reference = wrapped.time.unwrap_or(arrival.reference);
                if wrapped.program.is_empty() {
                    return self.text(message, Arrival { reference, ..arrival }, sink);
                }
                let envelope = Envelope {
                    time: wrapped.time,
                    host: wrapped.host.as_bytes(),
                    program: wrapped.program.as_bytes(),
                    pid: wrapped.pid,
                    message,
                };
                self.message(&envelope, arrival, sink);
            }
            Err(reason) => sink.rejected(arrival.mark, line, &reason),
        }
    }

    /// A whole array, or a line of one that stands one object a line.
    fn array(&mut self, line: &[u8], arrival: Arrival, sink: &mut impl Sink) {
        if let Ok(items) = serde_json::from_slice::<Vec<&RawValue>>(line) {
            for item in items {
                self.object(item.get().as_bytes(), arrival, sink);
            }
            return;
        }
        let inner = line.strip_prefix(b"[").unwrap_or(line).trim_ascii();
        let inner = inner.strip_suffix(b"]").unwrap_or(inner).trim_ascii();
        if !inner.is_empty() {
            self.object(inner, arrival, sink);
        }
    }
}

/// A line without the blanks, line ends and commas (of a CSV export) around it.
#[inline]
fn trimmed(line: &[u8]) -> &[u8] {
    if let [first, .., last] = line
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
        && *last != b','
    {
        return line;
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\r' | b'\n' | b'\t' | b',');
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    let start = line[..end].iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(end);
    &line[start..end]
}

#[cfg(test)]
mod testing {
    use super::*;

    /// What a log proved, as text.
    #[derive(Debug, Default, PartialEq, Eq)]
    pub(crate) struct Collected {
        pub(crate) submissions: Vec<String>,
        pub(crate) failures: Vec<String>,
        pub(crate) rejected: Vec<String>,
    }

    impl Sink for Collected {
        fn submission(&mut self, _: u64, s: &Submission<'_>) {
            let Submission { sender, account, mechanism, tls, client, messages, .. } = s;
            let tls = tls.name();
            self.submissions
                .push(format!("{sender} {account} {mechanism} {tls} {client} x{messages}"));
        }

        fn auth_failure(&mut self, _: u64, failure: &AuthFailure<'_>) {
            self.failures.push(format!("{} {}", failure.account, failure.client));
        }

        fn rejected(&mut self, _: u64, _: &[u8], reason: &str) {
            self.rejected.push(reason.to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
