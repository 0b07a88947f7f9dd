//! What is mailed: which report, when, and to whom.

mod recipients;
mod request;
mod timetable;

pub use recipients::{ADDRESS, ADDRESS_PATTERN, RECIPIENTS, RecipientDomains, RecipientError};
pub use request::{Contents, LastRun, REQUESTS_PER_DAY, ReportRequest, Schedule, Status};
pub use timetable::{Frequency, MonthDay, Timetable};
