//! Who was seen on which day: what the distinct numbers of the insight are counted from.
//!
//! One item per name and month holds the sets of its days, as an account and as a sender: most names are
//! both. Adding to a set is idempotent by itself:
//! no position is needed, and any range of days can be answered exactly.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::PoisonError;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Datelike as _;
use futures_util::StreamExt as _;
use report::{Day, Identity, IdentityKind, Range, Tally};

use crate::dynamo::keys;
use crate::dynamo::update::Change;
use crate::{Outcome, Store, StoreError};

/// Names and days remembered as written: about 8 MB.
const REMEMBERED: usize = 500_000;

/// The attribute that holds the days of the month on which a name was seen as one of a kind.
const fn days_as(kind: IdentityKind) -> &'static str {
    match kind {
        IdentityKind::Account => "a",
        IdentityKind::Sender => "s",
        IdentityKind::Domain => "d",
    }
}

/// The distinct names that were seen in a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Users and service accounts.
    pub accounts: BTreeSet<String>,
    /// Sender addresses.
    pub senders: BTreeSet<String>,
}

/// Days on which a name was seen, by the attribute that holds them.
type DaysSeen = BTreeMap<&'static str, BTreeSet<Day>>;

impl Store {
    pub(crate) async fn mark_seen(&self, tally: &Tally) -> Result<Outcome, StoreError> {
        let mut names: HashMap<(String, &str), DaysSeen> = HashMap::new();
        let mut fresh = Vec::new();
        {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            for (day, identity) in tally.identities() {
                let checksum = checksum(day, identity);
                if !seen.contains(&checksum) {
                    fresh.push(checksum);
                    let partition = keys::seen(identity.kind == IdentityKind::Domain, day);
                    let days = names.entry((partition, identity.name)).or_default();
                    days.entry(days_as(identity.kind)).or_default().insert(day);
                }
            }
        }
        let writes = names.into_iter().filter_map(|((partition, name), seen)| {
            // The month's end: an older day that comes later must not make the item expire earlier.
            let day = seen.values().flatten().next()?;
            let month_ends = day.with_day(28)? + chrono::Days::new(4);
            let days_seen = seen.into_iter().map(|(attribute, days)| {
                let numbers = days.iter().map(|day| day.day().to_string()).collect();
                (attribute, AttributeValue::Ns(numbers))
            });
            let key = keys::key(&partition, name);
            Some(Change::add(key, days_seen, keys::expiry(month_ends)))
        });
        let outcome = self.change_all(writes.collect()).await?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() + fresh.len() > REMEMBERED {
            seen.clear();
        }
        seen.extend(fresh);
        Ok(outcome)
    }

    /// The distinct accounts and senders of a range.
    ///
    /// # Errors
    /// A request failed.
    pub async fn seen(&self, range: Range) -> Result<Seen, StoreError> {
        let mut seen = Seen::default();
        self.each_seen(false, range, |kind, name| {
            match kind {
                IdentityKind::Account => seen.accounts.insert(name.to_owned()),
                _ => seen.senders.insert(name.to_owned()),
            };
        })
        .await?;
        Ok(seen)
    }

    /// The sender domains of a range.
    ///
    /// # Errors
    /// A request failed.
    pub async fn domains(&self, range: Range) -> Result<BTreeSet<String>, StoreError> {
        let mut domains = BTreeSet::new();
        self.each_seen(true, range, |_, name| {
            domains.insert(name.to_owned());
        })
        .await?;
        Ok(domains)
    }

    async fn each_seen(
        &self,
        domains: bool,
        range: Range,
        mut each: impl FnMut(IdentityKind, &str),
    ) -> Result<(), StoreError> {
        let mut months: Vec<_> = range.days().map(|day| keys::seen(domains, day)).collect();
        months.dedup();
        for month in months {
            let mut pages = self.pages(month.clone(), None);
            while let Some(page) = pages.next().await {
                for item in page? {
                    let Some(name) = keys::text(&item, "sk") else { continue };
                    for kind in [IdentityKind::Account, IdentityKind::Sender, IdentityKind::Domain]
                    {
                        if days_of(&item, days_as(kind), &month).any(|day| range.contains(day)) {
                            each(kind, name);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn days_of(item: &keys::Item, attribute: &str, partition: &str) -> impl Iterator<Item = Day> {
    let month = partition.rsplit('#').next().unwrap_or_default();
    let numbers = item.get(attribute).and_then(|days| days.as_ns().ok()).into_iter().flatten();
    numbers.filter_map(move |number| format!("{month}-{number:0>2}").parse().ok())
}

fn checksum(day: Day, identity: Identity<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (day, identity).hash(&mut hasher);
    hasher.finish()
}
