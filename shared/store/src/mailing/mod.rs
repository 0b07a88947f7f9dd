//! What is mailed: report requests and schedules.

mod report_items;
pub(crate) mod report_requests;
pub(crate) mod schedules;
