//! What is counted: submissions, told apart and added up by day.

pub(crate) mod account;
mod cap;
mod clean;
pub(crate) mod day;
pub(crate) mod day_tally;
pub(crate) mod field;
pub(crate) mod intake;
mod marks;
pub(crate) mod submission;
pub(crate) mod tally;
pub(crate) mod tls;
pub(crate) mod usage;

pub use account::Account;
pub use cap::{Claims, Denied, OTHER_CLIENTS, OTHER_NAMES, Owner, network};
pub use clean::{
    ACCOUNT_LIMIT, LongNames, MECHANISM_LIMIT, SENDER_LIMIT, client_address, lowered, uppered,
};
pub use day::{Day, Days, RETENTION_DAYS, Range, RangeError, day_in, local_to_unix};
pub use day_tally::{ALL_DOMAINS, RollupEntry};
pub use field::Field;
pub use intake::{BatchRead, Intake, LineCounts};
pub use marks::Marks;
pub use submission::{
    AuthFailure, NULL_SENDER, OTHER_SENDERS, Submission, UNKNOWN_SENDER, domain_name, domain_of,
    own_domain,
};
pub use tally::{Counted, Tally, Window};
pub use tls::{TlsCounts, TlsShare, TlsVersion, percent};
pub use usage::{Identity, IdentityKind, UsageKey};
