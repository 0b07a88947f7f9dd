//! Which addresses anybody on the Internet may have.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What IANA's registries of special addresses hold for other purposes than to be reached from everywhere.
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/9",
    "ff00::/8",
];

/// Whether an address is one of the Internet's, and not one that only means something here.
pub(crate) fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    if let IpAddr::V6(v6) = address {
        let [first, second, third, .., last, least] = v6.segments();
        let v4 = |high: u16, low: u16| {
            IpAddr::from((u32::from(high) << 16 | u32::from(low)).to_be_bytes())
        };
        // What leads to an address of version 4 is as public as that one.
        match (first, second) {
            (0x64, 0xff9b) if third == 0 => return is_public(v4(last, least)),
            (0x2002, _) => return is_public(v4(second, third)),
            _ => {}
        }
    }
    let special = SPECIAL.iter().filter_map(|text| text.parse::<IpNet>().ok());
    !special.into_iter().any(|net| net.contains(&address))
}

/// Finds public addresses only.
#[derive(Debug)]
pub(crate) struct Public;

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|found| is_public(found.ip())).collect();
            if public.is_empty() {
                return Err("it has no public address; private = true lets it have another".into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_means_something_here_is_not_public() {
        for net in SPECIAL {
            assert!(net.parse::<IpNet>().is_ok(), "{net}");
        }
        for here in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "192.168.0.1",
            "172.31.0.1",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "fd00::1",
            "fe80::1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fd00:ec2::254",
        ] {
            assert!(!is_public(here.parse().expect("an address")), "{here}");
        }
        for there in ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:8.8.8.8"] {
            assert!(is_public(there.parse().expect("an address")), "{there}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_here_leads_nowhere() {
        let found = Public.resolve("localhost".parse().expect("a name")).await;
        let error = found.map(|_| ()).expect_err("only private ones");
        assert!(error.to_string().contains("private = true"), "{error}");
    }
}
