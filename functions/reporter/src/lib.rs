//! Report requests and schedules: CSV by mail.
//!
//! [`Reporter::handle`] is the whole function. A new report request in the table's stream is worked on at
//! once; a tick makes requests of the schedules that are due, and looks after requests that wait or whose
//! worker died.
//!
//! # One mail for each request
//!
//! A worker claims a request, for [`LEASE`] seconds at a time, and renews the claim as long as it works. When
//! the mail is written, it makes sure once more that the claim is its own, hands the mail over, and records
//! that it was accepted, again and again if the table does not answer. So a mail goes out once more only if
//! the worker, or the whole table, dies between the moment in which the mail was accepted and the moment in
//! which that was recorded, or if the answer that it was accepted gets lost on its way. All of them have the
//! same `Message-ID` then (SES puts its own in its place); in an outbox folder the later replaces the earlier.
//! It is the only case, and none loses a mail: what is not recorded as ended is tried again.
//!
//! A mail is for all its recipients or none: if a relay refuses one of them, nobody gets it, and the request
//! fails with the relay's words.

mod attention;
mod chart;
mod detailed;
mod figures;
mod gather;
mod handle;
mod letter;
mod reporter;
mod schedules;
mod spool;
mod tops;
mod trigger;
mod work;

pub use reporter::{Believes, Clock, ReportError, Reporter, Settings, Summary};
pub use trigger::{Trigger, UnknownEvent};
pub use work::{ATTEMPTS, LEASE};
