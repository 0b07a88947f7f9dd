//! Whom reports may be mailed to.

use std::collections::BTreeSet;

use email_address::{EmailAddress, Options};
use thiserror::Error;

use crate::counting::submission::domain_name;
use crate::views::scope::Scope;

/// The most recipients of one mail: SES takes 50.
pub const RECIPIENTS: usize = 50;

/// The longest mail address that is taken, in bytes (RFC 5321, section 4.5.3.1.3).
pub const ADDRESS: usize = 254;

/// What mail addresses are taken, as a regular expression (ECMA-262): in ASCII, without quotes (RFC 5322's
/// dot-atom), of at most [`ADDRESS`] bytes.
pub const ADDRESS_PATTERN: &str = "^(?=[^@]{1,64}@)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\
     @[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$";

/// The domains that reports may be mailed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientDomains {
    /// Any: for mail that does not leave the machine.
    Any,
    /// These, and not their subdomains.
    Listed(BTreeSet<String>),
}

/// Why reports cannot be mailed to somebody.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecipientError {
    /// Nobody is named.
    #[error("there must be at least one")]
    Nobody,
    /// More than [`RECIPIENTS`] are named.
    #[error("there may be {RECIPIENTS} at most, not {0}")]
    TooMany(usize),
    /// It is no address that mail can be sent to.
    #[error("{0} is no mail address as in ann@example.org (in ASCII, without a display name)")]
    NoAddress(String),
    /// Its domain is not allowed.
    #[error("{recipient} is not in a domain that reports may be sent to ({allowed})")]
    NotAllowed {
        /// As given.
        recipient: String,
        /// The domains that are.
        allowed: String,
    },
}

impl RecipientDomains {
    /// Reads domains (in ASCII) with commas or white space between them; none if one of them is no domain.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let names = text.split(|c: char| c == ',' || c.is_whitespace());
        let names = names.filter(|name| !name.is_empty());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let domain = |name: &str| domain_name(name).filter(|name| name.chars().all(plain));
        Some(Self::Listed(names.map(domain).collect::<Option<_>>()?))
    }

    /// Of these, the ones that somebody within a scope may send reports to: their own. So nobody learns which others
    /// there are, or mails to them.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        match (self, scope) {
            (_, Scope::All) => self.clone(),
            (Self::Any, Scope::Domains(own)) => Self::Listed(own.clone()),
            (Self::Listed(listed), Scope::Domains(own)) => Self::Listed(listed & own),
        }
    }

    fn allow(&self, domain: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(domains) => domains.contains(domain),
        }
    }

    /// The domains for people, as in `corp.test, example.org`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Listed(domains) if domains.is_empty() => "none is configured".to_owned(),
            Self::Listed(domains) => domains.iter().cloned().collect::<Vec<_>>().join(", "),
        }
    }

    /// Checks recipients, and leaves out those that are named before. Domains become lower case.
    ///
    /// # Errors
    /// Nobody, too many, or the first one that mail cannot or must not be sent to.
    pub fn check<S: AsRef<str>>(&self, recipients: &[S]) -> Result<Vec<String>, RecipientError> {
        if recipients.len() > RECIPIENTS {
            return Err(RecipientError::TooMany(recipients.len()));
        }
        let mut checked = Vec::new();
        let mut known = BTreeSet::new();
        for recipient in recipients {
            let recipient = self.check_one(recipient.as_ref())?;
            if known.insert(recipient.to_ascii_lowercase()) {
                checked.push(recipient);
            }
        }
        if checked.is_empty() { Err(RecipientError::Nobody) } else { Ok(checked) }
    }

    /// Checks one recipient.
    pub(crate) fn check_one(&self, recipient: &str) -> Result<String, RecipientError> {
        let options = Options::default().without_display_text().without_domain_literal();
        let shown = || recipient.chars().take(200).collect::<String>();
        let address = EmailAddress::parse_with_options(recipient, options)
            .ok()
            .filter(|address| is_plain(address.as_str()))
            .ok_or_else(|| RecipientError::NoAddress(shown()))?;
        let domain = address.domain().to_ascii_lowercase();
        if !self.allow(&domain) {
            return Err(RecipientError::NotAllowed {
                recipient: shown(),
                allowed: self.describe(),
            });
        }
        Ok(format!("{}@{domain}", address.local_part()))
    }
}

/// Whether an address is of the form that [`ADDRESS_PATTERN`] tells.
fn is_plain(address: &str) -> bool {
    address.is_ascii() && !address.contains('"') && address.len() <= ADDRESS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> RecipientDomains {
        RecipientDomains::read("example.org, Corp.test").expect("domains")
    }

    #[test]
    fn within_a_scope_reports_go_to_its_own_domains() {
        let own = Scope::Domains(["corp.test", "other.test"].map(str::to_owned).into());
        let within = listed().within(&own);
        assert_eq!(within.describe(), "corp.test");
        let refused = within.check(&["ann@example.org"]).expect_err("it is not theirs");
        assert!(!refused.to_string().contains("example.org)"), "{refused}");
        assert_eq!(listed().within(&Scope::All), listed());
        assert!(listed().within(&Scope::NOTHING).check(&["bob@corp.test"]).is_err());
        assert!(RecipientDomains::Any.within(&own).check(&["bob@other.test"]).is_ok());
        assert!(RecipientDomains::Any.within(&own).check(&["bob@example.org"]).is_err());
    }

    #[test]
    fn recipients_are_addresses_in_allowed_domains_once_each() {
        let given = ["Ann@EXAMPLE.org", "bob@corp.test", "ann@example.org"];
        assert_eq!(
            listed().check(&given),
            Ok(vec!["Ann@example.org".into(), "bob@corp.test".into()])
        );
        assert_eq!(listed().check::<&str>(&[]), Err(RecipientError::Nobody));
        let many: Vec<_> = (0..51).map(|n| format!("a{n}@corp.test")).collect();
        assert_eq!(listed().check(&many), Err(RecipientError::TooMany(51)));
        assert!(listed().check(&many[..50]).is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.org",
            "Ann <ann@example.org>",
            "ann@example.org, bob@example.org",
            "ann@[192.0.2.1]",
            "ann@example.org\r\nBcc: bob@example.org",
            "a b@example.org",
            " ann@example.org",
            "ann@example.org\n",
            "\"a b\"@example.org",
            "a..b@example.org",
            ".a@example.org",
            "a@-example.org",
            "a@example.org.",
            "\u{e4}nn@example.org",
        ] {
            let checked = RecipientDomains::Any.check(&[bad]);
            assert!(matches!(checked, Err(RecipientError::NoAddress(_))), "{bad:?}: {checked:?}");
        }
    }

    #[test]
    fn other_domains_are_refused_and_so_are_subdomains() {
        for foreign in ["ann@example.com", "ann@sub.example.org", "ann@evil-example.org"] {
            let error = listed().check(&[foreign]).expect_err(foreign).to_string();
            assert!(
                error.starts_with(foreign) && error.contains("corp.test, example.org"),
                "{error}"
            );
        }
        let nothing = RecipientDomains::read("").expect("no domains");
        let error = nothing.check(&["ann@example.org"]).expect_err("nothing is allowed");
        assert!(error.to_string().contains("none is configured"), "{error}");
        assert_eq!(RecipientDomains::read("example.org, a@b"), None);
        assert_eq!(RecipientDomains::read("*.example.org"), None);
    }
}
