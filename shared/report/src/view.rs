//! The two reports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A report that people look at, download, or have mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum View {
    /// Messages: per day, and by sender.
    SendingVolume,
    /// TLS versions: per day, and by sender.
    TlsUsage,
}

impl View {
    /// Both.
    pub const ALL: [Self; 2] = [Self::SendingVolume, Self::TlsUsage];

    /// The name in paths, files and requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendingVolume => "sending-volume",
            Self::TlsUsage => "tls-usage",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::SendingVolume => "Sending volume",
            Self::TlsUsage => "TLS usage",
        }
    }

    /// The view with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.name() == name)
    }
}
