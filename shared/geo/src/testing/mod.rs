//! Small databases to test with, after the [specification of the format](https://maxmind.github.io/MaxMind-DB/).
//!
//! [`countries`] and [`networks`] are enough for who only wants answers:
//!
//! ```
//! use geo::{Geo, testing};
//! let files = vec![
//!     ("country.mmdb".to_owned(), testing::countries(&[("192.0.2.0/24", "DE", "Germany")])),
//!     ("asn.mmdb".to_owned(), testing::networks(&[("192.0.2.0/24", 64_500, "Example Networks")])),
//! ];
//! let geo = Geo::open(files)?.with_documentation();
//! let about = geo.about("192.0.2.7".parse()?);
//! assert_eq!(about.country.map(|country| country.code), Some("DE"));
//! assert_eq!(about.network.map(|network| network.number), Some(64_500));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod data;
mod tree;

use std::net::IpAddr;

pub use data::Value;
use data::{Data, map};
use tree::Tree;

/// When the databases here were built, if nothing else is said: 3 November 2026, in seconds since 1970.
pub const BUILT: u64 = 1_793_664_000;

/// A database as MaxMind's of countries: networks as `192.0.2.0/24`, codes, English names.
///
/// # Panics
/// If a network is none.
#[must_use]
pub fn countries(networks: &[(&str, &str, &str)]) -> Vec<u8> {
    let record = |code: &str, name: &str| {
        let names = map([("de", "?".into()), ("en", name.into())]);
        map([("country", map([("iso_code", code.into()), ("names", names)]))])
    };
    let database = Database::new("GeoLite2-Country").aliased();
    networks
        .iter()
        .fold(database, |database, (network, code, name)| {
            database.with(network, record(code, name))
        })
        .bytes()
}

/// A database as MaxMind's of autonomous systems: networks as `192.0.2.0/24`, numbers, names.
///
/// # Panics
/// If a network is none.
#[must_use]
pub fn networks(networks: &[(&str, u32, &str)]) -> Vec<u8> {
    let record = |number: u32, name: &str| {
        map([
            ("autonomous_system_number", Value::U32(number)),
            ("autonomous_system_organization", name.into()),
        ])
    };
    let database = Database::new("GeoLite2-ASN").aliased();
    networks
        .iter()
        .fold(database, |database, (network, number, name)| {
            database.with(network, record(*number, name))
        })
        .bytes()
}

/// A database that is to be written.
#[derive(Clone, Debug)]
pub struct Database {
    kind: String,
    built: u64,
    record_bits: u16,
    ip_version: u16,
    is_aliased: bool,
    networks: Vec<(IpAddr, u8, Value)>,
}

impl Database {
    /// One of a type, as `GeoLite2-City`: without networks, for both kinds of addresses, with records of 28 bits.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            built: BUILT,
            record_bits: 28,
            ip_version: 6,
            is_aliased: false,
            networks: Vec::new(),
        }
    }

    /// Built at another time, in seconds since 1970.
    #[must_use]
    pub fn built(mut self, seconds: u64) -> Self {
        self.built = seconds;
        self
    }

    /// With records of the tree of 24, 28 or 32 bits.
    #[must_use]
    pub fn record_bits(mut self, bits: u16) -> Self {
        self.record_bits = bits;
        self
    }

    /// For IPv4 addresses only.
    #[must_use]
    pub fn of_ipv4(mut self) -> Self {
        self.ip_version = 4;
        self
    }

    /// With IPv4 addresses also where IPv4-mapped and 6to4 ones are, as MaxMind does it.
    #[must_use]
    pub fn aliased(mut self) -> Self {
        self.is_aliased = true;
        self
    }

    /// With the record of a network as `192.0.2.0/24` or `2001:db8::/32`. The smallest network of an address counts, of
    /// two that are the same the later one.
    ///
    /// # Panics
    /// If it is no network.
    #[must_use]
    pub fn with(mut self, network: &str, record: Value) -> Self {
        let parsed = network.split_once('/').and_then(|(address, bits)| {
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            Some((address, bits.parse().ok().filter(|bits| *bits <= most)?))
        });
        let Some((address, bits)) = parsed else { panic!("{network} is no network") };
        self.networks.push((address, bits, record));
        self
    }

    /// The file.
    ///
    /// # Panics
    /// If there is an IPv6 network in a database for IPv4 addresses only, or more than records of so many bits can hold.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut data = Data::default();
        let mut tree = Tree::default();
        // Large networks first: what smaller ones leave of them stays.
        let mut networks: Vec<_> = self.networks.iter().collect();
        networks.sort_by_key(|(address, bits, _)| self.path(*address, *bits).1);
        for (address, bits, record) in networks {
            let (path, bits) = self.path(*address, *bits);
            tree.insert(path, bits, data.offset_of(record));
        }
        if self.is_aliased && self.ip_version == 6 {
            // `::ffff:0:0/96` and `2002::/16` lead to where `::/96` does.
            tree.alias(0, 96, &[(0xffff << 32, 96), (0x2002 << 112, 16)]);
        }
        let nodes = tree.records();
        assemble(self, &nodes, &data.bytes)
    }

    /// The bits that lead to a network, leftmost first, and how many they are.
    fn path(&self, address: IpAddr, bits: u8) -> (u128, u32) {
        match (address, self.ip_version) {
            (IpAddr::V4(v4), 4) => (u128::from(v4.to_bits()) << 96, u32::from(bits)),
            (IpAddr::V4(v4), _) => (u128::from(v4.to_bits()), u32::from(bits) + 96),
            (IpAddr::V6(v6), 6) => (v6.to_bits(), u32::from(bits)),
            (IpAddr::V6(v6), _) => panic!("{v6} in a database of IPv4 addresses"),
        }
    }
}

/// A file of its parts: records of nodes, of which those beyond the nodes lead into the data.
///
/// # Panics
/// If a record needs more bits than there are.
pub(crate) fn assemble(database: &Database, nodes: &[[u32; 2]], data: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for [left, right] in nodes {
        let bits = u32::from(database.record_bits);
        let most = u32::MAX >> (32 - bits);
        assert!(*left <= most && *right <= most, "records of {bits} bits are too small");
        let ([l0, l1, l2, l3], [r0, r1, r2, r3]) = (left.to_be_bytes(), right.to_be_bytes());
        match bits {
            24 => file.extend([l1, l2, l3, r1, r2, r3]),
            28 => file.extend([l1, l2, l3, l0 << 4 | r0, r1, r2, r3]),
            _ => file.extend([l0, l1, l2, l3, r0, r1, r2, r3]),
        }
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let description = map([
        ("binary_format_major_version", Value::U16(2)),
        ("binary_format_minor_version", Value::U16(0)),
        ("build_epoch", Value::U64(database.built)),
        ("database_type", database.kind.as_str().into()),
        ("description", map([("en", "To test with".into())])),
        ("ip_version", Value::U16(database.ip_version)),
        ("languages", Value::Array(vec!["de".into(), "en".into()])),
        ("node_count", Value::U32(count)),
        ("record_size", Value::U16(database.record_bits)),
    ]);
    let mut section = Data::default();
    section.offset_of(&description);
    file.extend(section.bytes);
    file
}
