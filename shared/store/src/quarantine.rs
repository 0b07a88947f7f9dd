//! Records and lines that could not be read, kept for a person to look at.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{FutureExt as _, StreamExt as _};
use report::Day;

use crate::keys::{self, EXPIRES};
use crate::requests::gathered;
use crate::{Positions, Source, Store, StoreError};

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

impl Store {
    /// Keeps what could not be read, under the day that `day_of` gives; the same again changes nothing.
    ///
    /// Larger ones than an item holds take several, numbered from 0.
    ///
    /// # Errors
    /// A request failed.
    pub async fn quarantine(
        &self,
        rejected: &[Rejected],
        source: &Source,
        positions: &Positions,
        mut day_of: impl FnMut(&Rejected) -> Day,
    ) -> Result<(), StoreError> {
        let puts = rejected.iter().map(|rejected| {
            self.quarantine_one(rejected, source, positions, day_of(rejected)).boxed()
        });
        gathered(puts.collect(), CONCURRENCY).await?;
        Ok(())
    }

    async fn quarantine_one(
        &self,
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
            item.insert("raw".to_owned(), keys::bytes(raw.to_vec()));
            item.insert("parts".to_owned(), keys::of_number(parts));
            item.insert("reason".to_owned(), AttributeValue::S(reason.clone()));
            item.insert(EXPIRES.to_owned(), keys::expiry(day));
            self.put("PutItem", item).await?;
        }
        Ok(())
    }

    pub(crate) async fn put(
        &self,
        operation: &'static str,
        item: keys::Item,
    ) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map(|_| ()).map_err(|error| StoreError::request(operation, &error))
    }

    /// How many records and lines of a day are in quarantine.
    ///
    /// # Errors
    /// A request failed.
    pub async fn quarantined(&self, day: Day) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        let mut pages = self.pages(keys::quarantine(day), None);
        while let Some(page) = pages.next().await {
            for item in page? {
                let (place, reason) = (keys::text(&item, "sk"), keys::text(&item, "reason"));
                if let (Some(place), Some(reason)) = (place, reason) {
                    found.push((place.to_owned(), reason.to_owned()));
                }
            }
        }
        Ok(found)
    }
}
