//! Reading ranges of days, page by page to the end.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use report::{Day, Range, TlsCounts, TlsVersion, UsageKey};

use crate::counting::count::attribute_of;
use crate::counting::counter_names::{self, is_counter};
use crate::dynamo::keys::{self, Item};
use crate::{Store, StoreError};

/// Messages by day.
pub type Rollup = BTreeMap<Day, TlsCounts>;

/// Which usage is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter<'a> {
    /// Only this domain's.
    pub domain: Option<&'a str>,
    /// Only this sender's.
    pub sender: Option<&'a str>,
}

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
}

impl Store {
    /// Every item of a partition whose sort key begins with `prefix`, in pages.
    pub(crate) fn pages(
        &self,
        partition: String,
        prefix: Option<String>,
    ) -> BoxStream<'_, Result<Vec<Item>, StoreError>> {
        let condition = match prefix {
            Some(_) => "pk = :pk AND begins_with(sk, :prefix)",
            None => "pk = :pk",
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", AttributeValue::S(partition));
        if let Some(prefix) = prefix {
            query = query.expression_attribute_values(":prefix", AttributeValue::S(prefix));
        }
        self.query_pages(query)
    }

    /// Every item of a partition whose sort key is a day of a range, in pages.
    pub(crate) fn pages_between(
        &self,
        partition: &str,
        range: Range,
    ) -> BoxStream<'_, Result<Vec<Item>, StoreError>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :start AND :end")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":start", AttributeValue::S(range.start.to_string()))
            .expression_attribute_values(":end", AttributeValue::S(range.end.to_string()));
        self.query_pages(query)
    }

    /// An item, as of all writes so far.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).set_key(Some(key));
        let got = get.consistent_read(true).send().await;
        Ok(got.map_err(|error| StoreError::request("GetItem", &error))?.item)
    }

    /// All reads are strongly consistent: what a batch has written is seen by who begins after it.
    pub(crate) fn query_pages(
        &self,
        query: QueryFluentBuilder,
    ) -> BoxStream<'_, Result<Vec<Item>, StoreError>> {
        let pages = query.consistent_read(true).into_paginator().send();
        stream::unfold(pages, |mut pages| async move {
            let page = pages.next().await?;
            let items = page
                .map(|page| page.items.unwrap_or_default())
                .map_err(|error| StoreError::request("Query", &error));
            Some((items, pages))
        })
        .boxed()
    }

    /// Messages per day and TLS version of a domain, or of all ([`report::ALL_DOMAINS`]).
    ///
    /// Days without messages are not in it.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn rollup(&self, domain: &str, range: Range) -> Result<Rollup, StoreError> {
        let mut rollup = Rollup::new();
        let mut pages = self.pages_between(&keys::rollup(domain), range);
        while let Some(page) = pages.next().await {
            for item in page? {
                let day = keys::text(&item, "sk").and_then(|day| day.parse().ok());
                let day: Day = day.ok_or_else(|| StoreError::Item {
                    key: keys::rollup(domain),
                    expected: "a day's rollup",
                })?;
                let counts = rollup.entry(day).or_default();
                for version in TlsVersion::ALL {
                    let messages = keys::number(&item, attribute_of(version)).unwrap_or(0);
                    counts.add(version, messages);
                }
            }
        }
        Ok(rollup)
    }

    /// Hands every usage counter of a day to `each`, domain by domain, in no order within one. What was
    /// counted of one key may come in parts.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn usage(
        &self,
        day: Day,
        filter: UsageFilter<'_>,
        mut each: impl FnMut(UsageKey<'_>, u64),
    ) -> Result<(), StoreError> {
        let prefix = filter.domain.map(|domain| format!("{domain}\t"));
        let mut buffer = String::new();
        let mut pages = self.pages(keys::usage(day), prefix);
        while let Some(page) = pages.next().await {
            for item in page? {
                let wrong = || StoreError::Item { key: keys::usage(day), expected: "usage" };
                let domain = keys::text(&item, "sk").and_then(|sk| sk.split_once('\t'));
                let (domain, _) = domain.ok_or_else(wrong)?;
                for (name, messages) in counters(&item) {
                    let key = counter_names::read(domain, name, &mut buffer).ok_or_else(wrong)?;
                    let messages = messages.ok_or_else(wrong)?;
                    if filter.sender.is_none_or(|sender| sender == key.sender) {
                        each(key, messages);
                    }
                }
            }
        }
        Ok(())
    }

    /// Failed authentications of a range, by day, account and client.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn failures(&self, range: Range) -> Result<Vec<FailureRow>, StoreError> {
        let mut rows: BTreeMap<(Day, String, String), u64> = BTreeMap::new();
        for day in range.days() {
            let mut pages = self.pages(keys::failures(day), None);
            while let Some(page) = pages.next().await {
                for item in page? {
                    for (name, failures) in counters(&item) {
                        let (Some((account, client)), Some(failures)) =
                            (name.split_once('\t'), failures)
                        else {
                            let key = keys::failures(day);
                            return Err(StoreError::Item { key, expected: "failures" });
                        };
                        let key = (day, account.to_owned(), client.to_owned());
                        *rows.entry(key).or_default() += failures;
                    }
                }
            }
        }
        let row =
            |((day, account, client), failures)| FailureRow { day, account, client, failures };
        Ok(rows.into_iter().map(row).collect())
    }
}

/// The counters of a page, and their counts as far as they are numbers.
fn counters(item: &Item) -> impl Iterator<Item = (&str, Option<u64>)> {
    let counters = item.iter().filter(|(name, _)| is_counter(name));
    counters.map(|(name, count)| {
        (name.as_str(), count.as_n().ok().and_then(|digits| digits.parse().ok()))
    })
}
