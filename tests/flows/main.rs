//! Flows through the whole system, one module each.

mod access;
mod architecture;
mod archives;
mod browser;
mod dashboard;
mod exactly_once;
mod fixtures;
mod golden;
mod groups;
mod http;
mod interface;
mod lambda;
mod late_lines;
mod local_files;
mod mail_texts;
mod metrics;
mod operations;
mod relay;
mod report_crashes;
mod report_sizes;
mod reports;
mod schedules;
mod ses;
mod sign_in;
mod states;
mod totals;
