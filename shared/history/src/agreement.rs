//! Whether a day's items are what its archive has.

use bytes::Bytes;
use report::{Day, FailureKey, Filter, FinerKey, Range};

use crate::besides::{Besides, Failed, FinerCounts};
use crate::blocking::blocking;
use crate::error::{HistoryError, Unusable};
use crate::grain::Grain;
use crate::history::History;
use crate::read;
use crate::rows::DayRows;

/// Whether both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// There is no archive that should be: none was made yet, or the day was counted into since.
    None,
    /// They are.
    Same,
    /// They are not, though nothing was counted since: the items are damaged, for an archive has a checksum.
    Differs,
}

impl History {
    /// Holds a day's items against its archive. One that is damaged or lost itself is for the archiver to make again.
    ///
    /// # Errors
    /// The table did not answer, or an item is not what this program writes.
    pub async fn agrees(&self, day: Day) -> Result<Agreement, HistoryError> {
        let state = self.state(Range { start: day, end: day }).await?;
        let Some(Ok(manifest)) = state.manifest(day) else { return Ok(Agreement::None) };
        let Ok(usage) = manifest.fetch(&*self.objects, day, Grain::Usage).await else {
            return Ok(Agreement::None);
        };
        let failures = manifest.fetch(&*self.objects, day, Grain::Failures).await.ok();
        let finer = manifest.fetch(&*self.objects, day, Grain::Finer).await.ok();
        let rows = DayRows::read(&self.usage, day, &Filter::default()).await?;
        let besides = self.besides(day).await?;
        Ok(match blocking(move || same(usage, &rows, [failures, finer], &besides)).await {
            Ok(true) => Agreement::Same,
            Ok(false) => Agreement::Differs,
            Err(_) => Agreement::None,
        })
    }

    /// What is counted of a day besides messages.
    pub(crate) async fn besides(&self, day: Day) -> Result<Besides, HistoryError> {
        let mut failed = Failed::new();
        let each = |key: &FailureKey<'_>, failures| {
            let FailureKey { account, client, hour } = *key;
            *failed.entry((account.to_owned(), client.to_owned(), hour)).or_default() += failures;
        };
        self.failures.read(day, each).await?;
        let mut finer = FinerCounts::new();
        let each = |key: &FinerKey<'_>, count| {
            *finer.entry((key.account.to_owned(), key.of)).or_default() += count;
        };
        self.finer.read(day, each).await?;
        Ok(Besides { failed, finer })
    }
}

fn same(
    usage: Bytes,
    rows: &DayRows,
    [failures, finer]: [Option<Bytes>; 2],
    besides: &Besides,
) -> Result<bool, Unusable> {
    let archived = DayRows::of(usage)?;
    if !archived.iter().eq(rows.iter()) {
        return Ok(false);
    }
    // An archive of before may lack either.
    if let Some(failures) = failures
        && read::failed(failures)? != besides.failed
    {
        return Ok(false);
    }
    let Some(finer) = finer else { return Ok(true) };
    Ok(read::finer(finer)? == besides.finer)
}
