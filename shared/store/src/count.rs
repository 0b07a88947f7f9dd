//! Writing a tally so that every record counts once.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use report::{Day, Marks, RollupEntry, Tally, TlsVersion};

use crate::expression::{Change, none_if_empty};
use crate::keys::{self, COUNT, Item};
use crate::{Positions, Source, Store, StoreError, Writing};

/// The most items that one transaction takes.
const TRANSACTION: usize = 100;
/// Transactions under way at once.
const TRANSACTIONS: usize = 2;
/// Single changes without a condition under way at once.
pub(crate) const CONCURRENCY: usize = 16;

/// What writing a tally came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Items written.
    pub items: u64,
    /// Messages and failed authentications that the store had already.
    pub duplicates: u64,
    /// Write capacity units consumed.
    pub write_units: f64,
}

impl Outcome {
    /// Adds another outcome to this.
    pub fn add(&mut self, other: &Self) {
        self.items += other.items;
        self.duplicates += other.duplicates;
        self.write_units += other.write_units;
    }
}

/// One counter item and what a tally adds to it.
#[derive(Clone, Copy, Debug)]
enum Counter<'a> {
    Usage(Day, &'a str, &'a Marks),
    Failures(Day, &'a str, &'a Marks),
    Rollup(RollupEntry<'a>),
}

/// What a counter still lacks.
#[derive(Clone, Copy, Debug)]
struct Pending<'a> {
    counter: Counter<'a>,
    /// What was counted at this mark or later.
    from: u64,
}

/// A tally on its way into the table.
struct Write<'a> {
    tally: &'a Tally,
    source: &'a Source,
    positions: &'a Positions,
}

impl Write<'_> {
    /// The update for what is pending; none if nothing is left of it.
    fn change(&self, pending: &Pending<'_>) -> Option<Change> {
        let from = pending.from;
        let (change, first, last) = match pending.counter {
            Counter::Usage(day, key, marks) => {
                let key = keys::key(&keys::usage(day), key);
                (Self::marks(key, day, marks, from)?, marks.first(), marks.last())
            }
            Counter::Failures(day, key, marks) => {
                let key = keys::key(&keys::failures(day), key);
                (Self::marks(key, day, marks, from)?, marks.first(), marks.last())
            }
            Counter::Rollup(whole) => {
                let part =
                    if from > whole.first { self.tally.rollup_since(&whole, from) } else { whole };
                let amounts = TlsVersion::ALL
                    .into_iter()
                    .map(|version| (attribute(version), part.counts.get(version)))
                    .filter(|(_, messages)| *messages > 0)
                    .map(|(name, messages)| (name, keys::of_number(messages)));
                if part.counts.total() == 0 {
                    return None;
                }
                let key = keys::key(&keys::rollup(whole.domain), &whole.day.to_string());
                (Change::add(key, amounts, keys::expiry(whole.day)), part.first, part.last)
            }
        };
        let position = |mark| self.positions.of_mark(mark);
        Some(change.once(self.source.attribute(), position(first.max(from)), position(last)))
    }

    fn marks(key: Item, day: Day, marks: &Marks, from: u64) -> Option<Change> {
        let count = marks.since(from);
        let amount = [(COUNT, keys::of_number(count))];
        (count > 0).then(|| Change::add(key, amount, keys::expiry(day)))
    }

    /// What is left when the item turns out to be `old`: what lies behind its position.
    fn rest<'p>(&self, pending: Pending<'p>, old: Option<&Item>) -> Pending<'p> {
        let position = old.and_then(|old| keys::read_bytes(old, self.source.attribute()));
        let after = position.map_or(0, |position| self.positions.mark_after(position));
        Pending { from: pending.from.max(after), ..pending }
    }

    /// Messages or failures of a counter that the table had already.
    ///
    /// Rollups hold the same messages again: they do not count here.
    fn duplicates(pending: &Pending<'_>) -> u64 {
        match pending.counter {
            Counter::Usage(_, _, marks) | Counter::Failures(_, _, marks) => {
                marks.since(0) - marks.since(pending.from)
            }
            Counter::Rollup(_) => 0,
        }
    }
}

/// The attribute that holds a TLS version's messages in a rollup.
pub(crate) const fn attribute(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "t10",
        TlsVersion::Tls11 => "t11",
        TlsVersion::Tls12 => "t12",
        TlsVersion::Tls13 => "t13",
        TlsVersion::None => "t0",
        TlsVersion::Unknown => "tx",
    }
}

impl Store {
    /// Adds a tally to the table: usage, rollups, failures, who was seen, and last of all the
    /// revisions of its days.
    ///
    /// `positions` are those of the marks in the tally. May be called again with the same records, in
    /// other batches, after a failure or at the same time: every record counts once.
    ///
    /// # Errors
    /// A request failed. What was not written is written by calling again.
    pub async fn count(
        &self,
        tally: &Tally,
        source: &Source,
        positions: &Positions,
    ) -> Result<Outcome, StoreError> {
        let write = Write { tally, source, positions };
        let usage = tally.usage().map(|(day, key, marks)| Counter::Usage(day, key, marks));
        let failures = tally.failures().map(|(day, key, marks)| Counter::Failures(day, key, marks));
        let rollups = tally.rollups().map(Counter::Rollup);
        let pending: Vec<_> = usage
            .chain(failures)
            .chain(rollups)
            .map(|counter| Pending { counter, from: 0 })
            .collect();
        let mut outcome = match self.writing {
            Writing::Single { concurrency } => {
                let writes = pending.into_iter().map(|pending| self.count_one(&write, pending));
                gathered(writes.map(FutureExt::boxed).collect(), concurrency).await?
            }
            Writing::Transactions => {
                let writes =
                    pending.chunks(TRANSACTION).map(|chunk| self.count_many(&write, chunk));
                gathered(writes.map(FutureExt::boxed).collect(), TRANSACTIONS).await?
            }
        };
        outcome.add(&self.mark_seen(tally).await?);
        outcome.add(&self.raise_revisions(tally).await?);
        Ok(outcome)
    }

    async fn count_one(
        &self,
        write: &Write<'_>,
        mut pending: Pending<'_>,
    ) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        while let Some(change) = write.change(&pending) {
            match self.update(change).await? {
                Updated::Done(units) => {
                    outcome.items = 1;
                    outcome.write_units += units;
                    break;
                }
                Updated::Refused(old, units) => {
                    outcome.write_units += units;
                    pending = write.rest(pending, old.as_ref());
                }
            }
        }
        outcome.duplicates = Write::duplicates(&pending);
        Ok(outcome)
    }

    /// Counts up to a hundred items in one request; those that refuse are cut down and tried again.
    async fn count_many(
        &self,
        write: &Write<'_>,
        pending: &[Pending<'_>],
    ) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        let mut left = pending.to_vec();
        loop {
            let settled = |pending: &Pending<'_>| write.change(pending).is_none();
            outcome.duplicates +=
                left.iter().filter(|p| settled(p)).map(Write::duplicates).sum::<u64>();
            left.retain(|pending| !settled(pending));
            let changes = left.iter().filter_map(|pending| write.change(pending));
            match self.transact(changes.collect()).await? {
                Transacted::Done(units) => {
                    outcome.items += left.len() as u64;
                    outcome.write_units += units;
                    outcome.duplicates += left.iter().map(Write::duplicates).sum::<u64>();
                    return Ok(outcome);
                }
                Transacted::Refused(old) => {
                    for (pending, old) in left.iter_mut().zip(&old) {
                        *pending = write.rest(*pending, old.as_ref());
                    }
                }
                Transacted::Contended => {
                    for pending in left {
                        outcome.add(&self.count_one(write, pending).await?);
                    }
                    return Ok(outcome);
                }
            }
        }
    }

    /// Makes changes that carry no condition, a hundred a request.
    pub(crate) async fn change_all(&self, changes: Vec<Change>) -> Result<Outcome, StoreError> {
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

    async fn transact(&self, changes: Vec<Change>) -> Result<Transacted, StoreError> {
        if changes.is_empty() {
            return Ok(Transacted::Done(0.0));
        }
        let mut request = self
            .client
            .transact_write_items()
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        for change in changes {
            let update = change.into_update(&self.table).build();
            let update =
                update.map_err(|error| StoreError::request("TransactWriteItems", &error))?;
            request = request.transact_items(TransactWriteItem::builder().update(update).build());
        }
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
enum Transacted {
    Done(f64),
    /// Some conditions failed: for each update, the item as it is if it was that one's.
    Refused(Vec<Option<Item>>),
    /// Another writer was at the same items.
    Contended,
}

/// Makes writes, some at once. Waits for all, so that none is cut off in the middle; then reports the
/// first error.
pub(crate) async fn gathered(
    writes: Vec<BoxFuture<'_, Result<Outcome, StoreError>>>,
    concurrency: usize,
) -> Result<Outcome, StoreError> {
    let writes = stream::iter(writes).buffer_unordered(concurrency.max(1));
    let outcomes: Vec<_> = writes.collect().await;
    let mut sum = Outcome::default();
    for outcome in outcomes {
        sum.add(&outcome?);
    }
    Ok(sum)
}
