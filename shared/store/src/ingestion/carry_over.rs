//! What a log stream's reader remembers between batches.

use std::collections::BTreeMap;

use crate::counting::position::{Positions, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Condition;
use crate::dynamo::writes::{Answer, Transacted, Write};

/// Sources whose positions are kept; a log stream moves to a new one when its shard is split.
const SOURCES: usize = 16;
const VERSION: &str = "v";
const STATE: &str = "state";
/// Seconds that an unused carry-over is kept.
const LIFE: i64 = 92 * 86_400;

/// A log stream's state, and how far it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CarryOver {
    /// How often it was written; 0 is never.
    version: u64,
    /// The reader's saved state; empty at the beginning.
    pub state: Vec<u8>,
    /// By source attribute: the position up to which everything is in the state and in the counters.
    positions: BTreeMap<String, Vec<u8>>,
}

impl CarryOver {
    /// How often it was written; 0 is never. Each writing of a log stream's state has its own.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
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
        let mut next = Self { version: self.version + 1, state, positions: self.positions.clone() };
        next.positions.remove(source.attribute());
        while next.positions.len() >= SOURCES {
            // Any other: a stream reads from one source at a time, and old ones are done with.
            next.positions.pop_first();
        }
        next.positions.insert(source.attribute().to_owned(), positions.of_mark(mark));
        next
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
        item
    }

    /// Condition **not overtaken**: the stored version is the one that this state follows.
    fn condition(&self) -> Condition {
        match self.version {
            0 | 1 => Condition::no_item(),
            version => Condition::new(format!("{VERSION} = :before"))
                .value(":before", items::of_number(version - 1)),
        }
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
    let key = keys::carry_over(log_stream);
    let pk = items::text(&key, "pk").unwrap_or_default().to_owned();
    let Some(item) = table.get(key).await? else {
        return Ok(CarryOver::default());
    };
    let (version, state) = (items::number(&item, VERSION), items::bytes(&item, STATE));
    let (Some(version), Some(state)) = (version, state) else {
        return Err(StoreError::Item { key: pk, expected: "a log stream's state" });
    };
    let positions = item.iter().filter_map(|(name, value)| {
        let position = value.as_b().ok().filter(|_| name != STATE)?;
        Some((name.clone(), position.as_ref().to_vec()))
    });
    Ok(CarryOver { version, state: state.to_vec(), positions: positions.collect() })
}

pub(crate) async fn put(
    table: &Table,
    log_stream: &str,
    carry_over: &CarryOver,
    now: i64,
) -> Result<Written, StoreError> {
    match table.put_if(carry_over.item(log_stream, now), carry_over.condition()).await? {
        Answer::Done(units) => Ok(Written::Done(units)),
        Answer::Refused(..) => Ok(Written::Overtaken),
    }
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
