//! The dashboard: every view of the report as a page.
//!
//! Pages are written here, whole: they work without JavaScript, and every state has an address of its own. They
//! show what the answers of the interface show, from the same functions. `assets/dashboard.js` only opens
//! flyouts without leaving the page, lets arrow keys walk through charts, and keeps a waiting report's status
//! fresh.

mod address;
mod assets;
mod charts;
mod columns;
mod domains;
mod empty;
mod filters;
mod form;
pub(crate) mod frame;
mod mistake;
mod overview;
pub(crate) mod problem_page;
mod report_requests;
pub(crate) mod routes;
mod schedules;
mod shares;
#[cfg(feature = "sign-in")]
pub(crate) mod signed_out;
mod sources;
mod table;
mod wording;
