//! What shows who a visitor is: the provider, and the tokens that it gives.

use std::sync::Arc;

use bootstrap::Oidc;

use super::provider::Provider;
use super::signatures;
use super::token::{self, Accepted};
use crate::api::problem::Problem;
use crate::service::Clock;
use crate::visitor::{Role, Visitor};

/// The way in.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

pub(super) struct Inner {
    pub(super) oidc: Oidc,
    /// Where people find the dashboard, without a slash at the end.
    pub(super) base: String,
    pub(super) provider: Provider,
    clock: Clock,
}

impl SignIn {
    /// A way in by the provider that `oidc` names, which is asked through `http`, to a dashboard at `base`.
    #[must_use]
    pub fn new(oidc: Oidc, base: &str, http: reqwest::Client, clock: Clock) -> Self {
        signatures::install();
        let provider = Provider::new(oidc.issuer.clone(), http, Arc::clone(&clock));
        let base = base.trim_end_matches('/').to_owned();
        Self(Arc::new(Inner { oidc, base, provider, clock }))
    }

    /// Fetches the provider's keys, so that the first visitor does not wait for them.
    ///
    /// # Errors
    /// The provider does not answer, or not as OpenID Connect has it. The next visitor makes it try again.
    pub async fn prepare(&self) -> Result<(), String> {
        self.0.provider.known().await.map(drop).map_err(|error| error.to_string())
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn now(&self) -> i64 {
        (self.0.clock)()
    }

    /// The visitor that a token shows.
    pub(super) async fn visitor(&self, text: &str) -> Result<Visitor, Problem> {
        let Accepted { subject, name, role, scope, .. } = self.accepted(text).await?;
        let role = role.ok_or(Problem::Forbidden { needed: Role::Reader })?;
        Ok(Visitor { subject, name, role, scope })
    }

    /// What a token says, if it can be believed.
    pub(super) async fn accepted(&self, text: &str) -> Result<Accepted, Problem> {
        token::check(text, &self.0.oidc, &self.0.provider, self.now()).await
    }
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("issuer", &self.0.oidc.issuer).finish_non_exhaustive()
    }
}
