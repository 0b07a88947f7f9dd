//! The items of one kind of work, read.

use std::marker::PhantomData;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::StreamExt as _;

use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::work::kind::Work;

/// Items read at once where only some are wanted.
const AT_ONCE: usize = 1000;

/// The items of one kind of work.
#[derive(Debug)]
pub struct WorkItems<W> {
    pub(super) table: Table,
    kind: PhantomData<fn() -> W>,
}

impl<W> Clone for WorkItems<W> {
    fn clone(&self) -> Self {
        Self { table: self.table.clone(), kind: PhantomData }
    }
}

impl<W: Work> WorkItems<W> {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, kind: PhantomData }
    }

    /// An item, if there is one that has not expired.
    ///
    /// # Errors
    /// A request to the table failed, or the item is not what this program writes.
    pub async fn get(&self, id: &str, now: i64) -> Result<Option<W>, StoreError> {
        let found = self.table.get(keys::key(W::PARTITION, id)).await?;
        found.filter(|item| items::is_kept(item, now)).as_ref().map(read).transpose()
    }

    /// Items with ids before `before` (all, if none is given), the newest first, `limit` at most; and
    /// whether more follow. One that cannot be read is logged and left out: it must not hide the others.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn list(
        &self,
        before: Option<&str>,
        limit: usize,
        now: i64,
    ) -> Result<(Vec<W>, bool), StoreError> {
        self.listed(before, (limit, limit.saturating_add(1)), now, |_| true).await
    }

    /// The same of those of which `wanted` is true.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn list_of(
        &self,
        before: Option<&str>,
        limit: usize,
        now: i64,
        wanted: impl Fn(&W) -> bool,
    ) -> Result<(Vec<W>, bool), StoreError> {
        // There may be many others before the first one.
        self.listed(before, (limit, limit.saturating_add(AT_ONCE)), now, wanted).await
    }

    async fn listed(
        &self,
        before: Option<&str>,
        (limit, at_once): (usize, usize),
        now: i64,
        wanted: impl Fn(&W) -> bool,
    ) -> Result<(Vec<W>, bool), StoreError> {
        let before = before.unwrap_or("~");
        let mut pages = self.table.pages_before(W::PARTITION, before, at_once);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page? {
                // What comes after an expired one is older still.
                if !items::is_kept(&item, now) {
                    return Ok((found, false));
                }
                match read(&item) {
                    Ok(work) if !wanted(&work) => {}
                    Ok(_) if found.len() == limit => return Ok((found, true)),
                    Ok(work) => found.push(work),
                    Err(error) => tracing::error!(%error, "left out of {}", W::KIND),
                }
            }
        }
        Ok((found, false))
    }

    /// The ids of items that may not have ended yet, oldest first.
    ///
    /// # Errors
    /// A request to the table failed.
    pub async fn open(&self) -> Result<Vec<String>, StoreError> {
        let found = self.table.get(keys::open_work(W::KIND)).await?;
        let ids = found.and_then(|item| item.get("ids")?.as_ss().ok().cloned());
        let mut ids = ids.unwrap_or_default();
        ids.sort();
        Ok(ids)
    }
}

pub(super) fn read<W: Work>(item: &Item) -> Result<W, StoreError> {
    let read = if items::is_later(item, W::FORM) { None } else { W::read(item) };
    read.ok_or_else(|| StoreError::Item {
        key: format!("{} {}", W::PARTITION, items::text(item, "sk").unwrap_or("?")),
        expected: W::EXPECTED,
    })
}

/// An id, as the set of open items takes it.
pub(super) fn set_of(id: &str) -> AttributeValue {
    AttributeValue::Ss(vec![id.to_owned()])
}
