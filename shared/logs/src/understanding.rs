//! How much of a log is understood, and what the rest looks like.

use crate::formats::Format;
use crate::nearest::{SEVERAL, nearest};
use crate::text::shown;
use crate::wrappers::Wrappers;

/// What the units of a log were: mostly a unit is a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Understanding {
    /// Units with any text.
    pub units: u64,
    /// Of these, a mail server's that no other number tells of: whether they prove something or not.
    servers: [u64; Format::ALL.len()],
    /// What they were wrapped in, each wrapping counted for itself.
    wrappers: [u64; Wrappers::NAMES.len()],
    /// Units of other programs, which a header names.
    pub others: u64,
    /// Units that claim to be something and are damaged: these go into quarantine.
    pub rejected: u64,
    /// Units that nothing here reads.
    pub not_understood: u64,
    /// The first of these.
    pub first: Option<NotUnderstood>,
    /// Of these, how many tell a time and no program, and from when to when: Exim's, if the log is its main log.
    timed: (u64, Span),
    /// The first of the others.
    first_other_than_timed: Option<NotUnderstood>,
    /// The first unit of another program, if it came before any of a mail server.
    pub first_other: Option<String>,
    /// The times that units of mail servers tell.
    times: Span,
}

/// From the earliest to the latest of some times, in seconds since 1970; the wrong way round if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    first: i64,
    last: i64,
}

impl Default for Span {
    fn default() -> Self {
        Self { first: i64::MAX, last: i64::MIN }
    }
}

impl Span {
    fn of(time: i64) -> Self {
        Self { first: time, last: time }
    }

    #[inline]
    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// A unit that nothing here reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// Its beginning, fit to be shown: without secrets and control characters.
    pub text: String,
    /// What it looks like, or what is to be done about it; empty if it looks like nothing that is known.
    pub nearest: &'static str,
}

/// What one unit was, as far as it was looked into.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) server: Option<Format>,
    pub(crate) is_rejected: bool,
    /// It only frames others.
    pub(crate) is_frame: bool,
    /// A header named a program.
    pub(crate) is_named: bool,
    /// Something told a time.
    pub(crate) time: Option<i64>,
    /// Whether it can wait for the next line.
    pub(crate) may_wait: bool,
    /// It waits, and what its columns are separated by.
    pub(crate) waits: Option<u8>,
    /// More lines stood behind the one that was read.
    pub(crate) has_more: bool,
}

impl Understanding {
    /// Adds what a unit was.
    #[inline]
    pub(crate) fn add(&mut self, unit: &[u8], seen: &Seen) {
        if seen.has_more {
            self.more(unit);
        }
        self.units += 1;
        match seen.server {
            Some(server) => self.server(server, seen.time),
            None => self.untold(unit, seen),
        }
    }

    /// Adds what a unit was that no format has taken.
    fn untold(&mut self, unit: &[u8], seen: &Seen) {
        if seen.is_rejected {
            self.rejected += 1;
        } else if seen.is_named {
            if self.others == 0 && self.of_servers() == 0 {
                self.first_other = Some(shown(unit));
            }
            self.others += 1;
        } else if seen.is_frame {
            // What it frames is counted.
        } else if seen.time.is_some() && self.servers[Format::Exim as usize] > 0 {
            // Exim's main log names no program, and most of its lines tell nothing that is looked for.
            self.server(Format::Exim, seen.time);
        } else {
            self.not_understood += 1;
            let told = || NotUnderstood { text: shown(unit), nearest: nearest(unit) };
            self.first.get_or_insert_with(told);
            match seen.time {
                Some(time) => {
                    self.timed.0 += 1;
                    self.timed.1.join(Span::of(time));
                }
                None if self.first_other_than_timed.is_none() => {
                    let first = self.first.as_ref().filter(|_| self.timed.0 == 0);
                    self.first_other_than_timed = Some(first.cloned().unwrap_or_else(told));
                }
                None => {}
            }
        }
    }

    /// Adds the lines that stood behind the first of a unit, as one.
    #[cold]
    fn more(&mut self, unit: &[u8]) {
        self.units += 1;
        self.not_understood += 1;
        let told = || NotUnderstood { text: shown(unit), nearest: SEVERAL };
        self.first.get_or_insert_with(told);
        if self.first_other_than_timed.is_none() {
            self.first_other_than_timed = Some(told());
        }
    }

    /// Says that lines of Exim's main log came before these: then what tells a time and no program is Exim's, too.
    ///
    /// So it is the same however a log is cut into batches.
    pub fn go_on_from_exim(&mut self) {
        let (units, times) = std::mem::take(&mut self.timed);
        if units == 0 {
            return;
        }
        self.not_understood -= units;
        self.servers[Format::Exim as usize] += units;
        self.times.join(times);
        self.first.clone_from(&self.first_other_than_timed);
    }

    #[inline]
    fn server(&mut self, server: Format, time: Option<i64>) {
        self.servers[server as usize] += 1;
        if let Some(time) = time {
            self.times.join(Span::of(time));
        }
    }

    /// The times that units of mail servers tell, in seconds since 1970: from the earliest to the latest.
    #[must_use]
    pub fn times(&self) -> Option<(i64, i64)> {
        let Span { first, last } = self.times;
        (first <= last).then_some((first, last))
    }

    /// Adds a wrapping, by its place in [`Wrappers::NAMES`].
    #[inline]
    pub(crate) fn wrapped(&mut self, wrapper: usize) {
        self.wrappers[wrapper] += 1;
    }

    /// Units of mail servers, by the name of their format; only those there are.
    pub fn servers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Format::ALL.iter().zip(self.servers);
        counts.filter(|(_, count)| *count > 0).map(|(format, count)| (format.name(), count))
    }

    /// What the logs of these servers do not tell, or not exactly, by the name of their format: a sentence each.
    pub fn cannot_tell(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let met = Format::ALL.iter().zip(self.servers).filter(|(_, count)| *count > 0);
        let told = met.map(|(format, _)| (format.name(), format.cannot_tell()));
        told.filter(|(_, sentence)| !sentence.is_empty())
    }

    /// How many units were of mail servers.
    #[must_use]
    pub fn of_servers(&self) -> u64 {
        self.servers.iter().sum()
    }

    /// How often units were wrapped, by the name of what they were wrapped in; only those there are.
    pub fn wrappers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Wrappers::NAMES.iter().copied().zip(self.wrappers);
        counts.filter(|(_, count)| *count > 0)
    }

    /// Whether there was something, and none of it is of any use: not even as other programs' lines.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.units > 0 && self.of_servers() == 0 && self.others == 0
    }

    /// Adds what another part of a log was, or another log.
    pub fn merge(&mut self, other: &Self) {
        self.units += other.units;
        self.others += other.others;
        self.rejected += other.rejected;
        self.not_understood += other.not_understood;
        for (sum, more) in self.servers.iter_mut().zip(other.servers) {
            *sum += more;
        }
        for (sum, more) in self.wrappers.iter_mut().zip(other.wrappers) {
            *sum += more;
        }
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
        if self.first_other.is_none() {
            self.first_other.clone_from(&other.first_other);
        }
        if self.first_other_than_timed.is_none() {
            self.first_other_than_timed.clone_from(&other.first_other_than_timed);
        }
        self.timed.0 += other.timed.0;
        self.timed.1.join(other.timed.1);
        self.times.join(other.times);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(units: &[(&str, Seen)]) -> Understanding {
        let mut all = Understanding::default();
        units.iter().for_each(|(unit, seen)| all.add(unit.as_bytes(), seen));
        all
    }

    #[test]
    fn what_is_exims_does_not_depend_on_where_a_batch_begins() {
        let exim = ("<=", Seen { server: Some(Format::Exim), time: Some(20), ..Seen::default() });
        let timed = ("queue run", Seen { time: Some(10), ..Seen::default() });
        let unknown = ("noise", Seen::default());
        let whole = of(&[exim, timed, unknown, timed, exim]);
        let mut batches = of(&[exim]);
        let mut second = of(&[timed, unknown, timed, exim]);
        assert_eq!((second.not_understood, second.of_servers()), (3, 1));
        second.go_on_from_exim();
        assert_eq!(second.first.as_ref().map(|first| first.text.as_str()), Some("noise"));
        assert_eq!(
            (second.not_understood, second.of_servers(), second.times()),
            (1, 3, Some((10, 20)))
        );
        batches.merge(&second);
        assert_eq!(batches, whole);
        // Another log's lines that tell a time are not understood.
        assert_eq!(of(&[timed, unknown, timed]).not_understood, 3);
        let mut only = of(&[timed]);
        only.go_on_from_exim();
        assert_eq!((only.not_understood, only.first), (0, None));
    }
}
