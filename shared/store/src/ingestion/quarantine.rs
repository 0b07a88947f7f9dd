//! Records and lines that could not be read, kept for a person to look at.

use std::collections::BTreeMap;

use futures_util::{FutureExt as _, StreamExt as _};
use report::Day;

use crate::counting::position::{Positions, STATE_OF, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::writes::gathered;

/// The most bytes kept in one item: a DynamoDB item holds 400 KB.
const PART: usize = 300_000;

/// Items written at once.
const CONCURRENCY: usize = 16;

/// The most characters of a reason that are kept: it may quote what it is about.
const REASON: usize = 300;

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stands in its source.
    pub mark: u64,
    /// Which one it is at that place: a record may hold many lines.
    pub number: u64,
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// Why.
    pub reason: String,
}

/// Something in quarantine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The day it is kept under.
    pub day: Day,
    /// Source, position and number, with tabs between.
    pub place: String,
    /// Why it was rejected.
    pub reason: String,
    /// Whether the item itself could not be read: damaged, or of a later version. Its bytes are then what it
    /// holds, attribute by attribute, and nothing that came with a stream.
    pub is_unreadable: bool,
    parts: BTreeMap<usize, Vec<u8>>,
}

pub(crate) async fn keep(
    table: &Table,
    rejected: &[Rejected],
    source: &Source,
    positions: &Positions,
    mut day_of: impl FnMut(&Rejected) -> Day,
) -> Result<(), StoreError> {
    let puts = rejected
        .iter()
        .map(|rejected| keep_one(table, rejected, source, positions, day_of(rejected)).boxed());
    gathered(puts.collect(), CONCURRENCY).await?;
    Ok(())
}

async fn keep_one(
    table: &Table,
    rejected: &Rejected,
    source: &Source,
    positions: &Positions,
    day: Day,
) -> Result<(), StoreError> {
    let position = positions.of_mark(rejected.mark);
    let place: String = position.iter().map(|byte| format!("{byte:02x}")).collect();
    let (name, number) = (source.name(), rejected.number);
    let reason: String = rejected.reason.chars().take(REASON).collect();
    let parts = rejected.raw.chunks(PART).count().max(1);
    for part in 0..parts {
        let sk = format!("{name}\t{place}\t{number}\t{part}");
        let raw = rejected.raw.chunks(PART).nth(part).unwrap_or_default();
        let mut item = keys::key(&keys::quarantine(day), &sk);
        item.insert("raw".to_owned(), items::of_bytes(raw));
        item.insert("parts".to_owned(), items::of_number(parts));
        item.insert("reason".to_owned(), items::of_text(reason.clone()));
        item.insert(EXPIRES.to_owned(), items::expiry(day));
        table.put(item).await?;
    }
    Ok(())
}

/// What could not be read, for a person to look at. Touches the quarantine and nothing else.
#[derive(Clone, Debug)]
pub struct Quarantine(Table);

impl Quarantine {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["Q#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Hands everything that a day's quarantine holds to `each`, in the order of its sources.
    ///
    /// An item that cannot be read is told as such, and hides no other.
    ///
    /// # Errors
    /// A request failed.
    pub async fn read(
        &self,
        day: Day,
        mut each: impl FnMut(Quarantined),
    ) -> Result<(), StoreError> {
        let mut found: Option<Quarantined> = None;
        let partition = keys::quarantine(day);
        let mut pages = self.0.pages(&partition);
        while let Some(page) = pages.next().await {
            for item in page? {
                let part = Quarantined::of(day, &item);
                match &mut found {
                    Some(found) if found.place == part.place => found.parts.extend(part.parts),
                    _ => found.replace(part).into_iter().for_each(&mut each),
                }
            }
        }
        found.into_iter().for_each(each);
        Ok(())
    }

    /// Forgets something that was in quarantine.
    ///
    /// # Errors
    /// A request failed.
    pub async fn release(&self, quarantined: &Quarantined) -> Result<(), StoreError> {
        for part in quarantined.parts.keys() {
            let sk = format!("{}\t{part}", quarantined.place);
            let key = keys::key(&keys::quarantine(quarantined.day), &sk);
            self.0.delete(key).await?;
        }
        Ok(())
    }
}

impl Quarantined {
    /// What an item holds: a part of something in quarantine, or what can be told of it.
    fn of(day: Day, item: &Item) -> Self {
        let known = if items::is_later(item) {
            Err("a later version of this program wrote it")
        } else {
            Self::read(day, item)
        };
        known.unwrap_or_else(|reason| Self {
            day,
            place: items::text(item, "sk").unwrap_or_default().to_owned(),
            reason: reason.to_owned(),
            is_unreadable: true,
            parts: BTreeMap::from([(0, items::told(item).into_bytes())]),
        })
    }

    fn read(day: Day, item: &Item) -> Result<Self, &'static str> {
        let place = items::text(item, "sk").and_then(|sk| sk.rsplit_once('\t'));
        let (place, part) = place.ok_or("it stands at no place in a source")?;
        let part = part.parse().map_err(|_| "it is no numbered part")?;
        let reason = items::text(item, "reason").ok_or("it tells no reason")?.to_owned();
        let raw = items::bytes(item, "raw").ok_or("it holds no bytes that were rejected")?;
        let parts = BTreeMap::from([(part, raw.to_vec())]);
        Ok(Self { day, place: place.to_owned(), reason, is_unreadable: false, parts })
    }

    /// The source: a stream's shard, or a file.
    #[must_use]
    pub fn source(&self) -> &str {
        self.place.split('\t').next().unwrap_or_default()
    }

    /// Whether it is a part of a log stream's carried-over state, and nothing that came with a stream.
    #[must_use]
    pub fn is_state(&self) -> bool {
        self.source().starts_with(STATE_OF)
    }

    /// The bytes as they came.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        self.parts.values().flatten().copied().collect()
    }
}
