//! Help for tests and benchmarks: the service without sockets, random traffic whose counts are known,
//! and logs of any size.

pub mod app;
pub mod browser;
pub mod fault;
pub mod generate;
pub mod kinesis;
pub mod mail;
pub mod traffic;
