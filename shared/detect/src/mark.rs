//! Names and days as numbers.

use std::hash::{Hash, Hasher as _};

use chrono::Datelike as _;
use report::Day;
use siphasher::sip::SipHasher13;

/// A name, without the name.
pub(crate) type Mark = u64;

/// What stands for a name.
pub(crate) fn mark(name: &(impl Hash + ?Sized)) -> Mark {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The number of a day.
pub(crate) fn number(day: Day) -> i32 {
    day.num_days_from_ce()
}
