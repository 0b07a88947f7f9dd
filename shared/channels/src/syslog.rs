//! Alerts for syslog: RFC 5424 by UDP (RFC 5426) or TCP (RFC 6587, by counted octets).

use std::time::Duration;

use async_trait::async_trait;
use detect::{Case, Severity};
use report::displayed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use crate::cef;
use crate::channel::{Untold, Way};
use crate::letter::Letter;
use crate::news::instant;

/// How long is waited until a message is sent.
const WAIT: Duration = Duration::from_secs(10);
/// How long is waited for the server to close.
const CLOSES: Duration = Duration::from_secs(2);
/// `authpriv`, where authentication is logged.
const FACILITY: u8 = 10;
/// The number that RFC 5612 keeps for examples: this project has none of its own.
const ENTERPRISE: u32 = 32473;
/// Characters of a name.
const NAME: usize = 256;
/// Characters of a sentence.
const SENTENCE: usize = 400;

/// Over what a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Udp,
    Tcp,
}

/// What a message consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// A sentence, behind structured data.
    Structured,
    /// ArcSight's Common Event Format.
    Cef,
}

/// A server that takes syslog messages.
#[derive(Debug)]
pub(crate) struct Syslog {
    pub(crate) over: Over,
    pub(crate) body: Body,
    /// `host:port`.
    pub(crate) to: String,
}

#[async_trait]
impl Way for Syslog {
    async fn tell(&self, letter: &Letter<'_>) -> Result<(), Untold> {
        for case in letter.cases {
            let message = self.message(letter, case);
            let sent = async {
                match self.over {
                    Over::Udp => self.by_udp(&message).await,
                    Over::Tcp => self.by_tcp(&message).await,
                }
            };
            let slow = |_| Untold::Unreached("it does not answer in time".to_owned());
            let sent = tokio::time::timeout(WAIT + CLOSES, sent).await.map_err(slow)?;
            sent.map_err(|error| Untold::Unreached(error.to_string()))?;
        }
        Ok(())
    }
}

impl Syslog {
    async fn by_udp(&self, message: &str) -> std::io::Result<()> {
        let mut last = None;
        for address in tokio::net::lookup_host(&self.to).await? {
            let here = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
            let socket = UdpSocket::bind(here).await?;
            match socket.send_to(message.as_bytes(), address).await {
                Ok(_) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| std::io::Error::other("the name has no address")))
    }

    /// Nothing acknowledges a message. That the server closes behind its last octet, and not before, is as near as it gets.
    async fn by_tcp(&self, message: &str) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(&self.to).await?;
        stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
        stream.shutdown().await?;
        let mut answer = [0; 64];
        match tokio::time::timeout(CLOSES, stream.read(&mut answer)).await {
            Ok(read) => read.map(|_| ()),
            // Some wait with closing.
            Err(_) => Ok(()),
        }
    }

    /// One message, without what frames it.
    fn message(&self, letter: &Letter<'_>, case: &Case) -> String {
        let severity = match case.alert.severity {
            Severity::High => 1,
            Severity::Medium => 4,
        };
        let id = if letter.is_test { "test" } else { "alert" };
        let name = rustix::system::uname();
        let host = name.nodename().to_str().unwrap_or_default();
        let host: String = host.chars().filter(char::is_ascii_graphic).take(255).collect();
        let host = if host.is_empty() { "-" } else { &host };
        let head = format!(
            "<{}>1 {} {host} smtp-auth-report {} {id}",
            FACILITY * 8 + severity,
            instant(letter.at),
            std::process::id()
        );
        match self.body {
            // The mark says that it is UTF-8.
            Body::Structured => {
                let sentence = displayed(&case.alert.reason, SENTENCE);
                format!("{head} {} \u{feff}{sentence}", data(letter, case))
            }
            Body::Cef => format!("{head} - {}", cef::event(letter, case)),
        }
    }
}

/// `[alert@32473 id="k3v9" account="ann@example.org"]`.
fn data(letter: &Letter<'_>, case: &Case) -> String {
    let alert = &case.alert;
    let value = |text: &str| {
        displayed(text, NAME).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
    };
    let mut data = format!("[alert@{ENTERPRISE}");
    for (name, text) in [
        ("id", alert.id.as_str()),
        ("key", &letter.key_of(case)),
        ("kind", alert.kind.name()),
        ("severity", alert.severity.name()),
        ("account", &alert.account),
        ("domain", &alert.domain),
        ("day", &alert.day.to_string()),
        ("messages", &alert.evidence.messages.to_string()),
        ("clients", &alert.evidence.clients.join(" ")),
        ("link", &letter.link(case).unwrap_or_default()),
    ] {
        if !text.is_empty() {
            data.push_str(&format!(" {name}=\"{}\"", value(text)));
        }
    }
    data.push(']');
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, letter};

    fn message(body: Body) -> String {
        let syslog = Syslog { over: Over::Udp, body, to: String::new() };
        let cases = [case()];
        let written = syslog.message(&letter(&cases), &cases[0]);
        assert!(!written.contains('\n'), "{written}");
        written
    }

    #[test]
    fn what_strangers_wrote_stays_in_its_value() {
        let message = message(Body::Structured);
        assert!(message.starts_with("<81>1 2026-11-23T12:00:00Z "), "{message}");
        let data = r#" alert [alert@32473 id="k3v9" key="k3v9-high-0" kind="new_place" severity="high" account="\"x\\\]|=@example.org" "#;
        assert!(message.contains(data), "{message}");
        assert!(
            message
                .ends_with("\u{feff}\"x\\]|=@example.org sent 12 messages\u{fffd}from 192.0.2.9.")
        );
    }

    #[test]
    fn an_event_of_the_common_format_escapes_what_has_a_meaning_there() {
        let message = message(Body::Cef);
        let head = " alert - CEF:0|smtp-auth-report|smtp-auth-report|";
        let (_, event) = message.split_once(head).expect("its head");
        let (_, event) = event.split_once('|').expect("a version");
        assert!(
            event.starts_with("new_place|Account needs attention|9|externalId=k3v9 "),
            "{event}"
        );
        assert!(event.contains(r#"suser="x\\]|\=@example.org "#), "{event}");
        assert!(event.contains("src=192.0.2.9 "), "{event}");
        assert!(event.contains("request=https://mail.example.org/alerts/k3v9"), "{event}");
    }
}
