//! Networks of clients.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use report::Origin;

/// A network of the internet's: the bits of its addresses that are the same, how many these are, and whether it is one of
/// IPv6. In one number: every habit has some dozens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Network(u64);

impl Network {
    /// Of at most 48 bits.
    const fn new(bits: u64, length: u8, is_v6: bool) -> Self {
        Self(bits << 8 | (length as u64) << 1 | is_v6 as u64)
    }
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Place {
    /// What one site has: a /24, or a /48 of IPv6.
    pub(crate) site: Network,
    /// What one provider has in a region: a /16, or a /32 of IPv6.
    pub(crate) network: Network,
}

impl Place {
    /// Where a client is, as its address tells; none if that is no address, or one that the internet does not know: these
    /// are the reader's own, and never strange.
    #[must_use]
    pub(crate) fn of(client: &str) -> Option<Self> {
        let address: IpAddr = client.parse().ok()?;
        if Origin::of_client(client).is_some() {
            return None;
        }
        Some(match address.to_canonical() {
            IpAddr::V4(address) => {
                let bits = u64::from(address.to_bits());
                let part = |length: u8| Network::new(bits >> (32 - length), length, false);
                Self { site: part(24), network: part(16) }
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                let bits = [a, b, c].into_iter().fold(0, |bits, part| bits << 16 | u64::from(part));
                let part = |length: u8| Network::new(bits >> (48 - length), length, true);
                Self { site: part(48), network: part(32) }
            }
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bits, length, is_v6) = (self.0 >> 8, self.0 >> 1 & 0x7f, self.0 & 1 == 1);
        if is_v6 {
            let address = Ipv6Addr::from_bits(u128::from(bits) << (128 - length));
            write!(f, "{address}/{length}")
        } else {
            let bits = u32::try_from(bits << (32 - length)).unwrap_or(0);
            write!(f, "{}/{length}", Ipv4Addr::from_bits(bits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_networks() {
        for (client, site, network) in [
            ("203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
            ("::ffff:203.0.113.9", "203.0.113.0/24", "203.0.0.0/16"),
            ("2001:db8:7:8::1", "2001:db8:7::/48", "2001:db8::/32"),
        ] {
            let place = Place::of(client).expect("a place");
            assert_eq!(
                (place.site.to_string(), place.network.to_string()),
                (site.into(), network.into())
            );
        }
        for nowhere in ["", "10.0.0.1", "127.0.0.1", "fd00::1", "(other clients)"] {
            assert_eq!(Place::of(nowhere), None, "{nowhere}");
        }
    }
}
