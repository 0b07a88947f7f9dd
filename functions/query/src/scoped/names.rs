//! What clients are called. A name comes from whatever mail the client sent last, so only who is bound to nothing sees it.

use std::collections::HashMap;

use report::{ClientName, Scope};
use store::StoreError;

use super::within::Scoped;

impl Scoped {
    /// The names of those of some clients that have one.
    pub(crate) async fn client_names(
        &self,
        clients: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, ClientName>, StoreError> {
        match self.scope {
            Scope::All => self.names.of(clients.map(str::to_owned).collect::<Vec<_>>()).await,
            Scope::Domains(_) => Ok(HashMap::new()),
        }
    }
}
