//! Work items: placed once, worked on by one at a time, and ended once.
//!
//! A work item is one item. Writing it is what triggers the work: the table's stream hands new items of its
//! partition to whoever works on them. Beside it, and in the same transaction, its id goes into the set of the
//! open ones of its kind, where a periodic look finds what the stream's trigger did not bring to its end; the id
//! leaves the set after the end was recorded.
//!
//! Whoever works on an item holds a lease: a token of its own, and a time up to which nobody else begins.
//! The same time holds back an item whose next try is due later.
//!
//! A new kind of work is one implementation of [`Work`]: its partition, and how its payload is written and read.

pub(crate) mod claims;
pub(crate) mod items;
pub(crate) mod kind;
pub(crate) mod placing;
