//! What there is within a scope, and what is told of it but usage and mails.

use std::collections::BTreeSet;
use std::sync::Arc;

use history::History;
use report::{Range, Scope};
use store::{
    Alerts, FailureRow, NamesOfClients, Notes, ReportRequests, Schedules, SourceList, Sources,
    Store, StoreError, Summaries,
};

use crate::tables::Tables;

/// The store within a scope. What asks the store itself stays in this folder.
#[derive(Clone)]
pub(crate) struct Scoped {
    pub(super) summaries: Summaries,
    sources: Sources,
    pub(super) requests: ReportRequests,
    pub(super) schedules: Schedules,
    pub(super) notes: Notes,
    pub(super) alerts: Alerts,
    pub(super) names: NamesOfClients,
    pub(super) history: History,
    pub(super) tables: Arc<Tables>,
    pub(super) scope: Scope,
}

impl Scoped {
    /// All that a store and its history have.
    pub(crate) fn all(store: &Store, history: History) -> Self {
        Self {
            summaries: store.summaries(),
            sources: store.sources(),
            requests: store.report_requests(),
            schedules: store.schedules(),
            notes: store.notes(),
            alerts: store.alerts(),
            names: store.names_of_clients(),
            tables: Arc::new(Tables::new(history.clone())),
            history,
            scope: Scope::All,
        }
    }

    /// Of this, what lies in a scope too.
    pub(crate) fn within(&self, scope: &Scope) -> Self {
        Self { scope: self.scope.and(scope), ..self.clone() }
    }

    pub(crate) const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Failed logins of a range of which `wanted` is true, asked by account and client.
    pub(crate) async fn failures(
        &self,
        range: Range,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<FailureRow>, StoreError> {
        let wanted = |account: &str, client: &str| {
            self.scope.has_account(account) && wanted(account, client)
        };
        self.summaries.failures_of(range, wanted).await
    }

    /// The sender domains of a range.
    pub(crate) async fn domains(&self, range: Range) -> Result<BTreeSet<String>, StoreError> {
        let mut domains = self.summaries.domains(range).await?;
        domains.retain(|domain| self.scope.has(domain));
        Ok(domains)
    }

    /// The logs that were read; none where there is a scope.
    pub(crate) async fn sources(&self, now: i64) -> Result<Option<SourceList>, StoreError> {
        match self.scope {
            Scope::All => self.sources.list(now).await.map(Some),
            Scope::Domains(_) => Ok(None),
        }
    }
}
