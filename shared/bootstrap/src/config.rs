//! The functions' configuration, read whole at start.

use chrono_tz::Tz;
use logs::{Format, Options};
use report::RecipientDomains;
use thiserror::Error;

/// What the functions need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the DynamoDB table.
    pub table: String,
    /// `ZONE`: the time zone whose calendar days are counted. Default UTC.
    pub zone: Tz,
    /// `LOG_FORMAT`: `auto` (default), `postfix`, `exim` or `json`.
    pub format: Format,
    /// `LOG_ZONE`: the zone of log timestamps that name none. Default that of `ZONE`.
    pub log_zone: Tz,
    /// `DEFAULT_DOMAIN`: where senders without a domain belong. Default `(none)`.
    pub default_domain: String,
    /// `ARCHIVE_BUCKET`: the S3 bucket of the archives. Needed by `archive`, `query` and `report`.
    pub archive_bucket: Option<String>,
    /// `RECIPIENT_DOMAINS`: where reports may be mailed to, with commas between. Default none.
    pub recipients: RecipientDomains,
    /// `REPORT_REQUESTS_PER_DAY`: how many reports may be asked for each day. Default 250.
    pub requests_per_day: u32,
    /// `DASHBOARD_URL`: where people find the dashboard. Default: mails have no link.
    pub dashboard: Option<String>,
    /// `MAIL_FROM`: the sender of reports. Needed by `report`.
    pub mail_from: Option<String>,
    /// `MAIL_SIZE_LIMIT`: the most bytes of a mail. Default what SES takes.
    pub mail_limit: usize,
    /// `SES_CONFIGURATION_SET`: under which SES sends. Default none.
    pub configuration_set: Option<String>,
    /// Who may come in. Needed by `query`.
    pub oidc: Option<Oidc>,
}

/// An OpenID Connect provider, and whom it makes what.
#[derive(Clone, PartialEq, Eq)]
pub struct Oidc {
    /// `OIDC_ISSUER`: its issuer identifier.
    pub issuer: String,
    /// `OIDC_CLIENT_ID`: the dashboard's client id.
    pub client_id: String,
    /// `OIDC_CLIENT_SECRET`: its secret. Default none: PKCE alone.
    pub client_secret: Option<String>,
    /// `OIDC_AUDIENCES`: other audiences whose tokens are taken, with commas between. Default none.
    pub audiences: Vec<String>,
    /// `OIDC_ROLE_CLAIMS`: the claims that tell roles. Default `cognito:groups,scope`.
    pub role_claims: Vec<String>,
    /// `OIDC_READERS`: values of those claims that make a reader. Default `readers,smtp-auth-report/read`.
    pub readers: Vec<String>,
    /// `OIDC_MANAGERS`: values of those claims that make a manager. Default
    /// `managers,smtp-auth-report/manage`.
    pub managers: Vec<String>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the secret.
        f.debug_struct("Oidc").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A variable that is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// It must be set.
    #[error("{name} is not set: it must be {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should look like.
        expected: &'static str,
    },
    /// Its value cannot be used.
    #[error("{name}={value} cannot be used: it must be {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// As set.
        value: String,
        /// What it should look like.
        expected: &'static str,
    },
}

const ZONE: &str = "an IANA time zone, as in Europe/Berlin";
const DOMAIN: &str = "a domain, as in example.org";
const DOMAINS: &str = "domains with commas between, as in example.org,example.com";
const FORMAT: &str = "auto, postfix, exim or json";

impl Config {
    /// Reads the environment.
    ///
    /// # Errors
    /// The first variable that is missing or makes no sense.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        let missing = |name, expected| ConfigError::Missing { name, expected };
        let invalid =
            |name, value: String, expected| ConfigError::Invalid { name, value, expected };
        let zone_of = |name, default| match get(name) {
            Some(text) => text.parse().map_err(|_| invalid(name, text, ZONE)),
            None => Ok(default),
        };
        let zone = zone_of("ZONE", Tz::UTC)?;
        let format = match get("LOG_FORMAT").as_deref() {
            None | Some("auto") => Format::Auto,
            Some("postfix") => Format::Postfix,
            Some("exim") => Format::Exim,
            Some("json") => Format::Json,
            Some(other) => return Err(invalid("LOG_FORMAT", other.to_owned(), FORMAT)),
        };
        let default_domain = get("DEFAULT_DOMAIN").unwrap_or_else(|| "(none)".to_owned());
        let default_domain = report::domain_name(&default_domain)
            .ok_or_else(|| invalid("DEFAULT_DOMAIN", default_domain, DOMAIN))?;
        let domains = get("RECIPIENT_DOMAINS").unwrap_or_default();
        let recipients = RecipientDomains::read(&domains)
            .ok_or_else(|| invalid("RECIPIENT_DOMAINS", domains, DOMAINS))?;
        let dashboard = get("DASHBOARD_URL").map(|url| {
            web_address(&url).map_err(|expected| invalid("DASHBOARD_URL", url, expected))
        });
        let number = |name, default: u32| match get(name) {
            None => Ok(default),
            Some(text) => match text.parse::<u32>() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(invalid(name, text, "a whole number above 0")),
            },
        };
        let list = |name, default: &str| -> Vec<String> {
            let text = get(name).unwrap_or_else(|| default.to_owned());
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let oidc = get("OIDC_ISSUER").map(|issuer| {
            let client = "this service's client id at the provider";
            Ok(Oidc {
                issuer: web_address(&issuer)
                    .map_err(|expected| invalid("OIDC_ISSUER", issuer, expected))?,
                client_id: get("OIDC_CLIENT_ID").ok_or(missing("OIDC_CLIENT_ID", client))?,
                client_secret: get("OIDC_CLIENT_SECRET"),
                audiences: list("OIDC_AUDIENCES", ""),
                role_claims: list("OIDC_ROLE_CLAIMS", "cognito:groups,scope"),
                readers: list("OIDC_READERS", "readers,smtp-auth-report/read"),
                managers: list("OIDC_MANAGERS", "managers,smtp-auth-report/manage"),
            })
        });
        Ok(Self {
            oidc: oidc.transpose()?,
            recipients,
            requests_per_day: number("REPORT_REQUESTS_PER_DAY", report::REQUESTS_PER_DAY)?,
            dashboard: dashboard.transpose()?,
            mail_from: get("MAIL_FROM"),
            mail_limit: number("MAIL_SIZE_LIMIT", u32::MAX)? as usize,
            configuration_set: get("SES_CONFIGURATION_SET"),
            table: get("TABLE_NAME").ok_or(missing("TABLE_NAME", "the DynamoDB table's name"))?,
            zone,
            format,
            log_zone: zone_of("LOG_ZONE", zone)?,
            default_domain,
            archive_bucket: get("ARCHIVE_BUCKET"),
        })
    }

    /// How logs are to be read.
    #[must_use]
    pub fn logs(&self) -> Options {
        Options { format: self.format, zone: self.log_zone }
    }
}

/// Checks an address on the web.
///
/// # Errors
/// What it must look like.
pub fn web_address(text: &str) -> Result<String, &'static str> {
    let begins = text.starts_with("https://") || text.starts_with("http://");
    let strange = |c: char| c.is_whitespace() || c.is_control() || "<>\"'?#".contains(c);
    let fits = begins && !text.contains(strange);
    fits.then(|| text.to_owned()).ok_or("a URL as in https://mail.example.org")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn only_the_table_must_be_named() {
        let config = read(&[("TABLE_NAME", "t"), ("ZONE", "Europe/Berlin")]).expect("a config");
        assert_eq!((config.zone, config.log_zone), (Tz::Europe__Berlin, Tz::Europe__Berlin));
        assert_eq!(config.format, Format::Auto);
    }

    #[test]
    fn reports_go_nowhere_unless_that_is_said() {
        let config = read(&[("TABLE_NAME", "t")]).expect("a config");
        assert!(config.recipients.check(&["ann@example.org"]).is_err());
        assert_eq!(config.requests_per_day, 250);
        let config = read(&[("TABLE_NAME", "t"), ("RECIPIENT_DOMAINS", "example.org, corp.test")]);
        assert!(config.expect("a config").recipients.check(&["ann@corp.test"]).is_ok());
        let error = |name: &'static str, value| {
            read(&[("TABLE_NAME", "t"), (name, value)]).expect_err(name).to_string()
        };
        assert!(error("RECIPIENT_DOMAINS", "a@b").starts_with("RECIPIENT_DOMAINS=a@b cannot"));
        assert!(error("REPORT_REQUESTS_PER_DAY", "0").contains("above 0"));
        assert!(error("DASHBOARD_URL", "mail.example.org").contains("https://"));
    }

    #[test]
    fn errors_name_the_variable_the_value_and_the_mend() {
        let error = |variables: &[(&str, &str)]| read(variables).expect_err("wrong").to_string();
        assert_eq!(error(&[]), "TABLE_NAME is not set: it must be the DynamoDB table's name");
        assert_eq!(
            error(&[("TABLE_NAME", "t"), ("ZONE", "Berlin")]),
            "ZONE=Berlin cannot be used: it must be an IANA time zone, as in Europe/Berlin"
        );
        assert_eq!(
            error(&[("TABLE_NAME", "t"), ("LOG_FORMAT", "sendmail")]),
            "LOG_FORMAT=sendmail cannot be used: it must be auto, postfix, exim or json"
        );
    }
}
