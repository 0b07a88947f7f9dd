//! What a log line proves: a submission that was accepted, or a login that failed.

use super::tls::TlsVersion;

/// How the null reverse-path (RFC 5321, section 4.5.5) is written as a sender.
pub const NULL_SENDER: &str = "<>";

/// What stands for the sender of a submission whose log names only the account.
pub const UNKNOWN_SENDER: &str = "(unknown)";

/// What stands for the senders of an account that are not told apart, because there are too many.
pub const OTHER_SENDERS: &str = "(other senders)";

/// Messages that one client submitted with SMTP AUTH (RFC 4954) and that were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submission<'a> {
    /// When it was accepted, in seconds since 1970.
    pub time: i64,
    /// Envelope sender (MAIL FROM) in lower case, or [`NULL_SENDER`] or [`UNKNOWN_SENDER`].
    pub sender: &'a str,
    /// Authenticated user in lower case; empty if the log does not tell.
    pub account: &'a str,
    /// SASL mechanism, or Exim's authenticator, in upper case; empty if the log does not tell.
    pub mechanism: &'a str,
    /// TLS version, as far as it is proven.
    pub tls: TlsVersion,
    /// The client's IP address; empty if the log does not tell.
    pub client: &'a str,
    /// The client's name: the host name that the server confirmed, or in parentheses what the client says of itself; empty
    /// if the log tells neither. See [`host_name`](super::client_name::host_name) and
    /// [`claimed_name`](super::client_name::claimed_name).
    pub client_name: &'a str,
    /// How many messages: one, unless an event says more.
    pub messages: u64,
    /// How many recipients these have together; 0 if the log does not tell.
    pub recipients: u64,
}

/// An SMTP AUTH command that the server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthFailure<'a> {
    /// When, in seconds since 1970.
    pub time: i64,
    /// The user that was tried, in lower case; empty if the log does not tell.
    pub account: &'a str,
    /// The client's IP address; empty if the log does not tell.
    pub client: &'a str,
}

/// The domain a submission belongs to: the sender's; without a sender, the account's; else `default`.
///
/// A bare sender name (no `@`) belongs to `default`, whoever sent it.
#[must_use]
pub fn domain_of<'a>(sender: &'a str, account: &'a str, default: &'a str) -> &'a str {
    let none = matches!(sender, NULL_SENDER | UNKNOWN_SENDER | OTHER_SENDERS);
    let address = if none { account } else { sender };
    own_domain(address).unwrap_or(default)
}

/// The domain that an address names; none for the null sender and for bare names, which may belong to any.
#[must_use]
pub fn own_domain(address: &str) -> Option<&str> {
    let (_, domain) = address.rsplit_once('@')?;
    (!domain.is_empty()).then_some(domain)
}

/// A domain that somebody configured, in lower case; none if it is no domain.
#[must_use]
pub fn domain_name(text: &str) -> Option<String> {
    let strange = |c: char| c.is_control() || c.is_whitespace() || c == '@';
    let fits = !text.is_empty() && text.len() <= 255 && !text.contains(strange);
    fits.then(|| text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_submission_belongs_to_one_domain() {
        let domain = |sender, account| domain_of(sender, account, "(none)");
        assert_eq!(domain("a@example.test", "b@corp.test"), "example.test");
        assert_eq!(domain(NULL_SENDER, "b@corp.test"), "corp.test");
        assert_eq!(domain(NULL_SENDER, "bob"), "(none)");
        assert_eq!(domain("root", "b@corp.test"), "(none)");
        assert_eq!(domain("\"a@b\"@example.test", ""), "example.test");
        assert_eq!(domain("a@", ""), "(none)");
    }

    #[test]
    fn a_configured_domain_is_one() {
        assert_eq!(domain_name("Example.TEST").as_deref(), Some("example.test"));
        assert_eq!(domain_name("(none)").as_deref(), Some("(none)"));
        for bad in ["", "a b", "a\tb", "a@b", &"x".repeat(256)] {
            assert_eq!(domain_name(bad), None, "{bad:?}");
        }
    }
}
