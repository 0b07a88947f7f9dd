//! Names that wait for a later line: clean, and so bounded. What was stored and is not so does not become one.

use std::borrow::Cow;
use std::ops::Deref;

use report::{
    ACCOUNT_LIMIT, MECHANISM_LIMIT, NULL_SENDER, SENDER_LIMIT, UNKNOWN_SENDER, client_address,
    lowered, uppered,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::client_name::{Name, Named};

/// An envelope sender as it is counted.
pub(crate) fn clean_sender(raw: &[u8]) -> Cow<'_, str> {
    if raw.is_empty() { NULL_SENDER.into() } else { lowered(raw, SENDER_LIMIT) }
}

/// A mechanism's name as it is counted, or that of Exim's authenticator.
pub(crate) fn clean_mechanism(raw: &[u8]) -> Cow<'_, str> {
    match raw {
        // Nearly every one is one of these.
        b"PLAIN" => "PLAIN".into(),
        b"LOGIN" => "LOGIN".into(),
        _ => uppered(raw, MECHANISM_LIMIT),
    }
}

/// An envelope sender, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Box<str>")]
pub(crate) struct KeptSender(Box<str>);

impl KeptSender {
    /// Keeps what a line tells of a sender.
    pub(crate) fn new(raw: &[u8]) -> Self {
        Self(clean_sender(raw).into())
    }

    /// The log tells none.
    pub(crate) fn unknown() -> Self {
        Self(UNKNOWN_SENDER.into())
    }
}

impl TryFrom<Box<str>> for KeptSender {
    type Error = &'static str;

    fn try_from(stored: Box<str>) -> Result<Self, Self::Error> {
        if stored.is_empty() { Err("a sender without a name") } else { Ok(Self(stored)) }
    }
}

impl Deref for KeptSender {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A login, in one allocation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StoredLogin<Box<str>>")]
pub(crate) struct KeptLogin {
    /// Account, mechanism, client address and name, one behind the other.
    text: Box<str>,
    account: u16,
    mechanism: u16,
    /// The name is saved behind everything else: see [`client_name`](crate::client_name).
    name: u16,
}

/// What is stored as a login.
#[derive(Serialize, Deserialize)]
struct StoredLogin<T> {
    /// Account, mechanism and client address, one behind the other.
    text: T,
    account: u16,
    mechanism: u16,
}

impl KeptLogin {
    /// Keeps what a line tells of a login, and not the client's name.
    pub(crate) fn new(account: &[u8], mechanism: &[u8], client: &[u8]) -> Self {
        Self::named(account, mechanism, client, Name::Untold)
    }

    /// Keeps what a line tells of a login, and of the client's name.
    pub(crate) fn named(account: &[u8], mechanism: &[u8], client: &[u8], name: Name<'_>) -> Self {
        let account = lowered(account, ACCOUNT_LIMIT);
        let mechanism = clean_mechanism(mechanism);
        let client = client_address(client);
        Self::of([&account, &mechanism, &client, &name.of(&client)])
    }

    /// Keeps an account and a mechanism that are told of a known client.
    pub(crate) fn with_account(&self, account: &[u8], mechanism: &[u8]) -> Self {
        let account = lowered(account, ACCOUNT_LIMIT);
        let mechanism = clean_mechanism(mechanism);
        let (_, _, client) = self.parts();
        Self::of([&account, &mechanism, client, self.name()])
    }

    /// Of account, mechanism, client address and name, clean as they are.
    fn of(parts: [&str; 4]) -> Self {
        let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
        parts.iter().for_each(|part| text.push_str(part));
        // The limits of the parts keep all far below 65,536.
        let [account, mechanism, _, name] =
            parts.map(|part| u16::try_from(part.len()).unwrap_or(0));
        Self { text: text.into(), account, mechanism, name }
    }

    /// Account, mechanism and client address.
    pub(crate) fn parts(&self) -> (&str, &str, &str) {
        let (account, rest) = self.told().split_at(usize::from(self.account));
        let (mechanism, client) = rest.split_at(usize::from(self.mechanism));
        (account, mechanism, client)
    }

    /// All but the name.
    fn told(&self) -> &str {
        &self.text[..self.text.len() - usize::from(self.name)]
    }

    /// Bytes that it takes.
    pub(crate) fn weight(&self) -> usize {
        self.text.len()
    }
}

impl Named for KeptLogin {
    fn name(&self) -> &str {
        &self.text[self.told().len()..]
    }

    fn set_name(&mut self, name: &str) {
        let (account, mechanism, client) = self.parts();
        let name = if client.is_empty() { "" } else { name };
        *self = Self::of([account, mechanism, client, name]);
    }
}

impl Serialize for KeptLogin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { account, mechanism, .. } = *self;
        StoredLogin { text: self.told(), account, mechanism }.serialize(serializer)
    }
}

impl TryFrom<StoredLogin<Box<str>>> for KeptLogin {
    type Error = &'static str;

    fn try_from(stored: StoredLogin<Box<str>>) -> Result<Self, Self::Error> {
        let StoredLogin { text, account, mechanism } = stored;
        let ends = [usize::from(account), usize::from(account) + usize::from(mechanism)];
        if ends.into_iter().all(|end| text.is_char_boundary(end)) {
            Ok(Self { text, account, mechanism, name: 0 })
        } else {
            Err("a login whose lengths do not fit its text")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_name_is_what_was_kept_or_is_not_taken() {
        let kept = (KeptSender::new(b""), KeptLogin::new("Ä".as_bytes(), b"plain", b"192.0.2.1"));
        assert_eq!((&*kept.0, kept.1.parts()), ("<>", ("ä", "PLAIN", "192.0.2.1")));
        let stored = postcard::to_allocvec(&kept).expect("bytes");
        assert_eq!(postcard::from_bytes(&stored), Ok(kept));
        for (text, account, mechanism, is_taken) in
            [("", 0_u16, 0_u16, true), ("ä", 1, 0, false), ("ab", 1, 2, false), ("ab", 1, 1, true)]
        {
            let stored = postcard::to_allocvec(&(text, account, mechanism)).expect("bytes");
            assert_eq!(postcard::from_bytes::<KeptLogin>(&stored).is_ok(), is_taken, "{text}");
        }
        let stored = postcard::to_allocvec("").expect("bytes");
        assert!(
            postcard::from_bytes::<KeptSender>(&stored).is_err(),
            "no sender is without a name"
        );
    }
}
