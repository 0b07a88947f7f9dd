//! Flows through the whole system, one module each.

mod architecture;
mod archives;
mod exactly_once;
mod fixtures;
mod http;
mod interface;
mod late_lines;
mod local_files;
mod totals;
