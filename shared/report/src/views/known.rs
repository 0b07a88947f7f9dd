//! What is known of names beside the logs: kinds of mechanisms, and where client addresses are.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::counting::kind::Kinds;
use crate::counting::origin::Origin;

/// What the rows of own networks are called, where there is a row for each country or network.
pub const OWN_NETWORKS: &str = "(private)";

/// Tells where client addresses are.
pub trait Places: fmt::Debug + Send + Sync {
    /// What is known of an address of the internet's.
    fn of(&self, address: IpAddr) -> Place<'_>;

    /// Another number for other answers.
    fn revision(&self) -> u64;
}

/// Where an address is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place<'p> {
    /// The two letters of its country (ISO 3166-1), and the country's English name.
    pub country: Option<(Cow<'p, str>, Cow<'p, str>)>,
    /// The number of its autonomous system, and who runs it; nothing if that is not known.
    pub network: Option<(u32, Cow<'p, str>)>,
}

/// What is known of names beside the logs. Two are the same if they tell the same.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Which mechanisms are of which kind.
    pub kinds: Kinds,
    /// Where client addresses are; none if nobody knows.
    pub places: Option<Arc<dyn Places>>,
}

impl Known {
    fn revision(&self) -> Option<u64> {
        self.places.as_ref().map(|places| places.revision())
    }

    /// Where a client is, as far as anybody knows.
    #[must_use]
    pub fn place(&self, client: &str) -> Place<'_> {
        self.outside(client).unwrap_or_default()
    }

    /// Where a client is that is in none of the own networks.
    fn outside(&self, client: &str) -> Option<Place<'_>> {
        if Origin::of_client(client).is_some() {
            return None;
        }
        Some(match (&self.places, client.parse()) {
            (Some(places), Ok(address)) => places.of(address),
            _ => Place::default(),
        })
    }

    /// The country of a client in two letters, or what stands for it; empty if nobody knows.
    pub(super) fn country(&self, client: &str) -> Cow<'_, str> {
        let Some(place) = self.outside(client) else { return OWN_NETWORKS.into() };
        place.country.map_or("".into(), |(code, _)| code)
    }

    /// The network of a client, as in `AS64500`, or what stands for it; empty if nobody knows.
    pub(super) fn network(&self, client: &str) -> Cow<'_, str> {
        let Some(place) = self.outside(client) else { return OWN_NETWORKS.into() };
        place.network.map_or("".into(), |(number, _)| format!("AS{number}").into())
    }
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.kinds == other.kinds && self.revision() == other.revision()
    }
}

impl Eq for Known {}

impl Hash for Known {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.kinds, self.revision()).hash(state);
    }
}

/// A country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CountryName {
    /// Two letters (ISO 3166-1).
    pub code: String,
    /// Its English name.
    pub name: String,
}

/// A network: an autonomous system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NetworkName {
    /// Its number.
    pub number: u32,
    /// Who runs it; empty if that is not known.
    pub name: String,
}

/// Where a client address is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientPlace {
    /// Its country; null if nobody knows.
    pub country: Option<CountryName>,
    /// Its network; null if nobody knows.
    pub network: Option<NetworkName>,
}

impl ClientPlace {
    /// Where a client is; none if nobody knows.
    #[must_use]
    pub fn of(known: &Known, client: &str) -> Option<Self> {
        let Place { country, network } = known.place(client);
        let country = country
            .map(|(code, name)| CountryName { code: code.into_owned(), name: name.into_owned() });
        let network = network.map(|(number, name)| NetworkName { number, name: name.into_owned() });
        (country.is_some() || network.is_some()).then_some(Self { country, network })
    }
}
