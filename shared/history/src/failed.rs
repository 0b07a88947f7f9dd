//! Failed logins of a day.

use std::collections::BTreeMap;

/// Failed logins by account, client and hour.
pub(crate) type Failed = BTreeMap<(String, String, Option<u8>), u64>;
