//! When each source was heard of last: a log that has fallen silent may be one that is written elsewhere now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ingest::Summary;

/// A silence is told only if it is so long, and longer than any before it by this factor.
const SILENCE: Duration = Duration::from_secs(3600);
const LONGER: u32 = 3;

/// Sources that are told apart, those that come first: names of files may be chosen by strangers.
const MOST: usize = 500;
/// What the others are called together.
const OTHERS: &str = "(others)";

/// What is read as it grows, by name. Clones know the same.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<BTreeMap<String, Source>>>);

#[derive(Debug, Default)]
struct Source {
    lines: u64,
    messages: u64,
    not_counted: NotCounted,
    last: Option<Instant>,
    /// The longest time between lines so far.
    longest: Duration,
    is_told: bool,
}

/// Lines that are of no mail server, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotCounted {
    /// Lines of other programs.
    pub other_programs: u64,
    /// Damaged ones, which are put into quarantine.
    pub quarantined: u64,
    /// Lines that nothing here reads.
    pub not_understood: u64,
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
    /// Lines of it that are of no mail server.
    pub not_counted: NotCounted,
    /// Time since the last line that was read, if there was one.
    pub silence: Option<Duration>,
}

impl Heard {
    /// Knows of a source that may have no line yet.
    pub(super) fn expect(&self, source: &str) {
        told_apart(&mut self.sources(), source);
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
        let source = told_apart(&mut sources, name);
        source.lines += summary.lines;
        source.messages += summary.submissions;
        source.not_counted.other_programs += summary.other_lines;
        source.not_counted.quarantined += summary.quarantined;
        source.not_counted.not_understood += summary.not_understood;
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
            not_counted: source.not_counted,
            silence: source.last.map(|last| now.saturating_duration_since(last)),
        });
        standing.collect()
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<String, Source>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source, or what stands for all others.
fn told_apart<'s>(sources: &'s mut BTreeMap<String, Source>, name: &str) -> &'s mut Source {
    let is_told_apart = sources.len() < MOST || sources.contains_key(name);
    let name = if is_told_apart { name } else { OTHERS };
    sources.entry(name.to_owned()).or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_sources_are_told_apart() {
        let heard = Heard::default();
        let line = Summary { lines: 1, not_understood: 1, ..Summary::default() };
        for _ in 0..2 {
            for number in 0..MOST + 20 {
                heard.note(&format!("log {number}"), &line, Instant::now());
            }
        }
        let standing = heard.standing();
        assert_eq!(standing.len(), MOST + 1);
        let others = standing.iter().find(|one| one.source == OTHERS).expect("others");
        assert_eq!((others.lines, others.not_counted.not_understood), (40, 40));
        assert!(standing.iter().all(|one| one.source == OTHERS || one.lines == 2));
    }

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
