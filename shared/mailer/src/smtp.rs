//! An SMTP relay: submission (RFC 6409) with TLS and a login, or a relay on the same machine.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lettre::Address;
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;
use thiserror::Error as ThisError;
use url::Url;

use crate::failure::{SendError, chain};
use crate::message::Message;
use crate::transport::Transport;

/// The most bytes of a message if nothing else is said: what Postfix takes by default.
pub const SMTP_LIMIT: usize = 10_240_000;
/// How long the relay may take until it lets us in.
const GREETING: Duration = Duration::from_secs(60);
/// How long the relay may take for a message: as long as RFC 5321 (4.5.3.2.6) lets it take for its last reply.
const DELIVERY: Duration = Duration::from_secs(600);
/// How long the relay may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// A relay.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    limit: usize,
}

/// How the way to the relay is protected.
#[derive(Clone)]
enum Tls {
    /// From the first byte.
    Wrapper(TlsParameters),
    /// By STARTTLS, or nothing is sent.
    Required(TlsParameters),
    /// By STARTTLS, if the relay offers it.
    Opportunistic(TlsParameters),
    /// Not at all.
    None,
}

/// Why a relay cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum SmtpError {
    /// Its URL makes no sense.
    #[error(
        "{0} is no relay as in smtps://user@mail.example.org, smtp://user@mail.example.org:587 (STARTTLS), \
         or smtp://localhost:25?tls=none"
    )]
    Url(String),
    /// Its URL holds a password, which others could read there.
    #[error("the relay's URL must hold no password: put it into a file of its own")]
    Password,
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
        let wrong = || SmtpError::Url(without_login(url));
        let parsed = Url::parse(url).map_err(|_| wrong())?;
        if parsed.password().is_some() {
            return Err(SmtpError::Password);
        }
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !matches!(parsed.path(), "" | "/") {
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
        let user = percent_decode_str(parsed.username()).decode_utf8().map_err(|_| wrong())?;
        let credentials = match (user.as_ref(), password) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(SmtpError::Login),
            (_, Some(_)) if !matches!(tls, Tls::Wrapper(_) | Tls::Required(_)) => {
                return Err(SmtpError::Plaintext);
            }
            (user, Some(password)) => Some(Credentials::new(user.to_owned(), password.to_owned())),
        };
        let port = parsed.port().unwrap_or(port);
        Ok(Self { host: host.to_owned(), port, tls, credentials, limit })
    }

    /// A connection on which mail can be sent.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let (server, hello) = ((self.host.as_str(), self.port), ClientId::default());
        let wrapper = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            Tls::Required(_) | Tls::Opportunistic(_) | Tls::None => None,
        };
        let limit = Some(GREETING);
        let mut relay =
            AsyncSmtpConnection::connect_tokio1(server, limit, &hello, wrapper, None).await?;
        match &self.tls {
            Tls::Required(parameters) => relay.starttls(parameters.clone(), &hello).await?,
            Tls::Opportunistic(parameters) if relay.can_starttls() => {
                relay.starttls(parameters.clone(), &hello).await?;
            }
            Tls::Wrapper(_) | Tls::Opportunistic(_) | Tls::None => {}
        }
        if let Some(credentials) = &self.credentials {
            relay.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(relay)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A URL as it can be shown.
fn without_login(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://\u{2026}@{rest}"),
        _ => url.to_owned(),
    }
}

fn tls_parameters(host: &str, authority: Option<&[u8]>) -> Result<TlsParameters, SmtpError> {
    let wrong = |error: Error| SmtpError::Tls(error.to_string());
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
        let mut relay = within(GREETING, self.connect()).await?;
        let reply = within(DELIVERY, relay.send(&envelope, &message.bytes)).await?;
        // It was accepted: that must be recorded now, and not after the goodbye.
        tokio::spawn(async move { tokio::time::timeout(GOODBYE, relay.quit()).await });
        Ok(reply.message().collect::<Vec<_>>().join(" "))
    }
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, SendError> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done.map_err(told),
        Err(_) => {
            let seconds = limit.as_secs();
            Err(SendError::Temporary(format!("the relay did not answer within {seconds} seconds")))
        }
    }
}

fn told(error: Error) -> SendError {
    let reason = format!("the relay did not take the mail: {}", chain(&error));
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
    fn passwords_are_not_shown() {
        let password = new("smtp://ann:secret@mail.example.org", None).err();
        assert_eq!(password, Some(SmtpError::Password));
        let wrong = new("smtp://ann:secret@mail.example.org:x", None).expect_err("wrong");
        assert!(!wrong.to_string().contains("secret"), "{wrong}");
        let smtp = new("smtps://CORP%5Cann@mail.example.org", Some("secret")).expect("a relay");
        assert!(!format!("{smtp:?}").contains("secret"));
        let known = smtp
            .credentials
            .map(|known| known == Credentials::new("CORP\\ann".into(), "secret".into()));
        assert_eq!(known, Some(true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_relay_is_not_waited_for_forever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let smtp = new(&format!("smtp://127.0.0.1:{port}?tls=none"), None).expect("a relay");
        let message = Message {
            id: "1".into(),
            from: "reports@example.test".into(),
            recipients: vec!["ann@example.test".into()],
            bytes: b"Subject: x\r\n\r\nx".to_vec(),
        };
        let error = smtp.send(message).await.expect_err("nobody answers");
        assert!(
            matches!(&error, SendError::Temporary(told) if told.contains("60 seconds")),
            "{error}"
        );
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
