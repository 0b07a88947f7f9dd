//! TLS versions as the report names them, and counts per version.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The TLS version that protected a submission, as far as the log proves it.
///
/// SSL 2 and SSL 3 are counted as [`TlsVersion::Unknown`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
pub enum TlsVersion {
    /// TLS 1.0 (RFC 2246).
    #[serde(rename = "TLS1.0")]
    Tls10,
    /// TLS 1.1 (RFC 4346).
    #[serde(rename = "TLS1.1")]
    Tls11,
    /// TLS 1.2 (RFC 5246).
    #[serde(rename = "TLS1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "TLS1.3")]
    Tls13,
    /// The log proves that the session was plaintext.
    #[serde(rename = "none")]
    None,
    /// The log does not tell: neither plaintext nor a version is proven.
    #[serde(rename = "unknown")]
    Unknown,
}

impl TlsVersion {
    /// Every version, in the order in which all views list them.
    pub const ALL: [Self; 6] =
        [Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13, Self::None, Self::Unknown];

    /// The name used in views, keys and CSV headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS1.0",
            Self::Tls11 => "TLS1.1",
            Self::Tls12 => "TLS1.2",
            Self::Tls13 => "TLS1.3",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// What people call it: the head of a column.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS1.0",
            Self::Tls11 => "TLS1.1",
            Self::Tls12 => "TLS1.2",
            Self::Tls13 => "TLS1.3",
            Self::None => "No TLS",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether it is one that should be given up: TLS 1.0 and 1.1 (RFC 8996), and plaintext (RFC 8314).
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        match self {
            Self::Tls10 | Self::Tls11 | Self::None => true,
            Self::Tls12 | Self::Tls13 | Self::Unknown => false,
        }
    }

    /// The version with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.name() == name)
    }

    /// Reads the label that a mail server or TLS library prints.
    ///
    /// OpenSSL's `TLSv1.2`, Exim's `TLS1.2`, `TLS1` and `TLS1.0-PKIX`, rustls' `TLSv1_2` and
    /// Schannel's `SP_PROT_TLS1_2_SERVER` all name TLS 1.2 or their own version. `SSLv3` and
    /// anything not listed, such as Sendmail's `TLSv1/SSLv3`, is [`TlsVersion::Unknown`].
    #[must_use]
    pub fn from_label(label: &[u8]) -> Self {
        let label = label.strip_prefix(b"SP_PROT_").unwrap_or(label);
        let label = label.strip_suffix(b"_SERVER").unwrap_or(label);
        let label = label.strip_suffix(b"-PKIX").unwrap_or(label);
        let Some(number) = label.strip_prefix(b"TLS") else {
            return Self::Unknown;
        };
        match number.strip_prefix(b"v").unwrap_or(number) {
            b"1" | b"1.0" | b"1_0" => Self::Tls10,
            b"1.1" | b"1_1" => Self::Tls11,
            b"1.2" | b"1_2" => Self::Tls12,
            b"1.3" | b"1_3" => Self::Tls13,
            _ => Self::Unknown,
        }
    }
}

/// Messages per TLS version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsCounts([u64; 6]);

impl TlsCounts {
    /// Adds `messages` to `version`.
    pub fn add(&mut self, version: TlsVersion, messages: u64) {
        let cell = &mut self.0[version as usize];
        *cell = cell.saturating_add(messages);
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        for version in TlsVersion::ALL {
            self.add(version, other.get(version));
        }
    }

    /// Messages of one version.
    #[must_use]
    pub const fn get(&self, version: TlsVersion) -> u64 {
        self.0[version as usize]
    }

    /// Messages of all versions.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, messages| sum.saturating_add(*messages))
    }

    /// Messages of all versions that should be given up ([`TlsVersion::is_legacy`]).
    #[must_use]
    pub fn legacy(&self) -> u64 {
        let legacy = TlsVersion::ALL.into_iter().filter(|version| version.is_legacy());
        legacy.fold(0, |sum, version| sum.saturating_add(self.get(version)))
    }

    /// Messages and percentage per version: all six, in the order of [`TlsVersion::ALL`].
    #[must_use]
    pub fn shares(&self) -> Vec<TlsShare> {
        let total = self.total();
        TlsVersion::ALL
            .into_iter()
            .map(|version| {
                let messages = self.get(version);
                TlsShare { version, messages, percent: percent(messages, total) }
            })
            .collect()
    }
}

impl<'s> FromIterator<&'s TlsShare> for TlsCounts {
    fn from_iter<I: IntoIterator<Item = &'s TlsShare>>(shares: I) -> Self {
        let mut counts = Self::default();
        for share in shares {
            counts.add(share.version, share.messages);
        }
        counts
    }
}

/// One version's part of a total.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TlsShare {
    /// The version.
    pub version: TlsVersion,
    /// Messages sent with it.
    pub messages: u64,
    /// `messages` in percent of the total, rounded half up to two decimals; 0 of nothing is 0.
    #[schema(minimum = 0.0, maximum = 100.0)]
    pub percent: f64,
}

/// `part` in percent of `total` with two decimals, computed in whole numbers so that it is the same everywhere.
#[must_use]
pub fn percent(part: u64, total: u64) -> f64 {
    if total == 0 {
        return 0.0;
    }
    let hundredths = (u128::from(part) * 20_000 + u128::from(total)) / (2 * u128::from(total));
    #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
    let hundredths = hundredths as f64;
    hundredths / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_every_server_are_folded() {
        for (label, version) in [
            ("TLSv1", TlsVersion::Tls10),
            ("TLS1", TlsVersion::Tls10),
            ("TLS1.0", TlsVersion::Tls10),
            ("TLS1.0-PKIX", TlsVersion::Tls10),
            ("SP_PROT_TLS1_0_SERVER", TlsVersion::Tls10),
            ("TLSv1.1", TlsVersion::Tls11),
            ("TLS1.2", TlsVersion::Tls12),
            ("TLSv1_2", TlsVersion::Tls12),
            ("TLSv1.3", TlsVersion::Tls13),
            ("SSLv3", TlsVersion::Unknown),
            ("SSLv2", TlsVersion::Unknown),
            ("TLSv1/SSLv3", TlsVersion::Unknown),
            ("UNKNOWN", TlsVersion::Unknown),
            ("", TlsVersion::Unknown),
        ] {
            assert_eq!(TlsVersion::from_label(label.as_bytes()), version, "{label}");
        }
    }

    #[test]
    fn names_round_trip() {
        for version in TlsVersion::ALL {
            assert_eq!(TlsVersion::from_name(version.name()), Some(version));
            let json = format!("\"{}\"", version.name());
            assert_eq!(format!("{:?}", version.name()), json);
        }
    }

    #[test]
    fn percentages_round_half_up_to_two_decimals() {
        assert_eq!(percent(1, 3), 33.33);
        assert_eq!(percent(2, 3), 66.67);
        assert_eq!(percent(1, 8), 12.5);
        assert_eq!(percent(1, 20_000), 0.01);
        assert_eq!(percent(0, 0), 0.0);
        assert_eq!(percent(u64::MAX, u64::MAX), 100.0);
    }
}
