//! The dashboard: every view of the report as a page.
//!
//! Pages are written here, whole: they work without JavaScript, and every state has an address of its own. They
//! show what the answers of the interface show, from the same functions. `assets/dashboard.js` only opens
//! flyouts without leaving the page, lets arrow keys walk through charts, and keeps a waiting report's status
//! fresh.

mod about;
mod address;
mod alert_list;
mod alerts;
mod assets;
mod attention;
mod channels;
mod charts;
mod columns;
mod details;
mod domains;
mod empty;
mod failures;
mod filters;
mod form;
pub(crate) mod frame;
mod mistake;
mod mutes;
mod note_imports;
mod note_shown;
mod notes;
mod overview;
mod plan;
pub(crate) mod problem_page;
mod report_requests;
pub(crate) mod routes;
mod schedules;
mod search;
mod shares;
#[cfg(feature = "sign-in")]
pub(crate) mod signed_out;
mod sources;
mod story;
mod table;
mod upload;
mod wording;
