//! Working on an item under a lease, and ending it once.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::update::{Change, Condition};
use crate::dynamo::writes::Answer;
use crate::work::items::{WorkItems, read, set_of};
use crate::work::kind::{ATTEMPTS, LEASE, PENDING, REASON, RUNNING, STATUS, UNTIL, Work};

/// Whether an item can be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim<W> {
    /// Yes, by the one who asked.
    Granted(Box<W>),
    /// Not before this moment, in seconds since 1970: another one works on it, or a pause is kept.
    NotBefore(i64),
    /// Nothing is to be done, or there is no such item (any more).
    Closed,
}

/// How the work on an item ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End<'e> {
    pub(crate) status: &'static str,
    pub(crate) reason: Option<&'e str>,
    /// More attributes of the payload.
    pub(crate) results: Vec<(&'static str, AttributeValue)>,
}

impl<W: Work> WorkItems<W> {
    /// Claims an item for the one with this token, for `lease` seconds.
    ///
    /// # Errors
    /// A request to the table failed, or the item is not what this program writes.
    pub async fn claim(
        &self,
        id: &str,
        token: &str,
        now: i64,
        lease: i64,
    ) -> Result<Claim<W>, StoreError> {
        let found = self.table.get(keys::key(W::PARTITION, id)).await?;
        let work: Option<W> = found.as_ref().map(read).transpose()?;
        let (Some(mut item), false) = (found, work.is_none_or(|work| work.is_final())) else {
            self.no_longer_open(id).await?;
            return Ok(Claim::Closed);
        };
        let until = held_until(&item);
        if until > now {
            return Ok(Claim::NotBefore(until));
        }
        let begun = [
            (STATUS, items::of_text(RUNNING)),
            (ATTEMPTS, items::of_number(items::number(&item, ATTEMPTS).unwrap_or(0) + 1)),
            (LEASE, items::of_text(token)),
            (UNTIL, items::of_number(now + lease)),
        ];
        let change = Change::of(keys::key(W::PARTITION, id)).only_if(as_it_was(&item));
        let change =
            begun.iter().fold(change, |change, (name, value)| change.set(*name, value.clone()));
        match self.table.update(change).await? {
            Answer::Done(_) => {
                item.extend(begun.map(|(name, value)| (name.to_owned(), value)));
                Ok(Claim::Granted(Box::new(read(&item)?)))
            }
            Answer::Refused(item, _) => {
                Ok(Claim::NotBefore(item.as_ref().map_or(now, held_until).max(now + 1)))
            }
        }
    }

    /// Holds a claim on until a later moment; false if it is lost.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn renew(&self, id: &str, token: &str, until: i64) -> Result<bool, StoreError> {
        let change = Change::of(keys::key(W::PARTITION, id)).set(UNTIL, items::of_number(until));
        self.made(change.only_if(mine(token))).await
    }

    /// Gives a claim up: the item is to be tried again from `until` on, because of `reason`.
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
        let change = Change::of(keys::key(W::PARTITION, id))
            .set(STATUS, items::of_text(PENDING))
            .set(REASON, items::of_text(reason))
            .set(UNTIL, items::of_number(until))
            .remove(LEASE);
        self.made(change.only_if(mine(token))).await
    }

    /// Records how the work on an item ended. False if that is recorded already, or, if it was given up, the
    /// claim is lost.
    pub(crate) async fn finish(
        &self,
        id: &str,
        token: &str,
        end: End<'_>,
    ) -> Result<bool, StoreError> {
        let change = Change::of(keys::key(W::PARTITION, id))
            .set(STATUS, items::of_text(end.status))
            .remove(LEASE)
            .remove(UNTIL);
        let change = match end.reason {
            Some(reason) => change.set(REASON, items::of_text(reason)),
            None => change.remove(REASON),
        };
        let results = end.results.into_iter();
        let change = results.fold(change, |change, (name, value)| change.set(name, value));
        let done = W::DONE.contains(&end.status);
        let condition = if done { not_done::<W>() } else { mine(token) };
        let recorded = self.made(change.only_if(condition)).await?;
        if recorded {
            self.no_longer_open(id).await?;
        }
        Ok(recorded)
    }

    async fn made(&self, change: Change) -> Result<bool, StoreError> {
        Ok(matches!(self.table.update(change).await?, Answer::Done(_)))
    }

    /// Takes an item out of the set of open ones.
    async fn no_longer_open(&self, id: &str) -> Result<(), StoreError> {
        let change = Change::of(keys::open_work(W::KIND)).delete("ids", set_of(id));
        self.table.update(change).await.map(|_| ())
    }
}

/// Condition **as it was**: closes the race of two workers, since whoever begins raises the number, and
/// that with a late one that has just recorded its end.
fn as_it_was(item: &Item) -> Condition {
    let was = |name| item.get(name).cloned().unwrap_or(AttributeValue::Null(true));
    Condition::new(
        "#status = :stood AND #attempts = :was \
         AND (attribute_not_exists(#until) OR #until = :before)",
    )
    .name("#status", STATUS)
    .name("#attempts", ATTEMPTS)
    .name("#until", UNTIL)
    .value(":stood", was(STATUS))
    .value(":was", was(ATTEMPTS))
    .value(":before", items::of_number(held_until(item)))
}

/// Condition **mine**: closes the race with the one who took over after the lease had run out.
fn mine(token: &str) -> Condition {
    Condition::new("#lease = :token").name("#lease", LEASE).value(":token", items::of_text(token))
}

/// Condition **not done**: what was done is recorded whatever others think of the item, but once.
fn not_done<W: Work>() -> Condition {
    let places: Vec<_> = (0..W::DONE.len()).map(|number| format!(":done{number}")).collect();
    let text = format!("attribute_exists(pk) AND NOT #status IN ({})", places.join(", "));
    let condition = Condition::new(text).name("#status", STATUS);
    places.iter().zip(W::DONE).fold(condition, |condition, (place, status)| {
        condition.value(place, items::of_text(*status))
    })
}

fn held_until(item: &Item) -> i64 {
    items::instant(item, UNTIL).unwrap_or(0)
}
