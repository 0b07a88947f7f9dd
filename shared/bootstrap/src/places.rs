//! Where addresses are, as the user's databases tell it.

use std::net::IpAddr;
use std::sync::Arc;

use geo::{About, Geo, GeoError};
use report::views::{ClientsPlace, Known, Places};

use crate::config::Meaning;

/// The databases, for whoever makes views.
#[derive(Debug)]
struct Databases(Geo);

impl Places for Databases {
    fn of(&self, address: IpAddr) -> ClientsPlace<'_> {
        let About { country, network } = self.0.about(address);
        ClientsPlace {
            country: country.map(|country| (country.code.into(), country.name)),
            network: network.map(|network| (network.number, network.name)),
        }
    }

    fn revision(&self) -> u64 {
        self.0.revision()
    }
}

/// Where addresses are, as databases tell it.
#[must_use]
pub fn places(geo: Geo) -> Arc<dyn Places> {
    Arc::new(Databases(geo))
}

impl Meaning {
    /// What is known beside the logs, with what these databases tell, given by their names and bytes.
    ///
    /// # Errors
    /// Names the first database that is of no use, and the mend.
    pub fn known(self, databases: Vec<(String, Vec<u8>)>) -> Result<Known, GeoError> {
        let places = match databases.is_empty() {
            true => None,
            false => Some(places(Geo::open(databases)?)),
        };
        Ok(Known { kinds: self.kinds, places })
    }
}
