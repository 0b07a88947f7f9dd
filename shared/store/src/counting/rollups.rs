//! Messages of a domain by day and TLS version.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use report::{Day, Range, TlsCounts, TlsVersion};

use crate::dynamo::error::StoreError;
use crate::dynamo::items;
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::dynamo::update::Change;

/// Messages by day.
pub type Rollup = BTreeMap<Day, TlsCounts>;

/// The attribute that holds a TLS version's messages.
const fn attribute_of(version: TlsVersion) -> &'static str {
    match version {
        TlsVersion::Tls10 => "t10",
        TlsVersion::Tls11 => "t11",
        TlsVersion::Tls12 => "t12",
        TlsVersion::Tls13 => "t13",
        TlsVersion::None => "t0",
        TlsVersion::Unknown => "tx",
    }
}

/// The change that adds messages to a domain's day.
pub(crate) fn add(domain: &str, day: Day, counts: &TlsCounts) -> Change {
    let change = Change::of(keys::key(&keys::rollup(domain), &day.to_string()));
    let messages = TlsVersion::ALL.into_iter().map(|version| (version, counts.get(version)));
    messages
        .filter(|(_, messages)| *messages > 0)
        .fold(change, |change, (version, messages)| {
            change.add(attribute_of(version), items::of_number(messages))
        })
        .expires(items::expiry(day))
}

/// Messages of a domain in a range, or of all ([`report::ALL_DOMAINS`]).
pub(crate) async fn read(table: &Table, domain: &str, range: Range) -> Result<Rollup, StoreError> {
    let mut rollup = Rollup::new();
    let partition = keys::rollup(domain);
    let mut pages = table.pages_between(&partition, range);
    while let Some(page) = pages.next().await {
        for item in page? {
            let wrong = || StoreError::Item { key: partition.clone(), expected: "a day's rollup" };
            let counts = rollup.entry(items::day(&item).ok_or_else(wrong)?).or_default();
            for version in TlsVersion::ALL {
                counts.add(version, items::number(&item, attribute_of(version)).unwrap_or(0));
            }
        }
    }
    Ok(rollup)
}
