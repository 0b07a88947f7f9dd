//! Which usage a view is of.

use crate::counting::account::Account;
use crate::counting::field::Field;
use crate::counting::tls::TlsVersion;

/// Only usage that has all of this; the default passes everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only this sender domain's.
    pub domain: Option<String>,
    /// Only this envelope sender's.
    pub sender: Option<String>,
    /// Only this user's or service account's ([`Account`]).
    pub account: Option<String>,
    /// Only from this client address; empty is what has none in the log.
    pub client: Option<String>,
    /// Only over this TLS version.
    pub tls: Option<TlsVersion>,
    /// Only by this mechanism; empty is what has none in the log.
    pub mechanism: Option<String>,
}

impl Filter {
    /// Whether usage passes, of which `field` tells the parts: it is asked only for what has to be known.
    #[must_use]
    pub fn passes<'k>(&self, field: impl Fn(Field) -> &'k str) -> bool {
        let Self { domain, sender, account, client, tls, mechanism } = self;
        let is = |wanted: &Option<String>, of| wanted.as_ref().is_none_or(|w| w == field(of));
        // Each row of a day comes here: what tells most apart is looked at first.
        is(sender, Field::Sender)
            && is(domain, Field::Domain)
            && is(client, Field::Client)
            && is(mechanism, Field::Mechanism)
            && tls.is_none_or(|tls| tls.name() == field(Field::Tls))
            && account.as_ref().is_none_or(|account| {
                Account::of(field(Field::Username), field(Field::Sender)).name() == account
            })
    }

    /// The fields that must have one value, and that value.
    pub fn exact(&self) -> impl Iterator<Item = (Field, &str)> {
        // The account is no field: who asks looks after it by itself.
        let Self { domain, sender, account: _, client, tls, mechanism } = self;
        let texts = [
            (Field::Sender, sender.as_deref()),
            (Field::Domain, domain.as_deref()),
            (Field::Client, client.as_deref()),
            (Field::Mechanism, mechanism.as_deref()),
            (Field::Tls, tls.map(TlsVersion::name)),
        ];
        texts.into_iter().filter_map(|(field, wanted)| Some((field, wanted?)))
    }

    /// What has to be known of usage to tell whether it passes.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let account = self.account.iter().flat_map(|_| Account::FIELDS.iter().copied());
        self.exact().map(|(field, _)| field).chain(account)
    }
}
