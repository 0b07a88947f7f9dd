//! Clients that a front end hands over to the hub.

use serde::{Deserialize, Serialize};

use crate::client_name::{KeptName, Named as _};
use crate::kept::KeptLogin;

/// `XPROXY SID=… IP=… DOMAIN=…`
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Front {
    pub(super) session: Box<[u8]>,
    pub(super) client: Box<[u8]>,
    /// What the client says of itself.
    #[serde(skip)]
    pub(super) helo: KeptName,
}

impl Front {
    /// `SID=08DE2C0000000005 IP=198.51.100.7 PORT=… DOMAIN=…`
    pub(super) fn read(parameters: &[u8]) -> Option<Self> {
        let value = |name: &[u8]| {
            parameters.split(|byte| *byte == b' ').find_map(|part| part.strip_prefix(name))
        };
        Some(Self {
            session: value(b"SID=")?.into(),
            client: value(b"IP=").unwrap_or_default().into(),
            helo: KeptName::claimed(value(b"DOMAIN=").unwrap_or_default()),
        })
    }

    pub(super) fn weight(&self) -> usize {
        self.session.len() + self.client.len() + self.helo.name().len()
    }

    /// What it tells of a login: no account.
    pub(super) fn login(&self) -> KeptLogin {
        let mut login = KeptLogin::new(b"", b"", &self.client);
        login.set_name(self.helo.name());
        login
    }
}
