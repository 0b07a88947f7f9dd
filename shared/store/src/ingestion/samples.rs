//! Samples of the lines from which logs were counted, by day: whether a log holds what another held.

use futures_util::StreamExt as _;
use report::Day;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;

const NAME: &str = "name";
const BELOW: &str = "below";
const CHECKSUMS: &str = "checksums";

/// Of the lines of one source that proved something on one day, those with the lowest checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The name under which the source is counted.
    pub source: String,
    /// What people call it.
    pub name: String,
    /// Every line with a checksum below this is in the sample.
    pub below: u64,
    /// The checksums, in order.
    pub checksums: Vec<u64>,
}

/// Knows samples. Touches them and nothing else.
#[derive(Clone, Debug)]
pub struct Samples(Table);

impl Samples {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["T#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// The samples of a day, of all sources.
    ///
    /// # Errors
    /// A request failed.
    pub async fn of(&self, day: Day) -> Result<Vec<Sample>, StoreError> {
        let partition = keys::samples(day);
        let mut pages = self.0.pages(&partition);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            found.extend(page?.iter().filter_map(sample));
        }
        Ok(found)
    }

    /// Keeps a sample, in the place of the one that was there of its source and day.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put(&self, day: Day, sample: &Sample) -> Result<(), StoreError> {
        let mut item = keys::key(&keys::samples(day), &sample.source);
        let checksums = sample.checksums.iter().flat_map(|checksum| checksum.to_be_bytes());
        item.insert(NAME.to_owned(), items::of_text(sample.name.clone()));
        item.insert(BELOW.to_owned(), items::of_number(sample.below));
        item.insert(CHECKSUMS.to_owned(), items::of_bytes(checksums.collect::<Vec<u8>>()));
        item.insert(EXPIRES.to_owned(), items::expiry(day));
        self.0.put(item).await
    }
}

fn sample(item: &Item) -> Option<Sample> {
    let (checksums, _) = items::bytes(item, CHECKSUMS)?.as_chunks();
    Some(Sample {
        source: items::text(item, "sk")?.to_owned(),
        name: items::text(item, NAME)?.to_owned(),
        below: items::number(item, BELOW)?,
        checksums: checksums.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect(),
    })
}
