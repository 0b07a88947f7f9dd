//! Updates on their way to DynamoDB: alone, a hundred in a transaction, or some at once.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};

use crate::dynamo::keys::Item;
use crate::dynamo::update::{Change, none_if_empty};
use crate::{Outcome, Store, StoreError, Writing};

/// The most items that one transaction takes.
pub(crate) const TRANSACTION: usize = 100;
/// Single changes without a condition under way at once.
const CONCURRENCY: usize = 16;

impl Store {
    /// Makes changes that carry no condition, in the way that this store writes.
    pub(crate) async fn change_all(&self, changes: Vec<Change>) -> Result<Outcome, StoreError> {
        if let Writing::Single { .. } = self.writing {
            let writes = changes.into_iter().map(|change| self.change_one(change).boxed());
            return Ok(gathered(writes.collect(), CONCURRENCY).await?.iter().sum());
        }
        let mut outcome = Outcome::default();
        for chunk in changes.chunks(TRANSACTION) {
            match self.transact(chunk.to_vec()).await? {
                Transacted::Done(write_units) => {
                    let items = chunk.len() as u64;
                    outcome.add(&Outcome { items, duplicates: 0, write_units });
                }
                Transacted::Refused(_) | Transacted::Contended => {
                    for change in chunk {
                        outcome.add(&self.change_one(change.clone()).await?);
                    }
                }
            }
        }
        Ok(outcome)
    }

    /// Makes a change that carries no condition.
    async fn change_one(&self, change: Change) -> Result<Outcome, StoreError> {
        let (Updated::Done(write_units) | Updated::Refused(_, write_units)) =
            self.update(change).await?;
        Ok(Outcome { items: 1, duplicates: 0, write_units })
    }

    pub(crate) async fn update(&self, change: Change) -> Result<Updated, StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .update_expression(change.update)
            .set_condition_expression(change.condition)
            .set_expression_attribute_names(none_if_empty(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match sent {
            Ok(done) => {
                let units = done.consumed_capacity.and_then(|used| used.capacity_units);
                Ok(Updated::Done(units.unwrap_or(0.0)))
            }
            Err(SdkError::ServiceError(error))
                if let UpdateItemError::ConditionalCheckFailedException(_) = error.err() =>
            {
                // A refused write costs at least the unit that it would have written.
                match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(refused) => {
                        Ok(Updated::Refused(refused.item, 1.0))
                    }
                    other => Err(StoreError::request("UpdateItem", &other)),
                }
            }
            Err(error) => Err(StoreError::request("UpdateItem", &error)),
        }
    }

    pub(crate) async fn transact(&self, changes: Vec<Change>) -> Result<Transacted, StoreError> {
        if changes.is_empty() {
            return Ok(Transacted::Done(0.0));
        }
        let mut writes = Vec::with_capacity(changes.len());
        for change in changes {
            writes.push(self.transacted(change)?);
        }
        self.transact_items(writes).await
    }

    /// A change as a part of a transaction.
    pub(crate) fn transacted(&self, change: Change) -> Result<TransactWriteItem, StoreError> {
        let update = change.into_update(&self.table).build();
        let update = update.map_err(|error| StoreError::request("TransactWriteItems", &error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub(crate) async fn transact_items(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Transacted, StoreError> {
        let request = self
            .client
            .transact_write_items()
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_transact_items(Some(writes));
        let error = match request.send().await {
            Ok(done) => {
                let used = done.consumed_capacity.unwrap_or_default();
                return Ok(Transacted::Done(
                    used.iter().filter_map(|used| used.capacity_units).sum(),
                ));
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
            if is("ConditionalCheckFailed") {
                let old = reasons.iter().map(|reason| reason.item.clone()).collect();
                return Ok(Transacted::Refused(old));
            }
        }
        Err(StoreError::request("TransactWriteItems", &error))
    }
}

/// What became of one update.
pub(crate) enum Updated {
    /// Written, for so many write units.
    Done(f64),
    /// The condition failed: the item as it is, and the write units that finding out cost.
    Refused(Option<Item>, f64),
}

/// What became of a transaction.
pub(crate) enum Transacted {
    Done(f64),
    /// Some conditions failed: for each update, the item as it is if it was that one's.
    Refused(Vec<Option<Item>>),
    /// Another writer was at the same items.
    Contended,
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
