//! Who was seen on which day: what the distinct numbers of the insight are counted from.
//!
//! One item per name and month holds the sets of its days, as an account and as a sender: most names are
//! both. Adding to a set is idempotent by itself:
//! no position is needed, and any range of days can be answered exactly.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Datelike as _;
use futures_util::StreamExt as _;
use report::{Day, Identity, IdentityKind, Range, Tally};

use crate::counting::outcome::Outcome;
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Change;

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

/// Names that this process has already marked as seen on a day: a write saved, never a wrong count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marked(Arc<Mutex<HashSet<u64>>>);

impl Marked {
    /// Marks whom a tally names as seen.
    pub(crate) async fn mark(&self, table: &Table, tally: &Tally) -> Result<Outcome, StoreError> {
        let mut names: HashMap<(String, &str), DaysSeen> = HashMap::new();
        let mut fresh = Vec::new();
        {
            let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let changes = names.into_iter().filter_map(|((partition, name), seen)| {
            // The month's end: an older day that comes later must not make the item expire earlier.
            let day = seen.values().flatten().next()?;
            let month_ends = day.with_day(28)? + chrono::Days::new(4);
            let change = Change::of(keys::key(&partition, name)).expires(items::expiry(month_ends));
            Some(seen.into_iter().fold(change, |change, (attribute, days)| {
                let numbers = days.iter().map(|day| day.day().to_string()).collect();
                change.add(attribute, AttributeValue::Ns(numbers))
            }))
        });
        let changes: Vec<_> = changes.collect();
        let items = changes.len() as u64;
        let write_units = table.update_all(changes).await?;
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() + fresh.len() > REMEMBERED {
            seen.clear();
        }
        seen.extend(fresh);
        Ok(Outcome { items, write_units, ..Outcome::default() })
    }
}

/// The distinct accounts and senders of a range.
pub(crate) async fn names(table: &Table, range: Range) -> Result<Seen, StoreError> {
    let mut seen = Seen::default();
    each(table, false, range, |kind, name| {
        match kind {
            IdentityKind::Account => seen.accounts.insert(name.to_owned()),
            _ => seen.senders.insert(name.to_owned()),
        };
    })
    .await?;
    Ok(seen)
}

/// The sender domains of a range.
pub(crate) async fn domains(table: &Table, range: Range) -> Result<BTreeSet<String>, StoreError> {
    let mut domains = BTreeSet::new();
    each(table, true, range, |_, name| {
        domains.insert(name.to_owned());
    })
    .await?;
    Ok(domains)
}

/// Every name that was seen in a range, as each kind and on each day.
pub(crate) async fn every_day(
    table: &Table,
    range: Range,
    mut each_day: impl FnMut(IdentityKind, &str, Day),
) -> Result<(), StoreError> {
    for domains in [false, true] {
        each_item(table, domains, range, |item, month, name| {
            for kind in [IdentityKind::Account, IdentityKind::Sender, IdentityKind::Domain] {
                let days = days_of(item, days_as(kind), month);
                days.filter(|day| range.contains(*day)).for_each(|day| each_day(kind, name, day));
            }
        })
        .await?;
    }
    Ok(())
}

async fn each(
    table: &Table,
    domains: bool,
    range: Range,
    mut each: impl FnMut(IdentityKind, &str),
) -> Result<(), StoreError> {
    each_item(table, domains, range, |item, month, name| {
        for kind in [IdentityKind::Account, IdentityKind::Sender, IdentityKind::Domain] {
            if days_of(item, days_as(kind), month).any(|day| range.contains(day)) {
                each(kind, name);
            }
        }
    })
    .await
}

async fn each_item(
    table: &Table,
    domains: bool,
    range: Range,
    mut each: impl FnMut(&Item, &str, &str),
) -> Result<(), StoreError> {
    let mut months: Vec<_> = range.days().map(|day| keys::seen(domains, day)).collect();
    months.dedup();
    for month in months {
        let mut pages = table.pages(&month);
        while let Some(page) = pages.next().await {
            for item in page? {
                let Some(name) = items::text(&item, "sk") else { continue };
                each(&item, &month, name);
            }
        }
    }
    Ok(())
}

fn days_of(item: &Item, attribute: &str, partition: &str) -> impl Iterator<Item = Day> {
    let month = partition.rsplit('#').next().unwrap_or_default();
    let numbers = item.get(attribute).and_then(|days| days.as_ns().ok()).into_iter().flatten();
    numbers.filter_map(move |number| format!("{month}-{number:0>2}").parse().ok())
}

fn checksum(day: Day, identity: Identity<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (day, identity).hash(&mut hasher);
    hasher.finish()
}
