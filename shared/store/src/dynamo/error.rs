//! What can go wrong with the table.

use aws_sdk_dynamodb::error::DisplayErrorContext;
use thiserror::Error;

/// What can go wrong with the table.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A request failed, after the SDK's own retries.
    #[error("{operation} failed: {detail}")]
    Request {
        /// The operation, as AWS names it.
        operation: &'static str,
        /// The whole chain of causes.
        detail: String,
    },
    /// An item does not hold what this program writes.
    #[error("item {key} does not hold {expected}")]
    Item {
        /// Partition and sort key.
        key: String,
        /// What should be there.
        expected: &'static str,
    },
    /// The table was filled with days of another zone.
    #[error(
        "the store counts days in zone {stored}, not {asked}: use zone {stored}, or another store"
    )]
    Zone {
        /// The zone of the days stored.
        stored: String,
        /// The zone configured.
        asked: String,
    },
}

impl StoreError {
    pub(crate) fn request<E: std::error::Error>(operation: &'static str, error: &E) -> Self {
        Self::Request { operation, detail: DisplayErrorContext(error).to_string() }
    }
}
