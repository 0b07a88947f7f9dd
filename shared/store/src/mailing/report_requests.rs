//! Report requests: placed once, worked on by one at a time, and ended once.
//!
//! A request is one item. Writing it is what triggers the work: the table's stream hands new items of the
//! partition [`REPORT_REQUESTS`] to the report function. Beside it, and in the same transaction, its id goes
//! into the set of open requests, where a periodic look finds what the stream's trigger did not bring to its
//! end; the id leaves the set after the end was recorded.
//!
//! Whoever works on a request holds a lease: a token of its own, and a time up to which nobody else begins.
//! The same time holds back a request whose next try is due later.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use futures_util::StreamExt as _;
use report::{Day, ReportRequest, Status};

use crate::dynamo::keys::{self, EXPIRES, Item};
use crate::dynamo::update::Change;
use crate::dynamo::writes::{Transacted, Updated};
use crate::mailing::report_items::{changed, held_until, item, read};
use crate::{Store, StoreError};

/// The partition of the report requests: the stream's filter names it.
pub const REPORT_REQUESTS: &str = "REQUESTS";

/// Seconds that an idempotency key is remembered.
const KEY_LIFE: i64 = 24 * 3600;
/// How often a request is placed anew when others are placed at the same moment.
const TRIES: u32 = 10;

/// A key under which a request is placed only once (`Idempotency-Key`), and a checksum of what was asked.
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
}

/// What guards the placing of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The client's key.
    pub key: Option<IdempotencyKey>,
    /// The most requests of a day; at least one.
    pub limit: Option<(Day, u32)>,
}

/// What became of a request that was to be placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is new, and will be worked on.
    New,
    /// It was placed before: this is how it stands.
    Known(Box<ReportRequest>),
    /// Something else was asked with the same key.
    KeyReused,
    /// The day has had all its requests.
    LimitReached,
}

/// Whether a request can be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Yes, by the one who asked.
    Granted(Box<ReportRequest>),
    /// Not before this moment, in seconds since 1970: another one works on it, or a pause is kept.
    NotBefore(i64),
    /// Nothing is to be done, or there is no such request (any more).
    Closed,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// A final status.
    pub status: Status,
    /// When, in seconds since 1970.
    pub at: i64,
    /// Why, if it failed.
    pub reason: Option<String>,
    /// The name under which the mail was accepted.
    pub message_id: Option<String>,
    /// Messages in the report.
    pub messages: Option<u64>,
}

impl Store {
    /// Places a new request, once.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn place_request(
        &self,
        request: &ReportRequest,
        guard: &Guard,
        now: i64,
    ) -> Result<Placed, StoreError> {
        for attempt in 0..TRIES {
            if let Some(key) = &guard.key
                && let Some(placed) = self.placed_with(key, now).await?
            {
                return Ok(placed);
            }
            match self.transact_items(self.placing(request, guard, now)?).await? {
                Transacted::Done(_) => return Ok(Placed::New),
                Transacted::Refused(_) => {
                    if let Some(known) = self.request(&request.id, now).await? {
                        return Ok(Placed::Known(Box::new(known)));
                    }
                    if self.limit_reached(guard).await? {
                        return Ok(Placed::LimitReached);
                    }
                    // Somebody else has just used the key: the next round finds it.
                }
                Transacted::Contended => {
                    // Others place requests: they are through in a moment.
                    let pause = std::time::Duration::from_millis(20 << attempt.min(5));
                    tokio::time::sleep(pause).await;
                }
            }
        }
        Err(StoreError::Request {
            operation: "TransactWriteItems",
            detail: "too many requests are placed at once".to_owned(),
        })
    }

    fn placing(
        &self,
        request: &ReportRequest,
        guard: &Guard,
        now: i64,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut changes = vec![open_set("ADD", &request.id)];
        if let Some((day, limit)) = guard.limit {
            changes.push(one_more(day, limit));
        }
        let mut writes = Vec::new();
        for change in changes {
            writes.push(self.transacted(change)?);
        }
        // Condition **new**: closes the race of two ticks that make the same scheduled request.
        writes.push(self.put_if("attribute_not_exists(pk)", item(request), None)?);
        if let Some(key) = &guard.key {
            // Condition **key unused**: closes the race of a client with its own retry.
            let values = Item::from([(":now".to_owned(), keys::of_number(now))]);
            let condition = format!("attribute_not_exists(pk) OR {EXPIRES} <= :now");
            writes.push(self.put_if(&condition, key_item(key, &request.id, now), Some(values))?);
        }
        Ok(writes)
    }

    fn put_if(
        &self,
        condition: &str,
        item: Item,
        values: Option<Item>,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| StoreError::request("TransactWriteItems", &error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// What was placed with a key that is still remembered.
    async fn placed_with(
        &self,
        key: &IdempotencyKey,
        now: i64,
    ) -> Result<Option<Placed>, StoreError> {
        let found = self.get(keys::key(&keys::idempotency(&key.key), "-")).await?;
        let Some(found) = found.filter(|item| keys::is_kept(item, now)) else {
            return Ok(None);
        };
        if keys::text(&found, "body") != Some(key.body.as_str()) {
            return Ok(Some(Placed::KeyReused));
        }
        let id = keys::text(&found, "request").unwrap_or_default();
        Ok(self.request(id, now).await?.map(|known| Placed::Known(Box::new(known))))
    }

    async fn limit_reached(&self, guard: &Guard) -> Result<bool, StoreError> {
        let Some((day, limit)) = guard.limit else { return Ok(false) };
        let counted = self.get(counter(day)).await?;
        let counted = counted.and_then(|item| keys::number(&item, "n")).unwrap_or(0);
        Ok(counted >= u64::from(limit))
    }

    /// A request, if there is one that has not expired.
    ///
    /// # Errors
    /// A request to the table failed, or the item is not what this program writes.
    pub async fn request(&self, id: &str, now: i64) -> Result<Option<ReportRequest>, StoreError> {
        let found = self.get(keys::key(REPORT_REQUESTS, id)).await?;
        let found = found.filter(|item| keys::is_kept(item, now));
        found.as_ref().map(read).transpose()
    }

    /// Requests with ids before `before` (all, if none is given), the newest first, `limit` at most; and
    /// whether more follow.
    ///
    /// # Errors
    /// A request to the table failed, or an item is not what this program writes.
    pub async fn requests(
        &self,
        before: Option<&str>,
        limit: usize,
        now: i64,
    ) -> Result<(Vec<ReportRequest>, bool), StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :before")
            .expression_attribute_values(":pk", AttributeValue::S(REPORT_REQUESTS.to_owned()))
            .expression_attribute_values(
                ":before",
                AttributeValue::S(before.unwrap_or("~").to_owned()),
            )
            .scan_index_forward(false)
            .limit(i32::try_from(limit.saturating_add(1)).unwrap_or(i32::MAX));
        let mut found = Vec::new();
        let mut pages = self.query_pages(query);
        while let Some(page) = pages.next().await {
            for item in page? {
                // What comes after an expired one is older still.
                if !keys::is_kept(&item, now) {
                    return Ok((found, false));
                }
                if found.len() == limit {
                    return Ok((found, true));
                }
                found.push(read(&item)?);
            }
        }
        Ok((found, false))
    }

    /// The ids of requests that may not have ended yet, oldest first.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn open_requests(&self) -> Result<Vec<String>, StoreError> {
        let found = self.get(keys::key("META", OPEN)).await?;
        let ids = found.and_then(|item| item.get("ids")?.as_ss().ok().cloned());
        let mut ids = ids.unwrap_or_default();
        ids.sort();
        Ok(ids)
    }

    /// Claims a request for the one with this token, for `lease` seconds.
    ///
    /// # Errors
    /// A request to the table failed, or the item is not what this program writes.
    pub async fn claim(
        &self,
        id: &str,
        token: &str,
        now: i64,
        lease: i64,
    ) -> Result<Claim, StoreError> {
        let found = self.get(keys::key(REPORT_REQUESTS, id)).await?;
        let request = found.as_ref().map(read).transpose()?;
        let (Some(found), Some(mut request)) = (found, request) else {
            self.no_longer_open(id).await?;
            return Ok(Claim::Closed);
        };
        if request.status.is_final() {
            self.no_longer_open(id).await?;
            return Ok(Claim::Closed);
        }
        let (until, stood) = (held_until(&found), request.status);
        if until > now {
            return Ok(Claim::NotBefore(until));
        }
        // Condition **as it was**: closes the race of two workers, since whoever begins raises the number, and
        // that with a late one that has just recorded its end.
        let change = changed(id)
            .set("status", Status::Running.name())
            .set("lease", token)
            .put("until", keys::of_number(now + lease))
            .put("attempts", keys::of_number(request.attempts + 1))
            .given(":was", keys::of_number(request.attempts))
            .given(":before", keys::of_number(until))
            .given(":stood", AttributeValue::S(stood.name().to_owned()))
            .only_if(
                "#status = :stood AND #attempts = :was \
                 AND (attribute_not_exists(#until) OR #until = :before)",
            );
        match self.update(change.build()).await? {
            Updated::Done(_) => {
                request.attempts += 1;
                request.status = Status::Running;
                Ok(Claim::Granted(Box::new(request)))
            }
            Updated::Refused(item, _) => {
                Ok(Claim::NotBefore(item.as_ref().map_or(now, held_until).max(now + 1)))
            }
        }
    }

    /// Holds a claim on until a later moment; false if it is lost.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn renew(&self, id: &str, token: &str, until: i64) -> Result<bool, StoreError> {
        let change = changed(id).put("until", keys::of_number(until)).only_by(token);
        Ok(matches!(self.update(change.build()).await?, Updated::Done(_)))
    }

    /// Gives a claim up: the request is to be tried again from `until` on, because of `reason`.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn put_off(
        &self,
        id: &str,
        token: &str,
        until: i64,
        reason: &str,
    ) -> Result<bool, StoreError> {
        let change = changed(id)
            .set("status", Status::Pending.name())
            .set("reason", reason)
            .put("until", keys::of_number(until))
            .remove("lease")
            .only_by(token);
        Ok(matches!(self.update(change.build()).await?, Updated::Done(_)))
    }

    /// Records how a request ended. False if that is recorded already, or, for a failure, the claim is lost.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn end(&self, id: &str, token: &str, ended: &Ended) -> Result<bool, StoreError> {
        let mut change = changed(id)
            .set("status", ended.status.name())
            .put("ended", keys::of_number(ended.at))
            .remove("lease")
            .remove("until");
        change = match &ended.reason {
            Some(reason) => change.set("reason", reason),
            None => change.remove("reason"),
        };
        if let Some(message_id) = &ended.message_id {
            change = change.set("message_id", message_id);
        }
        if let Some(messages) = ended.messages {
            change = change.put("messages", keys::of_number(messages));
        }
        change = match ended.status {
            // Condition **mine**: closes the race with the one who took over.
            Status::Failed | Status::Pending | Status::Running => change.only_by(token),
            // Condition **not sent**: an accepted mail is recorded whatever others think of the request.
            Status::Sent | Status::SentEmpty => change
                .given(":sent", AttributeValue::S(Status::Sent.name().to_owned()))
                .given(":empty", AttributeValue::S(Status::SentEmpty.name().to_owned()))
                .only_if("attribute_exists(pk) AND NOT #status IN (:sent, :empty)"),
        };
        let recorded = matches!(self.update(change.build()).await?, Updated::Done(_));
        if recorded {
            self.no_longer_open(id).await?;
        }
        Ok(recorded)
    }

    /// Takes a request out of the set of open ones.
    async fn no_longer_open(&self, id: &str) -> Result<(), StoreError> {
        self.update(open_set("DELETE", id)).await.map(|_| ())
    }
}

const OPEN: &str = "open requests";

fn open_set(action: &str, id: &str) -> Change {
    Change {
        key: keys::key("META", OPEN),
        update: format!("{action} ids :ids"),
        condition: None,
        names: HashMap::new(),
        values: Item::from([(":ids".to_owned(), AttributeValue::Ss(vec![id.to_owned()]))]),
    }
}

fn counter(day: Day) -> Item {
    keys::key("META", &format!("requests {day}"))
}

/// Condition **some left**: closes the race of many clients for the last request of a day.
fn one_more(day: Day, limit: u32) -> Change {
    let mut change = Change::add(counter(day), [("n", keys::of_number(1))], keys::expiry(day));
    change.condition = Some("attribute_not_exists(n) OR n < :limit".to_owned());
    change.values.insert(":limit".to_owned(), keys::of_number(limit));
    change
}

fn key_item(key: &IdempotencyKey, request: &str, now: i64) -> Item {
    let mut item = keys::key(&keys::idempotency(&key.key), "-");
    item.insert("body".to_owned(), AttributeValue::S(key.body.clone()));
    item.insert("request".to_owned(), AttributeValue::S(request.to_owned()));
    item.insert(EXPIRES.to_owned(), keys::of_number(now + KEY_LIFE));
    item
}
