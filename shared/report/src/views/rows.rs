//! Rows of tables, as answers hold them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::group::RowName;
use super::story::{More, RowOf};
use crate::counting::origin::Origin;
use crate::counting::tls::TlsShare;

/// A row of the sending volume table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VolumeRow {
    /// Whose messages.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// How many.
    pub messages: u64,
    /// Everything else about it.
    #[serde(flatten)]
    pub more: More,
}

impl From<RowOf<'_>> for VolumeRow {
    fn from(RowOf { group, row, story, labels }: RowOf<'_>) -> Self {
        let (name, origin) = (RowName::of(group, row.name), group.origin(row.name));
        Self { name, origin, messages: row.counts.total(), more: More::new(&row, story, labels) }
    }
}

/// A row of the TLS usage table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsRow {
    /// Whose messages.
    #[serde(flatten)]
    pub name: RowName,
    /// What the name tells of where it belongs; left out if that is nowhere special.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// How many per TLS version.
    pub tls: Vec<TlsShare>,
    /// How many.
    pub messages: u64,
    /// Everything else about it.
    #[serde(flatten)]
    pub more: More,
}

impl From<RowOf<'_>> for TlsRow {
    fn from(RowOf { group, row, story, labels }: RowOf<'_>) -> Self {
        let (tls, messages) = (row.counts.shares(), row.counts.total());
        let (name, origin) = (RowName::of(group, row.name), group.origin(row.name));
        Self { name, origin, tls, messages, more: More::new(&row, story, labels) }
    }
}
