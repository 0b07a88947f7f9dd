//! Flows through the whole system, one module each.

mod architecture;
mod exactly_once;
mod fixtures;
mod http;
mod interface;
mod local_files;
mod totals;
