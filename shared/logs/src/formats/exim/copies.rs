//! Lines that Exim sends to syslog twice: of what belongs into the main log and the reject log, as failed logins do, each gets one,
//! unless `syslog_duplication` is false.
//!
//! A copy follows at once, but lines of other processes may come in between. A process whose login fails twice within a second, in the
//! same words, sends four lines; without duplication two, of which one is taken for a copy here: nothing tells these
//! from one failed login with its copy.

use serde::{Deserialize, Serialize};

use super::waiting::Waiting;
use crate::record::Record;

/// What of a line's text is remembered: the rest is hardly ever another one, of the same process in the same second.
const BEGINNING: usize = 256;

/// Lines that have come once.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Copies(Waiting<Line>);

/// A line, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    host: Box<[u8]>,
    pid: Option<u32>,
    time: i64,
    begins: Box<[u8]>,
    length: usize,
}

impl Copies {
    /// Whether a line is the copy of one that came before; if not, its own copy may come.
    pub(super) fn has(&mut self, record: &Record<'_>, time: i64, text: &[u8]) -> bool {
        let Record { host, pid, .. } = *record;
        let begins = &text[..text.len().min(BEGINNING)];
        let is_it = |line: &Line| {
            (line.time, line.pid, line.length) == (time, pid, text.len())
                && *line.begins == *begins
                && *line.host == *host
        };
        if self.0.take(is_it).is_some() {
            return true;
        }
        let (host, begins, length) = (host.into(), begins.into(), text.len());
        self.0.put(Line { host, pid, time, begins, length });
        false
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lines().is_empty()
    }

    /// Whether there are no more than there can be.
    pub(super) const fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    /// About how many bytes all can take.
    #[inline]
    pub(super) fn weight(&self) -> usize {
        weight(self.0.lines())
    }

    /// Forgets the oldest until all weigh so little.
    pub(super) fn evict(&mut self, down_to: usize) {
        self.0.evict(|lines| weight(lines) > down_to);
    }
}

/// Not looked at one by one: it is asked for with each line of the log.
#[inline]
const fn weight(lines: &[Line]) -> usize {
    lines.len() * (BEGINNING + 64)
}
