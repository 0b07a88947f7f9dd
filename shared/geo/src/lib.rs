//! The country and the network (autonomous system) of an address, from databases in MaxMind's format (`.mmdb`).
//!
//! [`Geo::open`] takes the files' bytes, [`Geo::about`] says what they tell of an address. Files come from strangers:
//! whatever stands in them, nothing here panics, runs for long or takes much memory, and names are fit to be shown.
//!
//! Which files are understood, and where they come from, is told in the README beside this crate.

mod about;
mod address;
mod error;
mod geo;
mod record;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use about::{About, Country, NAME_LIMIT, Network};
pub use error::GeoError;
pub use geo::{Built, Geo};
