//! What a log stream's reader remembers between batches.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use crate::keys::{self, EXPIRES, Item};
use crate::{Positions, Source, Store, StoreError};

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
        let mut item = keys::key(&keys::carry_over(log_stream), "-");
        item.insert(VERSION.to_owned(), keys::of_number(self.version));
        item.insert(STATE.to_owned(), keys::bytes(self.state.clone()));
        item.insert(EXPIRES.to_owned(), keys::of_number(now + LIFE));
        for (source, position) in &self.positions {
            item.insert(source.clone(), keys::bytes(position.clone()));
        }
        item
    }

    /// Condition **not overtaken**: the stored version is the one that this state follows.
    fn condition(&self) -> (&'static str, Option<Item>) {
        match self.version {
            0 | 1 => ("attribute_not_exists(pk)", None),
            version => {
                let before = (":before".to_owned(), keys::of_number(version - 1));
                ("v = :before", Some(Item::from([before])))
            }
        }
    }
}

/// What became of a write of the carry-over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Written {
    /// Written, for so many write units.
    Done(f64),
    /// Another writer was first: read again, and go on from there.
    Overtaken,
}

impl Store {
    /// Reads a log stream's carry-over, as of all writes so far.
    ///
    /// # Errors
    /// A request failed, or the item is not what this program writes.
    pub async fn carry_over(&self, log_stream: &str) -> Result<CarryOver, StoreError> {
        let pk = keys::carry_over(log_stream);
        let Some(item) = self.get(keys::key(&pk, "-")).await? else {
            return Ok(CarryOver::default());
        };
        let version = keys::number(&item, VERSION);
        let state = keys::read_bytes(&item, STATE);
        let (Some(version), Some(state)) = (version, state) else {
            return Err(StoreError::Item { key: pk, expected: "a log stream's state" });
        };
        let positions = item.iter().filter_map(|(name, value)| {
            let position = value.as_b().ok().filter(|_| name != STATE)?;
            Some((name.clone(), position.as_ref().to_vec()))
        });
        Ok(CarryOver { version, state: state.to_vec(), positions: positions.collect() })
    }

    /// Writes a log stream's carry-over after everything it stands for was counted.
    ///
    /// Condition **not overtaken** closes the race of two readers of one log stream: the slower must
    /// go on from the faster one's state.
    ///
    /// # Errors
    /// A request failed.
    pub async fn put_carry_over(
        &self,
        log_stream: &str,
        carry_over: &CarryOver,
        now: i64,
    ) -> Result<Written, StoreError> {
        let (condition, values) = carry_over.condition();
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(carry_over.item(log_stream, now)))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        let sent = put
            .return_consumed_capacity(aws_sdk_dynamodb::types::ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(done) => {
                let units = done.consumed_capacity.and_then(|used| used.capacity_units);
                Ok(Written::Done(units.unwrap_or(0.0)))
            }
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), PutItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(StoreError::request("PutItem", &error)),
        }
    }

    /// Writes two carry-overs or none, each under the condition **not overtaken**.
    ///
    /// For a log that goes on in another file: its state must never be in both, nor in neither.
    /// [`Written::Overtaken`] says that the second was there already.
    ///
    /// # Errors
    /// A request failed, or another process had the first one.
    pub async fn put_carry_overs(
        &self,
        both: [(&str, &CarryOver); 2],
        now: i64,
    ) -> Result<Written, StoreError> {
        let mut request = self.client.transact_write_items();
        for (log_stream, carry_over) in both {
            let (condition, values) = carry_over.condition();
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(carry_over.item(log_stream, now)))
                .condition_expression(condition)
                .set_expression_attribute_values(values)
                .build()
                .map_err(|error| StoreError::request("TransactWriteItems", &error))?;
            request = request.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match request.send().await {
            Ok(_) => Ok(Written::Done(0.0)),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                    if is_refused(cancelled, 1) =>
                {
                    Ok(Written::Overtaken)
                }
                _ => Err(StoreError::request("TransactWriteItems", &error)),
            },
        }
    }

    /// Says in which zone the days of this table are counted, the first time; later checks it.
    ///
    /// # Errors
    /// [`StoreError::Zone`] if the table has another; or a request failed.
    pub async fn claim_zone(&self, zone: &str) -> Result<(), StoreError> {
        let mut item = keys::key("META", "zone");
        item.insert("zone".to_owned(), AttributeValue::S(zone.to_owned()));
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                    let stored = refused.item.as_ref().and_then(|item| keys::text(item, "zone"));
                    match stored {
                        Some(stored) if stored == zone => Ok(()),
                        stored => Err(StoreError::Zone {
                            stored: stored.unwrap_or("?").to_owned(),
                            asked: zone.to_owned(),
                        }),
                    }
                }
                _ => Err(StoreError::request("PutItem", &error)),
            },
        }
    }
}

/// Whether a transaction was cancelled because of the condition on its item number `at`.
fn is_refused(cancelled: &TransactionCanceledException, at: usize) -> bool {
    let reason = cancelled.cancellation_reasons().get(at);
    reason.and_then(|reason| reason.code()) == Some("ConditionalCheckFailed")
}
