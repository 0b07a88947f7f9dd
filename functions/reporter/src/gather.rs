//! One pass over a range's usage: everything that a mail tells, and its detailed file.
//!
//! The totals, the table, the chart and the files come from the same rows, so that they agree even while
//! counting goes on.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

use history::{Gather, History, HistoryError, Wanted};
use report::{Day, Filter, Group, Range, Table, TableBuilder, TlsCounts, UsageKey, csv};

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
    pub(crate) senders: Table,
    pub(crate) totals: Totals,
    pub(crate) days: BTreeMap<Day, TlsCounts>,
    pub(crate) detailed: detailed::File,
}

/// Why usage could not be gathered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GatherError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("cannot write the detailed report: {0}")]
    Write(#[from] io::Error),
}

struct Rows {
    table: TableBuilder,
    days: BTreeMap<Day, TlsCounts>,
    detailed: DetailedFile,
    failed: Option<io::Error>,
}

impl Gather for Rows {
    fn row(&mut self, day: Day, key: &UsageKey<'_>, messages: u64) -> ControlFlow<()> {
        self.table.add(key, messages);
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

/// Reads a range, and writes its detailed report into a file of `limit` bytes at most.
pub(crate) async fn gather(
    history: &History,
    range: Range,
    domain: Option<&str>,
    limit: usize,
) -> Result<Gathered, GatherError> {
    let spool = Spool::new(csv::file_name("detailed", range), limit);
    let rows = Rows {
        table: TableBuilder::new(Group::Sender),
        days: BTreeMap::new(),
        detailed: DetailedFile::new(spool, range)?,
        failed: None,
    };
    let state = history.state(range).await?;
    let (rows, walked) = history.walk(&state, &filter(domain), rows).await;
    walked?;
    let Rows { table, days, detailed, failed } = rows;
    failed.map_or(Ok(()), Err)?;
    let senders = table.finish();
    Ok(Gathered { totals: Totals::of(&senders), senders, days, detailed: detailed.finish()? })
}

/// What a range comes to, to be compared with.
pub(crate) async fn totals(
    history: &History,
    range: Range,
    domain: Option<&str>,
) -> Result<Totals, HistoryError> {
    let state = history.state(range).await?;
    let wanted = Wanted { filter: filter(domain), group: Group::Sender };
    Ok(Totals::of(&history.table(&state, &wanted).await?))
}

fn filter(domain: Option<&str>) -> Filter {
    Filter { domain: domain.map(str::to_owned), ..Filter::default() }
}
