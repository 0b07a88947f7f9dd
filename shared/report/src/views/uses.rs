//! The mechanisms of each row of a table: for tables that are written whole.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::group::Group;
use super::known::Known;
use crate::counting::day::{Day, Range};
use crate::counting::usage::UsageKey;

/// Mechanisms in a cell, with blanks between: but for what the log does not tell.
pub(super) fn cell<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The mechanisms of each row of a table: some bytes a row, for there are few mechanisms.
#[derive(Clone, Debug)]
pub struct RowMechanisms {
    group: Group,
    range: Range,
    known: Known,
    mechanisms: Vec<String>,
    /// By a row's name: places of its mechanisms, and their messages.
    rows: HashMap<String, Vec<(usize, u64)>>,
}

impl RowMechanisms {
    /// Nothing, yet, of a range's rows by a group.
    #[must_use]
    pub fn new(group: Group, range: Range, known: &Known) -> Self {
        let known = known.clone();
        Self { group, range, known, mechanisms: Vec::new(), rows: HashMap::new() }
    }

    /// Adds messages of one key.
    pub fn add(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) {
        if self.range.contains(day) {
            let at = self.place(key.mechanism);
            let name = self.group.meant_by(self.group.of(key), &self.known);
            if !self.rows.contains_key(&*name) {
                self.rows.insert(name.clone().into_owned(), Vec::new());
            }
            let Some(row) = self.rows.get_mut(&*name) else { return };
            count(row, at, messages);
        }
    }

    /// Adds what another one of the same rows has added up.
    pub fn merge(&mut self, other: Self) {
        let places: Vec<_> = other.mechanisms.iter().map(|name| self.place(name)).collect();
        for (name, counts) in other.rows {
            let row = self.rows.entry(name).or_default();
            counts.into_iter().for_each(|(at, messages)| count(row, places[at], messages));
        }
    }

    /// The mechanisms of a row, most messages first, as in `LOGIN PLAIN`.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        let mut row = self.rows.get(name).cloned().unwrap_or_default();
        row.sort_by_key(|(at, messages)| (Reverse(*messages), &self.mechanisms[*at]));
        cell(row.iter().map(|(at, _)| self.mechanisms[*at].as_str()))
    }

    fn place(&mut self, mechanism: &str) -> usize {
        let known = self.mechanisms.iter().position(|known| known == mechanism);
        known.unwrap_or_else(|| {
            self.mechanisms.push(mechanism.to_owned());
            self.mechanisms.len() - 1
        })
    }
}

fn count(row: &mut Vec<(usize, u64)>, at: usize, messages: u64) {
    match row.iter_mut().find(|(known, _)| *known == at) {
        Some((_, sum)) => *sum = sum.saturating_add(messages),
        None => row.push((at, messages)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    #[test]
    fn the_mechanism_of_most_messages_stands_first() {
        let day = |text: &str| text.parse::<Day>().expect("a date");
        let range = Range { start: day("2026-11-21"), end: day("2026-11-22") };
        let key = |sender, mechanism| UsageKey {
            domain: "x.test",
            sender,
            username: "",
            mechanism,
            tls: TlsVersion::Tls13,
            client: "192.0.2.1",
        };
        let new = || RowMechanisms::new(Group::Sender, range, &Known::default());
        let (mut one, mut other) = (new(), new());
        one.add(day("2026-11-21"), &key("ann@x.test", "PLAIN"), 3);
        one.add(day("2026-11-20"), &key("ann@x.test", "CRAM-MD5"), 9);
        other.add(day("2026-11-22"), &key("bob@x.test", ""), 2);
        other.add(day("2026-11-22"), &key("ann@x.test", "LOGIN"), 4);
        other.add(day("2026-11-22"), &key("ann@x.test", "PLAIN"), 1);
        one.merge(other);
        assert_eq!(one.of("ann@x.test"), "LOGIN PLAIN");
        assert_eq!((one.of("bob@x.test").as_str(), one.of("nobody").as_str()), ("", ""));
    }
}
