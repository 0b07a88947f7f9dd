//! What handlers can ask of the store: what lies in one scope, and nothing else.
//!
//! This is the one place that decides. Only here are the handles that know no scope, and nobody outside gets at them;
//! a scope can be narrowed, never widened. Whatever is asked, filters included, is answered as if what lies outside were
//! not there:
//!
//! - usage by sender domain, from sums, items and archives alike: see `usage`;
//! - failed logins by the domain that an account's name ends in;
//! - report requests and schedules by the scope of whoever made them: see `mailing`;
//! - notes about accounts by the domain that the name ends in: see `notes`;
//! - names of clients not at all: see `names`;
//! - sources not at all: a log has mail of all domains;
//! - alerts not at all: see `alerts`.

mod alerts;
mod mailing;
mod names;
mod notes;
mod usage;
mod within;

pub(crate) use usage::Distinct;
pub(crate) use within::Scoped;
