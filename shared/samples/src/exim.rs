//! The lines of Exim's main log on a submission server.

use std::fmt::{self, Display};

/// A client that submits mail, as Exim tells of it. Its address has no name; `host` is what it calls itself.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    /// Its name for itself.
    pub host: &'a str,
    /// Its IP address.
    pub address: &'a str,
    /// The login name it gives.
    pub account: &'a str,
    /// The authenticator, named after its mechanism.
    pub mechanism: &'a str,
    /// The TLS version and cipher as the `tls_cipher` log selector writes them; none is plaintext.
    pub tls: Option<Tls<'a>>,
}

/// What a connection is protected by.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// As in `TLS1.3`.
    pub version: &'a str,
    /// With its bits, and whether a certificate was verified.
    pub cipher: &'a str,
}

/// A line of the main log.
pub fn line(stamp: impl Display, text: impl Display) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{stamp} {text}"))
}

impl<'a> Client<'a> {
    /// Its login fails.
    pub fn fails_to_log_in(self) -> impl Display {
        let Self { host, address, account, mechanism, .. } = self;
        fmt::from_fn(move |f| {
            write!(
                f,
                "{mechanism} authenticator failed for ({host}) [{address}]: 535 Incorrect authentication \
                 data (set_id={account})"
            )
        })
    }

    /// Its message is accepted under this id; `more` is what other log selectors add, with a space before it.
    pub fn accepted(
        self,
        id: &'a str,
        sender: &'a str,
        size: u64,
        more: impl Display + 'a,
    ) -> impl Display + 'a {
        let Self { host, address, account, mechanism, tls } = self;
        fmt::from_fn(move |f| {
            write!(f, "{id} <= {sender} H=({host}) [{address}] ")?;
            match tls {
                Some(Tls { version, cipher }) => write!(f, "P=esmtpsa X={version}:{cipher}")?,
                None => f.write_str("P=esmtpa")?,
            }
            write!(f, " A={mechanism}:{account} S={size}{more}")
        })
    }
}

/// The message is delivered to a recipient elsewhere, where the server may have had to log in itself.
pub fn delivered(id: &str, to: impl Display, login: Option<&str>) -> impl Display {
    fmt::from_fn(move |f| {
        write!(
            f,
            "{id} => {to} R=dnslookup T=remote_smtp H=mx.elsewhere.test [192.0.2.25] \
             X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes"
        )?;
        if let Some(authenticator) = login {
            write!(f, " A={authenticator}")?;
        }
        f.write_str(" C=\"250 OK\"")
    })
}

/// Nothing is left to do for the message.
pub fn completed(id: &str) -> impl Display {
    fmt::from_fn(move |f| write!(f, "{id} Completed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_worded_as_exim_words_them() {
        let client = Client {
            host: "host.lan",
            address: "192.0.2.1",
            account: "ann",
            mechanism: "LOGIN",
            tls: Some(Tls { version: "TLS1.3", cipher: "TLS_AES_256_GCM_SHA384:256 CV=no" }),
        };
        assert_eq!(
            line("2026-11-24 08:00:00", client.accepted("1xV000-000001-2u", "<>", 7, " id=a@b"))
                .to_string(),
            "2026-11-24 08:00:00 1xV000-000001-2u <= <> H=(host.lan) [192.0.2.1] P=esmtpsa \
             X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=no A=LOGIN:ann S=7 id=a@b"
        );
        let plain = Client { tls: None, ..client };
        assert!(
            plain.accepted("1", "a@b", 7, "").to_string().contains(" P=esmtpa A=LOGIN:ann S=7")
        );
        assert!(
            delivered("1", "c@d", Some("out")).to_string().ends_with(" CV=yes A=out C=\"250 OK\"")
        );
    }
}
