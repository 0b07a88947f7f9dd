//! Kinds of work, and what the items of all of them hold.

use crate::dynamo::items::Item;

/// Waits to be worked on, for the first time or again.
pub(crate) const PENDING: &str = "pending";
/// Is being worked on.
pub(crate) const RUNNING: &str = "running";

pub(crate) const STATUS: &str = "status";
pub(crate) const ATTEMPTS: &str = "attempts";
pub(crate) const REASON: &str = "reason";
/// Who works on it.
pub(crate) const LEASE: &str = "lease";
/// Up to when nobody else begins.
pub(crate) const UNTIL: &str = "until";

/// A kind of work, and the payload of its items.
pub trait Work: Sized {
    /// The partition of the items.
    const PARTITION: &'static str;
    /// What several of them are called: the keys of their set of open ones and of their daily numbers.
    const KIND: &'static str;
    /// Before the checksums of its idempotency keys: those of all kinds lie in one partition.
    const KEYS: &'static str;
    /// The last form of its items that there is; the first is 1.
    const FORM: u64;
    /// What an item should hold, in an error.
    const EXPECTED: &'static str;
    /// The statuses that say that the work is done, as against given up.
    const DONE: &'static [&'static str];

    /// Grows with time: items are listed by it. The same work always has the same.
    fn id(&self) -> &str;

    /// The attributes of a new item, its expiry among them. Not its keys, nor those that this module calls
    /// `status`, `attempts`, `reason`, `lease` and `until`.
    fn write(&self) -> Item;

    /// Reads an item, with `status`, `attempts` and `reason`.
    fn read(item: &Item) -> Option<Self>;

    /// Whether nothing more will happen.
    fn is_final(&self) -> bool;
}
