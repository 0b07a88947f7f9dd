//! What is counted of a day's accounts besides their messages.

use futures_util::StreamExt as _;
use report::{Day, FinerKey};

use crate::counting::counter_pages::counters;
use crate::dynamo::error::StoreError;
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Reads finer counters: messages of the night, and recipients beyond the first. Touches nothing else.
#[derive(Clone, Debug)]
pub struct FinerCounters(Table);

impl FinerCounters {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["G#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Hands every counter of a day to `each`, in no order. What was counted under one key may come in parts.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn read(
        &self,
        day: Day,
        mut each: impl FnMut(&FinerKey<'_>, u64),
    ) -> Result<(), StoreError> {
        let partition = keys::finer(day);
        let mut pages = self.0.pages(&partition);
        while let Some(page) = pages.next().await {
            for item in page? {
                for (name, count) in counters(&item) {
                    let Some((key, count)) = FinerKey::read(name).zip(count) else {
                        return Err(StoreError::Item {
                            key: partition,
                            expected: "finer counters",
                        });
                    };
                    each(&key, count);
                }
            }
        }
        Ok(())
    }
}
