//! Reads: one item, or all of a partition, page by page to the end.
//!
//! All are strongly consistent: what a batch has written is seen by who begins after it.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures_util::FutureExt as _;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use report::Range;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{Item, of_text};
use crate::dynamo::table::Table;

/// Items of a partition, as many at once as DynamoDB answers with.
pub(crate) type Pages<'t> = BoxStream<'t, Result<Vec<Item>, StoreError>>;

impl Table {
    /// An item, as of all writes so far.
    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&*self.name).set_key(Some(key));
        let got = get.consistent_read(true).send().boxed().await;
        Ok(got.map_err(|error| StoreError::request("GetItem", &error))?.item)
    }

    /// Every item of a partition.
    pub(crate) fn pages(&self, partition: &str) -> Pages<'_> {
        paged(self.query(partition, "pk = :pk"))
    }

    /// Every item of a partition whose sort key begins with `prefix`.
    pub(crate) fn pages_beginning(&self, partition: &str, prefix: &str) -> Pages<'_> {
        let query = self.query(partition, "pk = :pk AND begins_with(sk, :prefix)");
        paged(query.expression_attribute_values(":prefix", of_text(prefix)))
    }

    /// Every item of a partition whose sort key is a day of a range.
    pub(crate) fn pages_between(&self, partition: &str, range: Range) -> Pages<'_> {
        self.pages_within(partition, &range.start.to_string(), &range.end.to_string())
    }

    /// Every item of a partition whose sort key is one of these, or between them.
    pub(crate) fn pages_within(&self, partition: &str, start: &str, end: &str) -> Pages<'_> {
        let query = self
            .query(partition, "pk = :pk AND sk BETWEEN :start AND :end")
            .expression_attribute_values(":start", of_text(start))
            .expression_attribute_values(":end", of_text(end));
        paged(query)
    }

    /// The items of a partition whose sort key comes before `before`, the last first, so many a page.
    pub(crate) fn pages_before(&self, partition: &str, before: &str, items: usize) -> Pages<'_> {
        let query = self
            .query(partition, "pk = :pk AND sk < :before")
            .expression_attribute_values(":before", of_text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(items).unwrap_or(i32::MAX));
        paged(query)
    }

    /// Every item of the table.
    pub(crate) fn everything(&self) -> Pages<'_> {
        let scan = self.client.scan().table_name(&*self.name).consistent_read(true);
        stream::unfold(scan.into_paginator().send(), |mut pages| async move {
            let page = pages.next().await?;
            let items = page
                .map(|page| page.items.unwrap_or_default())
                .map_err(|error| StoreError::request("Scan", &error));
            Some((items, pages))
        })
        .boxed()
    }

    fn query(&self, partition: &str, condition: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.name)
            .key_condition_expression(condition)
            .expression_attribute_values(":pk", of_text(partition))
            .consistent_read(true)
    }
}

fn paged<'t>(query: QueryFluentBuilder) -> Pages<'t> {
    stream::unfold(query.into_paginator().send(), |mut pages| async move {
        let page = pages.next().await?;
        let items = page
            .map(|page| page.items.unwrap_or_default())
            .map_err(|error| StoreError::request("Query", &error));
        Some((items, pages))
    })
    .boxed()
}
