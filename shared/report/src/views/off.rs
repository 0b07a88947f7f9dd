//! What is to be turned off: who uses any of it would be refused.

use std::fmt;

use crate::counting::field::Field;
use crate::counting::kind::{Kind, Kinds};
use crate::counting::tls::TlsVersion;

/// Something that a server can stop to offer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Off {
    /// A TLS version, or no TLS.
    Tls(TlsVersion),
    /// A kind of mechanisms.
    Kind(Kind),
    /// One mechanism.
    Mechanism(String),
}

impl Off {
    /// The longest name of a mechanism.
    pub const LONGEST: usize = 64;

    /// What should be given up anyway: TLS 1.0, TLS 1.1 and no TLS.
    #[must_use]
    pub fn legacy() -> Vec<Self> {
        TlsVersion::ALL.into_iter().filter(|one| one.is_legacy()).map(Self::Tls).collect()
    }

    /// Reads the name of a TLS version (`none` is no TLS, `unknown` what the log does not tell), of a kind of mechanisms, or
    /// of a mechanism; none if it can be no name of any.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if let Some(version) = TlsVersion::from_name(text) {
            return Some(Self::Tls(version));
        }
        let kind = Kind::from_name(&text.to_lowercase()).filter(|kind| *kind != Kind::Unknown);
        if let Some(kind) = kind {
            return Some(Self::Kind(kind));
        }
        let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_".contains(&letter);
        let is_name = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(fits);
        is_name.then(|| Self::Mechanism(text.to_uppercase()))
    }

    /// The name that [`read`](Self::read) reads.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Tls(version) => version.name(),
            Self::Kind(kind) => kind.name(),
            Self::Mechanism(name) => name,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Tls(version) => version.label(),
            Self::Kind(kind) => kind.label(),
            Self::Mechanism(name) => name,
        }
    }

    /// The field of usage that tells whether it was used.
    #[must_use]
    pub const fn field(&self) -> Field {
        match self {
            Self::Tls(_) => Field::Tls,
            Self::Kind(_) | Self::Mechanism(_) => Field::Mechanism,
        }
    }

    /// Whether messages with this in its [`field`](Self::field) would be refused.
    #[must_use]
    pub fn refuses(&self, told: &str, kinds: &Kinds) -> bool {
        match self {
            Self::Tls(version) => version.name() == told,
            Self::Kind(kind) => kinds.of(told) == *kind,
            Self::Mechanism(name) => name == told,
        }
    }

    /// Whether nobody can tell: the log does not say what was used.
    #[must_use]
    pub fn is_untold(&self, told: &str, kinds: &Kinds) -> bool {
        match self {
            Self::Tls(_) => told == TlsVersion::Unknown.name(),
            Self::Kind(_) => kinds.of(told) == Kind::Unknown,
            Self::Mechanism(_) => told.is_empty(),
        }
    }
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_turned_off_has_a_name() {
        for (text, off) in [
            ("TLS1.0", Off::Tls(TlsVersion::Tls10)),
            ("none", Off::Tls(TlsVersion::None)),
            ("unknown", Off::Tls(TlsVersion::Unknown)),
            ("basic", Off::Kind(Kind::Basic)),
            ("LOGIN", Off::Mechanism("LOGIN".to_owned())),
        ] {
            assert_eq!(Off::read(text), Some(off.clone()));
            assert_eq!(off.name(), text);
        }
        assert_eq!(Off::read("Basic"), Some(Off::Kind(Kind::Basic)));
        assert_eq!(Off::read("dovecot_login").expect("a name").name(), "DOVECOT_LOGIN");
        for wrong in ["", "TLS1.4", "a b", "<script>", &"x".repeat(65)] {
            assert_eq!(Off::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn who_uses_it_is_refused_and_who_may_is_told_apart() {
        let kinds = Kinds::default();
        let told = |off: &str, told| {
            let off = Off::read(off).expect("a name");
            (off.refuses(told, &kinds), off.is_untold(told, &kinds))
        };
        assert_eq!(told("TLS1.0", "TLS1.0"), (true, false));
        assert_eq!(told("TLS1.0", "unknown"), (false, true));
        assert_eq!(told("unknown", "unknown"), (true, true));
        assert_eq!(told("basic", "PLAIN"), (true, false));
        assert_eq!(told("basic", "CORP"), (false, true));
        assert_eq!(told("LOGIN", "PLAIN"), (false, false));
        assert_eq!(told("LOGIN", ""), (false, true));
    }
}
