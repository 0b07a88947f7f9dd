//! Whether the table answers.

use crate::dynamo::error::StoreError;
use crate::dynamo::keys;
use crate::dynamo::table::Table;

/// Asks whether the table answers. Reads the table's settings and nothing else.
#[derive(Clone, Debug)]
pub struct Health(Table);

impl Health {
    /// The partitions that it touches, as a policy names them.
    pub const PARTITIONS: &[&str] = &[keys::META];

    pub(crate) fn new(table: Table) -> Self {
        Self(table)
    }

    /// Whether the table answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.0.answers().await
    }
}
