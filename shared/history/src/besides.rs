//! What is counted of a day besides messages.

use std::collections::BTreeMap;

use report::Finer;

/// Failed logins by account, client and hour.
pub(crate) type Failed = BTreeMap<(String, String, Option<u8>), u64>;

/// Finer counters by account and what they count.
pub(crate) type FinerCounts = BTreeMap<(String, Finer), u64>;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Besides {
    pub(crate) failed: Failed,
    pub(crate) finer: FinerCounts,
}

impl Besides {
    pub(crate) fn is_empty(&self) -> bool {
        self.failed.is_empty() && self.finer.is_empty()
    }
}
