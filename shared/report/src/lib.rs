//! What the report counts and how it is shown.
//!
//! Everything here is a function of its arguments: no clock, no environment, no network, no files.
//! Log readers produce [`Submission`]s, a [`Tally`] adds them up by day, and [`views`] turns what a
//! store gives back into the rows, shares and series that people see. Every number in an HTTP
//! answer, a page, a CSV file or a mail comes from this crate.

pub mod csv;
mod day;
mod recipients;
mod request;
mod senders;
mod sort;
mod submission;
mod tally;
mod text;
mod timetable;
mod tls;
mod usage;
mod view;
pub mod views;

pub use day::{Day, Days, RETENTION_DAYS, Range, RangeError, day_in, local_to_unix};
pub use recipients::{RECIPIENTS, RecipientDomains, RecipientError};
pub use request::{Contents, LastRun, REQUESTS_PER_DAY, ReportRequest, Schedule, Status};
pub use senders::{Place, SenderPage, SenderRow, SenderTable, Senders};
pub use sort::{Column, Sort};
pub use submission::{
    AuthFailure, NULL_SENDER, Submission, UNKNOWN_SENDER, domain_name, domain_of,
};
pub use tally::{ALL_DOMAINS, Counted, Marks, RollupEntry, Tally, Window};
pub use text::{
    ACCOUNT_LIMIT, MECHANISM_LIMIT, SENDER_LIMIT, client_address, date, displayed, grouped,
    lowered, period, uppered,
};
pub use timetable::{Frequency, MonthDay, Timetable};
pub use tls::{TlsCounts, TlsShare, TlsVersion, percent};
pub use usage::{Identity, IdentityKind, UsageKey};
pub use view::View;
