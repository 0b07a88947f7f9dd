//! Alerts within a scope: all of them, or none. What is odd about an account is told against what everybody else does, so
//! whoever is bound to some domains could tell others' mail by it.

use detect::{Case, Decision, Resolution, Status};
use report::Scope;
use store::{KnownAlerts, StoreError};

use super::within::Scoped;

impl Scoped {
    /// Every alert, and who is watched.
    pub(crate) async fn alerts(&self) -> Result<KnownAlerts, StoreError> {
        match self.scope {
            Scope::All => self.alerts.all().await,
            Scope::Domains(_) => Ok(KnownAlerts::default()),
        }
    }

    /// How many alerts need attention.
    pub(crate) async fn attention(&self) -> Result<usize, StoreError> {
        let known = self.alerts().await?;
        Ok(known.cases.iter().filter(|case| case.status.needs_attention()).count())
    }

    /// Decides about an alert, and gives it as it is then; none if there is none.
    pub(crate) async fn decide(
        &self,
        id: &str,
        status: Status,
        resolution: Option<Resolution>,
        by: &Decision,
    ) -> Result<Option<Case>, StoreError> {
        if self.scope != Scope::All {
            return Ok(None);
        }
        let decided = self.alerts.decide(|known| {
            let case = known.iter().find(|case| case.alert.id == id);
            case.map(|case| case.decided(status, resolution, by.clone())).into_iter().collect()
        });
        Ok(decided.await?.pop())
    }
}
