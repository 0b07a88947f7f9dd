//! For how many days something must have been watched.

/// Days in which nothing is raised: everything is new in them.
pub const WARM_UP: i32 = 14;
/// Days on which an account must have been active before much is said of what it never did.
pub(crate) const KNOWN: u32 = 5;
