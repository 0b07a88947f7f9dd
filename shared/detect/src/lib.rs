//! Whose account is in strange hands.
//!
//! Each account has a habit ([`Watch`] folds it from its days): from where, as whom, how and how much it sends. What is odd about
//! a day is weighed in one sum of decimal logarithms of odds, in which what is ordinary here weighs little, and an
//! [`Alert`] says why in one sentence. Everything here is a function of its arguments: no clock, no store.

mod alert;
mod case;
mod cases;
mod customs;
mod fact;
mod failures;
mod few;
mod finer;
mod habit;
mod lessons;
mod mark;
mod mute;
mod network;
mod nights;
mod notice;
mod population;
mod raised;
mod reason;
mod remembered;
mod signs;
mod spans;
mod sum;
mod today;
mod traffic;
mod usual;
mod watch;
mod weigh;

pub use alert::{Alert, Evidence, Kind, Sensitivity, Severity, Signal};
pub use case::{Case, Decision, Notice, QUIET, Resolution, Status, Verdicts};
pub use cases::{after, as_of, brought_up};
pub use mute::{Mute, Muted, is_muted, muting};
pub use notice::{Due, Listener, Moment, Pace, Spent, due};
pub use spans::WARM_UP;
pub use traffic::DayTraffic;
pub use usual::Usual;
pub use watch::Watch;
