//! Placing work, once.

use std::time::Duration;

use report::Day;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, EXPIRES, Item};
use crate::dynamo::keys;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::{Transacted, Write};
use crate::work::items::{WorkItems, set_of};
use crate::work::kind::{ATTEMPTS, PENDING, STATUS, Work};

/// Seconds that an idempotency key is remembered.
const KEY_LIFE: i64 = 24 * 3600;
/// How often an item is placed anew when others are placed at the same moment.
const TRIES: u32 = 10;

/// A key under which an item is placed only once (`Idempotency-Key`), and a checksum of what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key: String,
    body: String,
}

impl IdempotencyKey {
    /// The client's key, and the request's body in a form that is the same whenever the meaning is.
    #[must_use]
    pub fn new(key: &str, body: &str) -> Self {
        Self { key: keys::checksum(key.as_bytes()), body: keys::checksum(body.as_bytes()) }
    }

    fn item<W: Work>(&self, id: &str, now: i64) -> Item {
        let mut item = keys::idempotency(W::KEYS, &self.key);
        item.insert("body".to_owned(), items::of_text(&self.body));
        item.insert("request".to_owned(), items::of_text(id));
        item.insert(EXPIRES.to_owned(), items::of_number(now + KEY_LIFE));
        item
    }
}

/// What guards the placing of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The client's key.
    pub key: Option<IdempotencyKey>,
    /// The most items of a day.
    pub limit: Option<Limit>,
}

/// The most items of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The day.
    pub day: Day,
    /// How many; at least one.
    pub most: u32,
    /// Whose: each has a limit of their own. Empty is the first there was.
    pub of: String,
}

/// What became of an item that was to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed<W> {
    /// It is new, and will be worked on.
    New,
    /// It was placed before: this is how it stands.
    Known(Box<W>),
    /// Something else was asked with the same key.
    KeyReused,
    /// The day has had all its items.
    LimitReached,
}

impl<W: Work> WorkItems<W> {
    /// Places a new item, once.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn place(&self, work: &W, guard: &Guard, now: i64) -> Result<Placed<W>, StoreError> {
        for attempt in 0..TRIES {
            if let Some(key) = &guard.key
                && let Some(placed) = self.placed_with(key, now).await?
            {
                return Ok(placed);
            }
            match self.table.transact(placing(work, guard, now)).await? {
                Transacted::Done(_) => return Ok(Placed::New),
                Transacted::Refused(_) => {
                    if let Some(known) = self.get(work.id(), now).await? {
                        return Ok(Placed::Known(Box::new(known)));
                    }
                    if self.limit_reached(guard).await? {
                        return Ok(Placed::LimitReached);
                    }
                    // Somebody else has just used the key: the next round finds it.
                }
                Transacted::Contended => {
                    // Others place items: they are through in a moment.
                    tokio::time::sleep(Duration::from_millis(20 << attempt.min(5))).await;
                }
            }
        }
        Err(StoreError::Request {
            operation: "TransactWriteItems",
            detail: format!("too many {} are placed at once", W::KIND),
        })
    }

    /// What was placed with a key that is still remembered.
    async fn placed_with(
        &self,
        key: &IdempotencyKey,
        now: i64,
    ) -> Result<Option<Placed<W>>, StoreError> {
        let found = self.table.get(keys::idempotency(W::KEYS, &key.key)).await?;
        let Some(found) = found.filter(|item| items::is_kept(item, now)) else {
            return Ok(None);
        };
        if items::text(&found, "body") != Some(key.body.as_str()) {
            return Ok(Some(Placed::KeyReused));
        }
        let id = items::text(&found, "request").unwrap_or_default();
        Ok(self.get(id, now).await?.map(|known| Placed::Known(Box::new(known))))
    }

    async fn limit_reached(&self, guard: &Guard) -> Result<bool, StoreError> {
        let Some(limit) = &guard.limit else { return Ok(false) };
        let placed = self.table.get(keys::placed_work(W::KIND, limit.day, &limit.of)).await?;
        let placed = placed.and_then(|item| items::number(&item, "n")).unwrap_or(0);
        Ok(placed >= u64::from(limit.most))
    }
}

/// Everything that placing an item writes, in one transaction.
fn placing<W: Work>(work: &W, guard: &Guard, now: i64) -> Vec<Write> {
    let opened = Change::of(keys::open_work(W::KIND)).add("ids", set_of(work.id()));
    let mut item = keys::key(W::PARTITION, work.id());
    item.extend(work.write());
    item.insert(STATUS.to_owned(), items::of_text(PENDING));
    item.insert(ATTEMPTS.to_owned(), items::of_number(0));
    // Condition **new**: closes the race of two ticks that make the same work.
    let mut writes = vec![Write::Change(opened), Write::Put(item, Condition::no_item())];
    if let Some(limit) = &guard.limit {
        writes.push(Write::Change(one_more::<W>(limit)));
    }
    if let Some(key) = &guard.key {
        // Condition **key unused**: closes the race of a client with its own retry.
        let unused = Condition::new(format!("attribute_not_exists(pk) OR {EXPIRES} <= :now"))
            .value(":now", items::of_number(now));
        writes.push(Write::Put(key.item::<W>(work.id(), now), unused));
    }
    writes
}

/// Condition **some left**: closes the race of many clients for the last item of a day.
fn one_more<W: Work>(limit: &Limit) -> Change {
    let Limit { day, most, of } = limit;
    let some_left = Condition::new("attribute_not_exists(n) OR n < :limit")
        .value(":limit", items::of_number(most));
    Change::of(keys::placed_work(W::KIND, *day, of))
        .add("n", items::of_number(1))
        .expires(items::expiry(*day))
        .only_if(some_left)
}
