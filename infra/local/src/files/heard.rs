//! When each source was heard of last: a log that has fallen silent may be one that is written elsewhere now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ingest::Summary;

/// A silence is told only if it is so long, and longer than any before it by this factor.
const SILENCE: Duration = Duration::from_secs(3600);
const LONGER: u32 = 3;

/// What is read as it grows, by name. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<BTreeMap<String, Source>>>);

#[derive(Debug, Default)]
struct Source {
    lines: u64,
    messages: u64,
    last: Option<Instant>,
    /// The longest time between lines so far.
    longest: Duration,
    is_told: bool,
}

/// How a source stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub source: String,
    /// Lines that were read of it since the program began.
    pub lines: u64,
    /// Messages that were counted of it since then.
    pub messages: u64,
    /// Time since the last line that was read, if there was one.
    pub silence: Option<Duration>,
}

impl Heard {
    /// Knows of a source that may have no line yet.
    pub(super) fn expect(&self, source: &str) {
        self.sources().entry(source.to_owned()).or_default();
    }

    /// Says in the log what was stored of a source.
    pub(super) fn ingested(&self, source: &str, summary: &Summary) {
        self.note(source, summary, Instant::now());
        let (lines, submissions) = (summary.lines, summary.submissions);
        let (auth_failures, quarantined) = (summary.auth_failures, summary.quarantined);
        tracing::info!(source, lines, submissions, auth_failures, quarantined, "ingested");
    }

    fn note(&self, name: &str, summary: &Summary, now: Instant) {
        if summary.lines == 0 {
            return;
        }
        let mut sources = self.sources();
        let source = sources.entry(name.to_owned()).or_default();
        source.lines += summary.lines;
        source.messages += summary.submissions;
        if let Some(last) = source.last.replace(now) {
            source.longest = source.longest.max(now.saturating_duration_since(last));
        }
        if std::mem::take(&mut source.is_told) {
            tracing::info!(source = name, "lines come again");
        }
    }

    /// Says in the log which sources have fallen silent, each once.
    pub(super) fn tell_silent(&self) {
        for (source, silence) in self.silent(Instant::now()) {
            let minutes = silence.as_secs() / 60;
            tracing::warn!(
                source,
                minutes,
                "no line has come for unusually long: is it written elsewhere now?"
            );
        }
    }

    fn silent(&self, now: Instant) -> Vec<(String, Duration)> {
        let mut silent = Vec::new();
        for (name, source) in self.sources().iter_mut() {
            let Some(last) = source.last.filter(|_| !source.is_told) else { continue };
            let silence = now.saturating_duration_since(last);
            if silence >= SILENCE.max(source.longest.saturating_mul(LONGER)) {
                source.is_told = true;
                silent.push((name.clone(), silence));
            }
        }
        silent
    }

    /// How all sources stand, by their names.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        let now = Instant::now();
        let sources = self.sources();
        let standing = sources.iter().map(|(name, source)| Standing {
            source: name.clone(),
            lines: source.lines,
            messages: source.messages,
            silence: source.last.map(|last| now.saturating_duration_since(last)),
        });
        standing.collect()
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<String, Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_told_once_if_it_is_longer_than_those_before() {
        let heard = Heard::default();
        let begin = Instant::now();
        let minute = |number: u64| begin + Duration::from_secs(60 * number);
        let line = Summary { lines: 1, ..Summary::default() };
        heard.expect("never");
        for at in [0, 30, 31, 32] {
            heard.note("log", &line, minute(at));
            heard.note("log", &Summary::default(), minute(at + 9));
        }
        let silent = |at: u64| heard.silent(minute(at)).len();
        assert_eq!([silent(91), silent(32 + 89)], [0, 0], "half an hour was usual");
        assert_eq!([silent(32 + 90), silent(32 + 500)], [1, 0]);
        heard.note("log", &line, minute(600));
        assert_eq!([silent(1000), silent(600 + 3 * 568)], [0, 1]);
        let standing = heard.standing();
        let figures: Vec<_> = standing.iter().map(|one| (one.source.as_str(), one.lines)).collect();
        assert_eq!(figures, [("log", 5), ("never", 0)]);
    }
}
