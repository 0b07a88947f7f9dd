//! Writes: alone, a hundred in a transaction, or some at once; and how it shows that a condition failed.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, Delete, Put, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};

use crate::dynamo::error::StoreError;
use crate::dynamo::items::Item;
use crate::dynamo::table::{Table, Writing};
use crate::dynamo::update::{Change, Condition};

/// The most items that one transaction takes.
pub(crate) const TRANSACTION: usize = 100;
/// Single changes without a condition under way at once.
const CONCURRENCY: usize = 16;
/// What a refused write costs at least: the unit that it would have written.
const REFUSED: f64 = 1.0;

/// Times that a single write is tried again while a transaction is at its item.
const TRIES: u32 = 8;
/// DynamoDB's name for a single write that met a transaction. The SDK does not try that again.
const CONFLICT: &str = "TransactionConflictException";

/// What became of one write.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Done, for so many write units.
    Done(f64),
    /// The condition failed: the item as it is, if there is one, and the write units that finding out cost.
    Refused(Option<Item>, f64),
}

/// The item at which a condition failed that holds where there is none.
///
/// # Errors
/// The engine does not tell it. Whoever goes on by what is there would try the same again for ever.
pub(crate) fn known(item: Option<Item>) -> Result<Item, StoreError> {
    item.ok_or_else(|| StoreError::Request {
        operation: "UpdateItem",
        detail: "a condition failed, and the engine does not tell at which item: it must know \
                 ReturnValuesOnConditionCheckFailure"
            .to_owned(),
    })
}

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted {
    /// Everything is written, for so many write units.
    Done(f64),
    /// Nothing is written, because some conditions failed: for each write, whether its own did.
    Refused(Vec<Option<Refusal>>),
    /// Nothing is written: another writer was at the same items.
    Contended,
}

/// A write whose condition failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The item as it is, if there is one.
    pub(crate) item: Option<Item>,
}

/// A part of a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Put(Item, Condition),
    Change(Change),
    /// Removes the item with a key.
    Delete(Item, Condition),
}

impl Table {
    /// Puts an item in the place of whatever is there.
    pub(crate) async fn put(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&*self.name).set_item(Some(item));
        let sent = past_transactions(|| put.clone().send()).await;
        sent.map(|_| ()).map_err(|error| StoreError::request("PutItem", &error))
    }

    /// Puts an item under a condition.
    pub(crate) async fn put_if(
        &self,
        item: Item,
        condition: Condition,
    ) -> Result<Answer, StoreError> {
        let put = self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression(condition.text)
            .set_expression_attribute_names(some(condition.names))
            .set_expression_attribute_values(some(condition.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let error = match past_transactions(|| put.clone().send()).await {
            Ok(done) => return Ok(Answer::Done(units(done.consumed_capacity.as_slice()))),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Answer::Refused(refused.item.clone(), REFUSED))
            }
            _ => Err(StoreError::request("PutItem", &error)),
        }
    }

    /// Makes a change.
    pub(crate) async fn update(&self, change: Change) -> Result<Answer, StoreError> {
        let change = change.into_expressions();
        let update = self
            .client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(change.key))
            .update_expression(change.update)
            .set_condition_expression(change.condition)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(change.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let error = match past_transactions(|| update.clone().send()).await {
            Ok(done) => return Ok(Answer::Done(units(done.consumed_capacity.as_slice()))),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                Ok(Answer::Refused(refused.item.clone(), REFUSED))
            }
            _ => Err(StoreError::request("UpdateItem", &error)),
        }
    }

    /// Makes changes that carry no condition, in the way that counters are written. Gives the write units.
    pub(crate) async fn update_all(&self, changes: Vec<Change>) -> Result<f64, StoreError> {
        if let Writing::Single { .. } = self.writing {
            return self.update_each(changes).await;
        }
        let mut write_units = 0.0;
        for chunk in changes.chunks(TRANSACTION) {
            let writes = chunk.iter().cloned().map(Write::Change).collect();
            write_units += match self.transact(writes).await? {
                Transacted::Done(units) => units,
                Transacted::Refused(_) | Transacted::Contended => {
                    self.update_each(chunk.to_vec()).await?
                }
            };
        }
        Ok(write_units)
    }

    async fn update_each(&self, changes: Vec<Change>) -> Result<f64, StoreError> {
        let writes = changes.into_iter().map(|change| self.update(change).boxed());
        let written = gathered(writes.collect(), CONCURRENCY).await?;
        let units = written.into_iter().map(|written| match written {
            Answer::Done(units) | Answer::Refused(_, units) => units,
        });
        Ok(units.sum())
    }

    /// Removes an item; false if there was none.
    pub(crate) async fn delete(&self, key: Item) -> Result<bool, StoreError> {
        let delete = self.client.delete_item().table_name(&*self.name).set_key(Some(key));
        let delete = delete.return_values(ReturnValue::AllOld);
        let deleted = past_transactions(|| delete.clone().send()).await;
        let deleted = deleted.map_err(|error| StoreError::request("DeleteItem", &error))?;
        Ok(deleted.attributes.is_some_and(|old| !old.is_empty()))
    }

    /// Writes all of these, or none.
    pub(crate) async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, StoreError> {
        if writes.is_empty() {
            return Ok(Transacted::Done(0.0));
        }
        let parts: Result<Vec<_>, _> = writes.into_iter().map(|write| self.part(write)).collect();
        let request = self
            .client
            .transact_write_items()
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_transact_items(Some(parts?));
        let error = match request.send().boxed().await {
            Ok(done) => {
                return Ok(Transacted::Done(units(&done.consumed_capacity.unwrap_or_default())));
            }
            Err(error) => error,
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            let reasons = cancelled.cancellation_reasons();
            let is = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
            if is("TransactionConflict") || is("ThrottlingError") {
                return Ok(Transacted::Contended);
            }
            if is(FAILED) {
                let refusals = reasons.iter().map(|reason| {
                    let failed = reason.code() == Some(FAILED);
                    failed.then(|| Refusal { item: reason.item.clone() })
                });
                return Ok(Transacted::Refused(refusals.collect()));
            }
        }
        Err(StoreError::request("TransactWriteItems", &error))
    }

    fn part(&self, write: Write) -> Result<TransactWriteItem, StoreError> {
        let part = TransactWriteItem::builder();
        let part = match write {
            Write::Put(item, condition) => Put::builder()
                .table_name(&*self.name)
                .set_item(Some(item))
                .condition_expression(condition.text)
                .set_expression_attribute_names(some(condition.names))
                .set_expression_attribute_values(some(condition.values))
                .return_values_on_condition_check_failure(ALL_OLD)
                .build()
                .map(|put| part.put(put)),
            Write::Delete(key, condition) => Delete::builder()
                .table_name(&*self.name)
                .set_key(Some(key))
                .condition_expression(condition.text)
                .set_expression_attribute_names(some(condition.names))
                .set_expression_attribute_values(some(condition.values))
                .return_values_on_condition_check_failure(ALL_OLD)
                .build()
                .map(|delete| part.delete(delete)),
            Write::Change(change) => {
                let change = change.into_expressions();
                Update::builder()
                    .table_name(&*self.name)
                    .set_key(Some(change.key))
                    .update_expression(change.update)
                    .set_condition_expression(change.condition)
                    .set_expression_attribute_names(Some(change.names))
                    .set_expression_attribute_values(change.values)
                    .return_values_on_condition_check_failure(ALL_OLD)
                    .build()
                    .map(|update| part.update(update))
            }
        };
        let part = part.map_err(|error| StoreError::unbuilt("TransactWriteItems", &error))?;
        Ok(part.build())
    }
}

/// Whoever is refused learns what is there.
const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;
/// Why a transaction was cancelled: a condition failed.
const FAILED: &str = "ConditionalCheckFailed";

/// Sends a single write, and again if a transaction is at its item: that is through in a moment.
async fn past_transactions<T, E, F>(send: impl Fn() -> F) -> Result<T, SdkError<E>>
where
    F: Future<Output = Result<T, SdkError<E>>> + Send,
    E: ProvideErrorMetadata,
{
    for attempt in 0..TRIES {
        match send().boxed().await {
            Err(error) if is_conflict(&error) => {
                tokio::time::sleep(Duration::from_millis(20 << attempt.min(5))).await;
            }
            sent => return sent,
        }
    }
    send().boxed().await
}

fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some(CONFLICT)
}

/// DynamoDB refuses empty maps.
fn some<V>(
    map: std::collections::HashMap<String, V>,
) -> Option<std::collections::HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}

fn units(used: &[ConsumedCapacity]) -> f64 {
    used.iter().filter_map(|used| used.capacity_units).sum()
}

/// Makes requests, some at once. Waits for all, so that none is cut off in the middle; then reports the
/// first error.
pub(crate) async fn gathered<T>(
    requests: Vec<BoxFuture<'_, Result<T, StoreError>>>,
    concurrency: usize,
) -> Result<Vec<T>, StoreError> {
    let done: Vec<_> = stream::iter(requests).buffer_unordered(concurrency.max(1)).collect().await;
    done.into_iter().collect()
}
