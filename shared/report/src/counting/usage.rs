//! What usage is told apart by, and who is seen in it.

use super::account::Account;
use super::field::Field;
use super::tls::TlsVersion;

/// The finest grain that is kept for a day, as one text.
///
/// The fields are joined with tabs, which no field holds: domain, sender, username, mechanism, TLS
/// version, client address. Text order thus groups by domain, then by sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageKey<'a> {
    /// The domain the submission belongs to.
    pub domain: &'a str,
    /// Envelope sender.
    pub sender: &'a str,
    /// Authenticated user as the log names it, empty if unknown. Who is counted and shown is the
    /// [`account`](Self::account).
    pub username: &'a str,
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
        for field in [self.domain, self.sender, self.username, self.mechanism, self.tls.name()] {
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
            username: fields.next()?,
            mechanism: fields.next()?,
            tls: TlsVersion::from_name(fields.next()?)?,
            client: fields.next()?,
        };
        fields.next().is_none().then_some(key)
    }

    /// The user or service account.
    #[must_use]
    pub const fn account(&self) -> Account<'a> {
        Account::of(self.username, self.sender)
    }

    /// One of its parts, as text.
    #[must_use]
    pub const fn get(&self, field: Field) -> &'a str {
        match field {
            Field::Sender => self.sender,
            Field::Domain => self.domain,
            Field::Username => self.username,
            Field::Mechanism => self.mechanism,
            Field::Tls => self.tls.name(),
            Field::Client => self.client,
        }
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
    /// A user or service account ([`UsageKey::account`]).
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
            username: "",
            mechanism: "PLAIN",
            tls: TlsVersion::None,
            client: "192.0.2.1",
        };
        let mut text = String::new();
        key.write(&mut text);
        assert_eq!(UsageKey::read(&text), Some(key));
        assert_eq!(key.account().name(), "a@example.test");
        assert_eq!(UsageKey { username: "ann", ..key }.account().name(), "ann");
        assert_eq!(UsageKey::read("a\tb"), None);
    }
}
