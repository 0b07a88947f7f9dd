//! Records and lines that could not be read, kept for a person to look at.

use std::collections::BTreeMap;

use futures_util::{FutureExt as _, StreamExt as _};
use report::Day;

use crate::counting::position::{Positions, STATE_OF, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{Answer, gathered, known};

/// The most bytes that are kept of a day: who may write to a log must not fill a disk.
const BUDGET: u64 = 16 << 20;

/// What an entry takes beside its bytes, about.
const FRAME: u64 = 500;

/// Bytes kept of a day, and the entries and bytes that were left out.
const KEPT: &str = "kept";
const LEFT_OUT: &str = "left_out";
const LEFT_OUT_BYTES: &str = "left_out_bytes";

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

/// What a day's quarantine had no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Entries.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl LeftOut {
    fn of(item: &Item) -> Self {
        let number = |name| items::number(item, name).unwrap_or(0);
        Self { entries: number(LEFT_OUT), bytes: number(LEFT_OUT_BYTES) }
    }
}

/// Keeps what the day has room for, and counts the rest. Gives how many were left out.
pub(crate) async fn keep(
    table: &Table,
    rejected: &[Rejected],
    source: &Source,
    positions: &Positions,
    mut day_of: impl FnMut(&Rejected) -> Day,
) -> Result<u64, StoreError> {
    let mut days: BTreeMap<Day, Vec<&Rejected>> = BTreeMap::new();
    for one in rejected {
        days.entry(day_of(one)).or_default().push(one);
    }
    let mut left_out = 0;
    for (day, rejected) in days {
        left_out += keep_of_day(table, day, &rejected, source, positions).await?;
    }
    Ok(left_out)
}

/// The day's item remembers of each source how far its entries were kept or left out, as counters do: what comes
/// again is not counted again. Entries are kept first, then noted: after a crash in between, the same are kept again.
/// Only if another source has used up the day meanwhile may one be kept that is counted as left out.
async fn keep_of_day(
    table: &Table,
    day: Day,
    rejected: &[&Rejected],
    source: &Source,
    positions: &Positions,
) -> Result<u64, StoreError> {
    let mut state = table.get(keys::left_out(day)).await?.unwrap_or_default();
    loop {
        let position = items::bytes(&state, source.attribute());
        let from = position.map_or(0, |position| positions.mark_after(position));
        let rest: Vec<_> = rejected.iter().filter(|one| one.mark >= from).copied().collect();
        let marks = rest.iter().map(|one| one.mark);
        let (Some(first), Some(last)) = (marks.clone().min(), marks.max()) else { return Ok(0) };
        let room = BUDGET.saturating_sub(items::number(&state, KEPT).unwrap_or(0));
        let (mut kept, mut left) = (0, LeftOut::default());
        let mut puts = Vec::new();
        for one in rest {
            let size = one.raw.len() as u64 + FRAME;
            if kept + size <= room {
                kept += size;
                puts.push(keep_one(table, one, source, positions, day).boxed());
            } else {
                left.entries += 1;
                left.bytes += one.raw.len() as u64;
            }
        }
        gathered(puts, CONCURRENCY).await?;
        // Condition **not noted yet**: closes the race of two readers of the same records.
        let attribute = source.attribute();
        let condition = Condition::new("attribute_not_exists(#p) OR #p < :first")
            .name("#p", attribute)
            .value(":first", items::of_bytes(positions.of_mark(first)));
        let change = Change::of(keys::left_out(day))
            .add(KEPT, items::of_number(kept))
            .add(LEFT_OUT, items::of_number(left.entries))
            .add(LEFT_OUT_BYTES, items::of_number(left.bytes))
            .set(attribute, items::of_bytes(positions.of_mark(last)))
            .expires(items::expiry(day))
            .only_if(condition);
        match table.update(change).await? {
            Answer::Done(_) => return Ok(left.entries),
            Answer::Refused(old, _) => state = known(old)?,
        }
    }
}

async fn keep_one(
    table: &Table,
    rejected: &Rejected,
    source: &Source,
    positions: &Positions,
    day: Day,
) -> Result<(), StoreError> {
    let position = positions.of_mark(rejected.mark);
    let (name, number) = (source.name(), rejected.number);
    let reason: String = rejected.reason.chars().take(REASON).collect();
    let parts = rejected.raw.chunks(PART).count().max(1);
    for part in 0..parts {
        let raw = rejected.raw.chunks(PART).nth(part).unwrap_or_default();
        let mut item = keys::quarantined(day, name, &position, number, (part, parts));
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
    pub const PARTITIONS: &[&str] = &["Q#*", "L#*"];

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

    /// What a day's quarantine had no room for.
    ///
    /// # Errors
    /// A request failed.
    pub async fn left_out(&self, day: Day) -> Result<LeftOut, StoreError> {
        Ok(self.0.get(keys::left_out(day)).await?.as_ref().map(LeftOut::of).unwrap_or_default())
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
        let known = if items::is_later(item, 1) {
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
