//! Lines that Exim sends to syslog twice: of what belongs into the main log and the reject log, as failed logins do, each gets one,
//! unless `syslog_duplication` is false.
//!
//! A copy follows at once, but lines of other processes may come in between. A process whose login fails twice within a second, in the
//! same words, sends four lines; without duplication two, of which one is taken for a copy here: nothing tells these
//! from one failed login with its copy.

use serde::{Deserialize, Serialize};

use crate::record::Record;

/// The most lines that may wait for their copies: as many processes write at the same time.
const LINES: usize = 32;
/// What of a line's text is remembered: the rest is hardly ever another one, of the same process in the same second.
const BEGINNING: usize = 256;

/// Lines that have come once, the oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Copies(Vec<Line>);

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
        if let Some(at) = self.0.iter().rposition(is_it) {
            self.0.remove(at);
            return true;
        }
        if self.0.len() == LINES {
            self.0.remove(0);
        }
        let (host, begins, length) = (host.into(), begins.into(), text.len());
        self.0.push(Line { host, pid, time, begins, length });
        false
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are no more than there can be.
    pub(super) const fn is_sound(&self) -> bool {
        self.0.len() <= LINES
    }

    /// About how many bytes all can take: it is asked for with each line.
    #[inline]
    pub(super) const fn weight(&self) -> usize {
        self.0.len() * (BEGINNING + 64)
    }

    /// Forgets the oldest until all weigh so little.
    pub(super) fn evict(&mut self, down_to: usize) {
        while !self.is_empty() && self.weight() > down_to {
            self.0.remove(0);
        }
    }
}
