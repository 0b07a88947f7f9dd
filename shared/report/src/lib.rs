//! What the report counts and how it is shown.
//!
//! Everything here is a function of its arguments: no clock, no environment, no network, no files.
//! Log readers produce [`Submission`]s, a [`Tally`] adds them up by day ([`counting`]), and [`views`] turns
//! what a store gives back into the rows, shares and series that people see. What is [`mailing`] is when, to
//! whom and of what a report goes by mail; [`notes`] tell what an account or a client is. Every number in an HTTP answer, a page, a CSV file or a mail comes
//! from this crate.

pub mod counting;
pub mod mailing;
pub mod notes;
pub mod views;
mod wording;

pub use counting::{
    ACCOUNT_LIMIT, ALL_DOMAINS, Account, AuthFailure, BatchRead, Claims, ClientName, Counted, Day,
    Days, Denied, FailureKey, Field, Finer, FinerKey, Hours, Identity, IdentityKind, Intake, Kind,
    Kinds, LineCounts, LongNames, MECHANISM_LIMIT, MOST_RECIPIENTS, Marks, NAME_LIMIT, NULL_SENDER,
    OTHER_CLIENTS, OTHER_NAMES, OTHER_SENDERS, Origin, Owner, RETENTION_DAYS, Range, RangeError,
    RollupEntry, SENDER_LIMIT, Submission, Tally, TlsCounts, TlsShare, TlsVersion, UNKNOWN_SENDER,
    UsageKey, Window, admitted_for_failure, admitted_for_usage, claimed_name, client_address,
    day_in, domain_name, domain_of, host_name, hour_of, is_clean_failure, is_clean_finer,
    is_clean_usage, is_client_name, local_to_unix, lowered, network, own_domain, percent, uppered,
};
pub use mailing::{
    ADDRESS, ADDRESS_PATTERN, Contents, Frequency, LastRun, MonthDay, RECIPIENTS, REQUESTS_PER_DAY,
    RecipientDomains, RecipientError, ReportRequest, Schedule, Status, Timetable,
};
pub use notes::{NOTE_NAME, NOTE_TEXT, NOTES, Note, NoteError, Notebook, Subject};
pub use views::{
    Clients, Column, Filter, Group, Known, Off, Past, Place, Row, Scope, Sort, Table, TableBuilder,
    TablePage, View, csv,
};
pub use wording::{date, displayed, grouped, period};
