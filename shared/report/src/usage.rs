//! What usage is told apart by, and who is seen in it.

use crate::TlsVersion;

/// The finest grain that is kept for a day, as one text.
///
/// The fields are joined with tabs, which no field holds: domain, sender, account, mechanism, TLS
/// version, client address. Text order thus groups by domain, then by sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageKey<'a> {
    /// The domain the submission belongs to.
    pub domain: &'a str,
    /// Envelope sender.
    pub sender: &'a str,
    /// Account, empty if unknown.
    pub account: &'a str,
    /// Mechanism, empty if unknown.
    pub mechanism: &'a str,
    /// TLS version.
    pub tls: TlsVersion,
    /// Client address, empty if unknown.
    pub client: &'a str,
}

impl<'a> UsageKey<'a> {
    /// Writes the key's text over `text`.
    pub fn write(&self, text: &mut String) {
        text.clear();
        for field in [self.domain, self.sender, self.account, self.mechanism, self.tls.name()] {
            text.push_str(field);
            text.push('\t');
        }
        text.push_str(self.client);
    }

    /// Reads a key's text; none if it is not one.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut fields = text.split('\t');
        let key = Self {
            domain: fields.next()?,
            sender: fields.next()?,
            account: fields.next()?,
            mechanism: fields.next()?,
            tls: TlsVersion::from_name(fields.next()?)?,
            client: fields.next()?,
        };
        fields.next().is_none().then_some(key)
    }

    /// The user or service account: the account, or the sender where the log names none.
    #[must_use]
    pub fn identity(&self) -> &'a str {
        if self.account.is_empty() { self.sender } else { self.account }
    }
}

/// Who was seen on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity<'a> {
    /// Account or sender.
    pub kind: IdentityKind,
    /// Its name.
    pub name: &'a str,
}

/// The two kinds of name whose distinct numbers the insight shows, and the domains to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityKind {
    /// A user or service account ([`UsageKey::identity`]).
    Account,
    /// An envelope sender.
    Sender,
    /// A sender domain.
    Domain,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_round_trip() {
        let key = UsageKey {
            domain: "example.test",
            sender: "a@example.test",
            account: "",
            mechanism: "PLAIN",
            tls: TlsVersion::None,
            client: "192.0.2.1",
        };
        let mut text = String::new();
        key.write(&mut text);
        assert_eq!(UsageKey::read(&text), Some(key));
        assert_eq!(key.identity(), "a@example.test");
        assert_eq!(UsageKey::read("a\tb"), None);
    }
}
