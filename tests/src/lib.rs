//! Help for tests and benchmarks: the service without sockets, random traffic whose counts are known,
//! and logs of any size.

pub mod answer;
pub mod app;
pub mod audit;
pub mod aws;
pub mod browser;
pub mod clock;
pub mod expected;
pub mod fault;
pub mod gateway;
pub mod generate;
pub mod http;
pub mod issuer;
pub mod judged;
pub mod kinesis;
pub mod lambda;
pub mod mail;
pub mod moto;
pub mod oidc;
pub mod organisation;
pub mod policy;
pub mod process;
pub mod recorded;
pub mod stage;
pub mod tables;
pub mod traffic;
pub mod units;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is behind a lock, even if somebody who held it panicked.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
