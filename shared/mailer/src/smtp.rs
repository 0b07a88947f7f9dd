//! An SMTP relay: submission (RFC 6409) with TLS and a login, or a relay on the same machine.

use std::time::Duration;

use async_trait::async_trait;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use thiserror::Error;
use url::Url;

use crate::{Message, SendError, Transport};

/// The most bytes of a message if nothing else is said: what Postfix takes by default.
pub const SMTP_LIMIT: usize = 10_240_000;
/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A relay.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    limit: usize,
}

/// Why a relay cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SmtpError {
    /// Its URL makes no sense.
    #[error(
        "{0} is no relay as in smtps://user@mail.example.org, smtp://user@mail.example.org:587 (STARTTLS), \
         or smtp://localhost:25?tls=none"
    )]
    Url(String),
    /// There is a user and no password, or a password and no user.
    #[error("a login takes both: a user in the relay's URL, and a password")]
    Login,
    /// A password would be sent in the clear.
    #[error("a login needs TLS: leave ?tls=none out")]
    Plaintext,
    /// The certificate of the relay's authority, or TLS itself, is not usable.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

impl Smtp {
    /// The relay at `url`: `smtps:` is TLS from the first byte (port 465, RFC 8314), `smtp:` is STARTTLS
    /// (port 587), which is demanded unless `?tls=opportunistic` or `?tls=none` says otherwise. `authority` is
    /// a certificate (PEM) that is trusted beside the system's; messages have `limit` bytes at most.
    ///
    /// # Errors
    /// The URL makes no sense, the login is not complete or would be sent in the clear, or TLS cannot be set
    /// up.
    pub fn new(
        url: &str,
        password: Option<&str>,
        authority: Option<&[u8]>,
        limit: usize,
    ) -> Result<Self, SmtpError> {
        let wrong = || SmtpError::Url(url.to_owned());
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !matches!(parsed.path(), "" | "/") || parsed.password().is_some() {
            return Err(wrong());
        }
        let parameters = || tls_parameters(host, authority);
        let (tls, port) = match (parsed.scheme(), parsed.query()) {
            ("smtps", None) => (Tls::Wrapper(parameters()?), 465),
            ("smtp", None | Some("tls=required")) => (Tls::Required(parameters()?), 587),
            ("smtp", Some("tls=opportunistic")) => (Tls::Opportunistic(parameters()?), 587),
            ("smtp", Some("tls=none")) => (Tls::None, 25),
            _ => return Err(wrong()),
        };
        let safe = matches!(tls, Tls::Wrapper(_) | Tls::Required(_));
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(parsed.port().unwrap_or(port))
            .tls(tls)
            .timeout(Some(PATIENCE));
        match (decoded(parsed.username()), password) {
            (user, Some(password)) if !user.is_empty() => {
                if !safe {
                    return Err(SmtpError::Plaintext);
                }
                builder = builder.credentials(Credentials::new(user, password.to_owned()));
            }
            (user, None) if user.is_empty() => {}
            _ => return Err(SmtpError::Login),
        }
        Ok(Self { transport: builder.build(), limit })
    }
}

/// A user name may be a mail address: its `@` stands in the URL as it is, or as `%40`.
fn decoded(user: &str) -> String {
    user.replace("%40", "@")
}

fn tls_parameters(host: &str, authority: Option<&[u8]>) -> Result<TlsParameters, SmtpError> {
    let wrong = |error: lettre::transport::smtp::Error| SmtpError::Tls(error.to_string());
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(authority) = authority {
        builder = builder.add_root_certificate(Certificate::from_pem(authority).map_err(wrong)?);
    }
    builder.build().map_err(wrong)
}

#[async_trait]
impl Transport for Smtp {
    fn limit(&self) -> usize {
        self.limit
    }

    async fn send(&self, message: Message) -> Result<String, SendError> {
        let address = |text: &String| {
            let wrong = |error| SendError::Permanent(format!("{text} is no mail address: {error}"));
            text.parse::<Address>().map_err(wrong)
        };
        let recipients = message.recipients.iter().map(address).collect::<Result<_, _>>()?;
        let envelope = Envelope::new(Some(address(&message.from)?), recipients)
            .map_err(|error| SendError::Permanent(error.to_string()))?;
        let reply = self.transport.send_raw(&envelope, &message.bytes).await.map_err(told)?;
        Ok(reply.message().collect::<Vec<_>>().join(" "))
    }
}

fn told(error: lettre::transport::smtp::Error) -> SendError {
    let mut reason = format!("the relay did not take the mail: {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !reason.contains(&cause_text) {
            reason = format!("{reason}: {cause_text}");
        }
        source = cause.source();
    }
    // What the relay refuses for good, and what it cannot do at all (a missing STARTTLS or login).
    if error.is_permanent() || error.is_client() {
        SendError::Permanent(reason)
    } else {
        SendError::Temporary(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(url: &str, password: Option<&str>) -> Result<Smtp, SmtpError> {
        Smtp::new(url, password, None, SMTP_LIMIT)
    }

    #[test]
    fn relays_are_named_by_url() {
        for (url, password) in [
            ("smtps://mail.example.org", None),
            ("smtps://ann%40example.org@mail.example.org:4650", Some("secret")),
            ("smtp://ann@mail.example.org", Some("secret")),
            ("smtp://127.0.0.1:25?tls=none", None),
            ("smtp://[::1]:25?tls=opportunistic", None),
        ] {
            assert!(new(url, password).is_ok(), "{url}: {:?}", new(url, password));
        }
        for url in [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtps://mail.example.org?tls=none",
            "smtp://mail.example.org?tls=maybe",
            "smtp://ann:secret@mail.example.org",
            "smtp://mail.example.org/path",
        ] {
            assert!(
                matches!(new(url, None), Err(SmtpError::Url(_))),
                "{url}: {:?}",
                new(url, None)
            );
        }
    }

    #[test]
    fn logins_are_complete_and_never_sent_in_the_clear() {
        let error = |url, password| new(url, password).err();
        assert_eq!(error("smtps://ann@mail.example.org", None), Some(SmtpError::Login));
        assert_eq!(error("smtps://mail.example.org", Some("x")), Some(SmtpError::Login));
        let plain = error("smtp://ann@mail.example.org?tls=none", Some("x"));
        assert_eq!(plain, Some(SmtpError::Plaintext));
        let opportunistic = error("smtp://ann@mail.example.org?tls=opportunistic", Some("x"));
        assert_eq!(opportunistic, Some(SmtpError::Plaintext));
    }
}
