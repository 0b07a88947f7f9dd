//! Finding the page that takes a counter, and making room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;

use crate::counting::counter_pages::Page;
use crate::counting::directory::{Decision, Directory};
use crate::counting::position::{Positions, Source};
use crate::dynamo::error::StoreError;
use crate::dynamo::table::{Table, Writing};
use crate::dynamo::writes::{Answer, TRANSACTION, Transacted, Write, gathered};

/// Bytes that a page may take, as DynamoDB counts them: within one write unit, with room for numbers to grow.
const PAGE: usize = 960;
/// Pages read or closed at once.
const CONCURRENCY: usize = 32;

/// The pages of the table, as far as they are remembered.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    table: Table,
    /// Bytes that a page may take.
    limit: usize,
    directory: Arc<Mutex<Directory>>,
}

impl Pages {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, limit: PAGE, directory: Arc::default() }
    }

    pub(crate) fn of_bytes(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    pub(crate) fn directory(&self) -> MutexGuard<'_, Directory> {
        self.directory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the pages that take what is to be added, and closes those that would be too large. Gives
    /// also the write units that this took.
    pub(crate) async fn place<'t>(
        &self,
        mut pages: Vec<Page<'t>>,
        source: &Source,
        positions: &Positions,
    ) -> Result<(Vec<Page<'t>>, f64), StoreError> {
        let (mut placed, mut write_units) = (Vec::new(), 0.0);
        while !pages.is_empty() {
            let (mut next, mut unknown, mut too_large) = (Vec::new(), Vec::new(), Vec::new());
            {
                let directory = self.directory();
                for mut page in pages {
                    match directory.decide(&page, source, self.limit) {
                        Decision::Read => unknown.push(page),
                        Decision::Close => too_large.push(page),
                        Decision::Write => placed.push(page),
                        Decision::Descend(position) => {
                            page.skip(position.as_deref(), positions);
                            next.extend(page.children());
                        }
                    }
                }
            }
            let reads: Vec<_> = unknown.iter().map(|page| self.look_at(page).boxed()).collect();
            gathered(reads, CONCURRENCY).await?;
            write_units += self.close_all(&too_large).await?;
            next.extend(unknown);
            next.extend(too_large);
            pages = next;
        }
        Ok((placed, write_units))
    }

    async fn look_at(&self, page: &Page<'_>) -> Result<(), StoreError> {
        let item = self.table.get(page.key()).await?;
        self.directory().found(page, item.as_ref());
        Ok(())
    }

    /// Marks pages as full, whatever is in them, and takes note of their positions.
    async fn close_all(&self, pages: &[Page<'_>]) -> Result<f64, StoreError> {
        if let Writing::Single { concurrency } = self.table.writing {
            return self.close_each(pages, concurrency).await;
        }
        let mut write_units = 0.0;
        for pages in pages.chunks(TRANSACTION) {
            let closings = pages.iter().map(|page| Write::Change(page.closing()));
            write_units += match self.table.transact(closings.collect()).await? {
                Transacted::Done(units) => {
                    let looks = pages.iter().map(|page| self.look_at_closed(page).boxed());
                    gathered(looks.collect(), CONCURRENCY).await?;
                    units
                }
                Transacted::Refused(_) | Transacted::Contended => {
                    self.close_each(pages, CONCURRENCY).await?
                }
            };
        }
        Ok(write_units)
    }

    async fn close_each(&self, pages: &[Page<'_>], concurrency: usize) -> Result<f64, StoreError> {
        let closes = pages.iter().map(|page| self.close(page).boxed());
        Ok(gathered(closes.collect(), concurrency).await?.into_iter().sum())
    }

    async fn close(&self, page: &Page<'_>) -> Result<f64, StoreError> {
        match self.table.update(page.closing()).await? {
            Answer::Done(units) => {
                self.look_at_closed(page).await?;
                Ok(units)
            }
            Answer::Refused(old, units) => {
                if old.is_some() {
                    self.directory().found(page, old.as_ref());
                }
                Ok(units)
            }
        }
    }

    /// Takes note of a page that this process has just closed: closing does not tell what was in it.
    async fn look_at_closed(&self, page: &Page<'_>) -> Result<(), StoreError> {
        self.look_at(page).await?;
        self.directory().closed_first(page);
        Ok(())
    }
}
