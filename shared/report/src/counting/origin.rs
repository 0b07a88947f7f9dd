//! What looks like a client, and is none of a person's or a device's.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a client or an account belongs, as far as its name alone tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The mail server's own machine (a loopback address): webmail, a script on it, or a proxy in front of the server.
    /// Without TLS, nothing has left the machine.
    Machine,
    /// A private network: no address that the internet knows (RFC 1918, RFC 4193, RFC 6598, link-local).
    Private,
    /// The mail server checks itself: Exchange's `HealthMailbox…` and `extest_…`.
    HealthCheck,
}

impl Origin {
    /// Where a client is, as its address tells; none if that is an address of the internet's, or no address.
    #[must_use]
    pub fn of_client(client: &str) -> Option<Self> {
        let address: IpAddr = client.parse().ok()?;
        let address = address.to_canonical();
        if address.is_loopback() {
            return Some(Self::Machine);
        }
        let is_private = match address {
            IpAddr::V4(v4) => {
                let [first, second, ..] = v4.octets();
                let is_shared = first == 100 && (64..128).contains(&second);
                v4.is_private() || v4.is_link_local() || is_shared
            }
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
        };
        is_private.then_some(Self::Private)
    }

    /// Whether it is the mail server's own: then it is no client that should give up legacy TLS.
    #[must_use]
    pub const fn is_own(self) -> bool {
        match self {
            Self::Machine | Self::HealthCheck => true,
            Self::Private => false,
        }
    }

    /// Whose an account or a sender is, as its name tells; none if nothing is special about it.
    #[must_use]
    pub fn of_account(name: &str) -> Option<Self> {
        let local = name.rsplit_once('\\').map_or(name, |(_, local)| local);
        let is_check = ["healthmailbox", "extest_"].iter().any(|begin| local.starts_with(begin));
        is_check.then_some(Self::HealthCheck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_by_their_address() {
        for (client, origin) in [
            ("127.0.0.1", Some(Origin::Machine)),
            ("127.8.0.1", Some(Origin::Machine)),
            ("::1", Some(Origin::Machine)),
            ("::ffff:127.0.0.1", Some(Origin::Machine)),
            ("10.1.2.3", Some(Origin::Private)),
            ("172.31.0.1", Some(Origin::Private)),
            ("172.32.0.1", None),
            ("192.168.0.9", Some(Origin::Private)),
            ("100.64.0.1", Some(Origin::Private)),
            ("100.128.0.1", None),
            ("169.254.1.1", Some(Origin::Private)),
            ("fd00::1", Some(Origin::Private)),
            ("fe80::1", Some(Origin::Private)),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
            ("", None),
            ("(other clients)", None),
        ] {
            assert_eq!(Origin::of_client(client), origin, "{client}");
        }
    }

    #[test]
    fn health_checks_are_told_by_their_name() {
        for name in
            ["healthmailbox1a2b@corp.test", "corp\\healthmailbox1a2b", "extest_9f@corp.test"]
        {
            assert_eq!(Origin::of_account(name), Some(Origin::HealthCheck), "{name}");
        }
        for name in ["ann@corp.test", "healthy@corp.test", "my.healthmailbox@corp.test", ""] {
            assert_eq!(Origin::of_account(name), None, "{name}");
        }
    }
}
