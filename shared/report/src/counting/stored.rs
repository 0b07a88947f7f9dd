//! Whether what is stored can have been counted so: for whoever looks for damage.

use super::cap::{self, OTHER_CLIENTS, OTHER_NAMES, Owner, UsageClaims, network};
use super::clean::{client_address, is_lowered, is_uppered};
use super::usage::UsageKey;

/// Whether cleaning may have left the names of usage as they are.
#[must_use]
pub fn is_clean_usage(key: &UsageKey<'_>) -> bool {
    let UsageKey { sender, username, mechanism, client, .. } = *key;
    let is_client = client == OTHER_CLIENTS || client_address(client.as_bytes()) == client;
    is_lowered(sender) && is_lowered(username) && is_uppered(mechanism) && is_client
}

/// The same of failed logins. Those that are not told apart have the client's network.
#[must_use]
pub fn is_clean_failure(account: &str, client: &str) -> bool {
    let is_network = || client.strip_suffix("/64").is_some_and(|one| *network(one) == *client);
    let is_client = client_address(client.as_bytes()) == client;
    is_lowered(account) && (is_client || account == OTHER_NAMES && is_network())
}

/// The same of what else is counted of an account.
#[must_use]
pub fn is_clean_finer(account: &str) -> bool {
    !account.is_empty() && is_lowered(account)
}

/// What was admitted before usage was counted so; none if nothing had to be, or if that cannot be told.
#[must_use]
pub fn admitted_for_usage(key: &UsageKey<'_>) -> Option<(Owner, u64)> {
    // A bare name may have been completed by its domain.
    let UsageClaims { sender, pair } = cap::usage_claims(key, key.domain);
    let claim = if key.client == OTHER_CLIENTS { sender } else { pair };
    claim.map(|claim| (Owner::Account(key.username.into()), claim))
}

/// The same of failed logins.
#[must_use]
pub fn admitted_for_failure(account: &str, client: &str) -> Option<(Owner, u64)> {
    let admitted = || (Owner::Network(network(client)), cap::failure_claim(account, client));
    (account != OTHER_NAMES).then(admitted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counting::tls::TlsVersion;

    const KEY: UsageKey<'static> = UsageKey {
        domain: "example.test",
        sender: "ann@example.test",
        username: "ann",
        mechanism: "PLAIN",
        tls: TlsVersion::Tls13,
        client: "192.0.2.1",
    };

    #[test]
    fn names_that_cleaning_does_not_leave_are_told() {
        let long = "\u{e9}".repeat(24) + "~0123456789abcdef";
        for mechanism in
            ["", "CRAM-MD5", "(X)", &long.to_uppercase()[..48], &long.replace('\u{e9}', "E")]
        {
            assert!(is_clean_usage(&UsageKey { mechanism, ..KEY }), "{mechanism}");
        }
        for mechanism in ["PLaIN", "PL\u{1}IN", &long] {
            assert!(!is_clean_usage(&UsageKey { mechanism, ..KEY }), "{mechanism}");
        }
        for client in ["", "192.0.2.1", "2001:db8::1", OTHER_CLIENTS] {
            assert!(is_clean_usage(&UsageKey { client, ..KEY }), "{client}");
        }
        for client in
            ["192.0.2.q", "192.0.2.511", "2001:DB8::1", "2001:db8:0::1", "(othar clients)"]
        {
            assert!(!is_clean_usage(&UsageKey { client, ..KEY }), "{client}");
        }
        assert!(!is_clean_usage(&UsageKey { sender: "aNn@example.test", ..KEY }));
        assert!(!is_clean_usage(&UsageKey { username: "an\u{7f}", ..KEY }));
        for (account, client) in [
            ("ann", "192.0.2.1"),
            (OTHER_NAMES, "192.0.2.1"),
            (OTHER_NAMES, "2001:db8::/64"),
            ("", ""),
        ] {
            assert!(is_clean_failure(account, client), "{account} {client}");
        }
        for (account, client) in
            [("ann", "2001:db8::/64"), ("Ann", ""), (OTHER_NAMES, "2001:db8::1/64")]
        {
            assert!(!is_clean_failure(account, client), "{account} {client}");
        }
        assert_eq!(["ann", "Ann", ""].map(is_clean_finer), [true, false, false]);
    }

    #[test]
    fn what_was_cleaned_is_clean() {
        // Of all letters with two cases, and many others.
        for c in (0..0x2_0000).filter_map(char::from_u32) {
            let text = format!("a{c}");
            let lowered = crate::lowered(text.as_bytes(), 256);
            assert!(is_lowered(&lowered), "{c:?} {lowered:?}");
            let uppered = crate::uppered(text.as_bytes(), 64);
            assert!(is_uppered(&uppered), "{c:?} {uppered:?}");
        }
    }

    #[test]
    fn who_sends_under_another_name_or_from_many_addresses_was_admitted() {
        assert_eq!(admitted_for_usage(&KEY), None);
        let of = |key: UsageKey<'_>| admitted_for_usage(&key).map(|(_, claim)| claim);
        let client = "2001:db8::1";
        let claims = [
            of(UsageKey { client, ..KEY }),
            of(UsageKey { sender: "x@example.test", ..KEY }),
            of(UsageKey { sender: "x@example.test", client, ..KEY }),
            of(UsageKey { sender: "x@example.test", client: OTHER_CLIENTS, ..KEY }),
        ];
        for (at, claim) in claims.iter().enumerate() {
            assert!(claim.is_some() && !claims[..at].contains(claim), "{at}");
        }
        assert_eq!(of(UsageKey { client: OTHER_CLIENTS, ..KEY }), None);
        assert!(admitted_for_failure("ann", "").is_some());
        assert_eq!(admitted_for_failure(OTHER_NAMES, "2001:db8::/64"), None);
    }
}
