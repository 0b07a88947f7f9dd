//! The table as a whole: every item, whatever it is.

use futures_util::StreamExt as _;

use crate::counting::count::Counting;
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::ingestion::files::Files;
use crate::ingestion::memory::Ingestion;
use crate::ingestion::quarantine::Quarantine;
use crate::ingestion::samples::Samples;
use crate::mailing::report_requests::ReportRequests;
use crate::mailing::schedules::Schedules;

/// Reads every item there is: for whoever has all of the table on his own machine.
#[derive(Clone, Debug)]
pub struct Whole(Table);

impl Whole {
    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Tells `each` of every item that is not found under its own key, or whose partition is none of this program's: a
    /// letter of its key has become another.
    ///
    /// # Errors
    /// A request failed: an item cannot be read.
    pub async fn misplaced(&self, mut each: impl FnMut(String)) -> Result<(), StoreError> {
        let mut pages = self.0.everything();
        while let Some(page) = pages.next().await {
            for item in page? {
                let (Some(pk), Some(sk)) = (items::text(&item, "pk"), items::text(&item, "sk"))
                else {
                    each("it has none".to_owned());
                    continue;
                };
                if !is_ours(pk) || !self.is_found(pk, sk, &item).await? {
                    each(format!("{pk} {sk}"));
                }
            }
        }
        Ok(())
    }

    async fn is_found(&self, pk: &str, sk: &str, item: &Item) -> Result<bool, StoreError> {
        let Some(found) = self.0.get(keys::key(pk, sk)).await? else { return Ok(false) };
        Ok(["pk", "sk"].iter().all(|name| found.get(*name) == item.get(*name)))
    }
}

fn is_ours(partition: &str) -> bool {
    let handles = [
        Counting::PARTITIONS,
        Ingestion::PARTITIONS,
        Files::PARTITIONS,
        Quarantine::PARTITIONS,
        Samples::PARTITIONS,
        ReportRequests::PARTITIONS,
        Schedules::PARTITIONS,
    ];
    handles.iter().flat_map(|patterns| patterns.iter()).any(|pattern| {
        match pattern.strip_suffix('*') {
            Some(beginning) => partition.starts_with(beginning),
            None => partition == *pattern,
        }
    })
}
