//! Who was seen on which day: what the distinct numbers of the insight are counted from.
//!
//! One item per name and month holds the set of its days. Adding to a set is idempotent by itself:
//! no position is needed, and any range of days can be answered exactly.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::PoisonError;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Datelike as _;
use futures_util::{FutureExt as _, StreamExt as _};
use report::{Day, Identity, IdentityKind, Range, Tally};

use crate::count::{CONCURRENCY, Outcome, gathered};
use crate::expression::Change;
use crate::keys;
use crate::{Store, StoreError};

/// Names and days remembered as written: about 8 MB.
const REMEMBERED: usize = 500_000;
/// The attribute that holds the days of the month.
const DAYS: &str = "d";

impl Store {
    pub(crate) async fn mark_seen(&self, tally: &Tally) -> Result<Outcome, StoreError> {
        let mut days: HashMap<(String, &str), BTreeSet<Day>> = HashMap::new();
        let mut fresh = Vec::new();
        {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            for (day, identity) in tally.identities() {
                let checksum = checksum(day, identity);
                if !seen.contains(&checksum) {
                    fresh.push(checksum);
                    let partition = keys::seen(identity.kind, day);
                    days.entry((partition, identity.name)).or_default().insert(day);
                }
            }
        }
        let writes = days.into_iter().filter_map(|((partition, name), days)| {
            let numbers = days.iter().map(|day| day.day().to_string()).collect();
            let days_seen = [(DAYS, AttributeValue::Ns(numbers))];
            let key = keys::key(&partition, name);
            // The month's end: an older day that comes later must not make the item expire earlier.
            let month_ends = days.last()?.with_day(28)? + chrono::Days::new(4);
            Some(Change::add(key, days_seen, keys::expiry(month_ends)))
        });
        let outcome = match self.writing {
            crate::Writing::Single { .. } => {
                let writes = writes.map(|change| self.change_one(change).boxed());
                gathered(writes.collect(), CONCURRENCY).await?.iter().sum()
            }
            crate::Writing::Transactions => self.change_all(writes.collect()).await?,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() + fresh.len() > REMEMBERED {
            seen.clear();
        }
        seen.extend(fresh);
        Ok(outcome)
    }

    /// The distinct names of a kind on the days of a range: how many, without domains none.
    ///
    /// # Errors
    /// A request failed.
    pub async fn seen(
        &self,
        kind: IdentityKind,
        range: Range,
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut months: Vec<_> = range.days().map(|day| keys::seen(kind, day)).collect();
        months.dedup();
        let mut names = BTreeSet::new();
        for month in months {
            let mut pages = self.pages(month.clone(), None);
            while let Some(page) = pages.next().await {
                for item in page? {
                    let sought = days_of(&item, &month).any(|day| range.contains(day));
                    if sought && let Some(name) = keys::text(&item, "sk") {
                        names.insert(name.to_owned());
                    }
                }
            }
        }
        Ok(names)
    }
}

fn days_of(item: &keys::Item, partition: &str) -> impl Iterator<Item = Day> {
    let month = partition.rsplit('#').next().unwrap_or_default().to_owned();
    let numbers = item.get(DAYS).and_then(|days| days.as_ns().ok()).cloned().unwrap_or_default();
    numbers.into_iter().filter_map(move |number| format!("{month}-{number:0>2}").parse().ok())
}

fn checksum(day: Day, identity: Identity<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (day, identity).hash(&mut hasher);
    hasher.finish()
}
