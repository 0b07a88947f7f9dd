//! Usage within a scope: sums, tables, and rows one by one.

use std::hash::Hash;
use std::sync::Arc;

use history::{Gather, HistoryError, Merge, RangeState, Wanted};
use report::views::cursor::checksum;
use report::views::{KindCounts, RowMechanisms, Story};
use report::{ALL_DOMAINS, Filter, Group, OTHER_SENDERS, Range, Scope, Sort};
use store::Rollup;

use super::within::Scoped;
use crate::tables::{Kept, Telling};

/// Distinct names of a range.
pub(crate) struct Distinct {
    /// Users or service accounts.
    pub(crate) accounts: u64,
    /// Senders, [`OTHER_SENDERS`] among them if there were any.
    pub(crate) senders: u64,
    /// Whether there were.
    pub(crate) more_senders: bool,
}

impl Scoped {
    /// Messages per day and TLS version of what passes.
    pub(crate) async fn days(&self, filter: &Filter, range: Range) -> Result<Rollup, HistoryError> {
        let filter = self.scope.narrow(filter);
        match filter.domains.as_slice() {
            // These sums are kept.
            domains @ ([] | [_]) if filter.is_of_domains() => {
                let domain = domains.first().map_or(ALL_DOMAINS, String::as_str);
                Ok(self.summaries.rollup(domain, range).await?)
            }
            _ => {
                let state = self.history.state(range).await?;
                Ok(self.history.days(&state, &filter).await?.0)
            }
        }
    }

    /// Messages per day and kind of mechanism of what passes.
    pub(crate) async fn kinds(
        &self,
        filter: &Filter,
        range: Range,
    ) -> Result<KindCounts, HistoryError> {
        let state = self.history.state(range).await?;
        self.history.kinds(&state, &self.scope.narrow(filter)).await
    }

    /// How many there are of each kind of name.
    pub(crate) async fn distinct(&self, range: Range) -> Result<Distinct, HistoryError> {
        if self.scope == Scope::All {
            let seen = self.summaries.seen(range).await?;
            let (accounts, senders) = (seen.accounts.len() as u64, seen.senders.len() as u64);
            let more_senders = seen.senders.contains(OTHER_SENDERS);
            return Ok(Distinct { accounts, senders, more_senders });
        }
        // Who was seen is not kept by domain, and an account may have senders in several.
        let wanted = |group| Wanted { range, filter: Filter::default(), group };
        let (accounts, senders) = (wanted(Group::Account), wanted(Group::Sender));
        let ((_, accounts), (_, senders)) =
            tokio::try_join!(self.table(range, &accounts), self.table(range, &senders))?;
        let mut others = senders.rows(Sort::MOST_MESSAGES, OTHER_SENDERS);
        Ok(Distinct {
            accounts: accounts.len() as u64,
            senders: senders.len() as u64,
            more_senders: others.any(|row| row.name == OTHER_SENDERS),
        })
    }

    /// The table that is wanted, as it is now, with what these days tell of its rows.
    pub(crate) async fn table(&self, read: Range, wanted: &Wanted) -> Result<Kept, HistoryError> {
        self.tables.table(read, &self.narrowed(wanted)).await
    }

    /// The mechanisms of all its rows.
    pub(crate) async fn mechanisms(&self, wanted: &Wanted) -> Result<RowMechanisms, HistoryError> {
        let wanted = self.narrowed(wanted);
        let state = self.history.state(wanted.range).await?;
        self.history.mechanisms(&state, &wanted).await
    }

    /// The stories of some of its rows, in the order of these names.
    pub(crate) async fn stories(
        &self,
        wanted: &Wanted,
        names: &[&str],
        telling: Telling,
    ) -> Result<Arc<Vec<Story>>, HistoryError> {
        self.tables.stories(&self.narrowed(wanted), names, telling).await
    }

    /// The same as it was computed before, if it is still kept under this number.
    pub(crate) fn kept(&self, id: u64, read: Range, wanted: &Wanted) -> Option<Kept> {
        self.tables.kept(id, read, &self.narrowed(wanted))
    }

    fn narrowed(&self, wanted: &Wanted) -> Wanted {
        Wanted { filter: self.scope.narrow(&wanted.filter), ..wanted.clone() }
    }

    /// What stands for a question in its cursors: those of another scope do not fit.
    pub(crate) fn checksum(&self, question: &impl Hash) -> u64 {
        match self.scope {
            Scope::All => checksum(question),
            Scope::Domains(_) => checksum(&(question, &self.scope)),
        }
    }

    /// The present state of a range's days.
    pub(crate) async fn state(&self, range: Range) -> Result<RangeState, HistoryError> {
        self.history.state(range).await
    }

    /// Adds up what passes in any way: [`History::gather`](history::History::gather).
    pub(crate) async fn gather<G: Merge>(
        &self,
        state: &RangeState,
        filter: &Filter,
        empty: impl Fn() -> G,
    ) -> Result<G, HistoryError> {
        self.history.gather(state, &self.scope.narrow(filter), empty).await
    }

    /// Hands out what passes in order: [`History::walk`](history::History::walk).
    pub(crate) async fn walk<G: Gather>(
        &self,
        state: &RangeState,
        filter: &Filter,
        to: G,
    ) -> (G, Result<(), HistoryError>) {
        self.history.walk(state, &self.scope.narrow(filter), to).await
    }
}
