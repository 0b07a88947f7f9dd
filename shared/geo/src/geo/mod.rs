//! The databases, opened.

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use memchr::memmem;
use siphasher::sip::SipHasher13;

use crate::about::{About, clean};
use crate::address::asked;
use crate::error::GeoError;
use crate::record::Record;

/// What stands before the description of a database, at its end.
const DESCRIPTION_MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// What compressed files begin with: gzip, zip, xz, Zstandard, bzip2.
const COMPRESSED: [&[u8]; 5] =
    [b"\x1f\x8b", b"PK\x03\x04", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh"];

/// What stands in a tar archive, and where.
const ARCHIVE: (usize, &[u8]) = (257, b"ustar");

/// How many networks of a file are looked at to find out what it tells. Vendors' files tell it with the first of them.
const LOOKED_AT: usize = 16_384;

/// What is made of the same files: goes up when they tell something else than before.
const READING: u64 = 1;

/// Databases, of which each tells the country, the network, or both, of some addresses.
///
/// ```
/// # use geo::Geo;
/// let geo = Geo::open(Vec::new())?;
/// assert_eq!(geo.about("192.0.2.1".parse().expect("an address")), geo::About::default());
/// # Ok::<(), geo::GeoError>(())
/// ```
#[derive(Debug)]
pub struct Geo {
    readers: Vec<Reader<Vec<u8>>>,
    built: Vec<Built>,
    revision: u64,
    documentation: bool,
}

/// A database, as it tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its file, as it was named to [`Geo::open`].
    pub file: String,
    /// Its type, as `GeoLite2-Country`, cleaned. Vendors choose it freely.
    pub kind: String,
    /// When it was built, in seconds since 1970. Nobody has looked whether that can be.
    pub built: u64,
    /// Whether it tells countries.
    pub countries: bool,
    /// Whether it tells networks.
    pub networks: bool,
}

impl Geo {
    /// Opens databases, given as names for people and bytes. Where several tell the same of an address, the first
    /// counts. Without any, nothing is known of any address.
    ///
    /// Takes the bytes as they are, some kilobytes more, and of hostile files at most some mebibytes more.
    ///
    /// # Errors
    /// Names the first file that is of no use, why, and the mend.
    pub fn open(files: Vec<(String, Vec<u8>)>) -> Result<Self, GeoError> {
        let (mut readers, mut built) = (Vec::new(), Vec::new());
        let mut hashes = READING.to_le_bytes().to_vec();
        for (file, bytes) in files {
            hashes.extend(SipHasher13::new().hash(&bytes).to_le_bytes());
            let (reader, told) = opened(file, bytes)?;
            readers.push(reader);
            built.push(told);
        }
        let revision = SipHasher13::new().hash(&hashes);
        Ok(Self { readers, built, revision, documentation: false })
    }

    /// What is known of an address. Allocates nothing, unless names must be cleaned or the file is damaged there.
    ///
    /// Of IPv4 addresses that are written as IPv6 addresses, what is known of the IPv4 address: IPv4-mapped, 6to4, NAT64,
    /// Teredo. Of addresses that the internet does not route (private, loopback, link-local, of documentation,
    /// of a provider's own NAT, and so on), nothing, whatever a file says. Where a file is damaged, it knows nothing.
    #[must_use]
    pub fn about(&self, address: IpAddr) -> About<'_> {
        let mut about = About::default();
        let Some(address) = asked(address, self.documentation) else { return about };
        for reader in &self.readers {
            if let Some(record) = found(reader, address) {
                about.country = about.country.or_else(|| record.country());
                about.network = about.network.or_else(|| record.network());
            }
            if about.country.is_some() && about.network.is_some() {
                break;
            }
        }
        about
    }

    /// A number that is another as soon as the files or their order are, or what is made of them: whoever keeps what
    /// [`Self::about`] told keeps this with it. It may be stored: the hash is SipHash-1-3, whose values are specified.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The databases, in their order.
    #[must_use]
    pub fn built(&self) -> &[Built] {
        &self.built
    }

    /// The same, but it knows of addresses of documentation what the files say: tests may use no others.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_documentation(mut self) -> Self {
        self.documentation = true;
        self
    }
}

fn opened(file: String, bytes: Vec<u8>) -> Result<(Reader<Vec<u8>>, Built), GeoError> {
    // An archive that is not compressed has the description too, but its tree is none.
    let is_described = memmem::rfind(&bytes, DESCRIPTION_MARK).is_some();
    if is_archive(&bytes) || (!is_described && is_compressed(&bytes)) {
        return Err(GeoError::Packed { file });
    }
    if !is_described {
        return Err(GeoError::NoDatabase { file });
    }
    let read =
        Reader::from_source(bytes).and_then(|reader| tells(&reader).map(|tells| (reader, tells)));
    let (reader, (countries, networks)) = match read {
        Ok(read) => read,
        Err(error) => return Err(GeoError::Damaged { file, source: error.into() }),
    };
    let kind = clean(&reader.metadata().database_type).into_owned();
    if !countries && !networks {
        return Err(GeoError::TellsNothing { file, kind });
    }
    let built = reader.metadata().build_epoch;
    Ok((reader, Built { file, kind, built, countries, networks }))
}

fn is_archive(bytes: &[u8]) -> bool {
    let (at, mark) = ARCHIVE;
    bytes.get(at..).is_some_and(|rest| rest.starts_with(mark))
}

fn is_compressed(bytes: &[u8]) -> bool {
    COMPRESSED.iter().any(|mark| bytes.starts_with(mark))
}

/// Whether a file tells countries, and whether networks.
fn tells(reader: &Reader<Vec<u8>>) -> Result<(bool, bool), MaxMindDbError> {
    // With all options, each step of the iterator ends at the next leaf of the tree. Without them, it goes on past
    // leaves that it leaves out, and a hostile tree can have more of these than anybody can wait for.
    let options =
        WithinOptions::default().include_aliased_networks().include_networks_without_data();
    let (mut countries, mut networks) = (false, false);
    let mut last = None;
    for network in reader.networks(options)?.take(LOOKED_AT) {
        let network = network?;
        if network.offset() == last {
            continue;
        }
        last = network.offset();
        if let Some(record) = network.decode::<Record<'_>>()? {
            countries |= record.country().is_some();
            networks |= record.network().is_some();
        }
        if countries && networks {
            break;
        }
    }
    Ok((countries, networks))
}

/// A file's record of an address.
fn found(reader: &Reader<Vec<u8>>, address: IpAddr) -> Option<Record<'_>> {
    let knows_v6 = reader.metadata().ip_version == 6;
    if address.is_ipv6() && !knows_v6 {
        return None;
    }
    let mut found = reader.lookup(address).ok()?;
    if let IpAddr::V4(v4) = address
        && knows_v6
        && !found.has_data()
    {
        // IPv4 addresses should stand in `::/96`, but some have them as IPv4-mapped ones only.
        found = reader.lookup(v4.to_ipv6_mapped().into()).ok()?;
    }
    found.decode().ok()?
}
