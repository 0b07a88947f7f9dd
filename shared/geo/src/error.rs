//! Why a file is of no use.

use thiserror::Error;

/// Why a file is of no use, and the mend.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GeoError {
    /// It is packed, as vendors hand them out.
    #[error("{file} is packed: unpack it, and give the .mmdb file that is in it")]
    Packed {
        /// The file, as it was named.
        file: String,
    },
    /// It has no description of a database, which stands at the end of each.
    #[error(
        "{file} is no database in MaxMind's format, or its end is missing: \
         download it again, as .mmdb and not as .csv"
    )]
    NoDatabase {
        /// The file, as it was named.
        file: String,
    },
    /// It is a database, but what it says of itself or its first records cannot be read.
    #[error("{file} is damaged: download it again")]
    Damaged {
        /// The file, as it was named.
        file: String,
        /// What cannot be read.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is a database of something else.
    #[error(
        "{file}, of type \"{kind}\", tells neither countries nor networks: \
         give a database of countries, cities or ASNs"
    )]
    TellsNothing {
        /// The file, as it was named.
        file: String,
        /// The type that it says to be of, cleaned.
        kind: String,
    },
}
