//! One pass over a range's usage: everything that a mail tells, and its detailed file.
//!
//! The totals, the table, the chart and the files come from the same rows, so that they agree even while
//! counting goes on.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use history::{Gather, History, HistoryError, Wanted};
use report::views::RowMechanisms;
use report::{Day, Filter, Group, Range, Table, TableBuilder, TlsCounts, UsageKey, csv};
use store::StoreError;

use crate::detailed::{self, DetailedFile};
use crate::spool::Spool;

/// What a range comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    pub(crate) senders: u64,
    pub(crate) messages: TlsCounts,
}

impl Totals {
    fn of(senders: &Table) -> Self {
        Self { senders: senders.len() as u64, messages: senders.total() }
    }
}

/// A range's usage.
pub(crate) struct Gathered {
    /// The table that was asked for.
    pub(crate) table: Table,
    pub(crate) mechanisms: RowMechanisms,
    pub(crate) totals: Totals,
    pub(crate) days: BTreeMap<Day, TlsCounts>,
    pub(crate) detailed: detailed::File,
}

/// Why usage could not be gathered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Alerts(#[from] StoreError),
    #[error("cannot write the detailed report: {0}")]
    Write(#[from] io::Error),
}

struct Rows {
    table: TableBuilder,
    mechanisms: RowMechanisms,
    /// Where the table is of something else: senders are told in any case.
    senders: Option<TableBuilder>,
    days: BTreeMap<Day, TlsCounts>,
    detailed: DetailedFile,
    failed: Option<io::Error>,
}

impl Gather for Rows {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        self.table.add(day, key, messages);
        self.mechanisms.add(day, key, messages);
        if let Some(senders) = &mut self.senders {
            senders.add(day, key, messages);
        }
        self.days.entry(day).or_default().add(key.tls, messages);
        match self.detailed.row(day, key, messages) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failed = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Reads what passes of a range among the days that are kept, and writes its detailed report into a file of `limit` bytes at
/// most.
pub(crate) async fn gather(
    history: &History,
    (range, kept): (Range, Range),
    (group, filter): (Group, &Filter),
    limit: usize,
) -> Result<Gathered, GatherError> {
    let spool = Spool::new(csv::file_name("detailed", range), limit);
    let rows = Rows {
        table: TableBuilder::new(group, range, range),
        mechanisms: RowMechanisms::new(group, range, &filter.known),
        senders: (group != Group::Sender).then(|| TableBuilder::new(Group::Sender, range, range)),
        days: BTreeMap::new(),
        detailed: DetailedFile::new(spool, range)?,
        failed: None,
    };
    let state = history.state(range).await?;
    let (rows, walked) = history.walk(&state, filter, rows).await;
    walked?;
    let Rows { table, mechanisms, senders, days, detailed, failed } = rows;
    failed.map_or(Ok(()), Err)?;
    let mut table = table.told_apart_by(&filter.known).finish();
    let totals = senders.map_or_else(|| Totals::of(&table), |some| Totals::of(&some.finish()));
    let wanted = Wanted { range, filter: filter.clone(), group };
    table.learn(&history.table(&history.state(kept).await?, &wanted).await?);
    Ok(Gathered { table, mechanisms, totals, days, detailed: detailed.finish()? })
}

/// What passes of a range comes to, to be compared with.
pub(crate) async fn totals(
    history: &History,
    range: Range,
    filter: &Filter,
) -> Result<Totals, HistoryError> {
    let state = history.state(range).await?;
    let wanted = Wanted { range, filter: filter.clone(), group: Group::Sender };
    Ok(Totals::of(&history.table(&state, &wanted).await?))
}
