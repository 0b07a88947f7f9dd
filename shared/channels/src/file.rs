//! Channels as a file tells them, in TOML.

use std::collections::BTreeSet;
use std::sync::Arc;

use detect::{Pace, Severity};
use reqwest::header::HeaderValue;
use reqwest::{Client, Url};
use ring::hmac;
use serde::Deserialize;
use thiserror::Error;
use url::Host;

use crate::channel::{Channel, Way};
use crate::public::is_public;
use crate::services::Service;
use crate::syslog::{Body, Over, Syslog};
use crate::webhook::{self, Webhook};

/// Where PagerDuty takes events.
const PAGER_DUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Characters of a name.
const NAME: usize = 40;
/// Bytes of a secret that signs: fewer can be guessed.
const SECRET: usize = 16;

/// Why a file of channels cannot be used. Its text names no secret.
#[derive(Debug, Error)]
pub enum FileError {
    /// It is not TOML, or does not hold channels.
    #[error("{0}")]
    Unreadable(String),
    /// One of its channels makes no sense.
    #[error("channel {name}: {what}")]
    Channel {
        /// What it is called, or which one it is.
        name: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// This machine has no certificates to check others by.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    channel: Vec<Entry>,
}

/// One channel as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    form: Form,
    least: Option<Severity>,
    url: Option<String>,
    to: Option<String>,
    secret: Option<String>,
    token: Option<String>,
    routing_key: Option<String>,
    #[serde(default)]
    private: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Form {
    Webhook,
    Slack,
    Teams,
    Ntfy,
    Pagerduty,
    Syslog,
    Cef,
}

impl Form {
    const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Ntfy => "ntfy",
            Self::Pagerduty => "pagerduty",
            Self::Syslog => "syslog",
            Self::Cef => "cef",
        }
    }

    const fn pace(self) -> Pace {
        match self {
            Self::Slack | Self::Teams | Self::Ntfy | Self::Pagerduty => Pace::People,
            Self::Webhook | Self::Syslog | Self::Cef => Pace::Machine,
        }
    }

    /// Whether it is told of each case by itself.
    const fn each(self) -> bool {
        matches!(self, Self::Webhook | Self::Pagerduty | Self::Syslog | Self::Cef)
    }

    /// Whoever is called at night is called for what is sure.
    const fn least(self) -> Severity {
        match self {
            Self::Pagerduty => Severity::High,
            _ => Severity::Medium,
        }
    }

    /// The settings that mean something to it.
    const fn takes(self) -> &'static [&'static str] {
        match self {
            Self::Webhook => &["url", "secret", "token", "private"],
            Self::Slack | Self::Teams => &["url", "private"],
            Self::Ntfy => &["url", "token", "private"],
            Self::Pagerduty => &["url", "routing_key", "private"],
            Self::Syslog | Self::Cef => &["to"],
        }
    }
}

/// The channels of a file:
///
/// ```toml
/// [[channel]]
/// name = "soc"                                # noted with what it was told: keep it
/// form = "webhook"                            # or slack, teams, ntfy, pagerduty, syslog, cef
/// url = "https://hooks.example.org/alerts"
/// secret = "4f3c2b1a4f3c2b1a"                 # signs: X-Signature: sha256=HMAC of the body
/// least = "high"                              # medium, if it is left out
/// ```
///
/// # Errors
/// The first thing in it that cannot be used, with what would be right.
pub fn read(text: &str) -> Result<Vec<Channel>, FileError> {
    let file: File = toml::from_str(text).map_err(|error| {
        // Neither the line nor its value: it may be a secret.
        let line = error.span().map(|span| text[..span.start].lines().count().max(1));
        let at = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        let what = match error.message() {
            message if message.starts_with("invalid type") => {
                match message.rsplit(", expected ").next() {
                    Some("a sequence") => "begin each channel with [[channel]]",
                    Some("a boolean") => "it must be true or false, without quotes",
                    _ => "texts stand in quotes",
                }
            }
            message => message,
        };
        FileError::Unreadable(format!("{at}{what}"))
    })?;
    if file.channel.is_empty() {
        let told = "it holds no channel: begin one with [[channel]], then its name and form";
        return Err(FileError::Unreadable(told.to_owned()));
    }
    let (mut names, mut clients) = (BTreeSet::new(), Clients::default());
    let mut channels = Vec::new();
    for (at, entry) in file.channel.into_iter().enumerate() {
        let name = report::displayed(&entry.name, NAME);
        let name = if name.is_empty() { format!("{} of the file", at + 1) } else { name };
        let fault = |what: String| FileError::Channel { name: name.clone(), what };
        check_name(&entry.name).map_err(fault)?;
        if !names.insert(entry.name.clone()) {
            return Err(fault("there is another one of this name".to_owned()));
        }
        channels.push(entry.channel(&mut clients)?);
    }
    Ok(channels)
}

/// What asks, made when it is needed: it reads all of this machine's certificates.
#[derive(Default)]
struct Clients {
    public: Option<Client>,
    private: Option<Client>,
}

impl Clients {
    fn get(&mut self, is_private: bool) -> Result<Client, reqwest::Error> {
        let kept = if is_private { &mut self.private } else { &mut self.public };
        if let Some(kept) = kept {
            return Ok(kept.clone());
        }
        Ok(kept.insert(webhook::http(is_private)?).clone())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_usual = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > NAME || !name.chars().all(is_usual) {
        return Err(format!("a name has 1 to {NAME} small letters, digits and hyphens"));
    }
    if name == "mail" {
        return Err("mail is the name of --alert-mail: choose another".to_owned());
    }
    Ok(())
}

impl Entry {
    fn channel(self, clients: &mut Clients) -> Result<Channel, FileError> {
        let (name, form) = (self.name.clone(), self.form);
        let least = self.least.unwrap_or(form.least());
        let fault = |what: String| FileError::Channel { name: name.clone(), what };
        self.check_settings().map_err(fault)?;
        let way: Arc<dyn Way> = match form {
            Form::Syslog => Arc::new(self.syslog(Body::Structured).map_err(fault)?),
            Form::Cef => Arc::new(self.syslog(Body::Cef).map_err(fault)?),
            _ => {
                let http = clients.get(self.private)?;
                Arc::new(self.webhook(http).map_err(fault)?)
            }
        };
        let (pace, each) = (form.pace(), form.each());
        Ok(Channel { name, form: form.name(), pace, each, least, way })
    }

    /// Whether all that is set means something.
    fn check_settings(&self) -> Result<(), String> {
        let set = [
            ("url", self.url.is_some()),
            ("to", self.to.is_some()),
            ("secret", self.secret.is_some()),
            ("token", self.token.is_some()),
            ("routing_key", self.routing_key.is_some()),
            ("private", self.private),
        ];
        let takes = self.form.takes();
        match set.into_iter().find(|(name, is_set)| *is_set && !takes.contains(name)) {
            Some((name, _)) => {
                let form = self.form.name();
                Err(format!("{name} means nothing to {form}, which takes {}", takes.join(", ")))
            }
            None => Ok(()),
        }
    }

    fn webhook(&self, http: Client) -> Result<Webhook, String> {
        let service = match self.form {
            Form::Slack => Service::Slack,
            Form::Teams => Service::Teams,
            Form::Ntfy => Service::Ntfy,
            Form::Pagerduty => Service::PagerDuty,
            Form::Webhook | Form::Syslog | Form::Cef => Service::Json,
        };
        let usual = (self.form == Form::Pagerduty).then_some(PAGER_DUTY);
        let url = self.url.as_deref().or(usual).ok_or("url is missing")?;
        let mut url = checked(url, self.private)?;
        let mut to = String::new();
        if self.form == Form::Pagerduty {
            to = self
                .routing_key
                .clone()
                .ok_or("routing_key is missing: it is the integration key of a service")?;
        }
        if self.form == Form::Ntfy {
            // JSON is published at the root, whatever the topic is.
            let topic = url.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned();
            if topic.is_empty() {
                return Err(
                    "url names no topic: as in https://ntfy.example.org/mail-alerts".to_owned()
                );
            }
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop();
            }
            to = topic;
        }
        let secret = self.secret.as_deref().map(str::as_bytes);
        if secret.is_some_and(|secret| secret.len() < SECRET) {
            let told = "make one with `openssl rand -hex 32`";
            return Err(format!("secret has fewer than {SECRET} characters: {told}"));
        }
        let secret = secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret));
        let token = self.token.as_ref().map(|token| {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| "token cannot stand in a header".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Webhook { service, url, to, secret, token: token.transpose()?, http })
    }

    fn syslog(&self, body: Body) -> Result<Syslog, String> {
        let told = "to must be udp://HOST:PORT or tcp://HOST:PORT, as in udp://127.0.0.1:514";
        let to = self.to.as_deref().ok_or(told)?;
        let (over, to) = match to.split_once("://") {
            Some(("udp", to)) => (Over::Udp, to),
            Some(("tcp", to)) => (Over::Tcp, to),
            _ => return Err(told.to_owned()),
        };
        let (host, port) = to.rsplit_once(':').ok_or(told)?;
        if host.is_empty() || port.parse::<u16>().is_err() {
            return Err(told.to_owned());
        }
        Ok(Syslog { over, body, to: to.to_owned() })
    }
}

/// An address that may be asked.
fn checked(text: &str, is_private: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("url cannot be read: {error}"))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("url must begin with https://".to_owned());
    }
    if is_private {
        return Ok(url);
    }
    if url.scheme() == "http" {
        return Err("url must begin with https://, or everybody on the way can read it (private = true allows http)".to_owned());
    }
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => !is_public(address.into()),
        Some(Host::Ipv6(address)) => !is_public(address.into()),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => true,
    };
    if is_here {
        return Err("url names a private address: private = true allows it".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        read(text).map(|_| ()).expect_err(text).to_string()
    }

    #[test]
    fn what_a_file_tells_becomes_channels() {
        let text = r#"
            [[channel]]
            name = "soc"
            form = "webhook"
            url = "https://hooks.example.org/a"
            secret = "0123456789abcdef"
            least = "high"

            [[channel]]
            name = "phones"
            form = "ntfy"
            url = "https://ntfy.example.org/mail-alerts"

            [[channel]]
            name = "on-call"
            form = "pagerduty"
            routing_key = "R0"

            [[channel]]
            name = "siem"
            form = "cef"
            to = "udp://[::1]:514"
        "#;
        let channels = read(text).expect("four");
        let told: Vec<_> = channels
            .iter()
            .map(|channel| (channel.name.as_str(), channel.form, channel.pace, channel.least))
            .collect();
        assert_eq!(
            told,
            [
                ("soc", "webhook", Pace::Machine, Severity::High),
                ("phones", "ntfy", Pace::People, Severity::Medium),
                ("on-call", "pagerduty", Pace::People, Severity::High),
                ("siem", "cef", Pace::Machine, Severity::Medium),
            ]
        );
    }

    #[test]
    fn what_cannot_be_used_is_told_with_the_mend_and_without_secrets() {
        let one = |rest: &str| format!("[[channel]]\nname = \"soc\"\n{rest}");
        for (text, told) in [
            (String::new(), "it holds no channel"),
            ("[[channels]]".to_owned(), "line 1: unknown field `channels`, expected `channel`"),
            (one("form = \"irc\""), "line 3: unknown variant `irc`, expected one of `webhook`"),
            (one("form = \"webhook\"\nsecret = s3cret"), "line 4: "),
            ("[channel]".to_owned(), "line 1: begin each channel with [[channel]]"),
            (one("form = \"slack\"\nprivate = \"true\""), "line 4: it must be true or false"),
            (one("form = \"webhook\"\nsecret = [\"s3cret\"]"), "line 4: texts stand in quotes"),
            (one("form = \"webhook\""), "channel soc: url is missing"),
            (
                one("form = \"slack\"\nurl = \"http://hooks.example.org/s3cret\""),
                "channel soc: url must begin with https://",
            ),
            (
                one("form = \"slack\"\nurl = \"https://10.0.0.1/s3cret\""),
                "private = true allows it",
            ),
            (one("form = \"slack\"\nurl = \"https://[::1]/s3cret\""), "private = true allows it"),
            (one("form = \"slack\"\nurl = \"https://x.localhost/\""), "private = true allows it"),
            (one("form = \"slack\"\nurl = \"hooks s3cret\""), "url cannot be read"),
            (
                one("form = \"slack\"\ntoken = \"s3cret\""),
                "token means nothing to slack, which takes url, private",
            ),
            (
                one("form = \"webhook\"\nurl = \"https://x.example\"\nsecret = \"s3cret\""),
                "secret has fewer than 16 characters",
            ),
            (
                one("form = \"webhook\"\nurl = \"https://x.example\"\ntoken = \"s3cret\\n\""),
                "token cannot stand in a header",
            ),
            (one("form = \"ntfy\"\nurl = \"https://ntfy.example\""), "url names no topic"),
            (one("form = \"pagerduty\""), "routing_key is missing"),
            (one("form = \"syslog\"\nto = \"127.0.0.1\""), "to must be udp://HOST:PORT"),
            (one("form = \"syslog\"\nto = \"udp://:514\""), "to must be udp://HOST:PORT"),
            (
                "[[channel]]\nname = \"mail\"\nform = \"slack\"".to_owned(),
                "channel mail: mail is the name of --alert-mail",
            ),
            (
                "[[channel]]\nname = \"So c\"\nform = \"slack\"".to_owned(),
                "small letters, digits and hyphens",
            ),
            (
                format!("{0}\n{0}", one("form = \"syslog\"\nto = \"udp://h:1\"")),
                "another one of this name",
            ),
        ] {
            let found = fault(&text);
            assert!(found.contains(told), "{text}: {found}");
            assert!(!found.contains("s3cret"), "{found}");
        }
    }
}
