//! Kinds of mechanisms: what a login shows of its secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of mechanism a login used.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The password itself: PLAIN, LOGIN.
    Basic,
    /// An answer made from the password: CRAM-MD5, DIGEST-MD5, SCRAM.
    Challenge,
    /// A token: XOAUTH2, OAUTHBEARER.
    OAuth,
    /// A certificate: EXTERNAL.
    Certificate,
    /// A ticket or its predecessor: GSSAPI, GSS-SPNEGO, NTLM.
    Kerberos,
    /// The log does not tell, or the name of the mechanism does not.
    Unknown,
}

impl Kind {
    /// Every kind, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Basic,
        Self::Challenge,
        Self::OAuth,
        Self::Certificate,
        Self::Kerberos,
        Self::Unknown,
    ];

    /// The name in answers and parameters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Challenge => "challenge",
            Self::OAuth => "oauth",
            Self::Certificate => "certificate",
            Self::Kerberos => "kerberos",
            Self::Unknown => "unknown",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Basic => "Basic",
            Self::Challenge => "Challenge",
            Self::OAuth => "OAuth",
            Self::Certificate => "Certificate",
            Self::Kerberos => "Kerberos, NTLM",
            Self::Unknown => "Unknown",
        }
    }

    /// The kind with this [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the name of a mechanism, or of Exim's authenticator, tells: an authenticator is called after what it speaks,
    /// as in `PLAIN_SERVER` or `DOVECOT_LOGIN`. Names that tell of two kinds tell of none.
    fn told_by(name: &str) -> Self {
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric());
        let mut told = words.filter_map(Self::of_word);
        match told.next() {
            Some(kind) if told.all(|other| other == kind) => kind,
            _ => Self::Unknown,
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Kind); 17] = [
            ("PLAIN", Kind::Basic),
            ("LOGIN", Kind::Basic),
            ("CRAM", Kind::Challenge),
            ("CRAMMD5", Kind::Challenge),
            ("DIGEST", Kind::Challenge),
            ("SCRAM", Kind::Challenge),
            ("APOP", Kind::Challenge),
            ("XOAUTH2", Kind::OAuth),
            ("OAUTH2", Kind::OAuth),
            ("OAUTHBEARER", Kind::OAuth),
            ("OAUTH10A", Kind::OAuth),
            ("EXTERNAL", Kind::Certificate),
            ("GSSAPI", Kind::Kerberos),
            ("GSS", Kind::Kerberos),
            ("KERBEROS", Kind::Kerberos),
            ("NTLM", Kind::Kerberos),
            ("SPA", Kind::Kerberos),
        ];
        let known = WORDS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known));
        known.map(|(_, kind)| *kind)
    }
}

/// Which mechanisms are of which kind: by their names, but where the administrator says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(Arc<BTreeMap<String, Kind>>);

impl Kinds {
    /// Reads `NAME=KIND` with commas between: names of mechanisms or of Exim's authenticators, each with a kind's
    /// [`name`](Kind::name), or with a mechanism of that kind. None if it is no such text.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (name, told) = pair.split_once('=')?;
            let (name, told) = (name.trim().to_uppercase(), told.trim());
            let by_mechanism = || Some(Kind::told_by(told)).filter(|kind| *kind != Kind::Unknown);
            let kind = Kind::from_name(&told.to_lowercase()).or_else(by_mechanism)?;
            (!name.is_empty()).then_some((name, kind))
        };
        pairs.map(read).collect::<Option<_>>().map(|kinds| Self(Arc::new(kinds)))
    }

    /// The kind of a mechanism, of which an empty name is none in the log.
    #[must_use]
    pub fn of(&self, mechanism: &str) -> Kind {
        // Each row of a day may come here, and nearly all have one of these.
        match mechanism {
            _ if !self.0.is_empty() && self.0.contains_key(mechanism) => self.0[mechanism],
            "PLAIN" | "LOGIN" => Kind::Basic,
            "" => Kind::Unknown,
            name => Kind::told_by(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn names_tell_what_a_login_shows() {
        let kinds = Kinds::default();
        for (name, kind) in [
            ("PLAIN", Kind::Basic),
            ("LOGIN", Kind::Basic),
            ("PLAIN_LOGIN", Kind::Basic),
            ("PLAIN_SASLAUTHD_SERVER", Kind::Basic),
            ("DOVECOT_LOGIN", Kind::Basic),
            ("CRAM-MD5", Kind::Challenge),
            ("LOOKUP_CRAM", Kind::Challenge),
            ("SCRAM-SHA-256-PLUS", Kind::Challenge),
            ("XOAUTH2", Kind::OAuth),
            ("EXTERNAL", Kind::Certificate),
            ("GSS-SPNEGO", Kind::Kerberos),
            ("NTLM", Kind::Kerberos),
            ("PLAIN_OAUTH2", Kind::Unknown),
            ("CORP_AUTH", Kind::Unknown),
            ("EXPLAIN", Kind::Unknown),
            ("", Kind::Unknown),
        ] {
            assert_eq!(kinds.of(name), kind, "{name}");
        }
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            let name: StrDeserializer<'_, Error> = kind.name().into_deserializer();
            assert_eq!(Kind::deserialize(name), Ok(kind));
        }
    }

    #[test]
    fn the_administrator_knows_better() {
        let kinds =
            Kinds::read("corp_auth = oauth, token=XOAUTH2,plain=Challenge,").expect("kinds");
        assert_eq!((kinds.of("CORP_AUTH"), kinds.of("TOKEN")), (Kind::OAuth, Kind::OAuth));
        assert_eq!((kinds.of("PLAIN"), kinds.of("LOGIN")), (Kind::Challenge, Kind::Basic));
        for wrong in ["corp", "=basic", "corp=x", "corp=basic;token=oauth"] {
            assert_eq!(Kinds::read(wrong), None, "{wrong}");
        }
    }
}
