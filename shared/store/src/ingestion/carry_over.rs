//! What a log stream's reader remembers between batches.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use report::{BatchRead, Day, Intake};

use crate::counting::position::{Positions, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::{Table, Writing};
use crate::dynamo::update::Condition;
use crate::dynamo::writes::{Answer, Transacted, Write};
use crate::ingestion::listed::Listed;

/// Sources whose positions are kept; a log stream moves to a new one when its shard is split.
const SOURCES: usize = 16;
const VERSION: &str = "v";
const STATE: &str = "state";
const LISTED: &str = "listed";
/// Seconds that an unused carry-over is kept.
const LIFE: i64 = 92 * 86_400;

/// A log stream's state, and how far it goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CarryOver {
    /// How often it was written; 0 is never.
    version: u64,
    /// What it may replace.
    follows: Follows,
    /// The reader's saved state; empty at the beginning.
    pub state: Vec<u8>,
    /// By source attribute: the position up to which everything is in the state and in the counters.
    positions: BTreeMap<String, Vec<u8>>,
    damaged: Option<Damaged>,
    /// What is told of the log.
    listed: Option<Listed>,
}

/// What stands where a log stream's state should be, and is none that this version can use.
#[derive(Clone, Debug, PartialEq)]
pub struct Damaged {
    /// Why.
    pub reason: &'static str,
    /// The item, for a person to look at: a line for each attribute.
    pub bytes: Vec<u8>,
    /// Its version, whatever that is.
    version: Option<AttributeValue>,
}

/// The item that a state may replace.
#[derive(Clone, Debug, Default, PartialEq)]
enum Follows {
    #[default]
    Nothing,
    /// One with this version, or without any.
    Version(Option<AttributeValue>),
}

impl CarryOver {
    /// How often it was written; 0 is never. Each writing of a log stream's state has its own.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// That the stored item was no state that can be used: then this one is empty, and goes on from the positions
    /// that could be read. Whoever writes the next has to put aside what was there.
    #[must_use]
    pub fn damaged(&self) -> Option<&Damaged> {
        self.damaged.as_ref()
    }

    /// The first mark of a batch that this state has not seen.
    #[must_use]
    pub fn next_mark(&self, source: &Source, positions: &Positions) -> u64 {
        let known = self.positions.get(source.attribute());
        known.map_or(0, |position| positions.mark_after(position))
    }

    /// The state that follows this one, up to and with the record at `mark`.
    #[must_use]
    pub fn next(&self, state: Vec<u8>, source: &Source, positions: &Positions, mark: u64) -> Self {
        let follows = match (&self.damaged, self.version) {
            (Some(damaged), _) => Follows::Version(damaged.version.clone()),
            (None, 0) => Follows::Nothing,
            (None, version) => Follows::Version(Some(items::of_number(version))),
        };
        let (version, known) = (self.version.saturating_add(1), self.positions.clone());
        let listed = self.listed.clone();
        let mut next = Self { version, follows, state, positions: known, damaged: None, listed };
        next.positions.remove(source.attribute());
        while next.positions.len() >= SOURCES {
            // Any other: a stream reads from one source at a time, and old ones are done with.
            next.positions.pop_first();
        }
        next.positions.insert(source.attribute().to_owned(), positions.of_mark(mark));
        next
    }

    /// Adds what the lines were by which this state goes beyond the one before it, of a log that people call
    /// `name`; they were read at `now`, on a day.
    pub fn tell(
        &mut self,
        log_stream: &str,
        (name, is_followed): (&str, bool),
        read: &BatchRead<'_>,
        (now, day): (i64, Day),
    ) {
        // Nothing new: as little as there was before.
        if read.counts == Default::default() && self.listed.is_none() {
            return;
        }
        // What was told before may have gone on elsewhere.
        let id = || match self.version {
            0..=2 => log_stream.to_owned(),
            version => format!("{log_stream}~{version}"),
        };
        let listed = self.listed.get_or_insert_with(|| Listed::new(id(), name, is_followed));
        listed.call(name, is_followed);
        listed.count();
        listed.intake.add(read, now, day);
    }

    /// What is told of the log, if anything is.
    #[must_use]
    pub fn told(&self) -> Option<&Intake> {
        self.listed.as_ref().map(|listed| &listed.intake)
    }

    /// Lets what is told of this log go on with another state.
    pub fn hand_over_listing(&mut self, next: &mut Self) {
        next.listed = self.listed.take();
    }

    /// Finds a place in the list of logs, if something is told of this one.
    pub(crate) async fn place(&mut self, table: &Table, now: i64) -> Result<(), StoreError> {
        match &mut self.listed {
            Some(listed) => listed.place(table, now).await,
            None => Ok(()),
        }
    }
}

impl CarryOver {
    fn item(&self, log_stream: &str, now: i64) -> Item {
        let mut item = keys::carry_over(log_stream);
        item.insert(VERSION.to_owned(), items::of_number(self.version));
        item.insert(STATE.to_owned(), items::of_bytes(self.state.clone()));
        item.insert(EXPIRES.to_owned(), items::of_number(now + LIFE));
        for (source, position) in &self.positions {
            item.insert(source.clone(), items::of_bytes(position.clone()));
        }
        if let Some(listed) = &self.listed {
            item.insert(LISTED.to_owned(), listed.value());
        }
        item
    }

    /// Condition **not overtaken**: the stored item is the one that this state follows.
    fn condition(&self) -> Condition {
        match &self.follows {
            Follows::Nothing => Condition::no_item(),
            Follows::Version(Some(version)) => {
                Condition::new(format!("{VERSION} = :before")).value(":before", version.clone())
            }
            Follows::Version(None) => {
                Condition::new(format!("attribute_exists(pk) AND attribute_not_exists({VERSION})"))
            }
        }
    }

    fn read(item: &Item) -> Self {
        let positions = item.iter().filter_map(|(name, value)| {
            let position = value.as_b().ok().filter(|_| name != STATE)?;
            Some((name.clone(), position.as_ref().to_vec()))
        });
        let positions = positions.collect();
        let follows = Follows::default();
        let listed = item.get(LISTED).and_then(Listed::of_value);
        let reason = match (items::number(item, VERSION), items::bytes(item, STATE)) {
            _ if items::is_later(item, 1) => "a later version of this program wrote it",
            (Some(version), Some(state)) => {
                let (state, damaged) = (state.to_vec(), None);
                return Self { version, follows, state, positions, damaged, listed };
            }
            (None, _) => "it has no version",
            (_, None) => "it has no state",
        };
        let damaged = Damaged {
            reason,
            bytes: items::told(item).into_bytes(),
            version: item.get(VERSION).cloned(),
        };
        let version = items::number(item, VERSION).unwrap_or(0);
        let (state, damaged) = (Vec::new(), Some(damaged));
        Self { version, follows, state, positions, damaged, listed }
    }
}

/// What became of a write of the carry-over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Written {
    /// Answer, for so many write units.
    Done(f64),
    /// Another writer was first: read again, and go on from there.
    Overtaken,
}

pub(crate) async fn read(table: &Table, log_stream: &str) -> Result<CarryOver, StoreError> {
    let item = table.get(keys::carry_over(log_stream)).await?;
    Ok(item.as_ref().map_or_else(CarryOver::default, CarryOver::read))
}

pub(crate) async fn put(
    table: &Table,
    log_stream: &str,
    carry_over: &CarryOver,
    now: i64,
) -> Result<Written, StoreError> {
    let (item, condition) = (carry_over.item(log_stream, now), carry_over.condition());
    if let (Writing::Transactions, Some((copy, not_newer))) = (table.writing, copy(carry_over, now))
    {
        let both = vec![Write::Put(item.clone(), condition.clone()), Write::Put(copy, not_newer)];
        match table.transact(both).await? {
            Transacted::Done(units) => return Ok(Written::Done(units)),
            Transacted::Refused(refusals) if matches!(refusals.first(), Some(Some(_))) => {
                return Ok(Written::Overtaken);
            }
            // One after the other.
            Transacted::Refused(_) | Transacted::Contended => {}
        }
    }
    match table.put_if(item, condition).await? {
        Answer::Done(units) => Ok(Written::Done(units + list(table, carry_over, now).await?)),
        Answer::Refused(..) => Ok(Written::Overtaken),
    }
}

/// Copies what is told of a log that was written into the list. Gives the write units.
pub(crate) async fn list(
    table: &Table,
    carry_over: &CarryOver,
    now: i64,
) -> Result<f64, StoreError> {
    let Some((copy, not_newer)) = copy(carry_over, now) else { return Ok(0.0) };
    match table.put_if(copy, not_newer).await? {
        Answer::Done(units) | Answer::Refused(_, units) => Ok(units),
    }
}

fn copy(carry_over: &CarryOver, now: i64) -> Option<(Item, Condition)> {
    let listed = carry_over.listed.as_ref()?;
    Some((listed.copy(now)?, listed.condition()))
}

pub(crate) async fn put_both(
    table: &Table,
    both: [(&str, &CarryOver); 2],
    now: i64,
) -> Result<Written, StoreError> {
    let puts = both.map(|(log_stream, carry_over)| {
        Write::Put(carry_over.item(log_stream, now), carry_over.condition())
    });
    let detail = match table.transact(puts.into()).await? {
        Transacted::Done(units) => return Ok(Written::Done(units)),
        Transacted::Refused(refusals) if matches!(refusals.get(1), Some(Some(_))) => {
            return Ok(Written::Overtaken);
        }
        Transacted::Refused(_) => "another process had the first state",
        Transacted::Contended => "other writers were at the same states",
    };
    Err(StoreError::Request { operation: "TransactWriteItems", detail: detail.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_state_is_followed_by_one() {
        let (source, positions) = (Source::new("file:1"), Positions::Offsets);
        let good = CarryOver::default().next(vec![7], &source, &positions, 12).item("log", 0);
        let read = CarryOver::read(&good);
        assert_eq!(
            (read.version, read.damaged(), read.next_mark(&source, &positions)),
            (1, None, 13)
        );
        let (number, text) = (items::of_number(1), items::of_text("1"));
        let versions = [(None, None), (Some(&text), Some(&text)), (Some(&number), Some(&number))];
        for (version, before) in versions {
            let mut item = good.clone();
            item.remove(STATE);
            match version {
                Some(version) => item.insert(VERSION.to_owned(), version.clone()),
                None => item.remove(VERSION),
            };
            let read = CarryOver::read(&item);
            let damaged = read.damaged().expect("damage");
            let told = String::from_utf8_lossy(&damaged.bytes);
            assert!(told.contains("pk C#log\n"), "{told}");
            // It goes on where the item says, and replaces this item alone.
            assert_eq!((read.next_mark(&source, &positions), read.state.len()), (13, 0));
            let next = read.next(vec![8], &source, &positions, 20);
            assert_eq!(next.follows, Follows::Version(before.cloned()));
            assert_eq!(next.damaged(), None);
        }
        let mut later = good;
        later.insert("form".to_owned(), items::of_number(2));
        assert!(CarryOver::read(&later).damaged().is_some_and(|one| one.reason.contains("later")));
    }
}
