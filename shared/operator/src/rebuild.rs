//! A store that was lost, rebuilt from its archives.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use bootstrap::progress;
use history::{Became, Rebuilding};
use object_store::local::LocalFileSystem;
use report::{Day, Range, grouped};
use store::Store;

use crate::told::line;

/// What archives do not hold, and what follows from that.
const NOT_ARCHIVED: &str = "\
Archives hold messages and failed logins of days that are over, and nothing else. Lost are:
  - the days named above: ingest their logs again, if there are any. Of days that were rebuilt nothing is counted again,
    so all logs may be read again from their beginning;
  - what came late for a day after it was archived last: its lines are not counted either;
  - how far logs were read, and sessions that were open: that is why they are read from their beginning;
  - what is in quarantine, report requests and what they had sent, and schedules: make these again.";

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Days that are rebuilt, those of earlier calls included.
    pub days: BTreeSet<Day>,
    /// Of these, those that were rebuilt before.
    pub before: u64,
    /// Messages that were counted by this call.
    pub messages: u64,
    /// Failed logins that were counted by this call.
    pub failures: u64,
    /// Days whose archive had no failed logins: those of earlier versions.
    pub without_failures: BTreeSet<Day>,
    /// Days whose archive is damaged, or that have counts of their own, and why.
    pub wrong: Vec<(Day, String)>,
    /// Days from the first archived one up to today that have no archive.
    pub missing: BTreeSet<Day>,
}

/// Rebuilds an empty store from the archives in a folder, or goes on with that; tells what came of it. `Ok` if all that
/// was archived is there.
///
/// # Errors
/// The store is not empty, there are no archives, one of both does not answer, or an archive is damaged: then all others
/// are counted all the same.
pub async fn rebuild(store: &Store, from: &Path, today: Day) -> Result<Summary> {
    let objects = LocalFileSystem::new_with_prefix(from)
        .with_context(|| format!("cannot read archives in {}", from.display()))?;
    let rebuilding = Rebuilding::of(store, Arc::new(objects), today).await?;
    let archived = rebuilding.days();
    let mut summary = Summary::default();
    let bar = progress::days("rebuilding", archived.len() as u64);
    for day in archived {
        summary.add(*day, rebuilding.day(*day).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let start = archived.first().copied().unwrap_or(today);
    let all = Range { start, end: today }.days();
    summary.missing = all.filter(|day| !archived.contains(day)).collect();
    summary.tell();
    if !summary.wrong.is_empty() {
        bail!(
            "{} of {} days could not be rebuilt: the lines above say why",
            summary.wrong.len(),
            archived.len()
        );
    }
    Ok(summary)
}

impl Summary {
    fn add(&mut self, day: Day, became: Became) {
        match became {
            Became::Rebuilt { messages, failures } => {
                self.days.insert(day);
                self.messages += messages;
                self.failures += failures.unwrap_or(0);
                if failures.is_none() {
                    self.without_failures.insert(day);
                }
            }
            Became::Before => {
                self.days.insert(day);
                self.before += 1;
            }
            Became::Damaged(error) => {
                self.wrong.push((day, format!("its archive is damaged: {error}")));
            }
            Became::Taken => {
                let why = "it has counts of its own, or was begun from another archive";
                self.wrong.push((day, why.to_owned()));
            }
        }
    }

    fn tell(&self) {
        let before = match self.before {
            0 => String::new(),
            before => format!(", {} of them by an earlier call", grouped(before)),
        };
        line(format_args!("{} days rebuilt{before}", grouped(self.days.len() as u64)));
        let (messages, failures) = (grouped(self.messages), grouped(self.failures));
        line(format_args!("{messages} messages and {failures} failed logins counted"));
        for (day, why) in &self.wrong {
            line(format_args!("{day} is not rebuilt: {why}"));
        }
        if !self.missing.is_empty() {
            line(format_args!("Without an archive: {}", spans(&self.missing)));
        }
        if !self.without_failures.is_empty() {
            let days = spans(&self.without_failures);
            line(format_args!("Archived before archives held failed logins: {days}"));
        }
        line(NOT_ARCHIVED);
    }
}

/// Days in short, as in `2026-11-01, 2026-11-03 to 2026-11-05`.
fn spans(days: &BTreeSet<Day>) -> String {
    let mut spans: Vec<(Day, Day)> = Vec::new();
    for day in days {
        match spans.last_mut() {
            Some((_, last)) if last.succ_opt() == Some(*day) => *last = *day,
            _ => spans.push((*day, *day)),
        }
    }
    let told = spans.into_iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first} to {last}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_in_short() {
        let days = ["2026-10-31", "2026-11-01", "2026-11-03"];
        let days = days.iter().map(|day| day.parse().expect("a date")).collect();
        assert_eq!(spans(&days), "2026-10-31 to 2026-11-01, 2026-11-03");
        assert_eq!(spans(&BTreeSet::new()), "");
    }
}
