//! What charts and the insight are made from.

use std::collections::{BTreeMap, BTreeSet};

use report::{Day, FailureKey, Hours, IdentityKind, Range};

use crate::counting::failures::Failures;
use crate::counting::rollups::{self, Rollup};
use crate::counting::seen::{self, Seen};
use crate::dynamo::error::StoreError;
use crate::dynamo::table::Table;

/// Failed authentications of one account from one client on one day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailureRow {
    /// The day.
    pub day: Day,
    /// The account that was tried; empty if unknown.
    pub account: String,
    /// The client's address; empty if unknown.
    pub client: String,
    /// How often.
    pub failures: u64,
    /// From which hour to which, as far as hours were counted.
    pub hours: Option<Hours>,
}

/// Reads rollups, failed logins and who was seen. Touches nothing else.
#[derive(Clone, Debug)]
pub struct Summaries(Table);

impl Summaries {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &["R#*", "S#*", "F#*"];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Messages per day and TLS version of a domain, or of all ([`report::ALL_DOMAINS`]).
    ///
    /// Days without messages are not in it.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn rollup(&self, domain: &str, range: Range) -> Result<Rollup, StoreError> {
        rollups::read(&self.0, domain, range).await
    }

    /// The distinct accounts and senders of a range.
    ///
    /// # Errors
    /// A request failed.
    pub async fn seen(&self, range: Range) -> Result<Seen, StoreError> {
        seen::names(&self.0, range).await
    }

    /// Hands every name that was seen in a range to `each`, as each kind and on each day.
    ///
    /// # Errors
    /// A request failed.
    pub async fn days_seen(
        &self,
        range: Range,
        each: impl FnMut(IdentityKind, &str, Day),
    ) -> Result<(), StoreError> {
        seen::every_day(&self.0, range, each).await
    }

    /// The sender domains of a range.
    ///
    /// # Errors
    /// A request failed.
    pub async fn domains(&self, range: Range) -> Result<BTreeSet<String>, StoreError> {
        seen::domains(&self.0, range).await
    }

    /// Failed authentications of a range, by day, account and client.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn failures(&self, range: Range) -> Result<Vec<FailureRow>, StoreError> {
        self.failures_of(range, |_, _| true).await
    }

    /// Of these, those of which `wanted` is true, asked by account and client.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn failures_of(
        &self,
        range: Range,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<FailureRow>, StoreError> {
        let mut rows: BTreeMap<(Day, String, String), (u64, Option<Hours>)> = BTreeMap::new();
        let of_day = Failures::new(self.0.clone());
        for day in range.days() {
            let each = |key: &FailureKey<'_>, failures| {
                if wanted(key.account, key.client) {
                    let name = (day, key.account.to_owned(), key.client.to_owned());
                    let (sum, hours) = rows.entry(name).or_default();
                    *sum += failures;
                    *hours = Hours::of_both(*hours, key.hour.map(Hours::from));
                }
            };
            of_day.read(day, each).await?;
        }
        let rows = rows.into_iter().map(|((day, account, client), (failures, hours))| FailureRow {
            day,
            account,
            client,
            failures,
            hours,
        });
        Ok(rows.collect())
    }
}
