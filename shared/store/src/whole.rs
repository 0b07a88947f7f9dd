//! The table as a whole: every item, whatever it is.

use futures_util::StreamExt as _;
use report::Day;

use crate::alerts::Alerts;
use crate::counting::admission::Admitted;
use crate::counting::count::Counting;
use crate::counting::{days, strays};
use crate::dynamo::error::StoreError;
use crate::dynamo::items::{self, Item};
use crate::dynamo::keys;
use crate::dynamo::table::Table;
use crate::ingestion::files::Files;
use crate::ingestion::memory::Ingestion;
use crate::ingestion::quarantine::Quarantine;
use crate::ingestion::samples::Samples;
use crate::ingestion::zone;
use crate::mailing::report_requests::ReportRequests;
use crate::mailing::schedules::Schedules;
use crate::notes::Notes;

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

    /// Tells `each` of every counter of a day whose name nobody can have counted under: a letter of it has become another.
    /// Most such letters show, not all. A counter that is being written meanwhile may be told of, too.
    ///
    /// # Errors
    /// A request failed, or an item is not what this program writes.
    pub async fn strays(&self, day: Day, each: impl FnMut(String)) -> Result<(), StoreError> {
        // What comes from an archive was not admitted again.
        let rebuilt = days::rebuilt(&self.0, std::iter::once(day)).await?;
        let admitted = if rebuilt.is_empty() && !zone::is_old(&self.0).await? {
            Some(Admitted::read(&self.0, day).await?)
        } else {
            None
        };
        strays::of_day(&self.0, day, admitted.as_ref(), each).await
    }

    async fn is_found(&self, pk: &str, sk: &str, item: &Item) -> Result<bool, StoreError> {
        let Some(found) = self.0.get(keys::key(pk, sk)).await? else { return Ok(false) };
        Ok(["pk", "sk"].iter().all(|name| found.get(*name) == item.get(*name)))
    }
}

pub(crate) fn is_ours(partition: &str) -> bool {
    let handles = [
        Counting::PARTITIONS,
        Ingestion::PARTITIONS,
        Files::PARTITIONS,
        Quarantine::PARTITIONS,
        Samples::PARTITIONS,
        ReportRequests::PARTITIONS,
        Schedules::PARTITIONS,
        Notes::PARTITIONS,
        Alerts::PARTITIONS,
    ];
    handles.iter().flat_map(|patterns| patterns.iter()).any(|pattern| {
        match pattern.strip_suffix('*') {
            Some(beginning) => partition.starts_with(beginning),
            None => partition == *pattern,
        }
    })
}
