//! Which address a database is asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks, each with the bits that its addresses have in common.
type Networks<A, const N: usize> = [(A, u32); N];

/// Addresses that the internet does not route: IANA's registry of IPv4 special-purpose addresses (RFC 6890), and what
/// is reserved or for many receivers. Those of documentation stand by themselves.
const NOT_ROUTED_V4: Networks<Ipv4Addr, 11> = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// RFC 5737.
const DOCUMENTATION_V4: Networks<Ipv4Addr, 3> = [
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
];

/// All that was ever given out for single receivers (RFC 4291).
const GLOBAL_V6: Networks<Ipv6Addr, 1> = [(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)];

/// What protocols were given of it (RFC 2928).
const PROTOCOLS_V6: Networks<Ipv6Addr, 1> = [(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23)];

/// RFC 3849 and RFC 9637.
const DOCUMENTATION_V6: Networks<Ipv6Addr, 2> = [
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// The address to ask for; none if nobody can tell where it is.
///
/// An IPv4 address that is written as one of IPv6 is asked for as what it is. Addresses of documentation are asked for
/// only with `documentation`.
pub(crate) fn asked(address: IpAddr, documentation: bool) -> Option<IpAddr> {
    let address = unwrapped(address);
    let (is_routed, is_documentation) = match address {
        IpAddr::V4(v4) => (!is_in_v4(v4, &NOT_ROUTED_V4), is_in_v4(v4, &DOCUMENTATION_V4)),
        IpAddr::V6(v6) => {
            let is_routed = is_in_v6(v6, &GLOBAL_V6) && !is_in_v6(v6, &PROTOCOLS_V6);
            (is_routed, is_in_v6(v6, &DOCUMENTATION_V6))
        }
    };
    (is_routed && (documentation || !is_documentation)).then_some(address)
}

/// An IPv4 address for what tells one: IPv4-mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056) and Teredo (RFC 4380).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let v4 = |high: u16, low: u16| IpAddr::V4((u32::from(high) << 16 | u32::from(low)).into());
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // The client's own address, hidden from what changes addresses on the way.
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => address,
    }
}

fn is_in_v4<const N: usize>(address: Ipv4Addr, networks: &Networks<Ipv4Addr, N>) -> bool {
    let differs = |from: Ipv4Addr| address.to_bits() ^ from.to_bits();
    networks.iter().any(|(from, bits)| differs(*from).leading_zeros() >= *bits)
}

fn is_in_v6<const N: usize>(address: Ipv6Addr, networks: &Networks<Ipv6Addr, N>) -> bool {
    let differs = |from: Ipv6Addr| address.to_bits() ^ from.to_bits();
    networks.iter().any(|(from, bits)| differs(*from).leading_zeros() >= *bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_asked(address: &str) -> bool {
        asked(address.parse().expect("an address"), false).is_some()
    }

    #[test]
    fn what_the_internet_does_not_route_is_not_asked_for() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.1.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            // IPv4 addresses as RFC 4291 no longer lets them be written.
            "::8.8.8.8",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001:2::1",
            "2001:db8::1",
            "3fff::1",
            "2002:a00:1::1",
            "2002:c000:201::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_asked(address), "{address}");
        }
    }

    #[test]
    fn networks_end_where_they_end() {
        // The first and the last address of each network are not asked for, those beside them are, unless they
        // belong to a network beside it.
        let networks = NOT_ROUTED_V4.iter().chain(&DOCUMENTATION_V4);
        for (from, bits) in networks {
            let size = 1_u64 << (32 - bits);
            let first = u64::from(from.to_bits());
            for (address, inside) in [
                (first, true),
                (first + size - 1, true),
                (first.wrapping_sub(1), false),
                (first + size, false),
            ] {
                let Ok(address) = u32::try_from(address) else { continue };
                let address = Ipv4Addr::from_bits(address);
                let beside = [0, 224, 239, 240].contains(&address.octets()[0]);
                if inside || !beside {
                    assert_eq!(is_asked(&address.to_string()), !inside, "{address}");
                }
            }
        }
        for (first, last, inside) in [
            (GLOBAL_V6[0].0, "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
            (PROTOCOLS_V6[0].0, "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false),
            (DOCUMENTATION_V6[0].0, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false),
            (DOCUMENTATION_V6[1].0, "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", false),
        ] {
            let last = last.parse::<Ipv6Addr>().expect("an address");
            let beside = [first.to_bits() - 1, last.to_bits() + 1].map(Ipv6Addr::from_bits);
            assert_eq!(is_asked(&last.to_string()), inside, "{last}");
            for address in beside {
                assert_eq!(is_asked(&address.to_string()), !inside, "{address}");
            }
        }
    }

    #[test]
    fn addresses_of_ipv4_are_found_in_those_of_ipv6() {
        let v4: IpAddr = "192.0.2.1".parse().expect("an address");
        for address in [
            "192.0.2.1",
            "::ffff:192.0.2.1",
            "64:ff9b::192.0.2.1",
            "2002:c000:201::",
            "2002:c000:201:1:2:3:4:5",
            "2001:0:c633:6401:0:0:3fff:fdfe",
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(asked(address, true), Some(v4), "{address}");
            assert_eq!(asked(address, false), None, "{address}");
        }
        let v6 = "2001:db8::1".parse().expect("an address");
        assert_eq!(asked(v6, true), Some(v6));
    }

    #[test]
    fn documentation_is_all_that_is_asked_for_besides() {
        for address in ["10.0.0.1", "127.0.0.1", "fe80::1", "::1", "2002:a00:1::1", "2001:2::1"] {
            assert_eq!(asked(address.parse().expect("an address"), true), None, "{address}");
        }
    }
}
