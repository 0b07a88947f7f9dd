//! HTTP queries for each view.
//!
//! [`router`] gives the whole interface; `main` puts it behind AWS Lambda through `gateway`, the one-machine program behind a
//! socket. `service` is what every answer needs, `scoped` decides what of the store a visitor may know of, `routes` says
//! what is where, `tables` computes tables and
//! keeps them, `spool` keeps long answers until they are read. `api` answers scripts, `dashboard` shows people the same as pages, from the same functions.
//!
//! One word, one thing: a *view* is what people look at (sending volume, TLS usage), as a *chart* of days or a
//! *table* of senders; *details* are everything about one thing, as a flyout shows it; a *report request* asks
//! for a report by mail, and a *request* is HTTP's; the *export* is the report as one long CSV file. A *page* of
//! a list is what one answer holds of it; what people look at in a browser is a page, too, and only in
//! `dashboard`.

mod api;
mod dashboard;
#[cfg(feature = "lambda")]
pub mod gateway;
#[cfg(feature = "lambda")]
mod read_from_items;
mod routes;
mod scoped;
mod service;
#[cfg(feature = "sign-in")]
pub mod sign_in;
mod spool;
mod tables;
mod visitor;

pub use api::openapi::document as openapi_document;
pub use api::problem::Problem;
#[cfg(feature = "lambda")]
pub use read_from_items::ReadFromItems;
pub use routes::router;
#[cfg(feature = "sign-in")]
pub use routes::router_behind;
pub use service::{Clock, Mailing, Query};
pub use visitor::{Role, Visitor};
