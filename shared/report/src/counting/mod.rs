//! What is counted: submissions, told apart and added up by day.

pub(crate) mod account;
mod cap;
mod clean;
mod client_name;
pub(crate) mod day;
pub(crate) mod day_tally;
pub(crate) mod failure_key;
pub(crate) mod field;
pub(crate) mod finer_key;
pub(crate) mod intake;
pub(crate) mod kind;
mod marks;
pub(crate) mod origin;
mod stored;
pub(crate) mod submission;
pub(crate) mod tally;
pub(crate) mod tls;
mod told_names;
pub(crate) mod usage;

pub use account::Account;
pub use cap::{Claims, Denied, OTHER_CLIENTS, OTHER_NAMES, Owner, network};
pub use clean::{
    ACCOUNT_LIMIT, LongNames, MECHANISM_LIMIT, SENDER_LIMIT, client_address, lowered, uppered,
};
pub use client_name::{NAME_LIMIT, claimed_name, host_name, is_client_name};
pub use day::{Day, Days, RETENTION_DAYS, Range, RangeError, day_in, local_to_unix};
pub use day_tally::{ALL_DOMAINS, RollupEntry};
pub use failure_key::{FailureKey, Hours, hour_of};
pub use field::Field;
pub use finer_key::{Finer, FinerKey, MOST_RECIPIENTS};
pub use intake::{BatchRead, Intake, LineCounts};
pub use kind::{Kind, Kinds};
pub use marks::Marks;
pub use origin::Origin;
pub use stored::{
    admitted_for_failure, admitted_for_usage, is_clean_failure, is_clean_finer, is_clean_usage,
};
pub use submission::{
    AuthFailure, NULL_SENDER, OTHER_SENDERS, Submission, UNKNOWN_SENDER, domain_name, domain_of,
    own_domain,
};
pub use tally::{Counted, Tally, Window};
pub use tls::{TlsCounts, TlsShare, TlsVersion, percent};
pub use told_names::ClientName;
pub use usage::{Identity, IdentityKind, UsageKey};
