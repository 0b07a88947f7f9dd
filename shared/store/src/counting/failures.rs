//! Failed logins of a day.

use futures_util::StreamExt as _;
use report::{Day, FailureKey};

use crate::counting::counter_pages::counters;
use crate::dynamo::error::StoreError;
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Reads failed logins. Touches nothing else.
#[derive(Clone, Debug)]
pub struct Failures(Table);

impl Failures {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["F#*"];

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
        mut each: impl FnMut(&FailureKey<'_>, u64),
    ) -> Result<(), StoreError> {
        let partition = keys::failures(day);
        let mut pages = self.0.pages(&partition);
        while let Some(page) = pages.next().await {
            for item in page? {
                for (name, failures) in counters(&item) {
                    let Some((key, failures)) = FailureKey::read(name).zip(failures) else {
                        return Err(StoreError::Item { key: partition, expected: "failures" });
                    };
                    each(&key, failures);
                }
            }
        }
        Ok(())
    }
}
