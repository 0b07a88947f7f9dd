//! Who comes in, and where.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::mail::DASHBOARD;
use super::setting::{ConfigError, Section, Setting, Settings};
use super::values::{text, web_address};

const ISSUER: Setting = Setting {
    variable: "OIDC_ISSUER",
    expected: "the issuer of an OpenID Connect provider, as in https://id.example.org",
    ..Setting::EMPTY
};

const CLIENT_ID: Setting = Setting {
    variable: "OIDC_CLIENT_ID",
    expected: "this service's client id at the provider",
    ..Setting::EMPTY
};

const CLIENT_SECRET: Setting = Setting {
    variable: "OIDC_CLIENT_SECRET",
    expected: "this service's secret at the provider",
    ..Setting::EMPTY
};

const AUDIENCES: Setting = Setting {
    variable: "OIDC_AUDIENCES",
    expected: "audiences with commas between",
    ..Setting::EMPTY
};

const ROLE_CLAIMS: Setting = Setting {
    variable: "OIDC_ROLE_CLAIMS",
    default: "cognito:groups,scope",
    expected: "claims with commas between",
    ..Setting::EMPTY
};

const READERS: Setting = Setting {
    variable: "OIDC_READERS",
    default: "readers,smtp-auth-report/read",
    expected: "values of claims with commas between",
    ..Setting::EMPTY
};

const MANAGERS: Setting =
    Setting { variable: "OIDC_MANAGERS", default: "managers,smtp-auth-report/manage", ..READERS };

const DOMAIN_CLAIMS: Setting = Setting {
    variable: "OIDC_DOMAIN_CLAIMS",
    expected: "claims that tell which sender domains somebody may know of, with commas between",
    help: "Bind everybody to the sender domains in these claims; domain:* in one is all, and none is nothing",
    ..Setting::EMPTY
};

const LISTEN: Setting = Setting {
    flag: "listen",
    value: "ADDRESS",
    default: "127.0.0.1:8025",
    expected: "an address and a port, as in 127.0.0.1:8025, localhost:8025, or :8025 for every IPv4 address",
    help: "Where to listen; beyond loopback only with --token-file",
    ..Setting::EMPTY
};

const TOKEN_FILE: Setting = Setting {
    flag: "token-file",
    value: "FILE",
    help: "Demand the token in this file: of scripts as bearer token, of browsers as password",
    ..Setting::EMPTY
};

/// An OpenID Connect provider, and whom it makes what.
#[derive(Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Its issuer identifier.
    pub issuer: String,
    /// The dashboard's client id.
    pub client_id: String,
    /// Its secret; none is PKCE alone.
    pub client_secret: Option<String>,
    /// Other audiences whose tokens are taken.
    pub audiences: Vec<String>,
    /// The claims that tell roles.
    pub role_claims: Vec<String>,
    /// Values of those claims that make a reader.
    pub readers: Vec<String>,
    /// Values of those claims that make a manager.
    pub managers: Vec<String>,
    /// The claims that tell sender domains. Where there are none, nobody is bound to any; else everybody is, but those
    /// whose claims say that they are not.
    pub domain_claims: Vec<String>,
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the secret.
        f.debug_struct("Oidc").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Who comes in on AWS: those whom a provider knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// The provider.
    pub oidc: Oidc,
    /// Where it sends them back to.
    pub dashboard: String,
}

impl Section for People {
    fn settings() -> Vec<&'static Setting> {
        vec![
            &ISSUER,
            &CLIENT_ID,
            &CLIENT_SECRET,
            &AUDIENCES,
            &ROLE_CLAIMS,
            &READERS,
            &MANAGERS,
            &DOMAIN_CLAIMS,
            &DASHBOARD,
        ]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let list =
            |setting| Ok::<_, ConfigError>(words(&settings.text(setting)?.unwrap_or_default()));
        let oidc = Oidc {
            issuer: settings.required(&ISSUER, web_address)?,
            client_id: settings.required(&CLIENT_ID, text)?,
            client_secret: settings.text(&CLIENT_SECRET)?,
            audiences: list(&AUDIENCES)?,
            role_claims: list(&ROLE_CLAIMS)?,
            readers: list(&READERS)?,
            managers: list(&MANAGERS)?,
            // Commas alone are a mistake: they must not bind nobody.
            domain_claims: settings
                .parsed(&DOMAIN_CLAIMS, |text| {
                    Some(words(text)).filter(|claims| !claims.is_empty())
                })?
                .unwrap_or_default(),
        };
        Ok(Self { oidc, dashboard: settings.required(&DASHBOARD, web_address)? })
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// An address to listen on. `localhost` is loopback, whatever a name server says of it (RFC 6761, section 6.3); without a host,
/// it is every IPv4 address of this machine.
fn address(text: &str) -> Option<SocketAddr> {
    let at = |host: Ipv4Addr, port: &str| Some((host, port.parse().ok()?).into());
    match text.rsplit_once(':') {
        Some(("", port)) => at(Ipv4Addr::UNSPECIFIED, port),
        Some((host, port)) if host.eq_ignore_ascii_case("localhost") => {
            at(Ipv4Addr::LOCALHOST, port)
        }
        _ => text.parse().ok(),
    }
}

/// Who comes in on one machine: whoever is there, or has a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// Where.
    pub listen: SocketAddr,
    /// The file with the token.
    pub token_file: Option<PathBuf>,
}

impl Section for Listening {
    fn settings() -> Vec<&'static Setting> {
        vec![&LISTEN, &TOKEN_FILE]
    }

    fn read(settings: &Settings<'_>) -> Result<Self, ConfigError> {
        let listen = settings.required(&LISTEN, address)?;
        Ok(Self { listen, token_file: settings.path(&TOKEN_FILE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_to_listen_on_may_name_this_machine_or_nothing() {
        let read = |text| address(text).map(|address| address.to_string());
        for (text, expected) in [
            ("127.0.0.1:8025", "127.0.0.1:8025"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:8025", "127.0.0.1:8025"),
            ("LocalHost:0", "127.0.0.1:0"),
            (":8025", "0.0.0.0:8025"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "8025", ":", "localhost", "localhost:", ":65536", "mail.example.org:80", "::1:80"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
